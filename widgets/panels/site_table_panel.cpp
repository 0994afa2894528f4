#include "widgets/panels/site_table_panel.h"

#include <algorithm>

#include <QAction>
#include <QApplication>
#include <QClipboard>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QStackedLayout>
#include <QTableView>
#include <QVBoxLayout>

#include "widgets/format.h"
#include "widgets/models/site_bar_delegate.h"
#include "widgets/models/site_filter_model.h"
#include "widgets/models/site_table_model.h"
#include "widgets/theme.h"

namespace bdq {

namespace {

/// Columns beside these are one click away in the header's menu.
constexpr int kDefaultColumns[] = {
    SiteTableModel::LayerColumn,        SiteTableModel::SiteColumn,
    SiteTableModel::BitsColumn,         SiteTableModel::SqnrPredictedColumn,
    SiteTableModel::SqnrMeasuredColumn, SiteTableModel::FlatnessActivationAfterColumn};

/// Texts that the first columns must hold.
QString widestText(int column) {
    switch (column) {
    case SiteTableModel::LayerColumn:
        return QStringLiteral("00000");
    case SiteTableModel::SiteColumn:
        return siteTitle(Site::GateUp);
    case SiteTableModel::BitsColumn:
        return QStringLiteral("8/8/16");
    default:
        return QStringLiteral("!! 0.0000");
    }
}

/// Room for the title on two lines, beside the sort arrow when the header shows one.
int titleWidth(const QHeaderView* header, int column) {
    constexpr int kRounding = 2; // of fractional text widths
    const QFontMetrics metrics = header->fontMetrics();
    const QString title = header->model()->headerData(column, Qt::Horizontal, Qt::DisplayRole).toString();
    const QStringList words = title.split(u' ');
    const int whole = metrics.horizontalAdvance(title);
    int narrowest = whole;
    for (qsizetype first = 1; first < words.size(); ++first)
        narrowest = std::min(narrowest, std::max(metrics.horizontalAdvance(words.first(first).join(u' ')),
                                                 metrics.horizontalAdvance(words.sliced(first).join(u' '))));
    return header->sectionSizeHint(column) - whole + narrowest + kRounding;
}

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
    m_count = new QLabel(this);
    m_count->setForegroundRole(QPalette::PlaceholderText);
    layout->addWidget(area, 1);
    layout->addWidget(m_count);
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
    QHeaderView* header = m_view->horizontalHeader();
    header->setHighlightSections(false);
    header->setSectionsMovable(true);
    header->setStretchLastSection(true);
    header->setContextMenuPolicy(Qt::CustomContextMenu);
    for (int column = 0; column < SiteTableModel::ColumnCount; ++column) {
        // Before it is hidden: hidden columns have no width hint.
        header->resizeSection(
            column, std::max(titleWidth(header, column),
                             QFontMetrics(tabularFont(font())).horizontalAdvance(widestText(column)) + 12));
        m_view->setColumnHidden(column,
                                std::ranges::find(kDefaultColumns, column) == std::end(kDefaultColumns));
    }
    header->setMinimumHeight(2 * header->fontMetrics().height() + 8);
    m_view->setSortingEnabled(true);
    // Only the sorted column needs room for the arrow.
    connect(header, &QHeaderView::sortIndicatorChanged, this, [header](int column) {
        if (column < 0) return;
        header->resizeSection(column, std::max(header->sectionSize(column), titleWidth(header, column)));
    });
    m_view->sortByColumn(SiteTableModel::SqnrPredictedColumn, Qt::AscendingOrder);
    m_view->installEventFilter(this);
    connect(header, &QWidget::customContextMenuRequested, this, &SiteTablePanel::showColumnMenu);
    connect(m_view, &QTableView::activated, this, [this](const QModelIndex& index) {
        emit siteActivated(m_model->keyAt(m_filter->mapToSource(index).row()));
    });
}

void SiteTablePanel::setupFilterRow() {
    m_pattern = new QLineEdit(this);
    m_pattern->setPlaceholderText(tr("Filter, for example down or ^1[0-9]\\."));
    m_pattern->setToolTip(tr("Regular expression on layer.site, for example 11.down"));
    m_pattern->setAccessibleName(tr("Filter of the layer table"));
    m_pattern->setClearButtonEnabled(true);
    m_pattern->installEventFilter(this);
    static_cast<QVBoxLayout*>(layout())->addWidget(m_pattern);
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

void SiteTablePanel::connectModel() {
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
    // An edit that sorts a row elsewhere must not carry it out of sight.
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
    return m_view->horizontalHeader()->saveState();
}

bool SiteTablePanel::restoreColumns(const QByteArray& state) {
    return m_view->horizontalHeader()->restoreState(state);
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

bool SiteTablePanel::eventFilter(QObject* watched, QEvent* event) {
    // Esc clears a filter before it does anything for the window.
    if (watched == m_pattern && event->type() == QEvent::ShortcutOverride &&
        static_cast<QKeyEvent*>(event)->key() == Qt::Key_Escape && !m_pattern->text().isEmpty()) {
        event->accept();
        return true;
    }
    if (event->type() == QEvent::KeyPress) {
        auto* key = static_cast<QKeyEvent*>(event);
        if (watched == m_view && key->matches(QKeySequence::Copy)) {
            copyRows();
            return true;
        }
        if (watched == m_pattern && key->key() == Qt::Key_Down) {
            m_view->setFocus(Qt::OtherFocusReason);
            return true;
        }
        if (watched == m_pattern && key->key() == Qt::Key_Escape && !m_pattern->text().isEmpty()) {
            m_pattern->clear();
            return true;
        }
    }
    return QWidget::eventFilter(watched, event);
}

} // namespace bdq
