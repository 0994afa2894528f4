#include "tests/widgets/plot_fixtures.h"

#include "tests/widgets/widget_fixtures.h"
#include "widgets/plots/channels_plot.h"
#include "widgets/plots/flatness_plot.h"
#include "widgets/plots/histogram_plot.h"
#include "widgets/plots/run_rows_plot.h"
#include "widgets/plots/sqnr_layers_plot.h"
#include "widgets/plots/sqnr_plot.h"

namespace bdq::test {

TextInfo plotText() {
    return makeAnalysis(1)->text;
}

std::vector<RunSiteResult> runRows() {
    std::vector<RunSiteResult> rows;
    for (int layer = 0; layer < 8; ++layer)
        for (Site site : {Site::Qkv, Site::O, Site::GateUp, Site::Down, Site::KCache, Site::VCache})
            rows.push_back(RunSiteResult{
                {layer, site}, "W4A4KV4", 12.0 + layer + static_cast<int>(site), 0.01, 0, 0, 0, 0});
    return rows;
}

QWidget* canvas(PlotPanel& panel) {
    for (QWidget* child : panel.findChildren<QWidget*>())
        if (child->inherits("QCustomPlot")) return child;
    return nullptr;
}

Plots::Plots() {
    all.push_back(std::make_unique<HistogramPlot>());
    all.push_back(std::make_unique<ChannelsPlot>());
    all.push_back(std::make_unique<FlatnessPlot>());
    all.push_back(std::make_unique<SqnrPlot>());
    all.push_back(std::make_unique<SqnrLayersPlot>());
    all.push_back(std::make_unique<RunRowsPlot>());
}

Plots::~Plots() = default;

void Plots::fill(PlotPanel& panel) {
    if (auto* detail = qobject_cast<DetailPlot*>(&panel))
        detail->setSite(makeSite(kPlotKey), makeDetail(kPlotKey), plotText());
    else if (auto* analysis = qobject_cast<AnalysisPlot*>(&panel))
        analysis->setAnalysis(makeAnalysis(12));
    else
        qobject_cast<RunRowsPlot*>(&panel)->setRows(runRows());
}

} // namespace bdq::test
