// The main view: header strip, layer table | plots or a sheet | inspector. Keeps one selection for
// all of them.
#pragma once

#include <QWidget>

#include <memory>

#include "app/session_controller.h"
#include "widgets/plots/plot_content.h"
#include "widgets/site_ranking.h"
#include "widgets/types.h"

class QSplitter;
class QStackedWidget;
class QTabWidget;

namespace bdq {

class AnalysisPlot;
class AnalyzeSheet;
class ChannelsPlot;
class DetailPlot;
class FlatnessPlot;
class HeaderStrip;
class HistogramPlot;
class InspectorPanel;
class MessageBar;
class PlotPanel;
class ReportPanel;
class RunSheet;
class SiteTableModel;
class SiteTablePanel;
class SqnrLayersPlot;
class SqnrPlot;

class Workspace : public QWidget {
    Q_OBJECT
public:
    enum Tab { OverviewTab, HistogramTab, ChannelsTab, SqnrTab, LayersTab, ReportTab, TabCount };

    explicit Workspace(QWidget* parent = nullptr);

    [[nodiscard]] HeaderStrip* header() const { return m_header; }
    /// Placed by the window, in its status line: messages concern the start page, too.
    [[nodiscard]] MessageBar* messages() const { return m_messages; }
    [[nodiscard]] SiteTablePanel* table() const { return m_table; }
    [[nodiscard]] SiteTableModel* sites() const { return m_sites; }
    [[nodiscard]] InspectorPanel* inspector() const { return m_inspector; }
    [[nodiscard]] RunSheet* runSheet() const { return m_runSheet; }
    [[nodiscard]] AnalyzeSheet* analyzeSheet() const { return m_analyzeSheet; }
    [[nodiscard]] ReportPanel* report() const { return m_report; }
    [[nodiscard]] HistogramPlot* histogram() const { return m_histogram; }
    [[nodiscard]] QTabWidget* tabs() const { return m_tabs; }
    [[nodiscard]] QSplitter* splitter() const { return m_splitter; }
    [[nodiscard]] PlotPanel* currentPlot() const;

    /// Why the model cannot be analysed: said where an analysis is missing, instead of offering one. Empty =
    /// it can.
    void setRefusal(const QString& reason);
    /// Rows without statistics.
    void showModel(int layers);
    /// Whole analysis; null = none. The selection stays where rows stay, unless only the program made it;
    /// else the row that costs the model most is selected.
    void showAnalysis(const AnalysisPtr& analysis, const SiteRanking& ranking);
    /// Snapshot while an analysis runs: plots only, the table gets its rows by showSite().
    void showLiveAnalysis(const AnalysisPtr& analysis);
    void showSite(const SiteAnalysis& site);
    void showRanking(const SiteRanking& ranking);
    void showPlan(const PlanState& state);
    /// Answer of the resident worker.
    void showMeasured(const SiteAnswer& answer, WeightRounding rounding);
    /// Arrays of the first selected row, or nothing for any other row.
    void showDetail(const SiteKey& key, const DetailPtr& detail);
    /// Sets the transforms of all plots.
    void showTransforms(TransformKind before, TransformKind after);

    [[nodiscard]] SiteKeys selection() const { return m_selection; }
    void select(const SiteKeys& keys);
    /// The row `step` places after the first selected one in the order of the table.
    void selectNeighbour(int step);

    enum class Sheet { None, Run, Analyze };
    void showSheet(Sheet sheet);
    [[nodiscard]] bool sheetOpen() const;
    void restoreDefaultSizes();

signals:
    void selectionChanged(const bdq::SiteKeys& keys);
    /// The plots need the arrays of this row; `neighbours` are likely next.
    void detailWanted(const bdq::SiteAnalysis& site, const std::vector<bdq::SiteAnalysis>& neighbours);
    /// Buttons of the views that wait for an analysis: the proposed one, or its options first.
    void analysisRequested();
    void analysisOptionsRequested();
    void saveRequested(const QString& suggestedName, const bdq::PlotContent& content);

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    void createViews();
    void makeRoom();
    void setupTabs();
    void setupLayout();
    void setupEmptyStates();
    void connectSelection();
    void connectTransforms();
    void applySelection(const SiteKeys& keys);
    void refreshSelection();
    void requestDetail();
    [[nodiscard]] std::vector<AnalysisPlot*> analysisPlots() const;
    [[nodiscard]] std::vector<DetailPlot*> detailPlots() const;

    SiteTableModel* m_sites = nullptr;
    HeaderStrip* m_header = nullptr;
    MessageBar* m_messages = nullptr;
    SiteTablePanel* m_table = nullptr;
    InspectorPanel* m_inspector = nullptr;
    FlatnessPlot* m_flatness = nullptr;
    HistogramPlot* m_histogram = nullptr;
    ChannelsPlot* m_channels = nullptr;
    SqnrPlot* m_sqnr = nullptr;
    SqnrLayersPlot* m_sqnrLayers = nullptr;
    ReportPanel* m_report = nullptr;
    RunSheet* m_runSheet = nullptr;
    AnalyzeSheet* m_analyzeSheet = nullptr;
    QTabWidget* m_tabs = nullptr;
    QStackedWidget* m_centre = nullptr;
    QSplitter* m_splitter = nullptr;
    AnalysisPtr m_analysis;
    SiteKeys m_selection;
    bool m_selectedByProgram = false; ///< the first row of an analysis that is being computed
};

} // namespace bdq
