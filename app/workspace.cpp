#include "app/workspace.h"

#include <QAction>
#include <QSplitter>
#include <QStackedWidget>
#include <QTabWidget>
#include <QVBoxLayout>

#include <algorithm>
#include <utility>

#include "widgets/models/site_table_model.h"
#include "widgets/panels/analyze_sheet.h"
#include "widgets/panels/header_strip.h"
#include "widgets/panels/inspector_panel.h"
#include "widgets/panels/message_bar.h"
#include "widgets/panels/report_panel.h"
#include "widgets/panels/run_sheet.h"
#include "widgets/panels/site_table_panel.h"
#include "widgets/plots/channels_plot.h"
#include "widgets/plots/flatness_plot.h"
#include "widgets/plots/histogram_plot.h"
#include "widgets/plots/sqnr_layers_plot.h"
#include "widgets/plots/sqnr_plot.h"
#include "widgets/stacked_pages.h"

namespace bdq {

namespace {

/// Rows beside the chosen one that are read ahead.
constexpr int kReadAhead = 2;
constexpr int kSheetBesideInspector = 1200;

} // namespace

Workspace::Workspace(QWidget* parent) : QWidget(parent) {
    createViews();
    setupTabs();
    setupLayout();
    setupEmptyStates();
    connectSelection();
    connectTransforms();
}

void Workspace::createViews() {
    m_sites = new SiteTableModel(this);
    m_header = new HeaderStrip;
    m_messages = new MessageBar(this);
    m_table = new SiteTablePanel(m_sites);
    m_inspector = new InspectorPanel;
    m_inspector->setMeasured(m_sites->measured());
    m_flatness = new FlatnessPlot;
    m_histogram = new HistogramPlot;
    m_channels = new ChannelsPlot;
    m_sqnr = new SqnrPlot;
    m_sqnrLayers = new SqnrLayersPlot;
    m_report = new ReportPanel;
    m_runSheet = new RunSheet;
    m_analyzeSheet = new AnalyzeSheet;
}

void Workspace::setupTabs() {
    m_tabs = new QTabWidget;
    m_tabs->setDocumentMode(true);
    m_tabs->setUsesScrollButtons(true); // a cut title says less than the next one in sight
    m_tabs->setElideMode(Qt::ElideNone);
    m_tabs->addTab(m_flatness, tr("Overview"));
    m_tabs->addTab(m_histogram, tr("Histogram"));
    m_tabs->addTab(m_channels, tr("Channels"));
    m_tabs->addTab(m_sqnr, tr("Predicted / measured"));
    m_tabs->addTab(m_sqnrLayers, tr("Transforms"));
    m_tabs->addTab(m_report, tr("Report"));
    m_tabs->setTabToolTip(OverviewTab, tr("Flatness across all layers, before and after a transform"));
    m_tabs->setTabToolTip(HistogramTab,
                          tr("Outlier magnitudes of the selected row, before and after a transform"));
    m_tabs->setTabToolTip(ChannelsTab, tr("Channel magnitudes of the selected row, sorted"));
    m_tabs->setTabToolTip(SqnrTab, tr("Predicted against measured SQNR of every row"));
    m_tabs->setTabToolTip(LayersTab, tr("SQNR across layers under every transform"));
    for (int i = 0; i < m_tabs->count(); ++i) {
        auto* plot = qobject_cast<PlotPanel*>(m_tabs->widget(i));
        if (plot) connect(plot, &PlotPanel::saveRequested, this, &Workspace::saveRequested);
    }
}

void Workspace::setupLayout() {
    m_centre = new QStackedWidget;
    m_centre->addWidget(m_tabs);
    m_centre->addWidget(m_runSheet);
    m_centre->addWidget(m_analyzeSheet);
    claimRoomForShownPage(m_centre);
    m_splitter = new QSplitter(Qt::Horizontal);
    m_splitter->setObjectName(QStringLiteral("workspaceSplitter"));
    m_splitter->addWidget(m_table);
    m_splitter->addWidget(m_centre);
    m_splitter->addWidget(m_inspector);
    m_splitter->setStretchFactor(1, 1);
    m_splitter->setChildrenCollapsible(false);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(m_header);
    layout->addWidget(m_splitter, 1);
    restoreDefaultSizes();
}

void Workspace::setupEmptyStates() {
    auto* now = new QAction(tr("Analyse now"), this);
    now->setToolTip(tr("Sends calibration text through the model, layer by layer, with the settings of the "
                       "last analysis"));
    auto* options = new QAction(tr("Options…"), this);
    options->setToolTip(tr("Text, transforms, layers and device of the analysis"));
    connect(now, &QAction::triggered, this, &Workspace::analysisRequested);
    connect(options, &QAction::triggered, this, &Workspace::analysisOptionsRequested);
    for (PlotPanel* plot : m_tabs->findChildren<PlotPanel*>())
        plot->setEmptyActions({now, options});
}

void Workspace::setRefusal(const QString& reason) {
    for (PlotPanel* plot : m_tabs->findChildren<PlotPanel*>())
        plot->setRefusal(reason);
}

void Workspace::restoreDefaultSizes() {
    m_splitter->setSizes({484, 676, 280});
}

void Workspace::connectSelection() {
    connect(m_table, &SiteTablePanel::selectionChanged, this, &Workspace::applySelection);
    connect(m_table, &SiteTablePanel::siteActivated, this, [this] {
        showSheet(Sheet::None);
        m_tabs->setCurrentWidget(m_histogram);
    });
    for (AnalysisPlot* plot : analysisPlots())
        connect(plot, &AnalysisPlot::siteSelected, this, [this](const SiteKey& key) { select({key}); });
    connect(m_flatness, &FlatnessPlot::thresholdChanged, m_table, &SiteTablePanel::setOnly);
}

void Workspace::connectTransforms() {
    for (DetailPlot* plot : detailPlots()) {
        connect(plot, &DetailPlot::transformsChanged, this, &Workspace::showTransforms);
        connect(plot, &DetailPlot::operandChanged, this, [this](Operand operand) {
            for (DetailPlot* other : detailPlots())
                if (other->operand() != operand) other->setOperand(operand);
        });
    }
    connect(m_flatness, &FlatnessPlot::transformChosen, this,
            [this](TransformKind after) { showTransforms(m_histogram->before(), after); });
}

std::vector<AnalysisPlot*> Workspace::analysisPlots() const {
    return {m_flatness, m_sqnr, m_sqnrLayers};
}
std::vector<DetailPlot*> Workspace::detailPlots() const {
    return {m_histogram, m_channels};
}

PlotPanel* Workspace::currentPlot() const {
    return qobject_cast<PlotPanel*>(m_tabs->currentWidget());
}

void Workspace::showModel(int layers) {
    m_analysis.reset();
    m_sites->setLayerCount(layers);
    for (AnalysisPlot* plot : analysisPlots())
        plot->setAnalysis(nullptr);
    applySelection({});
}

void Workspace::showAnalysis(const AnalysisPtr& analysis, const SiteRanking& ranking) {
    m_analysis = analysis;
    const SiteKeys kept = std::exchange(m_selectedByProgram, false) ? SiteKeys() : m_selection;
    showRanking(ranking);
    m_sites->setAnalysis(analysis);
    for (AnalysisPlot* plot : analysisPlots())
        plot->setAnalysis(analysis);
    m_table->select(kept);
    if (m_table->selectedKeys().empty() && m_sites->rowCount() > 0)
        m_table->select(
            {m_table->visibleKeys().empty() ? m_sites->keyAt(0) : m_table->visibleKeys().front()});
    applySelection(m_table->selectedKeys());
}

void Workspace::showLiveAnalysis(const AnalysisPtr& analysis) {
    m_analysis = analysis;
    for (AnalysisPlot* plot : analysisPlots())
        plot->setAnalysis(analysis);
    if (!analysis || !m_selection.empty() || analysis->sites.empty()) return;
    select({analysis->sites.front().key});
    m_selectedByProgram = true;
}

void Workspace::showRanking(const SiteRanking& ranking) {
    m_sites->setRanking(ranking);
    m_inspector->setRanking(ranking);
}

void Workspace::showSite(const SiteAnalysis& site) {
    m_sites->addOrUpdate(site);
    if (std::find(m_selection.begin(), m_selection.end(), site.key) != m_selection.end()) refreshSelection();
}

void Workspace::showPlan(const PlanState& state) {
    m_sites->setPlan(state.plan);
    m_sites->setRounding(state.effectiveRounding());
    m_sites->setTransform(state.fallback(), state.transforms);
    m_sites->setLocked(state.locked);
    m_inspector->setPlan(state.plan);
    m_inspector->setRounding(state.effectiveRounding());
    m_inspector->setTransform(state.fallback(), state.transforms);
}

void Workspace::showMeasured(const SiteAnswer& answer, WeightRounding rounding) {
    m_sites->addLive(answer, rounding);
    m_inspector->showNewValue(answer);
}

void Workspace::showDetail(const SiteKey& key, const DetailPtr& detail) {
    if (m_selection.empty() || m_selection.front() != key) return;
    const SiteAnalysis* site = m_sites->find(key);
    if (!site) return;
    m_inspector->setDetail(key, detail);
    for (DetailPlot* plot : detailPlots())
        plot->setSite(*site, detail, m_analysis ? m_analysis->text : TextInfo{});
}

void Workspace::showTransforms(TransformKind before, TransformKind after) {
    for (DetailPlot* plot : detailPlots())
        if (plot->before() != before || plot->after() != after) plot->setTransforms(before, after);
    if (m_flatness->transform() != after) m_flatness->setTransform(after);
    if (m_sqnr->transform() != after) m_sqnr->setTransform(after);
}

void Workspace::select(const SiteKeys& keys) {
    m_table->select(keys);
    if (m_selection != keys) applySelection(keys);
}

void Workspace::selectNeighbour(int step) {
    const SiteKeys order = m_table->visibleKeys();
    if (order.empty()) return;
    const auto current =
        m_selection.empty() ? order.end() : std::find(order.begin(), order.end(), m_selection.front());
    const auto place = current == order.end() ? 0 : current - order.begin() + step;
    const auto last = static_cast<std::ptrdiff_t>(order.size()) - 1;
    select({order[static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(place, 0, last))]});
}

void Workspace::applySelection(const SiteKeys& keys) {
    m_selection = keys;
    m_selectedByProgram = false;
    for (AnalysisPlot* plot : analysisPlots())
        plot->setSelected(keys);
    if (!keys.empty()) m_sqnrLayers->setSite(keys.front().site);
    refreshSelection();
    emit selectionChanged(keys);
}

void Workspace::refreshSelection() {
    std::vector<SiteAnalysis> rows;
    for (const SiteKey& key : m_selection) {
        const SiteAnalysis* site = m_sites->find(key);
        SiteAnalysis unknown;
        unknown.key = key;
        rows.push_back(site ? *site : unknown);
    }
    m_inspector->setSites(rows);
    requestDetail();
}

void Workspace::requestDetail() {
    const SiteAnalysis* site = m_selection.empty() ? nullptr : m_sites->find(m_selection.front());
    if (!site) {
        for (DetailPlot* plot : detailPlots())
            plot->clearSite();
        return;
    }
    std::vector<SiteAnalysis> neighbours;
    const SiteKeys order = m_table->visibleKeys();
    const auto here = std::find(order.begin(), order.end(), site->key);
    for (auto next = here; next != order.end() && next - here <= kReadAhead; ++next)
        if (const SiteAnalysis* other = m_sites->find(*next); other && other != site)
            neighbours.push_back(*other);
    if (here != order.end() && here != order.begin())
        if (const SiteAnalysis* other = m_sites->find(*(here - 1))) neighbours.push_back(*other);
    emit detailWanted(*site, neighbours);
}

void Workspace::showSheet(Sheet sheet) {
    m_centre->setCurrentIndex(static_cast<int>(sheet));
    makeRoom();
    if (sheet == Sheet::Run)
        m_runSheet->focusFirst();
    else if (sheet == Sheet::Analyze)
        m_analyzeSheet->focusFirst();
}

/// A form needs more width than a narrow window has beside what is read about rows.
void Workspace::makeRoom() {
    m_inspector->setVisible(!sheetOpen() || width() >= kSheetBesideInspector);
}

void Workspace::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    makeRoom();
}

bool Workspace::sheetOpen() const {
    return m_centre->currentIndex() != static_cast<int>(Sheet::None);
}

} // namespace bdq
