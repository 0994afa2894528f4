// Every kind of plot with made-up data, for the tests of plots.
#pragma once

#include <memory>
#include <vector>

#include <QSize>

#include "engine/api/results.h"
#include "widgets/types.h"

class QWidget;

namespace bdq {

class PlotPanel;

namespace test {

inline const QSize kPlotSize(720, 480);
inline constexpr SiteKey kPlotKey{11, Site::Down};

TextInfo plotText();
std::vector<RunSiteResult> runRows();
/// The canvas inside a panel: the child that has the panel's accessible name.
QWidget* canvas(PlotPanel& panel);

struct Plots {
    std::vector<std::unique_ptr<PlotPanel>> all; ///< empty, until fill()
    Plots();
    ~Plots();
    static void fill(PlotPanel& panel);
};

} // namespace test

} // namespace bdq
