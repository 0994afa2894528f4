// Weight bits under a budget: the plan panel's slider, and the measurement of the losses it weighs.
#include <algorithm>
#include <set>

#include <QDialog>
#include <QDockWidget>
#include <QVBoxLayout>

#include "app/losses_estimate.h"
#include "app/main_window.h"
#include "app/plan_ranking.h"
#include "app/workspace.h"
#include "widgets/format.h"
#include "widgets/panels/analyze_sheet.h"
#include "widgets/panels/budget_row.h"
#include "widgets/panels/inspector_panel.h"
#include "widgets/panels/losses_sheet.h"
#include "widgets/panels/message_bar.h"
#include "widgets/panels/plan_panel.h"

namespace bdq {

void MainWindow::connectBudget() {
    BudgetRow* row = m_planPanel->budget();
    connect(row, &BudgetRow::bitsChosen, &m_budget, &BudgetController::choose);
    connect(row, &BudgetRow::candidatesChosen, &m_budget, &BudgetController::setCandidateBits);
    connect(row, &BudgetRow::measureRequested, this, &MainWindow::measureSensitivity);
    connect(row, &BudgetRow::cancelRequested, this, [this] {
        if (const JobRecord* job = sensitivityJob()) m_jobs.cancel(job->id);
    });
    connect(&m_budget, &BudgetController::changed, this, &MainWindow::updateBudget);
    connect(&m_jobs, &JobQueue::jobAdded, this, &MainWindow::updateBudget);
    connect(&m_jobs, &JobQueue::jobEnded, this, &MainWindow::updateBudget);
}

const JobRecord* MainWindow::sensitivityJob() const {
    for (const JobRecord* record : m_jobs.records())
        if (!record->over() && std::holds_alternative<SensitivitySpec>(record->spec)) return record;
    return nullptr;
}

void MainWindow::updateBudget() {
    BudgetRow* row = m_planPanel->budget();
    row->setRange(m_budget.range(), m_budget.problem());
    if (m_budget.range())
        row->setOutcome(m_budget.outcome(), m_budget.explanation());
    else
        row->setOutcome(m_session.isOpen() ? m_budget.problem() : QString(), {});
    auto measuring = BudgetRow::Measuring::Hidden;
    if (sensitivityJob() != nullptr)
        measuring = BudgetRow::Measuring::Running;
    else if (m_budget.canMeasure())
        measuring = BudgetRow::Measuring::Possible;
    row->setMeasuring(measuring);
}

SensitivitySpec MainWindow::proposedSensitivity() {
    SensitivitySpec spec = m_budget.measurement();
    spec.modelPath = m_session.modelPath().toStdString();
    spec.device = m_settings.analyzeOptions().device;
    return spec;
}

void MainWindow::measureSensitivity() {
    const AnalysisPtr analysis = m_session.analysis();
    const bool ready = analysis && !m_session.analysisIsLive();
    if (sensitivityJob() != nullptr || !ready || findChild<QDialog*>(QStringLiteral("lossesDialog"))) return;
    m_probe.start();
    auto* dialog = new QDialog(this);
    dialog->setObjectName(QStringLiteral("lossesDialog"));
    dialog->setWindowTitle(tr("Measure Losses"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    auto* sheet = new LossesSheet(dialog);
    auto* layout = new QVBoxLayout(dialog);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(sheet);
    const double rate = m_settings.secondsPerLossToken();
    sheet->setSpec(
        proposedSensitivity(), m_session.modelConfig().layers,
        [analysis, rate](const SensitivitySpec& spec) { return lossSeconds(spec, *analysis, rate); });
    connect(&m_probe, &DeviceProbe::devicesFound, sheet, &LossesSheet::setDevices);
    connect(sheet, &LossesSheet::cancelRequested, dialog, &QDialog::reject);
    connect(sheet, &LossesSheet::startRequested, this, [this, sheet, dialog](const SensitivitySpec& spec) {
        const Status started = startLosses(spec);
        if (started)
            dialog->accept();
        else
            sheet->setProblem(toQString(started.error().text()));
    });
    dialog->open();
}

Status MainWindow::startLosses(const SensitivitySpec& spec) {
    BDQ_CHECK(m_jobs.enqueue(spec, tr("Losses of single sites of %1").arg(m_session.modelName())));
    m_runsDock->show();
    m_runsDock->raise();
    return {};
}

void MainWindow::announceSensitivity(const JobRecord& record, const SensitivitySpec& spec) {
    const double rate = secondsPerLossToken(spec, record.total, record.seconds);
    if (rate > 0) m_settings.setSecondsPerLossToken(rate);
    m_session.reloadAnalysis(spec.analysisDir);
    m_workspace->messages()->showMessage(
        MessageSeverity::Success, tr("Losses measured: rows are ranked, and the slider of average bits "
                                     "weighs, by what the whole model loses at every site"));
}

SiteRanking MainWindow::currentRanking() const {
    if (m_session.analysisIsLive()) return {};
    const LoadedAnalysis& loaded = m_session.loadedAnalysis();
    return rankingOf(loaded.result.get(), loaded.sensitivity.get(), m_plan.state());
}

bool MainWindow::isAnalysed(TransformKind transform) const {
    const AnalysisPtr& analysis = m_session.analysis();
    if (!analysis) return true; // nothing is shown that could vanish
    const auto& known = analysis->spec.transforms;
    return std::ranges::find(known, transform) != known.end();
}

void MainWindow::proposeTransform(const SiteKeys& keys, TransformKind transform) {
    if (!m_session.isOpen()) return;
    AnalyzeSpec spec = proposedAnalysis();
    if (const AnalysisPtr& analysis = m_session.analysis()) {
        const AnalyzeSpec& shown = analysis->spec;
        spec.calibration = shown.calibration;
        spec.schemes = shown.schemes;
        spec.seed = shown.seed;
        spec.transforms = shown.transforms;
    }
    if (std::ranges::find(spec.transforms, transform) == spec.transforms.end())
        spec.transforms.push_back(transform);
    std::set<int> layers;
    for (const SiteKey& key : keys)
        layers.insert(key.layer);
    spec.layers.assign(layers.begin(), layers.end());
    showAnalyzeSheet();
    m_workspace->analyzeSheet()->setSpec(spec);
}

// By what the shown analysis took for a layer and a transform: the same machine, text and model.
void MainWindow::updateAnalysisCost() {
    double seconds = -1;
    if (const AnalysisPtr& analysis = m_session.analysis(); analysis && !m_session.analysisIsLive()) {
        std::set<int> layers;
        for (const SiteAnalysis& site : analysis->sites)
            layers.insert(site.key.layer);
        if (!layers.empty() && analysis->provenance.seconds > 0)
            seconds = analysis->provenance.seconds / static_cast<double>(layers.size());
    }
    m_workspace->inspector()->setAnalysisSeconds(seconds);
}

} // namespace bdq
