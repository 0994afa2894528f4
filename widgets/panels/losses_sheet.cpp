#include "widgets/panels/losses_sheet.h"

#include <algorithm>

#include <QCheckBox>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QPushButton>
#include <QSpinBox>

#include "engine/api/sensitivity.h"
#include "widgets/format.h"
#include "widgets/panels/form_fields.h"
#include "widgets/tab_order.h"

namespace bdq {

namespace {

constexpr int kLeastBits = 2;
constexpr int kMostBits = 8;
constexpr int kMostSequences = 4096;
constexpr int kLeastLength = 16;
constexpr int kMostLength = 1 << 17;

QSpinBox* makeCount(int least, int most, const QString& name, QWidget* parent) {
    auto* box = new QSpinBox(parent);
    box->setRange(least, most);
    box->setAccessibleName(name);
    return box;
}

} // namespace

struct LossesSheet::Private {
    SensitivitySpec base; ///< what the fields do not show
    std::vector<DeviceInfo> devices;
    Estimate estimate;
    int modelLayers = 0;
    bool filling = false;
    QLabel* what = nullptr;
    std::vector<QCheckBox*> widths; ///< 2 to 8 bits
    QLineEdit* layers = nullptr;
    QSpinBox* sequences = nullptr;
    QSpinBox* length = nullptr;
    QComboBox* device = nullptr;

    void makeFields(LossesSheet* sheet);
    QWidget* makeWidths(LossesSheet* sheet);
    QWidget* makeTokens(LossesSheet* sheet);
    void update(LossesSheet* sheet);
};

LossesSheet::LossesSheet(QWidget* parent)
    : JobSheet(
          tr("Measure losses of single sites"),
          tr("Quantizes one site after the other, alone, and measures how far the model's predictions move "
             "from those of the full model (KL divergence)."),
          tr("&Start measuring"), parent),
      d(std::make_unique<Private>()) {
    d->makeFields(this);
    connect(startButton(), &QPushButton::clicked, this, [this] { emit startRequested(spec()); });
}

LossesSheet::~LossesSheet() = default;

QWidget* LossesSheet::Private::makeWidths(LossesSheet* sheet) {
    auto* box = new QWidget(sheet->form()->parentWidget());
    auto* row = new QHBoxLayout(box);
    row->setContentsMargins(0, 0, 0, 0);
    for (int bits = kLeastBits; bits <= kMostBits; ++bits) {
        auto* check = new QCheckBox(QString::number(bits), box);
        check->setAccessibleName(LossesSheet::tr("%1 bits").arg(bits));
        row->addWidget(check);
        widths.push_back(check);
        QObject::connect(check, &QCheckBox::toggled, sheet, [this, sheet] { update(sheet); });
    }
    row->addStretch(1);
    return box;
}

QWidget* LossesSheet::Private::makeTokens(LossesSheet* sheet) {
    auto* box = new QWidget(sheet->form()->parentWidget());
    auto* row = new QHBoxLayout(box);
    row->setContentsMargins(0, 0, 0, 0);
    sequences = makeCount(1, kMostSequences, LossesSheet::tr("Sequences"), box);
    length = makeCount(kLeastLength, kMostLength, LossesSheet::tr("Tokens of a sequence"), box);
    row->addWidget(sequences);
    row->addWidget(new QLabel(LossesSheet::tr("sequences of"), box));
    row->addWidget(length);
    row->addWidget(new QLabel(LossesSheet::tr("tokens of the text of the analysis"), box));
    row->addStretch(1);
    for (QSpinBox* spin : {sequences, length})
        QObject::connect(spin, &QSpinBox::valueChanged, sheet, [this, sheet] { update(sheet); });
    return box;
}

void LossesSheet::Private::makeFields(LossesSheet* sheet) {
    QFormLayout* form = sheet->form();
    QWidget* content = form->parentWidget();
    what = new QLabel(content);
    what->setWordWrap(true);
    layers = new QLineEdit(content);
    layers->setPlaceholderText(LossesSheet::tr("all, or for example 0-3,7"));
    device = new QComboBox(content);
    letShrink({device});
    form->addRow(LossesSheet::tr("What"), what);
    form->addRow(LossesSheet::tr("&Layers"), layers);
    form->addRow(LossesSheet::tr("Weight bits"), makeWidths(sheet));
    form->addRow(LossesSheet::tr("&Tokens"), makeTokens(sheet));
    form->addRow(LossesSheet::tr("&Device"), device);
    const auto changed = [this, sheet] { update(sheet); };
    QObject::connect(layers, &QLineEdit::textChanged, sheet, changed);
    QObject::connect(device, &QComboBox::currentIndexChanged, sheet, changed);
    orderTabs(sheet);
}

void LossesSheet::Private::update(LossesSheet* sheet) {
    if (filling) return;
    const SensitivitySpec current = sheet->spec();
    sheet->setCommand(toQString(commandLine(current)));
    const auto chosen =
        current.layers.empty() ? static_cast<std::size_t>(modelLayers) : current.layers.size();
    const auto combinations =
        static_cast<std::int64_t>(chosen * kLinearSites.size() * current.weights.size());
    QStringList names;
    for (const TransformKind kind : current.transforms)
        names << toQString(transformInfo(kind).title);
    what->setText(LossesSheet::tr("%1 sites with %2 each: %3 combinations; transform: %4")
                      .arg(formatCount(static_cast<std::int64_t>(chosen * kLinearSites.size())),
                           toQString(activationText(current.activation)), formatCount(combinations),
                           names.isEmpty() ? LossesSheet::tr("the last of the analysis")
                                           : names.join(QStringLiteral(", "))));
    const double seconds = estimate ? estimate(current) : -1;
    sheet->setEstimate(
        seconds < 0 ? LossesSheet::tr("time not known")
                    : LossesSheet::tr("about %1").arg(formatDuration(seconds)),
        LossesSheet::tr("From the time of the last measurement on this machine, else from that of "
                        "the analysis"));
    const std::string range = layers->text().trimmed().toStdString();
    QString problem;
    if (const auto parsed = parseLayers(range, modelLayers); !range.empty() && !parsed)
        problem = toQString(parsed.error().text());
    else if (current.weights.empty())
        problem = LossesSheet::tr("Choose at least one number of weight bits");
    else if (const Status status = validate(current); !status)
        problem = toQString(status.error().text());
    sheet->setProblem(problem);
    sheet->startButton()->setEnabled(problem.isEmpty());
}

void LossesSheet::setSpec(const SensitivitySpec& spec, int layers, Estimate estimate) {
    d->filling = true;
    d->base = spec;
    d->modelLayers = layers;
    d->estimate = std::move(estimate);
    for (int bits = kLeastBits; bits <= kMostBits; ++bits) {
        const bool wanted = std::ranges::find(spec.weights, bits, &OperandScheme::bits) != spec.weights.end();
        d->widths[static_cast<std::size_t>(bits - kLeastBits)]->setChecked(wanted);
    }
    d->layers->setText(toQString(formatLayers(spec.layers)));
    d->sequences->setValue(spec.text.sequences);
    d->length->setValue(spec.text.sequenceLength);
    fillDevices(d->device, d->devices, spec.device.device);
    d->filling = false;
    d->update(this);
}

SensitivitySpec LossesSheet::spec() const {
    SensitivitySpec spec = d->base;
    spec.weights.clear();
    const int group = d->base.weights.empty() ? 0 : d->base.weights.front().groupSize;
    for (int bits = kLeastBits; bits <= kMostBits; ++bits)
        if (d->widths[static_cast<std::size_t>(bits - kLeastBits)]->isChecked())
            spec.weights.push_back({bits, bits > kLeastBits, group}); // 2 bits are asymmetric, as everywhere
    const std::string range = d->layers->text().trimmed().toStdString();
    spec.layers.clear();
    if (const auto layers = parseLayers(range); !range.empty() && layers) spec.layers = *layers;
    spec.text.sequences = d->sequences->value();
    spec.text.sequenceLength = d->length->value();
    spec.device.device = d->device->currentData().toString().toStdString();
    return spec;
}

void LossesSheet::setDevices(const std::vector<DeviceInfo>& devices) {
    const std::string current = d->device->currentData().toString().toStdString();
    d->devices = devices;
    fillDevices(d->device, devices, current.empty() ? "auto" : current);
}

} // namespace bdq
