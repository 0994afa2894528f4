#include "widgets/panels/analyze_sheet.h"

#include <set>

#include <QCheckBox>
#include <QFormLayout>
#include <QLineEdit>
#include <QPushButton>
#include <QVBoxLayout>

#include "widgets/format.h"
#include "widgets/panels/form_fields.h"
#include "widgets/tab_order.h"

namespace bdq {

struct AnalyzeSheet::Private {
    AnalyzeSpec base; ///< what the fields do not show
    std::vector<DeviceInfo> devices;
    bool filling = false;
    CalibrationEditor* calibration = nullptr;
    std::vector<QCheckBox*> transforms; ///< in the order of closedFormTransforms()
    QLineEdit* layers = nullptr;
    QComboBox* device = nullptr;

    void makeFields(AnalyzeSheet* sheet);
    QWidget* makeTransforms(AnalyzeSheet* sheet);
    void update(AnalyzeSheet* sheet);
};

AnalyzeSheet::AnalyzeSheet(QWidget* parent)
    : JobSheet(tr("Analyse activations"),
               tr("Sends a text through the model, layer by layer, and measures every site under the chosen "
                  "transforms."),
               tr("&Start analysis"), parent),
      d(std::make_unique<Private>()) {
    d->makeFields(this);
    connect(startButton(), &QPushButton::clicked, this, [this] { emit startRequested(spec()); });
    setSpec(d->base);
}

AnalyzeSheet::~AnalyzeSheet() = default;

QWidget* AnalyzeSheet::Private::makeTransforms(AnalyzeSheet* sheet) {
    auto* box = new QWidget(sheet->form()->parentWidget());
    auto* layout = new QVBoxLayout(box);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(4);
    for (const TransformInfo& info : closedFormTransforms()) {
        auto* check = new QCheckBox(toQString(info.title), box);
        check->setToolTip(explanationToolTip(info.title, info.explanation, info.citation));
        check->setEnabled(info.kind != TransformKind::None); // what all others are compared with
        layout->addWidget(check);
        transforms.push_back(check);
        QObject::connect(check, &QCheckBox::toggled, sheet, [this, sheet] { update(sheet); });
    }
    return box;
}

void AnalyzeSheet::Private::makeFields(AnalyzeSheet* sheet) {
    QFormLayout* form = sheet->form();
    QWidget* content = form->parentWidget();
    calibration = new CalibrationEditor(content);
    layers = new QLineEdit(content);
    layers->setPlaceholderText(AnalyzeSheet::tr("all, or for example 0-3,7"));
    device = new QComboBox(content);
    letShrink({device});
    form->addRow(AnalyzeSheet::tr("&Text"), calibration);
    form->addRow(AnalyzeSheet::tr("Transforms"), makeTransforms(sheet));
    form->addRow(AnalyzeSheet::tr("&Layers"), layers);
    form->addRow(AnalyzeSheet::tr("&Device"), device);
    const auto changed = [this, sheet] { update(sheet); };
    QObject::connect(calibration, &CalibrationEditor::changed, sheet, changed);
    QObject::connect(calibration, &CalibrationEditor::browseRequested, sheet, &AnalyzeSheet::browseRequested);
    QObject::connect(layers, &QLineEdit::textChanged, sheet, changed);
    QObject::connect(device, &QComboBox::currentIndexChanged, sheet, changed);
    orderTabs(sheet);
}

void AnalyzeSheet::Private::update(AnalyzeSheet* sheet) {
    if (filling) return;
    const AnalyzeSpec current = sheet->spec();
    sheet->setCommand(toQString(commandLine(current)));
    const std::string range = layers->text().trimmed().toStdString();
    QString text;
    if (const auto parsed = parseLayers(range); !range.empty() && !parsed)
        text = toQString(parsed.error().text());
    else if (const Status status = validate(current); !status)
        text = toQString(status.error().text());
    sheet->setProblem(text);
    sheet->startButton()->setEnabled(text.isEmpty());
}

void AnalyzeSheet::setSpec(const AnalyzeSpec& spec) {
    d->filling = true;
    d->base = spec;
    d->calibration->setOptions(spec.calibration);
    const std::set<TransformKind> chosen(spec.transforms.begin(), spec.transforms.end());
    std::size_t index = 0;
    for (const TransformInfo& info : closedFormTransforms())
        d->transforms[index++]->setChecked(info.kind == TransformKind::None || chosen.contains(info.kind));
    d->layers->setText(toQString(formatLayers(spec.layers)));
    fillDevices(d->device, d->devices, spec.device.device);
    d->filling = false;
    d->update(this);
}

AnalyzeSpec AnalyzeSheet::spec() const {
    AnalyzeSpec spec = d->base;
    spec.calibration = d->calibration->options();
    spec.transforms.clear();
    std::size_t index = 0;
    for (const TransformInfo& info : closedFormTransforms())
        if (d->transforms[index++]->isChecked()) spec.transforms.push_back(info.kind);
    const std::string range = d->layers->text().trimmed().toStdString();
    if (range.empty())
        spec.layers.clear();
    else if (const auto layers = parseLayers(range))
        spec.layers = *layers;
    spec.device.device = d->device->currentData().toString().toStdString();
    return spec;
}

void AnalyzeSheet::setDevices(const std::vector<DeviceInfo>& devices) {
    const std::string current = d->device->currentData().toString().toStdString();
    d->devices = devices;
    fillDevices(d->device, devices, current.empty() ? "auto" : current);
}

void AnalyzeSheet::focusFirst() {
    d->calibration->setFocus(Qt::OtherFocusReason);
}

void AnalyzeSheet::setCalibrationPath(const QString& path) {
    d->calibration->setPath(path);
}

} // namespace bdq
