#include "widgets/panels/start_page.h"

#include <QDragEnterEvent>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QListWidget>
#include <QMenu>
#include <QMimeData>
#include <QPainter>
#include <QPushButton>
#include <QStyledItemDelegate>
#include <QUrl>
#include <QVBoxLayout>

#include "widgets/format.h"
#include "widgets/theme.h"

namespace bdq {

namespace {

constexpr int kTargetLines = 4; ///< of explanation; German takes them all
constexpr int kTargetWidth = 208;
constexpr int kContentWidth = 3 * kTargetWidth + 2 * 16;
constexpr int kTargetIcon = 32;
constexpr int kDetailRole = Qt::UserRole + 1;

/// A large button with an icon, a title and a line of explanation; text and icon are painted as one block.
class TargetButton : public QPushButton {
public:
    TargetButton(const QString& icon, const QString& title, const QString& explanation, QWidget* parent)
        : QPushButton(title, parent), m_icon(icon) {
        const int titleHeight = QFontMetrics(titleFont(font())).height();
        setMinimumSize(kTargetWidth, 16 + kTargetIcon + 8 + titleHeight + 4 +
                                         kTargetLines * fontMetrics().lineSpacing() + 12);
        setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
        setExplanation(explanation);
    }
    void setExplanation(const QString& text) {
        m_explanation = text;
        setAccessibleDescription(text);
        setToolTip(text);
        update();
    }

protected:
    void paintEvent(QPaintEvent*) override {
        QPainter painter(this);
        painter.setRenderHint(QPainter::Antialiasing);
        const bool hot = underMouse() && isEnabled();
        const QColor line =
            hot || hasFocus() ? palette().color(QPalette::Highlight) : palette().color(QPalette::Mid);
        painter.setPen(QPen(line, hasFocus() ? 2 : 1));
        painter.setBrush(palette().color(isDown() ? QPalette::AlternateBase : QPalette::Base));
        painter.drawRoundedRect(QRectF(rect()).adjusted(1, 1, -1, -1), 8, 8);
        const auto group = isEnabled() ? QPalette::Active : QPalette::Disabled;
        QPalette iconPalette = palette();
        iconPalette.setColor(QPalette::Active, QPalette::WindowText, palette().color(group, QPalette::Text));
        themedIcon(m_icon, iconPalette).paint(&painter, QRect(16, 16, kTargetIcon, kTargetIcon));
        painter.setPen(palette().color(group, QPalette::Text));
        painter.setFont(titleFont(font()));
        const QRect body = rect().adjusted(16, 16 + kTargetIcon + 8, -16, -12);
        QRect used;
        painter.drawText(body, Qt::AlignLeft | Qt::AlignTop | Qt::TextShowMnemonic, text(), &used);
        painter.setFont(font());
        painter.setPen(PlotTheme::from(palette()).mutedText);
        painter.drawText(body.adjusted(0, used.height() + 4, 0, 0),
                         Qt::AlignLeft | Qt::AlignTop | Qt::TextWordWrap, m_explanation);
    }

private:
    QString m_icon;
    QString m_explanation;
};

/// Title, perplexity at the right, and the path elided in the middle below.
class RecentDelegate : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option,
               const QModelIndex& index) const override {
        QStyleOptionViewItem bare = option;
        initStyleOption(&bare, index);
        bare.text.clear();
        bare.widget->style()->drawControl(QStyle::CE_ItemViewItem, &bare, painter, bare.widget);
        const bool selected = option.state.testFlag(QStyle::State_Selected);
        const QColor text = option.palette.color(selected ? QPalette::HighlightedText : QPalette::Text);
        const QColor muted = selected ? text : PlotTheme::from(option.palette).mutedText;
        const QRect area = option.rect.adjusted(12, 6, -12, -6);
        const QString detail = index.data(kDetailRole).toString();
        const int detailWidth =
            std::min(QFontMetrics(painter->font()).horizontalAdvance(detail) + 8, area.width() / 2);
        painter->save();
        painter->setPen(muted);
        painter->drawText(area, Qt::AlignRight | Qt::AlignTop,
                          option.fontMetrics.elidedText(detail, Qt::ElideRight, detailWidth));
        painter->drawText(area, Qt::AlignLeft | Qt::AlignBottom,
                          option.fontMetrics.elidedText(index.data(Qt::UserRole).toString(), Qt::ElideMiddle,
                                                        area.width()));
        QFont bold = option.font;
        bold.setBold(true);
        painter->setFont(bold);
        painter->setPen(text);
        const int titleWidth = area.width() - detailWidth - 12;
        painter->drawText(area, Qt::AlignLeft | Qt::AlignTop,
                          QFontMetrics(bold).elidedText(index.data(Qt::DisplayRole).toString(),
                                                        Qt::ElideMiddle, titleWidth));
        painter->restore();
    }
    [[nodiscard]] QSize sizeHint(const QStyleOptionViewItem& option,
                                 const QModelIndex& index) const override {
        return {QStyledItemDelegate::sizeHint(option, index).width(), 2 * option.fontMetrics.height() + 16};
    }
};

} // namespace

StartPage::StartPage(QWidget* parent) : QWidget(parent) {
    setAcceptDrops(true);
    auto* title = new QLabel(tr("BDQ Studio"), this);
    QFont large = titleFont(font());
    large.setPointSizeF(large.pointSizeF() * 1.4);
    title->setFont(large);
    auto* lead = new QLabel(
        tr("See what quantization does to each layer of a language model, choose bits, run, and report."),
        this);
    lead->setWordWrap(true);
    lead->setForegroundRole(QPalette::PlaceholderText);
    auto* content = new QWidget(this);
    content->setMaximumWidth(kContentWidth + 160);
    content->setMinimumWidth(480);
    auto* column = new QVBoxLayout(content);
    column->setContentsMargins(24, 32, 24, 24);
    column->setSpacing(8);
    column->addWidget(title);
    column->addWidget(lead);
    column->addSpacing(16);
    column->addWidget(makeTargets());
    column->addSpacing(16);
    column->addWidget(makeRecent(), 1);
    auto* layout = new QHBoxLayout(this);
    layout->addStretch(1);
    layout->addWidget(content, 8);
    layout->addStretch(1);
    setRecent({});
}

QWidget* StartPage::makeTargets() {
    auto* row = new QWidget(this);
    auto* layout = new QHBoxLayout(row);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(16);
    auto* open = new TargetButton(QStringLiteral("open"), tr("&Open model"),
                                  tr("A GGUF file, or a folder with config.json and safetensors"), row);
    auto* demo =
        new TargetButton(QStringLiteral("demo"), tr("&Demo"), tr("A small model, ready to analyse"), row);
    auto* result = new TargetButton(QStringLiteral("result"), tr("Open &result"),
                                    tr("A session, an analysis or the folder of an earlier run"), row);
    m_demo = demo;
    for (QPushButton* button : {static_cast<QPushButton*>(open), static_cast<QPushButton*>(demo),
                                static_cast<QPushButton*>(result)})
        layout->addWidget(button);
    connect(open, &QPushButton::clicked, this, &StartPage::openModelRequested);
    connect(demo, &QPushButton::clicked, this, &StartPage::demoRequested);
    connect(result, &QPushButton::clicked, this, &StartPage::openResultRequested);
    return row;
}

QWidget* StartPage::makeRecent() {
    auto* box = new QWidget(this);
    auto* layout = new QVBoxLayout(box);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(8);
    auto* heading = new QLabel(tr("Rec&ent"), box);
    heading->setFont(titleFont(font()));
    m_recent = new QListWidget(box);
    m_recent->setItemDelegate(new RecentDelegate(m_recent));
    m_recent->setFrameShape(QFrame::NoFrame);
    m_recent->viewport()->setAutoFillBackground(false);
    m_recent->setUniformItemSizes(true);
    m_recent->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_recent->setAccessibleName(tr("Recent files"));
    m_recent->setContextMenuPolicy(Qt::CustomContextMenu);
    m_recent->installEventFilter(this);
    heading->setBuddy(m_recent);
    m_recentEmpty = new QLabel(tr("What you open appears here. You can also drop a model file, a model "
                                  "folder or a run folder anywhere on this page."),
                               box);
    m_recentEmpty->setWordWrap(true);
    m_recentEmpty->setForegroundRole(QPalette::PlaceholderText);
    layout->addWidget(heading);
    layout->addWidget(m_recentEmpty, 0, Qt::AlignTop);
    layout->addWidget(m_recent, 1);
    layout->addStretch(0);
    connect(m_recent, &QListWidget::itemActivated, this,
            [this](QListWidgetItem* item) { emit recentActivated(item->data(Qt::UserRole).toString()); });
    connect(m_recent, &QWidget::customContextMenuRequested, this, &StartPage::showRecentMenu);
    return box;
}

void StartPage::setRecent(const std::vector<RecentItem>& items) {
    m_recent->clear();
    for (const RecentItem& item : items) {
        auto* entry =
            new QListWidgetItem(item.title.isEmpty() ? item.path.section(u'/', -1) : item.title, m_recent);
        entry->setData(Qt::UserRole, item.path);
        entry->setData(kDetailRole, item.detail);
        entry->setToolTip(plainToolTip(item.path));
    }
    m_recent->setVisible(!items.empty());
    m_recentEmpty->setVisible(items.empty());
}

void StartPage::setDemo(bool available, const QString& explanation) {
    m_demo->setEnabled(available);
    static_cast<TargetButton*>(m_demo)->setExplanation(explanation);
}

void StartPage::showRecentMenu(const QPoint& position) {
    const QListWidgetItem* item = m_recent->itemAt(position);
    if (!item) return;
    const QString path = item->data(Qt::UserRole).toString();
    QMenu menu(this);
    menu.addAction(tr("Open"), this, [this, path] { emit recentActivated(path); });
    menu.addAction(tr("Remove from list"), this, [this, path] { emit recentRemoveRequested(path); });
    menu.exec(m_recent->viewport()->mapToGlobal(position));
}

bool StartPage::eventFilter(QObject* watched, QEvent* event) {
    if (watched == m_recent && event->type() == QEvent::KeyPress &&
        static_cast<QKeyEvent*>(event)->key() == Qt::Key_Delete) {
        if (const QListWidgetItem* item = m_recent->currentItem())
            emit recentRemoveRequested(item->data(Qt::UserRole).toString());
        return true;
    }
    return QWidget::eventFilter(watched, event);
}

void StartPage::dragEnterEvent(QDragEnterEvent* event) {
    if (!event->mimeData()->hasUrls()) return;
    event->acceptProposedAction();
    m_dragOver = true;
    update();
}

void StartPage::dragLeaveEvent(QDragLeaveEvent* event) {
    QWidget::dragLeaveEvent(event);
    m_dragOver = false;
    update();
}

void StartPage::dropEvent(QDropEvent* event) {
    m_dragOver = false;
    update();
    QStringList paths;
    for (const QUrl& url : event->mimeData()->urls())
        if (url.isLocalFile()) paths << url.toLocalFile();
    if (paths.isEmpty()) return;
    event->acceptProposedAction();
    emit pathsDropped(paths);
}

void StartPage::paintEvent(QPaintEvent* event) {
    QWidget::paintEvent(event);
    if (!m_dragOver) return;
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(palette().color(QPalette::Highlight), 2, Qt::DashLine));
    painter.drawRoundedRect(QRectF(rect()).adjusted(8, 8, -8, -8), 12, 12);
}

} // namespace bdq
