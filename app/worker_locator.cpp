#include "app/worker_locator.h"

#include <QCoreApplication>
#include <QDir>

namespace bdq {

QString locateWorker() {
    const QString chosen = qEnvironmentVariable("BDQ_WORKER");
    if (!chosen.isEmpty()) return chosen;
    return QDir(QCoreApplication::applicationDirPath()).filePath(QStringLiteral("bdq"));
}

} // namespace bdq
