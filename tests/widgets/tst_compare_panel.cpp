// Compare: figures and differences of two runs, choosing, swapping, copying, warnings.
#include <algorithm>

#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QLocale>
#include <QPushButton>
#include <QSignalSpy>
#include <QTableView>
#include <QTest>

#include "tests/widgets/widget_fixtures.h"
#include "widgets/panels/compare_panel.h"
#include "widgets/plots/compare_plot.h"

using namespace bdq;

namespace {

constexpr int kLayers = 3;

EvalResult evaluated(double perplexity) {
    EvalResult result;
    result.text = "wiki.txt";
    result.perplexity = perplexity;
    result.windows = 4;
    result.sequenceLength = 2048;
    result.tokens = 304978;
    return result;
}

/// SQNR of (layer, site): 10 dB plus layer plus `gain` times the site's number.
RunResult makeRun(Method method, double gain, double perplexity) {
    RunResult run;
    run.status = "finished";
    run.spec.method = method;
    run.spec.plan.base = test::scheme("W4A4");
    run.model.name = "SmolLM2";
    run.parameters = 135;
    run.text.sha256 = "aa";
    run.averageWeightBits = 4.25;
    run.provenance.seconds = 100 * gain;
    run.full = evaluated(21.63);
    run.quantized = evaluated(perplexity);
    for (int layer = 0; layer < kLayers; ++layer)
        for (const Site site : kLinearSites)
            run.perLayer.push_back(
                {{layer, site}, "W4A4", 10.0 + layer + gain * static_cast<double>(site), 0, 0, 0, 0, 0});
    return run;
}

RunPtr share(RunResult run) {
    return std::make_shared<const RunResult>(std::move(run));
}

double sortValue(const RunCompareModel& model, SiteKey key, int column) {
    return model.index(model.rowOf(key), column).data(RunCompareModel::SortRole).toDouble();
}

} // namespace

class TstComparePanel : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { QLocale::setDefault(QLocale(QLocale::English, QLocale::UnitedStates)); }
    void differencesAreSecondMinusFirst();
    void rowsOfOneRunOnlyHaveNoDifference();
    void figuresOfBothRuns();
    void warningsNameWhatDiffers();
    void panelChoosesAndSwaps();
    void aRunThatIsGoneLosesItsNumbers();
    void tableSortsAndCopies();
};

void TstComparePanel::differencesAreSecondMinusFirst() {
    RunCompareModel model;
    model.setRuns(share(makeRun(Method::QuaRot, 1, 80)), share(makeRun(Method::Bdq, 3, 38)));
    QCOMPARE(model.rowCount(), 12);
    const SiteKey key{2, Site::Down};
    const double site = static_cast<double>(Site::Down);
    QCOMPARE(sortValue(model, key, RunCompareModel::FirstSqnrColumn), 12 + site);
    QCOMPARE(sortValue(model, key, RunCompareModel::SecondSqnrColumn), 12 + 3 * site);
    QCOMPARE(sortValue(model, key, RunCompareModel::DifferenceColumn), 2 * site);
    const QModelIndex cell = model.index(model.rowOf(key), RunCompareModel::DifferenceColumn);
    QCOMPARE(cell.data().toString(), QStringLiteral("+%1").arg(2 * site, 0, 'f', 1));
    model.setRuns(nullptr, nullptr);
    QCOMPARE(model.rowCount(), 0);
}

void TstComparePanel::rowsOfOneRunOnlyHaveNoDifference() {
    RunResult longer = makeRun(Method::Bdq, 3, 38);
    longer.perLayer.push_back({{0, Site::KCache}, "W4A4KV4", 20, 0, 0, 0, 0, 0});
    RunCompareModel model;
    model.setRuns(share(makeRun(Method::QuaRot, 1, 80)), share(longer));
    QCOMPARE(model.rowCount(), 13);
    const int row = model.rowOf({0, Site::KCache});
    QCOMPARE(model.index(row, RunCompareModel::DifferenceColumn).data().toString(), QString("–"));
    QCOMPARE(model.index(row, RunCompareModel::FirstSqnrColumn).data().toString(), QString("–"));
    QCOMPARE(model.index(row, RunCompareModel::SecondSqnrColumn).data().toString(), QString("20.0"));
}

void TstComparePanel::figuresOfBothRuns() {
    const auto figures =
        runFigures(share(makeRun(Method::QuaRot, 1, 80)), share(makeRun(Method::Bdq, 3, 38.5)));
    const auto find = [&](const QString& name) {
        return *std::find_if(figures.begin(), figures.end(),
                             [&](const RunFigure& figure) { return figure.name == name; });
    };
    QCOMPARE(find("Perplexity before").values[0], QString("21.6"));
    QCOMPARE(find("Perplexity after").values[0], QString("80.0"));
    QCOMPARE(find("Perplexity after").values[1], QString("38.5"));
    QVERIFY(find("Perplexity after").difference.contains("41.5"));
    QCOMPARE(find("Time (s)").difference, QString("+200"));
    QCOMPARE(find("Average weight bits").values[1], QString("4.25"));
    QCOMPARE(find("Scheme").values[0], QString("W4A4"));
    QVERIFY(find("Method").values[0] != find("Method").values[1]);
    QCOMPARE(runFigures(nullptr, nullptr).front().values[0], QString());
}

void TstComparePanel::warningsNameWhatDiffers() {
    const RunResult first = makeRun(Method::QuaRot, 1, 80);
    QVERIFY(comparisonWarnings(first, makeRun(Method::Bdq, 3, 38)).isEmpty());
    RunResult other = makeRun(Method::Bdq, 3, 38);
    other.quantized->windows = 148;
    QCOMPARE(comparisonWarnings(first, other).size(), 1);
    QVERIFY(comparisonWarnings(first, other).front().contains("windows"));
    other.text.sha256 = "bb";
    other.model.name = "Llama";
    QCOMPARE(comparisonWarnings(first, other).size(), 3);
}

void TstComparePanel::panelChoosesAndSwaps() {
    ComparePanel panel;
    test::shot(panel, QSize(860, 240));
    QVERIFY(test::showsText(panel, "Choose two finished runs"));
    QVERIFY(panel.minimumSizeHint().width() <= 630); // beside the plan at 1280
    panel.setChoices({{"/runs/a", "#1 QuaRot"}, {"/runs/b", "#2 BDQ"}});
    QVERIFY(panel.chosen(0).isEmpty());
    QSignalSpy wanted(&panel, &ComparePanel::runWanted);
    auto* box = qobject_cast<QComboBox*>(test::byName(panel, "Run A"));
    box->setFocus();
    QTest::keyClick(box, Qt::Key_Down); // by keyboard
    panel.choose(1, "/runs/b");
    QCOMPARE(wanted.count(), 2);
    QCOMPARE(wanted.first().at(1).toString(), QString("/runs/a"));
    panel.setRun(0, share(makeRun(Method::QuaRot, 1, 80)));
    panel.setRun(1, share(makeRun(Method::Bdq, 3, 38)));
    const QImage filled = test::shot(panel, QSize(860, 240));
    QVERIFY(!test::showsText(panel, "Choose two finished runs"));
    QVERIFY(test::differingPixels(filled, test::shot(panel, QSize(861, 240))) > 300);
    const SiteKey key{1, Site::Down};
    const double before = sortValue(*panel.model(), key, RunCompareModel::DifferenceColumn);
    QVERIFY(before > 0);
    QTest::mouseClick(test::button(panel, "Swap"), Qt::LeftButton);
    QCOMPARE(panel.chosen(0), QString("/runs/b"));
    QCOMPARE(panel.chosen(1), QString("/runs/a"));
    QCOMPARE(sortValue(*panel.model(), key, RunCompareModel::DifferenceColumn), -before);
    QCOMPARE(wanted.count(), 2); // both were known
    QSignalSpy browse(&panel, &ComparePanel::browseRequested);
    QTest::mouseClick(test::button(panel, "Run folder…"), Qt::LeftButton);
    QCOMPARE(browse.count(), 1);
}

void TstComparePanel::aRunThatIsGoneLosesItsNumbers() {
    ComparePanel panel;
    panel.setChoices({{"/runs/a", "#1"}, {"/runs/b", "#2"}});
    panel.choose(0, "/runs/a");
    panel.choose(1, "/runs/b");
    panel.setRun(0, share(makeRun(Method::QuaRot, 1, 80)));
    panel.setRun(1, share(makeRun(Method::Bdq, 3, 38)));
    panel.setChoices({{"/runs/b", "#2"}, {"/runs/c", "#3"}});
    QVERIFY(panel.chosen(0).isEmpty());
    QVERIFY(!panel.model()->run(0));
    QCOMPARE(panel.chosen(1), QString("/runs/b"));
    QVERIFY(panel.model()->run(1));
}

void TstComparePanel::tableSortsAndCopies() {
    ComparePanel panel;
    panel.setRun(0, share(makeRun(Method::Bdq, 3, 38)));
    panel.setRun(1, share(makeRun(Method::QuaRot, 1, 80)));
    test::shot(panel, QSize(1000, 300));
    const auto top = [&](int column) { return panel.view()->model()->index(0, column); };
    // What lost most stands first.
    QCOMPARE(top(RunCompareModel::SiteColumn).data(RunCompareModel::SortRole).toInt(),
             static_cast<int>(Site::Down));
    panel.view()->sortByColumn(RunCompareModel::SecondSqnrColumn, Qt::DescendingOrder);
    QCOMPARE(top(RunCompareModel::LayerColumn).data().toString(), QString("2"));
    QSignalSpy activated(&panel, &ComparePanel::siteActivated);
    panel.view()->setFocus();
    panel.view()->selectRow(1);
    QCOMPARE(activated.count(), 1);
    QCOMPARE(activated.first().first().value<SiteKey>().site, panel.findChild<ComparePlot*>()->site());
    QTest::keyClick(panel.view(), Qt::Key_C, Qt::ControlModifier);
    const QStringList lines = QApplication::clipboard()->text().split('\n', Qt::SkipEmptyParts);
    QCOMPARE(lines.size(), 2);
    QVERIFY(lines[0].endsWith("sqnr_db_difference"));
    QCOMPARE(lines[1].split('\t').size(), 7);
    QCOMPARE(panel.findChild<ComparePlot*>()->toCsv().count('\n'), 1 + 2 * kLayers);
}

QTEST_MAIN(TstComparePanel)
#include "tst_compare_panel.moc"
