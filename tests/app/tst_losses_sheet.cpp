// Measuring losses: what the sheet asks for, and how long it says it takes.
#include <QCheckBox>
#include <QPushButton>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTest>

#include "app/losses_estimate.h"
#include "widgets/panels/losses_sheet.h"

using namespace bdq;

namespace {

AnalysisResult analysisOf(int layers) {
    AnalysisResult analysis;
    analysis.model.layers = layers;
    analysis.model.hiddenSize = 64;
    analysis.model.vocabSize = 300;
    analysis.text.tokens = 1000;
    analysis.provenance.seconds = 10;
    for (int layer = 0; layer < layers; ++layer)
        for (const Site site : kLinearSites) {
            SiteAnalysis row;
            row.key = {layer, site};
            row.inFeatures = 64;
            row.outFeatures = 100;
            analysis.sites.push_back(row);
        }
    return analysis;
}

SensitivitySpec specOf() {
    SensitivitySpec spec;
    spec.analysisDir = "/a";
    spec.weights = {{2, false, 0}, {4, true, 0}};
    spec.activation = {4, true, 0};
    spec.text = {{}, 1, 512};
    return spec;
}

} // namespace

class LossesSheetTest : public QObject {
    Q_OBJECT
private slots:
    void passesGoFromTheLayerToTheEnd() {
        const AnalysisResult analysis = analysisOf(3);
        SensitivitySpec spec = specOf();
        // A comparison: 1.5 heads against the four matrices of a layer.
        const double compare = 1.5 * 64 * 300 / (4.0 * 64 * 100);
        // 4 sites x 2 widths from layers 0, 1 and 2.
        QVERIFY(qAbs(lossPasses(spec, analysis) - 8 * (3 + 2 + 1 + 3 * compare)) < 1e-9);
        spec.layers = {2};
        QVERIFY(qAbs(lossPasses(spec, analysis) - 8 * (1 + compare)) < 1e-9);
        spec.layers = {7};
        QCOMPARE(lossPasses(spec, analysis), 0.0);
    }

    void aMeasuredRateReplacesTheGuess() {
        const AnalysisResult analysis = analysisOf(3);
        const SensitivitySpec spec = specOf();
        const double guessed = lossSeconds(spec, analysis, 0);
        QVERIFY(guessed > 0);
        const double passes = lossPasses(spec, analysis);
        const double rate = secondsPerLossToken(spec, passes, 99);
        QVERIFY(qAbs(lossSeconds(spec, analysis, rate) - 99) < 1e-9);
        SensitivitySpec twice = spec;
        twice.text.sequences = 2;
        QVERIFY(qAbs(lossSeconds(twice, analysis, rate) - 198) < 1e-9);
        QVERIFY(lossSeconds(spec, analysisOf(0), 0) < 0); // nothing to guess from
    }

    void theSheetAsksForWhatIsChosen() {
        LossesSheet sheet;
        const AnalysisResult analysis = analysisOf(3);
        double asked = -1;
        sheet.setSpec(specOf(), 3,
                      [&](const SensitivitySpec& spec) { return asked = lossSeconds(spec, analysis, 1e-3); });
        QCOMPARE(commandLine(sheet.spec()), commandLine(specOf()));
        const double before = asked;
        QSignalSpy started(&sheet, &LossesSheet::startRequested);
        QCheckBox* three = nullptr;
        for (auto* check : sheet.findChildren<QCheckBox*>())
            if (check->text() == QStringLiteral("3")) three = check;
        QVERIFY(three && !three->isChecked());
        three->click();
        QCOMPARE(asked, before * 1.5);
        sheet.findChildren<QSpinBox*>().front()->setValue(2);
        QCOMPARE(asked, before * 3);
        QPushButton* start = nullptr;
        for (auto* button : sheet.findChildren<QPushButton*>())
            if (button->isDefault()) start = button;
        QVERIFY(start && start->isEnabled());
        start->click();
        const auto spec = started.at(0).at(0).value<SensitivitySpec>();
        QCOMPARE(spec.weights.size(), std::size_t(3));
        QCOMPARE(spec.weights[1], (OperandScheme{3, true, 0}));
        QVERIFY(!spec.weights[0].symmetric); // two bits
        QCOMPARE(spec.text.sequences, 2);
        for (auto* check : sheet.findChildren<QCheckBox*>())
            check->setChecked(false);
        QVERIFY(!start->isEnabled()); // nothing to measure
    }
};

QTEST_MAIN(LossesSheetTest)
#include "tst_losses_sheet.moc"
