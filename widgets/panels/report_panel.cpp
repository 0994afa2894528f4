#include "widgets/panels/report_panel.h"

#include <algorithm>
#include <array>

#include <QButtonGroup>
#include <QHBoxLayout>
#include <QLabel>
#include <QListWidget>
#include <QPushButton>
#include <QRadioButton>
#include <QSplitter>
#include <QTextBrowser>
#include <QVBoxLayout>

#include "widgets/tab_order.h"
#include "widgets/theme.h"

namespace bdq {

namespace {

struct FormatText {
    ReportFormat format;
    const char* title;
    const char* explanation;
};

constexpr std::array kFormats{
    FormatText{ReportFormat::Html, QT_TRANSLATE_NOOP("bdq::ReportPanel", "&HTML"),
               QT_TRANSLATE_NOOP("bdq::ReportPanel",
                                 "One self-contained page with plots, for reading and sending.")},
    FormatText{ReportFormat::Markdown, QT_TRANSLATE_NOOP("bdq::ReportPanel", "&Markdown"),
               QT_TRANSLATE_NOOP("bdq::ReportPanel", "Tables as text, for wikis and pull requests.")},
    FormatText{ReportFormat::Csv, QT_TRANSLATE_NOOP("bdq::ReportPanel", "&CSV"),
               QT_TRANSLATE_NOOP("bdq::ReportPanel", "The per-layer table, for spreadsheets.")},
    FormatText{ReportFormat::Json, QT_TRANSLATE_NOOP("bdq::ReportPanel", "&JSON"),
               QT_TRANSLATE_NOOP("bdq::ReportPanel", "Every number with full precision, for scripts.")},
};

struct SectionText {
    ReportSection section;
    const char* title;
};

constexpr std::array kSections{
    SectionText{ReportSection::Transforms, QT_TRANSLATE_NOOP("bdq::ReportPanel", "Transforms compared")},
    SectionText{ReportSection::Layers, QT_TRANSLATE_NOOP("bdq::ReportPanel", "Across the layers (plots)")},
    SectionText{ReportSection::Worst, QT_TRANSLATE_NOOP("bdq::ReportPanel", "Worst sites")},
    SectionText{ReportSection::Prediction,
                QT_TRANSLATE_NOOP("bdq::ReportPanel", "Predicted and measured (plots)")},
    SectionText{ReportSection::Table, QT_TRANSLATE_NOOP("bdq::ReportPanel", "Every layer and site")},
    SectionText{ReportSection::Settings, QT_TRANSLATE_NOOP("bdq::ReportPanel", "Settings")},
    SectionText{ReportSection::Sources, QT_TRANSLATE_NOOP("bdq::ReportPanel", "Model and text")},
    SectionText{ReportSection::Definitions, QT_TRANSLATE_NOOP("bdq::ReportPanel", "Definitions")},
    SectionText{ReportSection::Reproduction, QT_TRANSLATE_NOOP("bdq::ReportPanel", "How to reproduce")},
};

struct FormatSuffix {
    const char* suffix;
    ReportFormat format;
};

/// The first one of a format is the one that is proposed.
constexpr std::array kSuffixes{
    FormatSuffix{"html", ReportFormat::Html}, FormatSuffix{"htm", ReportFormat::Html},
    FormatSuffix{"md", ReportFormat::Markdown}, FormatSuffix{"csv", ReportFormat::Csv},
    FormatSuffix{"json", ReportFormat::Json}};

constexpr int kPreviewDelayMs = 400;

bool hasSections(ReportFormat format) {
    return format == ReportFormat::Html || format == ReportFormat::Markdown;
}

} // namespace

QStringList reportSuffixes() {
    QStringList suffixes;
    for (const FormatSuffix& row : kSuffixes)
        suffixes << QString::fromLatin1(row.suffix);
    return suffixes;
}

QString reportSuffix(ReportFormat format) {
    return QString::fromLatin1(std::ranges::find(kSuffixes, format, &FormatSuffix::format)->suffix);
}

ReportFormat reportFormatOf(const QString& suffix) {
    const auto found = std::ranges::find_if(
        kSuffixes, [&](const FormatSuffix& row) { return suffix == QLatin1String(row.suffix); });
    return found == kSuffixes.end() ? ReportFormat::Html : found->format;
}

ReportPanel::ReportPanel(QWidget* parent) : QWidget(parent) {
    m_source = new QLabel(this);
    m_source->setFont(titleFont(font()));
    m_source->setWordWrap(true);
    m_source->setTextFormat(Qt::PlainText);
    m_explanation = new QLabel(this);
    m_explanation->setWordWrap(true);
    m_explanation->setForegroundRole(QPalette::PlaceholderText);
    m_preview = new QTextBrowser(this);
    m_preview->setOpenLinks(false);
    m_preview->setAccessibleName(tr("Preview of the report"));
    m_save = new QPushButton(tr("&Save report…"), this);
    m_save->setDefault(true);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(12, 12, 12, 12);
    layout->setSpacing(8);
    auto* head = new QHBoxLayout; // saving is on top: a low window has no row to spare below
    head->setSpacing(8);
    head->addWidget(m_source, 1);
    head->addWidget(m_save, 0, Qt::AlignTop);
    layout->addLayout(head);
    setupFormats();
    layout->addWidget(m_explanation);
    m_body = new QSplitter(Qt::Horizontal, this);
    m_body->setChildrenCollapsible(false);
    m_body->addWidget(makeSections());
    m_body->addWidget(m_preview);
    m_body->setStretchFactor(1, 1);
    layout->addWidget(m_body, 100);
    layout->addStretch(1); // keeps the rest at the top while there is no preview
    connect(m_save, &QPushButton::clicked, this, [this] { emit saveRequested(format()); });
    orderTabs(this);
    updateState();
}

QWidget* ReportPanel::makeSections() {
    m_sections = new QListWidget(this);
    m_sections->setAccessibleName(tr("Sections of the report"));
    m_sections->setToolTip(tr("Ticked sections go into the report."));
    for (const SectionText& text : kSections) {
        auto* item = new QListWidgetItem(tr(text.title), m_sections);
        item->setData(Qt::UserRole, static_cast<int>(text.section));
        item->setFlags(Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemIsUserCheckable);
        item->setCheckState(Qt::Checked);
    }
    m_sections->setMinimumWidth(120);
    m_sections->setMaximumWidth(m_sections->sizeHintForColumn(0) + 32);
    m_previewDelay.setSingleShot(true);
    m_previewDelay.setInterval(kPreviewDelayMs);
    connect(m_sections, &QListWidget::itemChanged, &m_previewDelay, qOverload<>(&QTimer::start));
    connect(&m_previewDelay, &QTimer::timeout, this, [this] {
        if (!m_title.isEmpty()) emit previewRequested();
    });
    return m_sections;
}

std::vector<ReportSection> ReportPanel::leaveOut() const {
    std::vector<ReportSection> sections;
    for (int row = 0; row < m_sections->count(); ++row) {
        const QListWidgetItem* item = m_sections->item(row);
        if (!item->isHidden() && item->checkState() != Qt::Checked)
            sections.push_back(static_cast<ReportSection>(item->data(Qt::UserRole).toInt()));
    }
    return sections;
}

void ReportPanel::setupFormats() {
    m_formats = new QButtonGroup(this);
    auto* row = new QHBoxLayout;
    row->setSpacing(12);
    for (const FormatText& text : kFormats) {
        auto* button = new QRadioButton(tr(text.title), this);
        button->setToolTip(tr(text.explanation));
        m_formats->addButton(button, static_cast<int>(text.format));
        row->addWidget(button);
    }
    row->addStretch(1);
    m_formats->button(static_cast<int>(ReportFormat::Html))->setChecked(true);
    static_cast<QVBoxLayout*>(layout())->addLayout(row);
    connect(m_formats, &QButtonGroup::idToggled, this, [this] { updateState(); });
}

void ReportPanel::setSource(const QString& title, bool ofRun) {
    m_title = title;
    for (const ReportSectionInfo& info : reportSectionTable())
        for (int row = 0; row < m_sections->count(); ++row)
            if (m_sections->item(row)->data(Qt::UserRole).toInt() == static_cast<int>(info.section))
                m_sections->item(row)->setHidden(!(ofRun ? info.ofRun : info.ofAnalysis));
    if (title.isEmpty()) m_preview->clear();
    updateState();
    if (!title.isEmpty()) emit previewRequested();
}

void ReportPanel::setPreview(const QString& markdown) {
    m_preview->setMarkdown(markdown);
    updateState();
}

void ReportPanel::setFormat(ReportFormat format) {
    m_formats->button(static_cast<int>(format))->setChecked(true);
}

ReportFormat ReportPanel::format() const {
    return static_cast<ReportFormat>(m_formats->checkedId());
}

void ReportPanel::setBusy(bool busy) {
    m_busy = busy;
    updateState();
}

void ReportPanel::updateState() {
    const bool known = !m_title.isEmpty();
    m_source->setText(known ? tr("Report of %1").arg(m_title) : tr("Nothing to report yet"));
    for (const FormatText& text : kFormats)
        if (text.format == format())
            m_explanation->setText(
                known ? tr(text.explanation)
                      : tr("Finish an analysis or a run; its report with settings, definitions, "
                           "per-layer table and plots is written from here."));
    m_body->setVisible(known);
    m_sections->setEnabled(hasSections(format()));
    m_preview->setPlaceholderText(known ? tr("The preview appears here.") : QString());
    for (QAbstractButton* button : m_formats->buttons())
        button->setEnabled(known && !m_busy);
    m_save->setEnabled(known && !m_busy);
    m_save->setText(m_busy ? tr("Writing…") : tr("&Save report…"));
}

} // namespace bdq
