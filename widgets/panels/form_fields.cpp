#include "widgets/panels/form_fields.h"

#include <algorithm>

#include <QApplication>
#include <QClipboard>
#include <QEvent>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QPushButton>
#include <QRadioButton>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QVBoxLayout>

#include "widgets/format.h"
#include "widgets/theme.h"

namespace bdq {

namespace {

constexpr int kKeep = 0;
constexpr int kMostSequences = 1 << 20;
constexpr int kFewestTokens = 16;

} // namespace

QString roundingTitle(WeightRounding rounding) {
    return toQString(roundingName(rounding));
}

QString roundingExplanation(WeightRounding rounding) {
    switch (rounding) {
    case WeightRounding::Rtn:
        return BitsBox::tr("Nearest code, range from the largest magnitude");
    case WeightRounding::Mse:
        return BitsBox::tr("Nearest code, range searched for the smallest L2.4 error");
    case WeightRounding::OutputMse:
        return BitsBox::tr("Nearest code, range searched for the smallest error of the layer's output");
    case WeightRounding::Gptq:
        return BitsBox::tr("Errors compensated in the weights that follow, ranges by the L2.4 search");
    }
    return {};
}

BitsBox::BitsBox(const QString& accessibleName, bool keep, QWidget* parent) : QComboBox(parent) {
    setAccessibleName(accessibleName);
    setToolTip(accessibleName);
    if (!keep) setPlaceholderText(tr("mixed"));
    if (keep) addItem(tr("keep"), kKeep);
    for (int bits = 2; bits <= 8; ++bits)
        addItem(QString::number(bits), bits);
    addItem(QStringLiteral("16"), 16);
    setItemData(count() - 1, tr("16 bits: not quantized"), Qt::ToolTipRole);
    setSizeAdjustPolicy(QComboBox::AdjustToContents);
    setMinimumWidth(std::max(56, minimumSizeHint().width()));
    setCurrentIndex(keep ? 0 : -1);
}

void BitsBox::setBits(std::optional<int> bits) {
    const QSignalBlocker blocker(this);
    setCurrentIndex(bits ? findData(*bits) : findData(kKeep));
}

std::optional<int> BitsBox::bits() const {
    const int bits = currentData().toInt();
    return bits == kKeep ? std::nullopt : std::optional(bits);
}

QString methodFacts(const MethodInfo& info) {
    QString text = explanationToolTip(info.title, info.explanation, info.citation);
    text += BitsBox::tr("<p>Online at inference: %1</p>").arg(toQString(info.onlineParts).toHtmlEscaped());
    if (!info.deviations.empty())
        text +=
            BitsBox::tr("<p>Other than the paper: %1</p>").arg(toQString(info.deviations).toHtmlEscaped());
    return text;
}

void fillMethods(QComboBox* box) {
    for (const MethodInfo& info : methodTable()) {
        box->addItem(toQString(info.title), static_cast<int>(info.method));
        box->setItemData(box->count() - 1, methodFacts(info), Qt::ToolTipRole);
    }
}

void fillPresets(QComboBox* box, Method method, Preset chosen) {
    const QSignalBlocker blocker(box);
    box->clear();
    for (const PresetInfo& info : presetsOf(method)) {
        box->addItem(toQString(presetName(info.preset)), static_cast<int>(info.preset));
        box->setItemData(box->count() - 1, plainToolTip(toQString(info.explanation)), Qt::ToolTipRole);
    }
    box->setCurrentIndex(box->findData(static_cast<int>(presetInfo(method, chosen).preset)));
    box->setToolTip(box->currentData(Qt::ToolTipRole).toString());
}

void fillRoundings(QComboBox* box, Method method, Preset preset) {
    const QSignalBlocker blocker(box);
    const std::optional<WeightRounding> chosen = chosenRounding(box);
    box->clear();
    const WeightRounding standard = presetInfo(method, preset).rounding;
    box->addItem(BitsBox::tr("default (%1)").arg(roundingTitle(standard)), -1);
    box->setItemData(0, roundingExplanation(standard), Qt::ToolTipRole);
    for (WeightRounding rounding :
         {WeightRounding::Rtn, WeightRounding::Mse, WeightRounding::OutputMse, WeightRounding::Gptq}) {
        box->addItem(roundingTitle(rounding), static_cast<int>(rounding));
        box->setItemData(box->count() - 1, roundingExplanation(rounding), Qt::ToolTipRole);
    }
    chooseRounding(box, chosen);
}

void chooseRounding(QComboBox* box, std::optional<WeightRounding> rounding) {
    const QSignalBlocker blocker(box);
    box->setCurrentIndex(box->findData(rounding ? static_cast<int>(*rounding) : -1));
    box->setToolTip(box->currentData(Qt::ToolTipRole).toString());
}

std::optional<WeightRounding> chosenRounding(const QComboBox* box) {
    const QVariant data = box->currentData();
    return data.isValid() && data.toInt() >= 0 ? std::optional(static_cast<WeightRounding>(data.toInt()))
                                               : std::nullopt;
}

void fillDevices(QComboBox* box, const std::vector<DeviceInfo>& devices, const std::string& current) {
    const QSignalBlocker blocker(box);
    box->clear();
    box->addItem(BitsBox::tr("auto: a GPU when there is one"), QStringLiteral("auto"));
    for (const DeviceInfo& device : devices) {
        const QString id = toQString(device.id);
        const QString memory =
            device.memoryBytes > 0 ? QStringLiteral(", ") + formatBytes(device.memoryBytes) : QString();
        box->addItem(QStringLiteral("%1: %2%3").arg(id, toQString(device.name), memory), id);
    }
    const QString wanted = toQString(current);
    if (box->findData(wanted) < 0) box->addItem(wanted, wanted);
    box->setCurrentIndex(box->findData(wanted));
}

void letShrink(std::initializer_list<QComboBox*> boxes) {
    constexpr int kFewestCharacters = 10;
    for (QComboBox* box : boxes) {
        box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
        box->setMinimumContentsLength(kFewestCharacters);
    }
}

FieldMessage::FieldMessage(QWidget* parent) : QLabel(parent) {
    setWordWrap(true);
    setTextFormat(Qt::PlainText);
    recolor();
    hide();
}

void FieldMessage::setProblem(const QString& text) {
    setText(text.isEmpty() ? QString() : QStringLiteral("!! ") + text);
    setVisible(!text.isEmpty());
}

void FieldMessage::recolor() {
    m_recoloring = true;
    QPalette colored = palette();
    const QPalette base = parentWidget() ? parentWidget()->palette() : colored;
    colored.setColor(QPalette::WindowText, PlotTheme::from(base).error);
    setPalette(colored);
    m_recoloring = false;
}

void FieldMessage::changeEvent(QEvent* event) {
    QLabel::changeEvent(event);
    if (event->type() == QEvent::PaletteChange && !m_recoloring) recolor();
}

PathEdit::PathEdit(const QString& accessibleName, QWidget* parent) : QWidget(parent) {
    m_edit = new QLineEdit(this);
    m_edit->setAccessibleName(accessibleName);
    auto* browse = new QPushButton(tr("Browse…"), this);
    browse->setAccessibleName(tr("Browse: %1").arg(accessibleName));
    browse->setAutoDefault(false);
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(8);
    layout->addWidget(m_edit, 1);
    layout->addWidget(browse);
    setFocusProxy(m_edit);
    connect(browse, &QPushButton::clicked, this, &PathEdit::browseRequested);
    connect(m_edit, &QLineEdit::textChanged, this, [this](const QString& text) {
        m_edit->setToolTip(plainToolTip(text));
        emit changed();
    });
}

void PathEdit::setPath(const QString& path) {
    m_edit->setText(path);
    m_edit->setCursorPosition(static_cast<int>(path.size()));
}

QString PathEdit::path() const {
    return m_edit->text().trimmed();
}

CalibrationEditor::CalibrationEditor(QWidget* parent) : QWidget(parent) {
    m_self = new QRadioButton(tr("Written by the model"), this);
    m_self->setToolTip(tr("Text the model writes itself; needs no data"));
    m_file = new QRadioButton(tr("Text file"), this);
    m_path = new PathEdit(tr("Calibration text"), this);
    m_sequences = new QSpinBox(this);
    m_sequences->setRange(1, kMostSequences);
    m_sequences->setAccessibleName(tr("Sequences"));
    m_length = new QSpinBox(this);
    m_length->setRange(kFewestTokens, kMostSequences);
    m_length->setAccessibleName(tr("Tokens per sequence"));
    m_total = new QLabel(this);
    m_total->setForegroundRole(QPalette::PlaceholderText);
    auto* file = new QHBoxLayout;
    file->setSpacing(8);
    file->addWidget(m_file);
    file->addWidget(m_path, 1);
    auto* amount = new QHBoxLayout;
    amount->setSpacing(8);
    amount->addWidget(m_sequences);
    amount->addWidget(new QLabel(tr("sequences ×"), this));
    amount->addWidget(m_length);
    amount->addWidget(new QLabel(tr("tokens"), this));
    amount->addStretch(1);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(4);
    layout->addWidget(m_self);
    layout->addLayout(file);
    layout->addLayout(amount);
    layout->addWidget(m_total);
    setFocusProxy(m_self);
    const auto edited = [this] {
        m_path->setEnabled(m_file->isChecked());
        updateTotal();
        emit changed();
    };
    connect(m_self, &QRadioButton::toggled, this, edited);
    connect(m_path, &PathEdit::changed, this, edited);
    connect(m_path, &PathEdit::browseRequested, this, &CalibrationEditor::browseRequested);
    connect(m_sequences, &QSpinBox::valueChanged, this, edited);
    connect(m_length, &QSpinBox::valueChanged, this, edited);
    const CalibrationOptions standard;
    setOptions(standard);
}

void CalibrationEditor::setOptions(const CalibrationOptions& options) {
    const bool self = options.source == "self";
    (self ? m_self : m_file)->setChecked(true);
    if (!self) m_path->setPath(toQString(options.source));
    m_path->setEnabled(!self);
    m_sequences->setValue(options.sequences);
    m_length->setValue(options.sequenceLength);
    updateTotal();
}

CalibrationOptions CalibrationEditor::options() const {
    CalibrationOptions options;
    options.source = m_self->isChecked() ? "self" : m_path->path().toStdString();
    options.sequences = m_sequences->value();
    options.sequenceLength = m_length->value();
    return options;
}

void CalibrationEditor::setPath(const QString& path) {
    m_file->setChecked(true);
    m_path->setPath(path);
}

void CalibrationEditor::updateTotal() {
    const auto total = static_cast<std::int64_t>(m_sequences->value()) * m_length->value();
    m_total->setText(tr("= %1 tokens").arg(formatCount(total)));
}

CommandBox::CommandBox(QWidget* parent) : QWidget(parent) {
    m_text = new QLineEdit(this);
    m_text->setReadOnly(true);
    m_text->setFont(tabularFont(font()));
    m_text->setAccessibleName(tr("The same on the command line"));
    auto* copy = new QPushButton(tr("Copy"), this);
    copy->setToolTip(tr("Copies the command line that does the same"));
    copy->setAutoDefault(false);
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(8);
    layout->addWidget(m_text, 1);
    layout->addWidget(copy);
    connect(copy, &QPushButton::clicked, this,
            [this] { QApplication::clipboard()->setText(m_text->text()); });
}

void CommandBox::setCommand(const QString& text) {
    m_text->setText(text);
    m_text->setCursorPosition(0);
    m_text->setToolTip(plainToolTip(text));
}

QWidget* withMessage(QWidget* editor, FieldMessage* message) {
    auto* box = new QWidget(editor->parentWidget());
    auto* layout = new QVBoxLayout(box);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(4);
    layout->addWidget(editor);
    layout->addWidget(message);
    box->setFocusProxy(editor);
    box->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Maximum);
    return box;
}

} // namespace bdq
