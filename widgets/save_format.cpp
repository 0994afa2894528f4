#include "widgets/save_format.h"

#include <QCoreApplication>
#include <QFileInfo>

namespace bdq {

Result<SaveTarget> saveTarget(const QString& path, const QString& chosen, const QStringList& known) {
    const QFileInfo file(path);
    const QString suffix = file.suffix().toLower();
    // ".csv" is the name of a hidden file, not a suffix without a name.
    if (known.contains(suffix) && !file.completeBaseName().isEmpty()) return SaveTarget{path, suffix};
    const QString completed = path + (path.endsWith(u'.') ? QString() : QStringLiteral(".")) + chosen;
    if (QFileInfo::exists(completed))
        return fail(ErrorCode::InvalidSpec,
                    QCoreApplication::translate(
                        "bdq::SaveTarget", "%1: found a file of this name, expected none, because “%2” is "
                                           "no known format and .%3 was added. Choose that file itself to "
                                           "replace it.")
                        .arg(completed, file.fileName(), chosen)
                        .toStdString());
    return SaveTarget{completed, chosen};
}

} // namespace bdq
