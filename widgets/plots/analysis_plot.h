// Base of the plots over all layers: they own one analysis snapshot and replace it whole.
#pragma once

#include <memory>

#include "widgets/plots/plot_panel.h"
#include "widgets/types.h"

namespace bdq {

class AnalysisPlot : public PlotPanel {
    Q_OBJECT
public:
    /// Snapshot to draw, complete or with the rows known so far. Null clears.
    void setAnalysis(std::shared_ptr<const AnalysisResult> analysis);
    /// Marks these rows.
    void setSelected(const SiteKeys& keys);

signals:
    void siteSelected(const bdq::SiteKey& key);

protected:
    explicit AnalysisPlot(QWidget* parent);
    [[nodiscard]] const AnalysisResult* analysis() const { return m_analysis.get(); }
    [[nodiscard]] const SiteKeys& selected() const { return m_selected; }
    [[nodiscard]] virtual QString whatIsShown() const = 0; ///< for the empty state
    /// Called after the snapshot changed, before rebuild(): subclasses refill their choices.
    virtual void analysisChanged();
    [[nodiscard]] QString textSource() const; ///< "65,536 tokens of wikitext2-calibration"
    void refresh();

private:
    std::shared_ptr<const AnalysisResult> m_analysis;
    SiteKeys m_selected;
};

} // namespace bdq
