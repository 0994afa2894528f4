// What a file is written as, decided by the name the user gives it.
#pragma once

#include <QString>
#include <QStringList>

#include "engine/api/result.h"

namespace bdq {

struct SaveTarget {
    QString path;
    QString suffix; ///< one of the known ones, lower case
};

/// The file's suffix decides where it is one of `known` (without the dot, lower case), whatever was `chosen`.
/// Any other suffix belongs to the name, and that of the chosen format follows it.
/// Error: the completed name, which nobody was asked about, is that of a file already.
[[nodiscard]] Result<SaveTarget> saveTarget(const QString& path, const QString& chosen,
                                            const QStringList& known);

} // namespace bdq
