#include "app/output_folders.h"

#include <QDir>
#include <QFileInfo>
#include <QRegularExpression>
#include <QStandardPaths>

namespace bdq {

QString resultsFolder(const QString& sessionPath, const QString& modelName, const ModelStamp& stamp) {
    if (!sessionPath.isEmpty()) return sessionPath + QStringLiteral(".d");
    static const QRegularExpression unfit(QStringLiteral("[^A-Za-z0-9._-]+"));
    const QString name = QString(modelName).replace(unfit, QStringLiteral("_")).left(80);
    const QString mark = QString::fromStdString(stamp.fingerprint).left(8);
    return QDir(QStandardPaths::writableLocation(QStandardPaths::AppDataLocation))
        .filePath(QStringLiteral("models/%1-%2").arg(name, mark));
}

QString OutputFolders::next(const QString& base, const QString& kind) {
    for (int number = 1;; ++number) {
        const QString path =
            QDir(base).filePath(QStringLiteral("%1-%2").arg(kind).arg(number, 4, 10, QLatin1Char('0')));
        if (m_taken.contains(path) || QFileInfo::exists(path)) continue;
        m_taken.insert(path);
        return path;
    }
}

} // namespace bdq
