// The sheets that start jobs and the plan dock: fields, messages beside them, what they emit.
#include <cstdlib>

#include <QAction>
#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QRadioButton>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTest>

#include "tests/widgets/widget_fixtures.h"
#include "widgets/panels/analyze_sheet.h"
#include "widgets/panels/form_fields.h"
#include "widgets/panels/plan_panel.h"
#include "widgets/panels/run_sheet.h"

using namespace bdq;
using test::button;

namespace {

template <class T> T* byName(QWidget& parent, const QString& accessibleName) {
    for (T* child : parent.findChildren<T*>())
        if (child->accessibleName() == accessibleName) return child;
    return nullptr;
}

QStringList problems(QWidget& parent) {
    QStringList texts;
    for (const FieldMessage* message : parent.findChildren<FieldMessage*>())
        if (!message->isHidden()) texts << message->text();
    return texts;
}

RunSpec validRun() {
    RunSpec spec;
    spec.modelPath = "/models/smol lm.gguf";
    spec.outDir = "/runs/run-0001";
    spec.plan.base = test::scheme("W4A4KV4");
    spec.calibration.sequences = 8;
    return spec;
}

void choose(QComboBox* box, int steps) {
    box->setFocus();
    for (int i = 0; i < std::abs(steps); ++i)
        QTest::keyClick(box, steps > 0 ? Qt::Key_Down : Qt::Key_Up);
}

} // namespace

class TstSheets : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { QLocale::setDefault(QLocale(QLocale::English, QLocale::UnitedStates)); }
    void runSheetRoundTrip();
    void runSheetMessagesBesideFields();
    void runSheetCommandAndMemory();
    void runSheetDevicesAndPaths();
    void runSheetKeys();
    void runSheetMethodsAndPresets();
    void runSheetTraining();
    void runSheetTrainingSwitches();
    void analyzeSheet();
    void planWholeModel();
    void planLayerRange();
    void planMethodsAndRounding();
    void planTotalsAndActions();
};

void TstSheets::runSheetRoundTrip() {
    RunSheet sheet;
    RunSpec spec = validRun();
    spec.method = Method::CatDiag;
    spec.rounding = WeightRounding::Gptq;
    spec.layers = {0, 1, 2, 7};
    spec.calibration.source = "/texts/calibration.txt";
    spec.evaluation = EvaluationOptions{"/texts/test.txt", 1024, 4};
    spec.seed = 17;
    spec.plan.overrides[{3, Site::Down}] = test::scheme("W8A8");
    sheet.setSpec(spec);
    QCOMPARE(problems(sheet), QStringList());
    QCOMPARE(encodeSpec(sheet.spec()), encodeSpec(spec));
    QSignalSpy spy(&sheet, &RunSheet::startRequested);
    QTest::mouseClick(button(sheet, "Start run"), Qt::LeftButton);
    QCOMPARE(spy.count(), 1);
    QCOMPARE(encodeSpec(spy.first().first().value<RunSpec>()), encodeSpec(spec));
}

void TstSheets::runSheetMessagesBesideFields() {
    RunSheet sheet;
    sheet.setSpec(validRun());
    test::shot(sheet, QSize(640, 800));
    QVERIFY(button(sheet, "Start run")->isEnabled());
    auto* folder = byName<QLineEdit>(sheet, "Run folder");
    folder->clear();
    QCOMPARE(problems(sheet).size(), 1);
    QVERIFY(problems(sheet).first().startsWith("!! "));
    QVERIFY(!button(sheet, "Start run")->isEnabled());
    // The message stands under its field.
    for (const FieldMessage* message : sheet.findChildren<FieldMessage*>())
        if (!message->isHidden()) QVERIFY(message->parentWidget()->isAncestorOf(folder));
    QTest::keyClicks(folder, "/runs/x");
    QCOMPARE(problems(sheet), QStringList());
    for (QComboBox* box : sheet.findChildren<QComboBox*>())
        if (box->isEditable()) box->setEditText("W99A4");
    QCOMPARE(problems(sheet).size(), 1);
    QVERIFY(!button(sheet, "Start run")->isEnabled());
}

void TstSheets::runSheetCommandAndMemory() {
    RunSheet sheet;
    sheet.setSpec(validRun());
    ModelConfig model;
    model.layers = 30;
    model.hiddenSize = 576;
    model.intermediateSize = 1536;
    model.heads = 9;
    model.kvHeads = 3;
    model.headDim = 64;
    model.vocabSize = 49152;
    model.tiedEmbedding = true;
    sheet.setModel(model, 134515008);
    auto* command = byName<QLineEdit>(sheet, "The same on the command line");
    QCOMPARE(command->text(), QString::fromStdString(commandLine(sheet.spec())));
    QVERIFY(command->text().contains("W4A4KV4"));
    QVERIFY(command->isReadOnly());
    const std::uint64_t small = estimateRunBytes(model, CalibrationOptions{"self", 8, 2048}, false);
    const std::uint64_t large = estimateRunBytes(model, CalibrationOptions{"self", 64, 2048}, false);
    QCOMPARE(large - small,
             std::uint64_t{56} * 2048 * 576 * 4 * 3); // three copies of the hidden states in fp32
    QVERIFY(estimateRunBytes(model, CalibrationOptions{"self", 8, 2048}, true) > small);
}

void TstSheets::runSheetDevicesAndPaths() {
    RunSheet sheet;
    RunSpec spec = validRun();
    spec.device.device = "cuda:1";
    sheet.setSpec(spec); // before the worker has said hello
    sheet.setDevices({{"cpu", "2 cores", 8000000000},
                      {"cuda:0", "Card A", 80000000000},
                      {"cuda:1", "Card B", 80000000000}});
    QCOMPARE(sheet.spec().device.device, std::string("cuda:1"));
    sheet.setPath(RunSheet::PathField::Calibration, "/texts/c.txt");
    sheet.setPath(RunSheet::PathField::Evaluation, "/texts/e.txt");
    sheet.setPath(RunSheet::PathField::OutDir, "/runs/out");
    QCOMPARE(sheet.spec().calibration.source, std::string("/texts/c.txt"));
    QCOMPARE(sheet.spec().evaluation.value_or(EvaluationOptions{}).textPath, std::string("/texts/e.txt"));
    QCOMPARE(sheet.spec().outDir, std::string("/runs/out"));
    QSignalSpy browse(&sheet, &RunSheet::browseRequested);
    for (QPushButton* one : sheet.findChildren<QPushButton*>())
        if (one->text() == "Browse…" && one->isEnabled()) QTest::mouseClick(one, Qt::LeftButton);
    QCOMPARE(browse.count(), 3);
}

void TstSheets::runSheetKeys() {
    RunSheet sheet;
    sheet.setSpec(validRun());
    QSignalSpy start(&sheet, &RunSheet::startRequested);
    QSignalSpy cancel(&sheet, &RunSheet::cancelRequested);
    QTest::keyClick(&sheet, Qt::Key_Escape);
    QCOMPARE(cancel.count(), 1);
    QTest::keyClick(&sheet, Qt::Key_Return);
    QCOMPARE(start.count(), 1);
    sheet.setProblem("The folder is not writable");
    QVERIFY(problems(sheet).first().contains("not writable"));
}

void TstSheets::runSheetMethodsAndPresets() {
    RunSheet sheet;
    sheet.setSpec(validRun());
    sheet.show();
    auto* method = byName<QComboBox>(sheet, "Method");
    QCOMPARE(method->count(), static_cast<int>(methodTable().size()));
    auto* preset = byName<QComboBox>(sheet, "Preset");
    for (const MethodInfo& info : methodTable()) {
        method->setCurrentIndex(method->findData(static_cast<int>(info.method)));
        QCOMPARE(preset->count(), static_cast<int>(info.presets.size()));
        for (const PresetInfo& row : info.presets) {
            preset->setCurrentIndex(preset->findData(static_cast<int>(row.preset)));
            const RunSpec spec = sheet.spec();
            QVERIFY(spec.method == info.method && spec.preset == row.preset);
            QVERIFY(problems(sheet).isEmpty());
            QStringList shown;
            for (const QLabel* label : sheet.findChildren<QLabel*>())
                shown << label->text();
            const QString all = shown.join(u'\n');
            for (const std::string_view part :
                 {info.explanation, info.citation, info.onlineParts, info.deviations, row.explanation})
                QVERIFY2(all.contains(QString::fromUtf8(part).toHtmlEscaped()) ||
                             all.contains(QString::fromUtf8(part)),
                         part.data());
        }
    }
}

void TstSheets::runSheetTrainingSwitches() {
    RunSheet sheet;
    RunSpec spec = validRun();
    spec.method = Method::Bdq;
    spec.preset = Preset::Best;
    spec.training.rate = 1e-3; // has no field and stays
    sheet.setSpec(spec);
    sheet.show();
    struct Row {
        const char* name;
        std::optional<bool> TrainingOverrides::*change;
    };
    for (const Row& row : {Row{"Learned rounding", &TrainingOverrides::learnRounding},
                           Row{"Quantized inputs", &TrainingOverrides::quantizedInputs},
                           Row{"bfloat16 products", &TrainingOverrides::autocast}}) {
        auto* box = byName<QComboBox>(sheet, row.name);
        QVERIFY2(box, row.name);
        QVERIFY(box->isVisible());
        QVERIFY(!box->toolTip().isEmpty());
        QCOMPARE(box->count(), 3);
        QVERIFY(box->itemText(0).startsWith("preset's: "));
        TrainingOverrides expected = spec.training;
        QCOMPARE(sheet.spec().training, expected);
        for (const bool on : {true, false}) {
            box->setCurrentIndex(box->findData(on));
            expected.*row.change = on;
            QCOMPARE(sheet.spec().training, expected);
        }
        box->setCurrentIndex(0);
    }
    // Without block training nothing comes in from the blocks before.
    auto* inputs = byName<QComboBox>(sheet, "Quantized inputs");
    inputs->setCurrentIndex(inputs->findData(true));
    byName<QSpinBox>(sheet, "Epochs")->setValue(0);
    QVERIFY(!inputs->isEnabled());
    QVERIFY(!sheet.spec().training.quantizedInputs);
    QVERIFY(sheet.spec().training.rate);
    QCOMPARE(problems(sheet), QStringList());
}

void TstSheets::runSheetTraining() {
    RunSheet sheet;
    RunSpec spec = validRun();
    spec.method = Method::Bdq;
    spec.preset = Preset::Best;
    spec.calibration.sequences = presetInfo(spec.method, spec.preset).sequences;
    spec.training = {3, 10, LogitLoss::RceSafe, 1e-3, 2, true, false, {}};
    sheet.setSpec(spec);
    sheet.show();
    QCOMPARE(encodeSpec(sheet.spec()), encodeSpec(spec));
    auto* epochs = byName<QSpinBox>(sheet, "Epochs");
    auto* steps = byName<QSpinBox>(sheet, "Steps over the whole model");
    auto* loss = byName<QComboBox>(sheet, "Loss of these steps");
    QVERIFY(epochs->isVisible());
    epochs->setValue(epochs->minimum());
    QVERIFY(epochs->text().contains("2")); // the preset's
    QVERIFY(!sheet.spec().training.epochs);
    steps->setValue(0);
    QVERIFY(!loss->isEnabled());
    QVERIFY(!sheet.spec().training.loss);
    // Another preset starts without changes and brings its number of sequences, unless that was edited.
    auto* preset = byName<QComboBox>(sheet, "Preset");
    preset->setCurrentIndex(preset->findData(static_cast<int>(Preset::Paper)));
    QCOMPARE(sheet.spec().training, TrainingOverrides());
    QCOMPARE(sheet.spec().calibration.sequences, 128);
    QVERIFY(steps->text().contains("4800"));
    byName<QSpinBox>(sheet, "Sequences")->setValue(9);
    preset->setCurrentIndex(preset->findData(static_cast<int>(Preset::Fast)));
    QCOMPARE(sheet.spec().calibration.sequences, 9);
    QVERIFY(!epochs->isVisible());
    QCOMPARE(problems(sheet), QStringList());
}

void TstSheets::analyzeSheet() {
    AnalyzeSheet sheet;
    AnalyzeSpec spec;
    spec.modelPath = "/models/a.gguf";
    spec.outDir = "/out";
    spec.calibration.sequences = 8;
    spec.calibration.sequenceLength = 512;
    spec.transforms = {TransformKind::None, TransformKind::Bdq};
    sheet.setSpec(spec);
    QCOMPARE(problems(sheet), QStringList());
    QCOMPARE(encodeSpec(sheet.spec()), encodeSpec(spec));
    auto* layers = sheet.findChildren<QLineEdit*>().last();
    for (QLineEdit* edit : sheet.findChildren<QLineEdit*>())
        if (edit->placeholderText().contains("0-3,7")) layers = edit;
    layers->setText("3-");
    QCOMPARE(problems(sheet).size(), 1);
    QVERIFY(!button(sheet, "Start analysis")->isEnabled());
    layers->setText("0-2");
    QCOMPARE(sheet.spec().layers, (std::vector<int>{0, 1, 2}));
    QSignalSpy start(&sheet, &AnalyzeSheet::startRequested);
    QTest::mouseClick(button(sheet, "Start analysis"), Qt::LeftButton);
    QCOMPARE(start.count(), 1);
    sheet.setCalibrationPath("/texts/c.txt");
    QCOMPARE(sheet.spec().calibration.source, std::string("/texts/c.txt"));
}

void TstSheets::planWholeModel() {
    PlanPanel panel;
    QVERIFY(!button(panel, "Start run…")->isEnabled());
    panel.setLayerCount(30);
    panel.setPlan(Plan{test::scheme("W4A4KV4"), {}});
    panel.show();
    QSignalSpy spy(&panel, &PlanPanel::baseSchemeEdited);
    auto* weights = byName<QComboBox>(panel, "Bits of weights");
    QCOMPARE(weights->currentText(), QString("4"));
    choose(weights, -2);
    QVERIFY(spy.count() >= 1);
    const auto last = spy.last().first().value<Scheme>();
    QCOMPARE(last.weight.bits, 2);
    QVERIFY(!last.weight.symmetric); // 2-bit weights are asymmetric by default
    QCOMPARE(last.activation.bits, 4);
    QSignalSpy run(&panel, &PlanPanel::runRequested);
    QTest::mouseClick(button(panel, "Start run…"), Qt::LeftButton);
    QCOMPARE(run.count(), 1);
}

void TstSheets::planLayerRange() {
    PlanPanel panel;
    panel.setLayerCount(30);
    panel.show();
    QSignalSpy spy(&panel, &PlanPanel::layersEdited);
    auto* layers = byName<QLineEdit>(panel, "Layers to change");
    QTest::keyClicks(layers, "0-3,7");
    QVERIFY(!button(panel, "Apply")->isEnabled()); // nothing to change yet
    QComboBox* keepWeights = nullptr;
    for (QComboBox* box : panel.findChildren<QComboBox*>())
        if (box->accessibleName() == "Bits of weights" && box->currentText() == "keep") keepWeights = box;
    QVERIFY(keepWeights);
    keepWeights->setCurrentText("8");
    QTest::keyClick(layers, Qt::Key_Return);
    QCOMPARE(spy.count(), 1);
    QCOMPARE(spy.first().at(0).value<std::vector<int>>(), (std::vector<int>{0, 1, 2, 3, 7}));
    QCOMPARE(spy.first().at(1).value<SchemeEdit>(), (SchemeEdit{8, std::nullopt, std::nullopt}));
    layers->setText("40");
    QTest::mouseClick(button(panel, "Apply"), Qt::LeftButton);
    QCOMPARE(spy.count(), 1);
    QCOMPARE(problems(panel).size(), 1);
    layers->setText("4");
    QCOMPARE(problems(panel), QStringList());
}

void TstSheets::planMethodsAndRounding() {
    PlanPanel panel;
    panel.setLayerCount(4);
    panel.show();
    auto* method = byName<QComboBox>(panel, "Method");
    QCOMPARE(method->count(), static_cast<int>(methodTable().size()));
    for (int i = 0; i < method->count(); ++i)
        QVERIFY(!method->itemData(i, Qt::ToolTipRole).toString().isEmpty());
    panel.setMethod(Method::Rtn);
    auto* rounding = byName<QComboBox>(panel, "Weight rounding");
    QVERIFY(rounding->itemText(0).contains("mse")); // default of this method by the table
    panel.setMethod(Method::Bdq);
    QVERIFY(rounding->itemText(0).contains("gptq"));
    auto* preset = byName<QComboBox>(panel, "Preset");
    QCOMPARE(preset->count(), static_cast<int>(presetsOf(Method::Bdq).size()));
    panel.setPreset(Preset::Best);
    QVERIFY(rounding->itemText(0).contains("rtn")); // the default follows the preset
    QVERIFY(preset->toolTip().contains("300"));
    panel.setPreset(Preset::Fast);
    QSignalSpy rounded(&panel, &PlanPanel::roundingChosen);
    choose(rounding, 1);
    QCOMPARE(rounded.last().first().value<std::optional<WeightRounding>>(),
             std::optional(WeightRounding::Rtn));
    panel.setRounding(std::nullopt);
    QCOMPARE(rounding->currentIndex(), 0);
    QSignalSpy chosen(&panel, &PlanPanel::methodChosen);
    choose(method, -1);
    QCOMPARE(chosen.count(), 1);
}

void TstSheets::planTotalsAndActions() {
    PlanPanel panel;
    panel.setLayerCount(4);
    QAction undo("Undo");
    QAction redo("Redo");
    panel.setUndoActions(&undo, &redo);
    const auto analysis = test::makeAnalysis(4);
    Plan plan{test::scheme("W4A4KV4"), {}};
    plan = withEdit(plan, {{0, Site::Down}, {1, Site::Down}}, SchemeEdit{8, 8, std::nullopt});
    panel.setPlan(plan);
    panel.setSummary(summarizePlan(plan, analysis->sites, analysis->parameters),
                     test::makeRanking(*analysis, plan, TransformKind::None));
    test::shot(panel, QSize(700, 200));
    QVERIFY(button(panel, "Reset rows")->isVisible());
    const int narrowest = panel.minimumSizeHint().width(); // beside the runs at 1280
    QVERIFY2(narrowest <= 600, qPrintable(QString::number(narrowest)));
    QSignalSpy reset(&panel, &PlanPanel::overridesClearRequested);
    QTest::mouseClick(button(panel, "Reset rows"), Qt::LeftButton);
    QCOMPARE(reset.count(), 1);
    QSignalSpy undone(&undo, &QAction::triggered);
    QTest::mouseClick(button(panel, "Undo"), Qt::LeftButton);
    QCOMPARE(undone.count(), 1);
    panel.setRunEnabled(false, "A run is active");
    QCOMPARE(button(panel, "Start run…")->toolTip(), QString("A run is active"));
}

QTEST_MAIN(TstSheets)
#include "tst_sheets.moc"
