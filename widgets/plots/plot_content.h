// What a plot hands over to be saved.
#pragma once

#include <functional>

#include <QByteArray>
#include <QStringList>

namespace bdq {

/// Picture or numbers of a plot, in the format of a suffix of plotSuffixes(); nothing for another one, or
/// when the plot is gone.
using PlotContent = std::function<QByteArray(const QString& suffix)>;
/// png, svg, pdf, csv.
[[nodiscard]] QStringList plotSuffixes();

} // namespace bdq
