#include "widgets/panels/site_table_panel.h"

#include <algorithm>

#include <QAction>
#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QStackedLayout>
#include <QStyle>
#include <QTableView>
#include <QToolButton>
#include <QVBoxLayout>

#include "widgets/format.h"
#include "widgets/models/site_bar_delegate.h"
#include "widgets/models/site_filter_model.h"
#include "widgets/models/site_table_model.h"
#include "widgets/panels/elided_label.h"
#include "widgets/panels/site_table_columns.h"
#include "widgets/theme.h"

namespace bdq {

namespace {

/// Columns of another version have other meanings under the same numbers.
constexpr const char* kColumnsVersion = "columns 2:";

} // namespace

SiteTablePanel::SiteTablePanel(SiteTableModel* model, QWidget* parent) : QWidget(parent), m_model(model) {
    m_filter = new SiteFilterModel(this);
    m_filter->setSourceModel(model);
    m_empty = new QLabel(this);
    m_empty->setAlignment(Qt::AlignCenter);
    m_empty->setWordWrap(true);
    m_empty->setMargin(24);
    m_empty->setForegroundRole(QPalette::PlaceholderText);
    setupView();
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 8, 8, 8);
    layout->setSpacing(8);
    setupFilterRow();
    auto* area = new QWidget(this);
    m_stack = new QStackedLayout(area);
    m_stack->addWidget(m_view);
    m_stack->addWidget(m_empty);
    layout->addWidget(area, 1);
    setupCountRow();
    setEmptyText(tr("The layers of the model appear here.\n\nOpen a model, or drop a file on the window."));
    connectModel();
    updateEmptyState();
    updateCount();
}

void SiteTablePanel::setupView() {
    m_view = new QTableView(this);
    m_view->setModel(m_filter);
    m_view->setItemDelegate(new SiteBarDelegate(m_view));
    m_view->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_view->setSelectionMode(QAbstractItemView::ExtendedSelection);
    m_view->setShowGrid(false);
    m_view->setAlternatingRowColors(true);
    m_view->setWordWrap(false);
    m_view->setTabKeyNavigation(false);
    m_view->setTextElideMode(Qt::ElideMiddle);
    m_view->setFrameShape(QFrame::NoFrame);
    m_view->setAccessibleName(tr("Layers and sites"));
    m_view->verticalHeader()->hide();
    m_view->verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    m_view->verticalHeader()->setDefaultSectionSize(
        std::max(m_view->fontMetrics().height(), QFontMetrics(tabularFont(font())).height()) + 12);
    setupColumns();
    m_view->setContextMenuPolicy(Qt::CustomContextMenu);
    m_view->installEventFilter(this);
    connect(m_view, &QWidget::customContextMenuRequested, this, &SiteTablePanel::showRowMenu);
    connect(m_view, &QTableView::activated, this, [this](const QModelIndex& index) {
        emit siteActivated(m_model->keyAt(m_filter->mapToSource(index).row()));
    });
}

void SiteTablePanel::setupColumns() {
    QHeaderView* header = m_view->horizontalHeader();
    setupSiteColumns(m_view);
    m_view->setSortingEnabled(true);
    // Only the sorted column needs room for the arrow, and "estimated" is part of a title.
    connect(header, &QHeaderView::sortIndicatorChanged, this, [this](int column) {
        if (column >= 0) widenForTitle(m_view, column);
        updateOrder();
    });
    connect(m_filter, &QAbstractItemModel::headerDataChanged, this,
            [this](Qt::Orientation, int column) { widenForTitle(m_view, column); });
    m_view->sortByColumn(SiteTableModel::LossColumn, Qt::DescendingOrder);
    connect(header, &QWidget::customContextMenuRequested, this, &SiteTablePanel::showColumnMenu);
}

void SiteTablePanel::setupFilterRow() {
    m_pattern = new QLineEdit(this);
    m_pattern->setPlaceholderText(tr("Filter, for example down or ^1[0-9]\\."));
    m_pattern->setToolTip(tr("Regular expression on layer.site, for example 11.down"));
    m_pattern->setAccessibleName(tr("Filter of the layer table"));
    m_pattern->setClearButtonEnabled(true);
    m_pattern->installEventFilter(this);
    m_source = new QComboBox(this);
    m_source->setAccessibleName(tr("Kind of measured SQNR"));
    m_source->setToolTip(
        tr("What the column of measured SQNR shows: values of the analysis, of the resident "
           "worker (live), or of a run. They are measured on different tokens with different "
           "rounding: one column holds one kind, the inspector lists all."));
    m_source->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    for (QWidget* narrow : {static_cast<QWidget*>(m_source), static_cast<QWidget*>(m_pattern)})
        narrow->setMinimumWidth(80); // what a narrow window leaves it
    connect(m_source, &QComboBox::activated, this, [this](int index) {
        const std::vector<MeasuredSource> sources = m_model->sources();
        if (static_cast<std::size_t>(index) < sources.size())
            m_model->setSource(sources[static_cast<std::size_t>(index)]);
    });
    auto* row = new QHBoxLayout;
    row->setSpacing(8);
    row->addWidget(m_pattern, 1);
    row->addWidget(m_source);
    static_cast<QVBoxLayout*>(layout())->addLayout(row);
    connect(m_pattern, &QLineEdit::textChanged, this, [this](const QString& text) {
        bool valid = true;
        refilter([&] { valid = m_filter->setPattern(text); });
        m_pattern->setToolTip(valid ? tr("Regular expression on layer.site, for example 11.down")
                                    : tr("Not a regular expression yet; the last valid one is used"));
    });
}

void SiteTablePanel::refilter(const std::function<void()>& change) {
    m_filtering = true;
    change();
    select(m_chosen);
    m_filtering = false;
    updateEmptyState();
    updateCount();
}

void SiteTablePanel::setupCountRow() {
    m_count = new ElidedLabel(this);
    m_ranked = new ElidedLabel(this);
    m_count->setForegroundRole(QPalette::PlaceholderText);
    m_ranked->setForegroundRole(QPalette::PlaceholderText);
    m_sortAgain = new QToolButton(this);
    m_sortAgain->setIcon(style()->standardIcon(QStyle::SP_BrowserReload));
    m_sortAgain->setAccessibleName(tr("Sort again"));
    m_sortAgain->setToolTip(tr("The plan has changed since the rows were sorted. They stay where they are "
                               "while you edit; this puts them in order."));
    m_sortAgain->setAutoRaise(true);
    // Its place is kept: nothing moves when it comes.
    QSizePolicy kept = m_sortAgain->sizePolicy();
    kept.setRetainSizeWhenHidden(true);
    m_sortAgain->setSizePolicy(kept);
    m_sortAgain->hide();
    connect(m_sortAgain, &QToolButton::clicked, this, &SiteTablePanel::sortAgain);
    auto* row = new QHBoxLayout;
    row->setSpacing(8);
    row->addWidget(m_count);
    row->addWidget(m_ranked, 1);
    row->addWidget(m_sortAgain);
    static_cast<QVBoxLayout*>(layout())->addLayout(row);
}

void SiteTablePanel::fillSources() {
    const QSignalBlocker blocker(m_source);
    m_source->clear();
    const std::vector<MeasuredSource> sources = m_model->sources();
    for (const MeasuredSource& source : sources) {
        m_source->addItem(tr("SQNR: %1").arg(measuredSourceText(source)));
        if (source == m_model->source()) m_source->setCurrentIndex(m_source->count() - 1);
    }
    m_source->setEnabled(!sources.empty());
}

void SiteTablePanel::sortAgain() {
    m_filter->sortAgain();
    updateOrder();
}

void SiteTablePanel::toggleLock() {
    const SiteKeys keys = selectedKeys();
    if (keys.empty()) return;
    const bool all = std::ranges::all_of(keys, [this](SiteKey key) { return m_model->isLocked(key); });
    emit lockRequested(keys, !all);
}

void SiteTablePanel::connectModel() {
    connect(m_model, &SiteTableModel::numbersArrived, this, &SiteTablePanel::sortAgain);
    connect(m_model, &SiteTableModel::sourcesChanged, this, &SiteTablePanel::fillSources);
    fillSources();
    connect(m_view->selectionModel(), &QItemSelectionModel::selectionChanged, this, [this] {
        updateCount();
        if (m_filtering) return;
        const SiteKeys keys = selectedKeys();
        m_chosen = keys;
        emit selectionChanged(keys);
    });
    const auto changed = [this] {
        updateEmptyState();
        updateCount();
    };
    connect(m_filter, &QAbstractItemModel::dataChanged, this, [this] {
        updateOrder();
        updateCount(); // what the rows are ranked by
    });
    // Sorting must not carry the current row out of sight.
    connect(m_filter, &QAbstractItemModel::layoutAboutToBeChanged, this, [this] {
        const QModelIndex current = m_view->currentIndex();
        m_follow = current.isValid() && m_view->viewport()->rect().intersects(m_view->visualRect(current));
    });
    connect(m_filter, &QAbstractItemModel::layoutChanged, this, [this] {
        if (m_follow) m_view->scrollTo(m_view->currentIndex());
    });
    connect(m_filter, &QAbstractItemModel::rowsInserted, this, changed);
    connect(m_filter, &QAbstractItemModel::rowsRemoved, this, changed);
    connect(m_filter, &QAbstractItemModel::modelReset, this, [this, changed] {
        changed();
        m_chosen.clear();
        emit selectionChanged({});
    });
}

SiteKeys SiteTablePanel::selectedKeys() const {
    QModelIndexList rows = m_view->selectionModel()->selectedRows();
    std::ranges::sort(rows, {}, &QModelIndex::row);
    SiteKeys keys;
    for (const QModelIndex& index : rows)
        keys.push_back(m_model->keyAt(m_filter->mapToSource(index).row()));
    return keys;
}

SiteKeys SiteTablePanel::visibleKeys() const {
    SiteKeys keys;
    for (int row = 0; row < m_filter->rowCount(); ++row)
        keys.push_back(m_model->keyAt(m_filter->mapToSource(m_filter->index(row, 0)).row()));
    return keys;
}

void SiteTablePanel::select(const SiteKeys& keys) {
    SiteKeys wanted = keys;
    SiteKeys current = selectedKeys();
    std::ranges::sort(wanted);
    std::ranges::sort(current);
    if (wanted == current) return;
    QItemSelection selection;
    QModelIndex first;
    for (const SiteKey& key : keys) {
        const int row = m_model->rowOf(key);
        const QModelIndex index = row < 0 ? QModelIndex() : m_filter->mapFromSource(m_model->index(row, 0));
        if (!index.isValid()) continue;
        selection.select(index, m_filter->index(index.row(), SiteTableModel::ColumnCount - 1));
        if (!first.isValid()) first = index;
    }
    if (first.isValid()) m_view->selectionModel()->setCurrentIndex(first, QItemSelectionModel::NoUpdate);
    m_view->selectionModel()->select(selection, QItemSelectionModel::ClearAndSelect);
    m_chosen = std::move(wanted); // with those that no filter shows
    if (first.isValid()) m_view->scrollTo(first);
}

void SiteTablePanel::setOnly(bool active, const std::set<SiteKey>& keys) {
    refilter([&] { m_filter->setOnly(active ? std::optional(keys) : std::nullopt); });
}

void SiteTablePanel::setEmptyText(const QString& text) {
    m_empty->setProperty("noModel", text);
    updateEmptyState();
}

void SiteTablePanel::setColumnShown(int column, bool shown) {
    m_view->setColumnHidden(column, !shown);
}

int SiteTablePanel::missingWidth() const {
    return std::max(m_view->horizontalHeader()->length() - m_view->viewport()->width(), 0);
}

QByteArray SiteTablePanel::saveColumns() const {
    return kColumnsVersion + m_view->horizontalHeader()->saveState();
}

bool SiteTablePanel::restoreColumns(const QByteArray& state) {
    if (!state.startsWith(kColumnsVersion)) return false;
    const bool restored = m_view->horizontalHeader()->restoreState(state.mid(qstrlen(kColumnsVersion)));
    sortAgain(); // the state holds the sorted column
    return restored;
}

void SiteTablePanel::focusFilter() {
    m_pattern->setFocus(Qt::ShortcutFocusReason);
    m_pattern->selectAll();
}

void SiteTablePanel::copyRows() {
    std::vector<int> rows;
    for (const SiteKey& key : selectedKeys())
        rows.push_back(m_model->rowOf(key));
    std::vector<int> columns;
    const QHeaderView* header = m_view->horizontalHeader();
    for (int visual = 0; visual < header->count(); ++visual)
        if (const int column = header->logicalIndex(visual); !m_view->isColumnHidden(column))
            columns.push_back(column);
    if (!rows.empty()) QApplication::clipboard()->setText(m_model->toTsv(rows, columns));
}

void SiteTablePanel::selectAllOfSite(Site site) {
    SiteKeys keys;
    for (const SiteKey& key : visibleKeys())
        if (key.site == site) keys.push_back(key);
    select(keys);
}

void SiteTablePanel::showColumnMenu(const QPoint& position) {
    QMenu menu(this);
    for (int column = SiteTableModel::BitsColumn; column < SiteTableModel::ColumnCount; ++column) {
        QAction* action =
            menu.addAction(m_model->headerData(column, Qt::Horizontal, Qt::DisplayRole).toString());
        action->setCheckable(true);
        action->setChecked(!m_view->isColumnHidden(column));
        connect(action, &QAction::toggled, m_view,
                [this, column](bool shown) { m_view->setColumnHidden(column, !shown); });
    }
    menu.exec(m_view->horizontalHeader()->mapToGlobal(position));
}

void SiteTablePanel::showRowMenu(const QPoint& position) {
    const SiteKeys keys = selectedKeys();
    if (keys.empty()) return;
    QMenu menu(this);
    const auto count = [&](bool locked) {
        return std::ranges::count_if(keys, [&](SiteKey key) { return m_model->isLocked(key) == locked; });
    };
    QAction* lock = menu.addAction(tr("&Lock Selected\tL"));
    lock->setEnabled(count(false) > 0);
    connect(lock, &QAction::triggered, this, [this, keys] { emit lockRequested(keys, true); });
    QAction* unlock = menu.addAction(tr("&Unlock Selected"));
    unlock->setEnabled(count(true) > 0);
    connect(unlock, &QAction::triggered, this, [this, keys] { emit lockRequested(keys, false); });
    menu.addSeparator();
    connect(menu.addAction(tr("&Copy Rows\tCtrl+C")), &QAction::triggered, this, &SiteTablePanel::copyRows);
    menu.exec(m_view->viewport()->mapToGlobal(position));
}

void SiteTablePanel::updateOrder() {
    if (m_sortAgain) m_sortAgain->setVisible(!m_filter->inOrder());
}

void SiteTablePanel::updateCount() {
    const int selected = static_cast<int>(m_view->selectionModel()->selectedRows().size());
    const int shown = m_filter->rowCount();
    const int all = m_model->rowCount();
    QString text = shown != all ? tr("%1 of %n rows", nullptr, all).arg(shown)
                   : all == 1   ? tr("1 row")
                                : tr("%n rows", nullptr, all);
    if (selected > 0) text += QStringLiteral(", ") + tr("%n selected", nullptr, selected);
    m_count->setText(text);
    m_count->setVisible(all > 0);
    const RankingBasis basis = m_model->ranking().basis;
    m_ranked->setText(basis == RankingBasis::None ? tr("not ranked: measure losses")
                                                  : tr("losses: %1").arg(rankingBasisText(basis)));
    m_ranked->setToolTip(rankingToolTip(basis));
    m_ranked->setVisible(all > 0);
}

void SiteTablePanel::updateEmptyState() {
    const bool noModel = m_model->rowCount() == 0;
    const bool nothing = m_filter->rowCount() == 0;
    m_empty->setText(noModel ? m_empty->property("noModel").toString()
                             : tr("No row passes the filters.\n\nClear the filter line or the threshold in "
                                  "the Flatness plot."));
    m_stack->setCurrentIndex(nothing ? 1 : 0);
    m_pattern->setEnabled(!noModel);
}

bool SiteTablePanel::handleKey(QObject* watched, const QKeyEvent& key) {
    if (watched == m_view && key.matches(QKeySequence::Copy)) {
        copyRows();
        return true;
    }
    if (watched == m_view && key.key() == Qt::Key_L && key.modifiers() == Qt::NoModifier) {
        toggleLock();
        return true;
    }
    if (watched == m_pattern && key.key() == Qt::Key_Down) {
        m_view->setFocus(Qt::OtherFocusReason);
        return true;
    }
    if (watched == m_pattern && key.key() == Qt::Key_Escape && !m_pattern->text().isEmpty()) {
        m_pattern->clear();
        return true;
    }
    return false;
}

bool SiteTablePanel::eventFilter(QObject* watched, QEvent* event) {
    // Esc clears a filter before it does anything for the window.
    if (watched == m_pattern && event->type() == QEvent::ShortcutOverride &&
        static_cast<QKeyEvent*>(event)->key() == Qt::Key_Escape && !m_pattern->text().isEmpty()) {
        event->accept();
        return true;
    }
    if (event->type() == QEvent::KeyPress && handleKey(watched, *static_cast<QKeyEvent*>(event))) return true;
    return QWidget::eventFilter(watched, event);
}

} // namespace bdq
