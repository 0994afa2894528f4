#include "widgets/panels/compare_panel.h"

#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QKeyEvent>
#include <QLabel>
#include <QPushButton>
#include <QSignalBlocker>
#include <QSortFilterProxyModel>
#include <QSplitter>
#include <QStackedLayout>
#include <QTableView>
#include <QTableWidget>
#include <QVBoxLayout>

#include "widgets/format.h"
#include "widgets/plots/compare_plot.h"
#include "widgets/theme.h"

namespace bdq {

namespace {

enum FigureColumn { FirstFigure, SecondFigure, DifferenceFigure, FigureColumns };
constexpr int kWidestColumn = 110; ///< names of methods are longer; the tooltip has them whole
constexpr int kShortestTitle = 12; ///< characters of a run's title that a box always shows

void styleTable(QTableView* view) {
    view->setSelectionBehavior(QAbstractItemView::SelectRows);
    view->setShowGrid(false);
    view->setAlternatingRowColors(true);
    view->setTabKeyNavigation(false);
    view->setFrameShape(QFrame::NoFrame);
    view->setEditTriggers(QAbstractItemView::NoEditTriggers);
    view->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    view->verticalHeader()->setDefaultSectionSize(view->fontMetrics().height() + 4); // the dock is low
    view->horizontalHeader()->setHighlightSections(false);
    view->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
    view->horizontalHeader()->setMaximumSectionSize(kWidestColumn);
    view->setFont(tabularFont(view->font()));
    view->setTextElideMode(Qt::ElideRight);
}

QTableWidgetItem* figureItem(const QString& text) {
    auto* item = new QTableWidgetItem(text);
    item->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
    item->setToolTip(plainToolTip(text));
    return item;
}

} // namespace

ComparePanel::ComparePanel(QWidget* parent) : QWidget(parent) {
    m_model = new RunCompareModel(this);
    auto* body = new QWidget(this);
    m_stack = new QStackedLayout;
    auto* empty =
        new QLabel(tr("Choose two finished runs: their perplexities, bits and times appear here, and the "
                      "SQNR of every layer with the difference.\n\nA run of another folder joins by "
                      "“Run folder…”."),
                   this);
    empty->setAlignment(Qt::AlignCenter);
    empty->setWordWrap(true);
    empty->setMargin(12);
    empty->setForegroundRole(QPalette::PlaceholderText);
    auto* splitter = new QSplitter(Qt::Horizontal, this);
    splitter->setChildrenCollapsible(false);
    splitter->addWidget(makeFigures());
    splitter->addWidget(makeTable());
    m_plot = new ComparePlot(this);
    splitter->addWidget(m_plot);
    splitter->setSizes({300, 320, 240});
    splitter->setStretchFactor(2, 1);
    m_stack->addWidget(empty);
    m_stack->addWidget(splitter);
    body->setLayout(m_stack);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 4, 8, 4);
    layout->setSpacing(4);
    layout->addWidget(makeHead());
    layout->addWidget(m_warning);
    layout->addWidget(body, 1);
    connect(m_plot, &PlotPanel::saveRequested, this, &ComparePanel::saveRequested);
    showRuns();
}

QWidget* ComparePanel::makeHead() {
    auto* head = new QWidget(this);
    auto* row = new QHBoxLayout(head);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(8);
    const QString names[] = {tr("Run A"), tr("Run B")};
    for (int side = 0; side < 2; ++side) {
        auto* box = new QComboBox(head);
        box->setAccessibleName(names[side]);
        box->setPlaceholderText(tr("choose a run"));
        box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
        box->setMinimumContentsLength(kShortestTitle);
        auto* label = new QLabel(names[side], head);
        label->setBuddy(box);
        row->addWidget(label);
        row->addWidget(box, 1);
        m_boxes[static_cast<std::size_t>(side)] = box;
        connect(box, &QComboBox::currentIndexChanged, this, [this, side] {
            setRun(side, nullptr);
            if (!chosen(side).isEmpty()) emit runWanted(side, chosen(side));
        });
    }
    auto* swap = new QPushButton(tr("S&wap"), head);
    swap->setToolTip(tr("Exchanges A and B; differences are B minus A."));
    auto* browse = new QPushButton(tr("Run &folder…"), head);
    for (QPushButton* button : {swap, browse}) {
        button->setAutoDefault(false);
        row->addWidget(button);
    }
    connect(swap, &QPushButton::clicked, this, &ComparePanel::swapSides);
    connect(browse, &QPushButton::clicked, this, &ComparePanel::browseRequested);
    m_warning = new QLabel(this);
    m_warning->setWordWrap(true);
    m_warning->setTextFormat(Qt::PlainText);
    return head;
}

QWidget* ComparePanel::makeFigures() {
    m_figures = new QTableWidget(this);
    styleTable(m_figures);
    m_figures->setAccessibleName(tr("Both runs as wholes"));
    m_figures->setColumnCount(FigureColumns);
    m_figures->setHorizontalHeaderLabels({tr("A"), tr("B"), tr("B − A")});
    m_figures->setMinimumWidth(160);
    return m_figures;
}

QWidget* ComparePanel::makeTable() {
    m_sorted = new QSortFilterProxyModel(this);
    m_sorted->setSourceModel(m_model);
    m_sorted->setSortRole(RunCompareModel::SortRole);
    m_view = new QTableView(this);
    styleTable(m_view);
    m_view->setModel(m_sorted);
    m_view->setSortingEnabled(true);
    // Where B loses most comes first.
    m_view->sortByColumn(RunCompareModel::DifferenceColumn, Qt::AscendingOrder);
    m_view->verticalHeader()->hide();
    m_view->setAccessibleName(tr("Both runs layer by layer"));
    m_view->setMinimumWidth(160);
    m_view->installEventFilter(this);
    connect(m_view->selectionModel(), &QItemSelectionModel::selectionChanged, this, [this] {
        const QModelIndexList rows = m_view->selectionModel()->selectedRows();
        if (rows.isEmpty()) return;
        const SiteKey key = m_model->keyAt(m_sorted->mapToSource(rows.front()).row());
        m_plot->setSite(key.site);
        emit siteActivated(key);
    });
    return m_view;
}

void ComparePanel::setChoices(const std::vector<RunChoice>& choices) {
    if (choices == m_choices) return;
    m_choices = choices;
    for (int side = 0; side < 2; ++side) {
        const QString before = chosen(side);
        QComboBox* box = m_boxes[static_cast<std::size_t>(side)];
        {
            const QSignalBlocker blocker(box);
            box->clear();
            for (const RunChoice& choice : m_choices) {
                box->addItem(choice.title, choice.id);
                box->setItemData(box->count() - 1, plainToolTip(choice.id), Qt::ToolTipRole);
            }
            box->setCurrentIndex(before.isEmpty() ? -1 : box->findData(before));
        }
        if (chosen(side) != before) setRun(side, nullptr);
    }
    showRuns();
}

void ComparePanel::choose(int side, const QString& id) {
    QComboBox* box = m_boxes[static_cast<std::size_t>(side)];
    box->setCurrentIndex(box->findData(id));
}

QString ComparePanel::chosen(int side) const {
    return m_boxes[static_cast<std::size_t>(side)]->currentData().toString();
}

void ComparePanel::setRun(int side, const RunPtr& run) {
    RunPtr runs[] = {m_model->run(0), m_model->run(1)};
    runs[side] = run;
    m_model->setRuns(runs[0], runs[1]);
    showRuns();
}

void ComparePanel::swapSides() {
    const RunPtr runs[] = {m_model->run(1), m_model->run(0)};
    const QString ids[] = {chosen(1), chosen(0)};
    for (int side = 0; side < 2; ++side) {
        const QSignalBlocker blocker(m_boxes[static_cast<std::size_t>(side)]);
        choose(side, ids[side]);
    }
    m_model->setRuns(runs[0], runs[1]);
    showRuns();
    for (int side = 0; side < 2; ++side) // what was being read was for the other side
        if (!runs[side] && !ids[side].isEmpty()) emit runWanted(side, ids[side]);
}

void ComparePanel::showRuns() {
    const RunPtr& first = m_model->run(0);
    const RunPtr& second = m_model->run(1);
    m_stack->setCurrentIndex(first || second ? 1 : 0);
    const QStringList warnings = first && second ? comparisonWarnings(*first, *second) : QStringList();
    m_warning->setText(warnings.isEmpty() ? QString() : QStringLiteral("! ") + warnings.join(u' '));
    m_warning->setVisible(!warnings.isEmpty());
    m_plot->setRuns(first, second,
                    {tr("A: %1").arg(m_boxes[0]->currentText()), tr("B: %1").arg(m_boxes[1]->currentText())});
    showFigures();
}

void ComparePanel::showFigures() {
    const std::vector<RunFigure> figures = runFigures(m_model->run(0), m_model->run(1));
    m_figures->setRowCount(static_cast<int>(figures.size()));
    int row = 0;
    for (const RunFigure& figure : figures) {
        auto* name = new QTableWidgetItem(figure.name);
        name->setToolTip(figure.toolTip);
        m_figures->setVerticalHeaderItem(row, name);
        m_figures->setItem(row, FirstFigure, figureItem(figure.values[0]));
        m_figures->setItem(row, SecondFigure, figureItem(figure.values[1]));
        m_figures->setItem(row, DifferenceFigure, figureItem(figure.difference));
        ++row;
    }
}

void ComparePanel::copyRows() {
    std::vector<int> rows;
    for (const QModelIndex& index : m_view->selectionModel()->selectedRows())
        rows.push_back(m_sorted->mapToSource(index).row());
    if (!rows.empty()) QApplication::clipboard()->setText(m_model->toTsv(rows));
}

bool ComparePanel::eventFilter(QObject* watched, QEvent* event) {
    if (watched == m_view && event->type() == QEvent::KeyPress &&
        static_cast<QKeyEvent*>(event)->matches(QKeySequence::Copy)) {
        copyRows();
        return true;
    }
    return QWidget::eventFilter(watched, event);
}

} // namespace bdq
