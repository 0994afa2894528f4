#include "widgets/plots/analysis_plot.h"

#include "widgets/format.h"

namespace bdq {

AnalysisPlot::AnalysisPlot(QWidget* parent) : PlotPanel(parent) {}

void AnalysisPlot::setAnalysis(std::shared_ptr<const AnalysisResult> analysis) {
    m_analysis = std::move(analysis);
    analysisChanged();
    refresh();
}

void AnalysisPlot::setSelected(const SiteKeys& keys) {
    m_selected = keys;
    redraw(false);
}

void AnalysisPlot::analysisChanged() {}

QString AnalysisPlot::textSource() const {
    if (!m_analysis) return {};
    const TextInfo& text = m_analysis->text;
    const QString source = text.source == "self" ? tr("text the model wrote itself") : toQString(text.source);
    return tr("%1 tokens of %2").arg(formatCount(text.tokens), source);
}

void AnalysisPlot::refresh() {
    const bool empty = !m_analysis || m_analysis->sites.empty();
    setEmptyText(
        empty ? tr("%1\n\nRun → Analyse activations fills this view layer by layer.").arg(whatIsShown())
              : QString());
    redraw(true);
}

} // namespace bdq
