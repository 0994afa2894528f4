#include "widgets/panels/command_palette.h"

#include <algorithm>

#include <QAction>
#include <QKeyEvent>
#include <QLineEdit>
#include <QListWidget>
#include <QMenu>
#include <QPainter>
#include <QPointer>
#include <QStyledItemDelegate>
#include <QVBoxLayout>

#include "widgets/format.h"
#include "widgets/theme.h"

namespace bdq {

namespace {

constexpr int kWidth = 560;
constexpr int kHeight = 360;
constexpr int kMostResults = 200;
constexpr int kHintRole = Qt::UserRole + 1;

struct Entry {
    QString title;
    QString hint;
    QString haystack;
    QPointer<QAction> action;
    SiteKey key;
};

QString withoutMnemonic(QString text) {
    text.replace(QStringLiteral("&&"), QStringLiteral("\x01"));
    text.remove(u'&');
    return text.replace(u'\x01', u'&');
}

/// Every word of the query must occur.
bool matches(const Entry& entry, const QStringList& words) {
    return std::ranges::all_of(
        words, [&](const QString& word) { return entry.haystack.contains(word, Qt::CaseInsensitive); });
}

class HintDelegate : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option,
               const QModelIndex& index) const override {
        QStyledItemDelegate::paint(painter, option, index);
        const bool selected = option.state.testFlag(QStyle::State_Selected);
        painter->setPen(selected ? option.palette.color(QPalette::HighlightedText)
                                 : PlotTheme::from(option.palette).mutedText);
        painter->drawText(option.rect.adjusted(8, 0, -8, 0), Qt::AlignRight | Qt::AlignVCenter,
                          index.data(kHintRole).toString());
    }
    [[nodiscard]] QSize sizeHint(const QStyleOptionViewItem& option,
                                 const QModelIndex& index) const override {
        return {QStyledItemDelegate::sizeHint(option, index).width(), option.fontMetrics.height() + 8};
    }
};

} // namespace

struct CommandPalette::Private {
    QLineEdit* query = nullptr;
    QListWidget* list = nullptr;
    std::vector<Entry> actions;
    std::vector<Entry> sites;

    void filter();
    void add(const Entry& entry, int index);
};

CommandPalette::CommandPalette(QWidget* parent) : QWidget(parent, Qt::Popup), d(std::make_unique<Private>()) {
    setAccessibleName(tr("Command palette"));
    d->query = new QLineEdit(this);
    d->query->setPlaceholderText(tr("Find a layer or an action, for example 11.down"));
    d->query->setClearButtonEnabled(true);
    d->query->setAccessibleName(tr("Find a layer or an action"));
    d->query->installEventFilter(this);
    d->list = new QListWidget(this);
    d->list->setFocusPolicy(Qt::NoFocus);
    d->list->setFrameShape(QFrame::NoFrame);
    d->list->setUniformItemSizes(true);
    d->list->setItemDelegate(new HintDelegate(d->list));
    d->list->setAccessibleName(tr("Results"));
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 8, 8, 8);
    layout->setSpacing(8);
    layout->addWidget(d->query);
    layout->addWidget(d->list, 1);
    connect(d->query, &QLineEdit::textChanged, this, [this] { d->filter(); });
    connect(d->list, &QListWidget::itemClicked, this, [this] { activateCurrent(); });
    resize(kWidth, kHeight);
}

CommandPalette::~CommandPalette() = default;

void CommandPalette::setActions(const QList<QAction*>& actions) {
    d->actions.clear();
    for (QAction* action : actions) {
        const QString title = withoutMnemonic(action->text());
        if (title.isEmpty() || action->isSeparator() || action->menu()) continue;
        const QString shortcut = action->shortcut().toString(QKeySequence::NativeText);
        d->actions.push_back(Entry{title, shortcut, title + u' ' + action->statusTip(), action, {}});
    }
    d->filter();
}

void CommandPalette::setSites(const SiteKeys& keys) {
    d->sites.clear();
    for (const SiteKey& key : keys)
        d->sites.push_back(
            Entry{siteText(key), siteFilterText(key), siteText(key) + u' ' + siteFilterText(key), {}, key});
    d->filter();
}

void CommandPalette::Private::add(const Entry& entry, int index) {
    auto* item = new QListWidgetItem(entry.title, list);
    item->setData(Qt::UserRole, index);
    item->setData(kHintRole, entry.hint);
    item->setToolTip(entry.action ? entry.action->statusTip() : QString());
}

void CommandPalette::Private::filter() {
    const QStringList words = query->text().split(u' ', Qt::SkipEmptyParts);
    list->clear();
    for (std::size_t i = 0; i < actions.size(); ++i)
        if (actions[i].action && actions[i].action->isEnabled() && actions[i].action->isVisible() &&
            matches(actions[i], words))
            add(actions[i], static_cast<int>(i));
    for (std::size_t i = 0; i < sites.size() && list->count() < kMostResults; ++i)
        if (matches(sites[i], words)) add(sites[i], static_cast<int>(actions.size() + i));
    list->setCurrentRow(0);
}

void CommandPalette::activateCurrent() {
    const QListWidgetItem* item = d->list->currentItem();
    if (!item) return;
    const auto index = static_cast<std::size_t>(item->data(Qt::UserRole).toInt());
    hide();
    if (index >= d->actions.size())
        emit siteChosen(d->sites[index - d->actions.size()].key);
    else if (d->actions[index].action)
        d->actions[index].action->trigger();
}

void CommandPalette::popUp() {
    const QWidget* window = parentWidget()->window();
    d->query->clear();
    d->filter();
    resize(std::min(kWidth, window->width() - 32), std::min(kHeight, window->height() - 64));
    move(window->mapToGlobal(QPoint((window->width() - width()) / 2, 48)));
    show();
    d->query->setFocus(Qt::ShortcutFocusReason);
}

bool CommandPalette::eventFilter(QObject* watched, QEvent* event) {
    if (watched != d->query || event->type() != QEvent::KeyPress) return QWidget::eventFilter(watched, event);
    const int key = static_cast<QKeyEvent*>(event)->key();
    const int row = d->list->currentRow();
    switch (key) {
    case Qt::Key_Down:
        d->list->setCurrentRow(std::min(row + 1, d->list->count() - 1));
        return true;
    case Qt::Key_Up:
        d->list->setCurrentRow(std::max(row - 1, 0));
        return true;
    case Qt::Key_Return:
    case Qt::Key_Enter:
        activateCurrent();
        return true;
    case Qt::Key_Escape:
        hide();
        return true;
    default:
        return QWidget::eventFilter(watched, event);
    }
}

} // namespace bdq
