#include "widgets/panels/run_panel.h"

#include <algorithm>
#include <map>

#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QPlainTextEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QSplitter>
#include <QStackedLayout>
#include <QStringList>
#include <QTabWidget>
#include <QTableView>
#include <QTimer>
#include <QVBoxLayout>

#include "widgets/format.h"
#include "widgets/models/run_list_model.h"
#include "widgets/panels/elided_label.h"
#include "widgets/plots/run_rows_plot.h"
#include "widgets/theme.h"

namespace bdq {

namespace {

enum DetailTab { kPlotTab, kLogTab };
constexpr int kLogLines = 2000;
constexpr int kWidestColumn = 130;
constexpr int kNarrowestList = 160;
constexpr int kPlotDelayMs = 200; // rows arrive in bursts; the plot follows a few times a second

} // namespace

struct RunPanel::Private {
    RunListModel* model = nullptr;
    QTableView* view = nullptr;
    QStackedLayout* stack = nullptr;
    ElidedLabel* stage = nullptr;
    QLabel* time = nullptr;
    QProgressBar* bar = nullptr;
    QTabWidget* tabs = nullptr;
    RunRowsPlot* plot = nullptr;
    QPlainTextEdit* log = nullptr;
    QPushButton* cancel = nullptr;
    QPushButton* resume = nullptr;
    QPushButton* open = nullptr;
    QPushButton* report = nullptr;
    QPushButton* folder = nullptr;
    QPushButton* remove = nullptr;
    QTimer plotTimer;
    std::map<QString, std::vector<RunSiteResult>> rows;
    std::map<QString, QStringList> logs;
    QString shown;

    QWidget* makeList(RunPanel* panel);
    QWidget* makeDetail(RunPanel* panel);
    QWidget* makeButtons(RunPanel* panel);
    void connectModel(RunPanel* panel);
    void showRun(const QString& id);
    void updateState();
    void showPlotTab();
};

RunPanel::RunPanel(RunListModel* model, QWidget* parent) : QWidget(parent), d(std::make_unique<Private>()) {
    d->model = model;
    d->stack = new QStackedLayout(this);
    auto* empty = new QLabel(tr("Runs appear here with their progress, live results and log.\n\nChoose bits "
                                "and a method in the plan, then Start run."),
                             this);
    empty->setAlignment(Qt::AlignCenter);
    empty->setWordWrap(true);
    empty->setMargin(24);
    empty->setForegroundRole(QPalette::PlaceholderText);
    auto* splitter = new QSplitter(Qt::Horizontal, this);
    splitter->addWidget(d->makeList(this));
    splitter->addWidget(d->makeDetail(this));
    splitter->setStretchFactor(0, 1);
    splitter->setStretchFactor(1, 1);
    splitter->setChildrenCollapsible(false);
    splitter->setSizes({500, 500});
    d->stack->addWidget(empty);
    d->stack->addWidget(splitter);
    d->plotTimer.setSingleShot(true);
    d->plotTimer.setInterval(kPlotDelayMs);
    connect(&d->plotTimer, &QTimer::timeout, this, [this] { d->plot->setRows(d->rows[d->shown]); });
    d->connectModel(this);
    d->showRun({});
}

RunPanel::~RunPanel() = default;

QWidget* RunPanel::Private::makeList(RunPanel* panel) {
    view = new QTableView(panel);
    view->setModel(model);
    view->setSelectionBehavior(QAbstractItemView::SelectRows);
    view->setSelectionMode(QAbstractItemView::SingleSelection);
    view->setShowGrid(false);
    view->setAlternatingRowColors(true);
    view->setTabKeyNavigation(false);
    view->setFrameShape(QFrame::NoFrame);
    view->setTextElideMode(Qt::ElideMiddle);
    view->setAccessibleName(RunPanel::tr("Runs"));
    view->verticalHeader()->hide();
    view->verticalHeader()->setDefaultSectionSize(view->fontMetrics().height() + 8);
    view->horizontalHeader()->setHighlightSections(false);
    // No column is squeezed for another: a narrow list scrolls.
    view->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
    view->horizontalHeader()->setMaximumSectionSize(kWidestColumn);
    view->horizontalHeader()->setStretchLastSection(true);
    view->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    view->setColumnHidden(RunListModel::ProgressColumn, true); // the state says it
    view->setMinimumWidth(kNarrowestList);
    return view;
}

QWidget* RunPanel::Private::makeButtons(RunPanel* panel) {
    auto* box = new QWidget(panel);
    auto* row = new QHBoxLayout(box);
    row->setContentsMargins(0, 0, 0, 2);
    row->setSpacing(8);
    struct Button {
        QPushButton*& button;
        QString text;
        void (RunPanel::*signal)(const QString&);
    };
    const Button buttons[] = {{cancel, RunPanel::tr("&Cancel run"), &RunPanel::cancelRequested},
                              {resume, RunPanel::tr("Res&ume"), &RunPanel::resumeRequested},
                              {open, RunPanel::tr("Ope&n"), &RunPanel::openRequested},
                              {report, RunPanel::tr("Re&port…"), &RunPanel::reportRequested},
                              {folder, RunPanel::tr("F&older"), &RunPanel::openFolderRequested},
                              {remove, RunPanel::tr("Remove…"), &RunPanel::removeRequested}};
    for (const Button& entry : buttons) {
        entry.button = new QPushButton(entry.text, box);
        entry.button->setAutoDefault(false);
        row->addWidget(entry.button);
        QObject::connect(entry.button, &QPushButton::clicked, panel, [this, panel, signal = entry.signal] {
            const QString id = shown; // the receiver may remove the run
            emit(panel->*signal)(id);
        });
    }
    return box;
}

QWidget* RunPanel::Private::makeDetail(RunPanel* panel) {
    auto* box = new QWidget(panel);
    stage = new ElidedLabel(box);
    time = new QLabel(box);
    time->setFont(tabularFont(panel->font()));
    bar = new QProgressBar(box);
    bar->setTextVisible(false);
    bar->setFixedHeight(8);
    bar->setAccessibleName(RunPanel::tr("Progress"));
    plot = new RunRowsPlot(box);
    log = new QPlainTextEdit(box);
    log->setReadOnly(true);
    log->setUndoRedoEnabled(false);
    log->setMaximumBlockCount(kLogLines);
    log->setFont(tabularFont(panel->font()));
    log->setLineWrapMode(QPlainTextEdit::NoWrap);
    log->setFrameShape(QFrame::NoFrame);
    log->setPlaceholderText(RunPanel::tr("The worker's log appears here."));
    log->setAccessibleName(RunPanel::tr("Log"));
    tabs = new QTabWidget(box);
    tabs->setDocumentMode(true);
    tabs->addTab(plot, RunPanel::tr("Live SQNR"));
    tabs->addTab(log, RunPanel::tr("Log"));
    tabs->setCornerWidget(makeButtons(panel)); // beside the tabs: the dock is low
    auto* head = new QHBoxLayout;
    head->setSpacing(12);
    head->addWidget(stage, 1);
    head->addWidget(time);
    auto* layout = new QVBoxLayout(box);
    layout->setContentsMargins(12, 4, 12, 4);
    layout->setSpacing(4);
    layout->addLayout(head);
    layout->addWidget(bar);
    layout->addWidget(tabs, 1);
    QObject::connect(plot, &PlotPanel::saveRequested, panel, &RunPanel::saveRequested);
    return box;
}

void RunPanel::Private::connectModel(RunPanel* panel) {
    QObject::connect(view->selectionModel(), &QItemSelectionModel::currentRowChanged, panel,
                     [this, panel](const QModelIndex& current) {
                         const QString id = model->idAt(current.row());
                         if (id == shown) return;
                         showRun(id);
                         emit panel->runSelected(id);
                     });
    QObject::connect(view, &QAbstractItemView::activated, panel, [this, panel](const QModelIndex& index) {
        const QString id = model->idAt(index.row());
        if (id == shown && !open->isHidden()) emit panel->openRequested(id);
    });
    QObject::connect(model, &QAbstractItemModel::dataChanged, panel, [this] { updateState(); });
    QObject::connect(model, &QAbstractItemModel::rowsInserted, panel,
                     [this, panel](const QModelIndex&, int first) {
                         updateState();
                         // A run that begins is what the user waits for, unless a running one is being
                         // watched; one that is found on the disk is not.
                         const RunInfo* watched = model->find(shown);
                         const RunInfo* added = model->find(model->idAt(first));
                         const bool begins =
                             added && (added->state == RunState::Queued || added->state == RunState::Running);
                         if (!watched || (begins && watched->state != RunState::Running))
                             panel->select(model->idAt(first));
                     });
    const auto gone = [this] {
        if (!model->find(shown)) showRun(model->idAt(view->currentIndex().row()));
        updateState();
    };
    QObject::connect(model, &QAbstractItemModel::rowsRemoved, panel, gone);
    QObject::connect(model, &QAbstractItemModel::modelReset, panel, gone);
}

void RunPanel::Private::showRun(const QString& id) {
    shown = id;
    plotTimer.stop();
    const auto foundRows = rows.find(id);
    plot->setRows(foundRows == rows.end() ? std::vector<RunSiteResult>() : foundRows->second);
    const auto foundLog = logs.find(id);
    log->setPlainText(foundLog == logs.end() ? QString() : foundLog->second.join(u'\n'));
    log->moveCursor(QTextCursor::End);
    showPlotTab();
    updateState();
}

/// An analysis and losses have no such rows: their tab would stay empty.
void RunPanel::Private::showPlotTab() {
    const RunInfo* run = model->find(shown);
    const bool without =
        run && (run->kind == QLatin1String("analyze") || run->kind == QLatin1String("sensitivity"));
    const bool wanted = !without || !rows[shown].empty();
    if (wanted == tabs->isTabVisible(kPlotTab)) return;
    tabs->setTabVisible(kPlotTab, wanted);
    tabs->setCurrentIndex(wanted ? kPlotTab : kLogTab);
}

void RunPanel::Private::updateState() {
    stack->setCurrentIndex(model->rowCount() == 0 ? 0 : 1);
    bool evaluated = false;
    for (int row = 0; row < model->rowCount(); ++row)
        evaluated = evaluated || model->find(model->idAt(row))->perplexityFull;
    view->setColumnHidden(RunListModel::PerplexityColumn, !evaluated);
    const RunInfo* run = model->find(shown);
    const bool running = run && run->state == RunState::Running;
    const bool waiting = run && run->state == RunState::Queued;
    if (!run) {
        stage->setText(RunPanel::tr("Select a run"));
        time->clear();
    } else {
        QStringList parts{run->title.isEmpty() ? run->id : run->title, runStateText(run->state)};
        const QString stageText = run->state == RunState::Finished ? QString() : run->stage;
        for (const QString& part : {run->state == RunState::Failed ? run->error : stageText, run->device})
            if (!part.isEmpty()) parts << part;
        stage->setText(parts.join(QStringLiteral(" · ")));
        time->setText(model->index(model->rowOf(shown), RunListModel::TimeColumn).data().toString());
    }
    bar->setVisible(running || waiting);
    bar->setRange(0, running && run->progress < 0 ? 0 : 1000);
    bar->setValue(run && run->progress > 0 ? static_cast<int>(run->progress * 1000) : 0);
    // What waits since an earlier day starts only when somebody says so.
    const bool held = waiting && run->held;
    cancel->setVisible(running || (waiting && !held));
    resume->setText(held ? RunPanel::tr("&Start") : RunPanel::tr("Res&ume"));
    resume->setVisible(run && (held || (run->resumable && !running && !waiting)));
    const bool results = run && run->kind != QLatin1String("sensitivity");
    open->setVisible(results && !running && !waiting && (run->state == RunState::Finished || run->resumable));
    report->setVisible(results && run->state == RunState::Finished);
    folder->setVisible(run && !run->outDir.isEmpty());
    remove->setVisible(run && !running);
    // While the dock is hidden nothing else tells the layout; it would ask room for all of them.
    tabs->cornerWidget()->layout()->invalidate();
    tabs->updateGeometry();
}

void RunPanel::addRow(const QString& runId, const RunSiteResult& row) {
    std::vector<RunSiteResult>& rows = d->rows[runId];
    const auto same = std::ranges::find(rows, row.key, &RunSiteResult::key);
    if (same == rows.end())
        rows.push_back(row);
    else
        *same = row; // measured again by a further attempt
    if (runId == d->shown && !d->plotTimer.isActive()) d->plotTimer.start();
}

void RunPanel::appendLog(const QString& runId, const QString& line) {
    QStringList& lines = d->logs[runId];
    lines << line;
    if (lines.size() > kLogLines) lines.removeFirst();
    if (runId == d->shown) d->log->appendPlainText(line);
}

void RunPanel::forget(const QString& runId) {
    d->rows.erase(runId);
    d->logs.erase(runId);
    if (runId == d->shown) d->showRun(runId);
}

void RunPanel::select(const QString& runId) {
    const int row = d->model->rowOf(runId);
    if (row >= 0) d->view->setCurrentIndex(d->model->index(row, 0));
}

QString RunPanel::selectedRun() const {
    return d->shown;
}

} // namespace bdq
