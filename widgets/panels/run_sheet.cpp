#include "widgets/panels/run_sheet.h"

#include <array>
#include <set>

#include <QCheckBox>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QPushButton>
#include <QSpinBox>
#include <QVBoxLayout>

#include "engine/api/model_shape.h"
#include "widgets/format.h"
#include "widgets/panels/disclosure.h"
#include "widgets/panels/form_fields.h"
#include "widgets/panels/training_editor.h"
#include "widgets/tab_order.h"

namespace bdq {

struct RunSheet::Private {
    RunSpec base; ///< what the fields do not show
    ModelConfig model;
    std::int64_t parameters = 0;
    std::vector<DeviceInfo> devices;
    RunSheet* owner = nullptr;
    bool filling = false;
    int presetSequences = 0; ///< calibration sequences of the preset that is shown

    QComboBox* method = nullptr;
    Disclosure* methodText = nullptr;
    QComboBox* preset = nullptr;
    QLabel* presetText = nullptr;
    TrainingEditor* training = nullptr;
    QComboBox* scheme = nullptr;
    QLabel* overrides = nullptr;
    QComboBox* rounding = nullptr;
    QLineEdit* layers = nullptr;
    CalibrationEditor* calibration = nullptr;
    QCheckBox* evaluate = nullptr;
    PathEdit* evaluationText = nullptr;
    QSpinBox* evaluationLength = nullptr;
    QSpinBox* evaluationWindows = nullptr;
    QComboBox* device = nullptr;
    PathEdit* outDir = nullptr;
    std::map<std::string, FieldMessage*> messages; ///< by field name of validate()

    void makeFields();
    void makeEditors(QWidget* content);
    void connectEditors(RunSheet* sheet);
    void makeEvaluation(QFormLayout* form, RunSheet* sheet);
    void showMethod();
    void showPreset();
    void showExplanations(const RunSpec& current);
    void update();
    void showProblem(const Error& error);
    [[nodiscard]] Method chosenMethod() const { return static_cast<Method>(method->currentData().toInt()); }
    [[nodiscard]] Preset chosenPreset() const { return static_cast<Preset>(preset->currentData().toInt()); }
    [[nodiscard]] QWidget* field(const std::string& name, QWidget* editor, QWidget* parent);
};

namespace {

constexpr std::array kSchemes{"W4A4KV4", "W8A8", "W4A16", "W4A8KV8", "W3A3KV3", "W2A4KV16"};

/// Field of validate()'s message: what stands before the first colon.
std::string fieldOf(const Error& error) {
    const std::string text = error.text();
    return text.substr(0, text.find(':'));
}

QLabel* muted(const QString& text, QWidget* parent) {
    auto* label = new QLabel(text, parent);
    label->setWordWrap(true);
    label->setAlignment(Qt::AlignTop |
                        Qt::AlignLeft); // room to spare goes below, not between it and its field
    label->setForegroundRole(QPalette::PlaceholderText);
    return label;
}

} // namespace

std::uint64_t estimateRunBytes(const ModelConfig& model, const CalibrationOptions& calibration,
                               bool evaluates) {
    const double hidden = static_cast<double>(model.hiddenSize);
    const double vocabulary = static_cast<double>(model.vocabSize);
    const double length = calibration.sequenceLength;
    constexpr double kRuntime = 4e8; // libtorch, thread pools, the mapped file's hot pages
    constexpr double kFloat = 4;
    constexpr double kDouble = 8;
    double moments = 0;
    for (const Site site : kLinearSites) {
        const double inputs = static_cast<double>(stackedShape(model, site).columns);
        moments += inputs * inputs;
    }
    double bytes = kRuntime + 2 * kFloat * static_cast<double>(blockWeightCount(model)) + kDouble * moments;
    bytes +=
        3 * kFloat * hidden * length * calibration.sequences; // before and after the block, and quantized
    if (evaluates) bytes += kFloat * vocabulary * (hidden * (model.tiedEmbedding ? 1 : 2) + 2 * length);
    return static_cast<std::uint64_t>(bytes);
}

RunSheet::RunSheet(QWidget* parent)
    : JobSheet(tr("Start a run"), {}, tr("&Start run"), parent), d(std::make_unique<Private>()) {
    d->owner = this;
    d->makeFields();
    connect(startButton(), &QPushButton::clicked, this, [this] { emit startRequested(spec()); });
    setSpec(d->base);
}

RunSheet::~RunSheet() = default;

QWidget* RunSheet::Private::field(const std::string& name, QWidget* editor, QWidget* parent) {
    auto* message = new FieldMessage(parent);
    messages[name] = message;
    return withMessage(editor, message);
}

void RunSheet::Private::makeFields() {
    QFormLayout* form = owner->form();
    QWidget* content = form->parentWidget();
    makeEditors(content);
    form->addRow(RunSheet::tr("&Method"), method);
    form->addRow(QString(), methodText);
    form->addRow(RunSheet::tr("&Preset"), field("preset", preset, content));
    form->addRow(QString(), presetText);
    form->addRow(RunSheet::tr("&Training"), field("epochs", training, content));
    form->addRow(RunSheet::tr("Sc&heme"), field("scheme", scheme, content));
    form->addRow(QString(), field("overrides", overrides, content));
    form->addRow(RunSheet::tr("Weight &rounding"), rounding);
    form->addRow(RunSheet::tr("&Layers"), field("layers", layers, content));
    form->addRow(RunSheet::tr("&Calibration"), field("calibration", calibration, content));
    makeEvaluation(form, owner);
    form->addRow(RunSheet::tr("&Device"), field("device", device, content));
    form->addRow(RunSheet::tr("Run &folder"), field("out", outDir, content));
    connectEditors(owner);
    orderTabs(owner);
}

void RunSheet::Private::makeEditors(QWidget* content) {
    method = new QComboBox(content);
    fillMethods(method);
    method->setAccessibleName(RunSheet::tr("Method"));
    methodText = new Disclosure(content);
    preset = new QComboBox(content);
    fillPresets(preset, base.method, base.preset);
    preset->setAccessibleName(RunSheet::tr("Preset"));
    presetText = muted({}, content);
    training = new TrainingEditor(content);
    scheme = new QComboBox(content);
    scheme->setEditable(true);
    scheme->setInsertPolicy(QComboBox::NoInsert);
    for (const char* text : kSchemes)
        scheme->addItem(QString::fromLatin1(text));
    scheme->setToolTip(RunSheet::tr(
        "Bits of weights, activations and KV cache, for example W4A4KV4 or W4A16:g128. 16 = untouched."));
    overrides = muted({}, content);
    rounding = new QComboBox(content);
    layers = new QLineEdit(content);
    layers->setPlaceholderText(RunSheet::tr("all, or for example 0-3,7"));
    calibration = new CalibrationEditor(content);
    device = new QComboBox(content);
    outDir = new PathEdit(RunSheet::tr("Run folder"), content);
    letShrink({method, preset, scheme, rounding, device});
}

void RunSheet::Private::connectEditors(RunSheet* sheet) {
    const auto changed = [this] { update(); };
    QObject::connect(method, &QComboBox::currentIndexChanged, sheet, [this] {
        showMethod();
        update();
    });
    QObject::connect(scheme, &QComboBox::currentTextChanged, sheet, changed);
    QObject::connect(preset, &QComboBox::currentIndexChanged, sheet, [this] {
        showPreset();
        update();
    });
    for (QComboBox* box : {rounding, device})
        QObject::connect(box, &QComboBox::currentIndexChanged, sheet, changed);
    QObject::connect(layers, &QLineEdit::textChanged, sheet, changed);
    QObject::connect(training, &TrainingEditor::changed, sheet, changed);
    QObject::connect(calibration, &CalibrationEditor::changed, sheet, changed);
    QObject::connect(calibration, &CalibrationEditor::browseRequested, sheet,
                     [sheet] { emit sheet->browseRequested(PathField::Calibration); });
    QObject::connect(outDir, &PathEdit::changed, sheet, changed);
    QObject::connect(outDir, &PathEdit::browseRequested, sheet,
                     [sheet] { emit sheet->browseRequested(PathField::OutDir); });
}

void RunSheet::Private::showMethod() {
    fillPresets(preset, chosenMethod(), chosenPreset());
    showPreset();
}

/// What follows from the preset: the default rounding, and the number of sequences where it was the default
/// of the preset before.
void RunSheet::Private::showPreset() {
    const PresetInfo& info = presetInfo(chosenMethod(), chosenPreset());
    fillRoundings(rounding, chosenMethod(), info.preset);
    CalibrationOptions options = calibration->options();
    if (!filling && options.sequences == presetSequences) {
        options.sequences = info.sequences;
        calibration->setOptions(options);
    }
    presetSequences = info.sequences;
    if (!filling) training->setChanges({});
}

void RunSheet::Private::showExplanations(const RunSpec& current) {
    const MethodInfo& info = methodInfo(current.method);
    method->setToolTip(methodFacts(info));
    methodText->setContent(RunSheet::tr("About %1").arg(toQString(info.title)), methodFacts(info));
    presetText->setText(toQString(presetInfo(current.method, current.preset).explanation));
    preset->setToolTip(preset->currentData(Qt::ToolTipRole).toString());
    owner->form()->setRowVisible(training->parentWidget(),
                                 trainingRecipe(current.method, current.preset).trains());
}

void RunSheet::Private::makeEvaluation(QFormLayout* form, RunSheet* sheet) {
    QWidget* content = method->parentWidget();
    auto* box = new QWidget(content);
    evaluate = new QCheckBox(RunSheet::tr("Measure perplexity before and after"), box);
    evaluate->setToolTip(metricToolTip("perplexity"));
    evaluationText = new PathEdit(RunSheet::tr("Evaluation text"), box);
    evaluationLength = new QSpinBox(box);
    evaluationLength->setRange(16, 1 << 20);
    evaluationLength->setAccessibleName(RunSheet::tr("Tokens per window"));
    evaluationWindows = new QSpinBox(box);
    evaluationWindows->setRange(0, 1 << 30);
    evaluationWindows->setSpecialValueText(RunSheet::tr("all"));
    evaluationWindows->setAccessibleName(RunSheet::tr("Windows"));
    auto* layout = new QVBoxLayout(box);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(4);
    auto* amount = new QHBoxLayout;
    amount->setSpacing(8);
    amount->addWidget(evaluationWindows);
    amount->addWidget(new QLabel(RunSheet::tr("windows ×"), box));
    amount->addWidget(evaluationLength);
    amount->addWidget(new QLabel(RunSheet::tr("tokens"), box));
    amount->addStretch(1);
    layout->addWidget(evaluate);
    layout->addWidget(evaluationText);
    layout->addLayout(amount);
    box->setFocusProxy(evaluate);
    form->addRow(RunSheet::tr("&Evaluation"), field("text", box, content));
    QObject::connect(evaluate, &QCheckBox::toggled, sheet, [this] { update(); });
    QObject::connect(evaluationText, &PathEdit::changed, sheet, [this] { update(); });
    QObject::connect(evaluationText, &PathEdit::browseRequested, sheet,
                     [sheet] { emit sheet->browseRequested(PathField::Evaluation); });
    for (QSpinBox* spin : {evaluationLength, evaluationWindows})
        QObject::connect(spin, &QSpinBox::valueChanged, sheet, [this] { update(); });
}

void RunSheet::setSpec(const RunSpec& spec) {
    d->filling = true;
    d->base = spec;
    d->method->setCurrentIndex(d->method->findData(static_cast<int>(spec.method)));
    fillPresets(d->preset, spec.method, spec.preset);
    d->training->setChanges(spec.training);
    d->showPreset();
    chooseRounding(d->rounding, spec.rounding);
    d->scheme->setEditText(toQString(formatScheme(spec.plan.base)));
    d->layers->setText(toQString(formatLayers(spec.layers)));
    d->calibration->setOptions(spec.calibration);
    const EvaluationOptions evaluation = spec.evaluation.value_or(EvaluationOptions{});
    d->evaluate->setChecked(spec.evaluation.has_value());
    d->evaluationText->setPath(toQString(evaluation.textPath));
    d->evaluationLength->setValue(evaluation.sequenceLength);
    d->evaluationWindows->setValue(evaluation.maxWindows);
    fillDevices(d->device, d->devices, spec.device.device);
    d->outDir->setPath(toQString(spec.outDir));
    d->filling = false;
    d->update();
}

RunSpec RunSheet::spec() const {
    RunSpec spec = d->base;
    spec.method = d->chosenMethod();
    spec.preset = d->chosenPreset();
    spec.training = d->training->changes();
    spec.rounding = chosenRounding(d->rounding);
    if (const Result<Scheme> scheme = parseScheme(d->scheme->currentText().trimmed().toStdString()))
        spec.plan.base = *scheme;
    if (const auto layers = parseLayers(d->layers->text().trimmed().toStdString(), d->model.layers))
        spec.layers = *layers;
    if (d->layers->text().trimmed().isEmpty()) spec.layers.clear();
    spec.calibration = d->calibration->options();
    spec.evaluation.reset();
    if (d->evaluate->isChecked())
        spec.evaluation = EvaluationOptions{d->evaluationText->path().toStdString(),
                                            d->evaluationLength->value(), d->evaluationWindows->value()};
    spec.device.device = d->device->currentData().toString().toStdString();
    spec.outDir = d->outDir->path().toStdString();
    return spec;
}

void RunSheet::Private::showProblem(const Error& error) {
    const std::string name = fieldOf(error);
    static const std::set<std::string> ofTraining{
        "e2e_steps", "loss", "rate", "batch", "learn_rounding", "quantized_inputs", "autocast"};
    const auto found = messages.find(ofTraining.contains(name) ? "epochs" : name);
    const std::string full = error.text();
    const std::size_t colon = full.find(": ");
    const QString text = toQString(full);
    const QString beside = colon == std::string::npos ? text : toQString(full.substr(colon + 2));
    if (found != messages.end())
        found->second->setProblem(beside);
    else
        owner->setProblem(text);
    owner->startButton()->setEnabled(false);
}

void RunSheet::Private::update() {
    if (filling) return;
    for (const auto& [name, message] : messages)
        message->setProblem({});
    owner->setProblem({});
    owner->startButton()->setEnabled(true);
    evaluationText->setEnabled(evaluate->isChecked());
    evaluationLength->setEnabled(evaluate->isChecked());
    evaluationWindows->setEnabled(evaluate->isChecked());
    training->setPreset(chosenMethod(), chosenPreset(), calibration->options().sequences);
    const RunSpec current = owner->spec();
    showExplanations(current);
    rounding->setToolTip(rounding->currentData(Qt::ToolTipRole).toString());
    const int edits = static_cast<int>(current.plan.overrides.size());
    overrides->setText(edits == 1 ? RunSheet::tr("1 row of the plan keeps its own bits.")
                                  : RunSheet::tr("%n rows of the plan keep their own bits.", nullptr, edits));
    overrides->parentWidget()->setVisible(edits > 0);
    const std::uint64_t bytes = estimateRunBytes(model, current.calibration, current.evaluation.has_value());
    owner->setEstimate(model.layers > 0 ? RunSheet::tr("Memory: about %1 at the peak").arg(formatBytes(bytes))
                                        : RunSheet::tr("Memory: unknown until a model is open"),
                       RunSheet::tr("One block in fp32 with its statistics and the hidden states of the "
                                    "calibration text. The %1 weights stay in their file.")
                           .arg(formatParameters(parameters)));
    owner->setCommand(toQString(commandLine(current)));
    if (const auto parsed = parseScheme(scheme->currentText().trimmed().toStdString()); !parsed)
        return showProblem(Error{parsed.error().code, parsed.error().message, "scheme"});
    const std::string range = layers->text().trimmed().toStdString();
    if (const auto parsed = parseLayers(range, model.layers); !range.empty() && !parsed)
        return showProblem(Error{parsed.error().code, parsed.error().message, "layers"});
    if (const Status status = validate(current); !status) showProblem(status.error());
}

void RunSheet::setDevices(const std::vector<DeviceInfo>& devices) {
    const std::string current = d->device->currentData().toString().toStdString();
    d->devices = devices;
    fillDevices(d->device, devices, current.empty() ? "auto" : current);
}

void RunSheet::setModel(const ModelConfig& model, std::int64_t parameters) {
    d->model = model;
    d->parameters = parameters;
    d->update();
}

void RunSheet::setPath(PathField field, const QString& path) {
    switch (field) {
    case PathField::Calibration:
        return d->calibration->setPath(path);
    case PathField::Evaluation:
        d->evaluate->setChecked(true);
        return d->evaluationText->setPath(path);
    case PathField::OutDir:
        return d->outDir->setPath(path);
    }
}

void RunSheet::focusFirst() {
    d->method->setFocus(Qt::OtherFocusReason);
}

} // namespace bdq
