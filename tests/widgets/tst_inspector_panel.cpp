// Inspector: one row, several rows, measured values.
#include <QAbstractItemView>
#include <QComboBox>
#include <QLabel>
#include <QLocale>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>

#include "tests/widgets/widget_fixtures.h"
#include "widgets/panels/inspector_panel.h"

using namespace bdq;

class TstInspectorPanel : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { QLocale::setDefault(QLocale(QLocale::English, QLocale::UnitedStates)); }
    void inspectorSingleRow();
    void inspectorSeveralRows();
    void inspectorMarksMeasured();
    void kindsStandBesideEachOther();
    void lossAndTokensAreSaid();
    void onlyAnalysedTransformsAreChosen();
    void largestOverRmsComesFromTheArrays();
};

void TstInspectorPanel::inspectorSingleRow() {
    InspectorPanel panel;
    test::shot(panel, QSize(320, 640));
    QVERIFY(test::showsText(panel, "Select one or more rows"));
    panel.setPlan(Plan{test::scheme("W4A4KV4"), {}});
    panel.setTransform(TransformKind::Bdq);
    panel.setSites({test::makeSite({11, Site::Down})});
    test::shot(panel, QSize(320, 640));
    QVERIFY(test::showsText(panel, "layer 11 · down"));
    QVERIFY(test::showsText(panel, "in 1,536 → out 576"));
    QSignalSpy edits(&panel, &InspectorPanel::planEdited);
    auto* weights = qobject_cast<QComboBox*>(test::byName(panel, "Bits of weights"));
    QCOMPARE(weights->currentText(), QString("4"));
    panel.focusBits();
    QTest::keyClick(weights, Qt::Key_Down); // by keyboard
    QCOMPARE(edits.count(), 1);
    QCOMPARE(edits.first().at(0).value<SiteKeys>(), (SiteKeys{{11, Site::Down}}));
    QCOMPARE(edits.first().at(1).value<SchemeEdit>(), (SchemeEdit{5, std::nullopt, std::nullopt}));
    QSignalSpy transforms(&panel, &InspectorPanel::transformChosen);
    auto* transform = qobject_cast<QComboBox*>(test::byName(panel, "Transform"));
    QCOMPARE(transform->currentText(), QString::fromUtf8(transformInfo(TransformKind::Bdq).title.data()));
    transform->setFocus();
    QTest::keyClick(transform, Qt::Key_Up);
    QCOMPARE(transforms.count(), 1);
    QVERIFY(transforms.first().at(1).value<TransformKind>() != TransformKind::Bdq);
}

void TstInspectorPanel::inspectorSeveralRows() {
    InspectorPanel panel;
    Plan plan{test::scheme("W4A4KV4"), {}};
    plan = withEdit(plan, {{1, Site::O}}, SchemeEdit{8, std::nullopt, std::nullopt});
    panel.setPlan(plan);
    panel.setTransform(TransformKind::None, {{{1, Site::O}, TransformKind::Bdq}});
    panel.setSites(
        {test::makeSite({0, Site::O}), test::makeSite({1, Site::O}), test::makeSite({2, Site::O})});
    test::shot(panel, QSize(320, 640));
    QVERIFY(test::showsText(panel, "3 rows selected"));
    QVERIFY(panel.minimumSizeHint().width() <= 300);
    auto* weights = qobject_cast<QComboBox*>(test::byName(panel, "Bits of weights"));
    auto* activations = qobject_cast<QComboBox*>(test::byName(panel, "Bits of activations"));
    QCOMPARE(weights->currentIndex(), -1);
    QCOMPARE(weights->placeholderText(), QString("mixed"));
    QCOMPARE(activations->currentText(), QString("4"));
    QCOMPARE(qobject_cast<QComboBox*>(test::byName(panel, "Transform"))->currentIndex(), -1);
    QSignalSpy edits(&panel, &InspectorPanel::planEdited);
    activations->setFocus();
    QTest::keyClick(activations, Qt::Key_Up);
    QCOMPARE(edits.count(), 1);
    QCOMPARE(edits.first().at(0).value<SiteKeys>().size(), std::size_t{3});
    QCOMPARE(edits.first().at(1).value<SchemeEdit>(), (SchemeEdit{std::nullopt, 3, std::nullopt}));
}

void TstInspectorPanel::inspectorMarksMeasured() {
    InspectorPanel panel;
    auto store = std::make_shared<MeasuredSqnrStore>();
    panel.setMeasured(store);
    panel.setPlan(Plan{test::scheme("W5A5"), {}});
    panel.setSites({test::makeSite({0, Site::O})});
    test::shot(panel, QSize(320, 640));
    auto* measured = qobject_cast<QLabel*>(test::byName(panel, "SQNR measured (dB)"));
    QCOMPARE(measured->text(), QString("–"));
    QVERIFY(test::showsText(panel, "1 row not measured"));
    SiteAnswer answer;
    answer.key = {0, Site::O};
    answer.scheme = "W6A6";
    answer.sqnrDb = 31.24;
    store->addLive(answer, WeightRounding::Mse);
    panel.showNewValue(answer);
    QCOMPARE(measured->text(), QString("–")); // another scheme
    answer.scheme = "W5A5";
    answer.tokens = 128;
    store->addLive(answer, WeightRounding::Mse);
    panel.showNewValue(answer);
    QVERIFY2(measured->text().contains(">31.2<"), qPrintable(measured->text()));
    QVERIFY(measured->text().contains(">live<") && measured->text().contains(">128<"));
    QVERIFY(measured->toolTip().contains("31.24"));
    QVERIFY(measured->autoFillBackground());
    QTRY_VERIFY_WITH_TIMEOUT(!measured->autoFillBackground(), 3000);
    QSignalSpy spy(&panel, &InspectorPanel::measureRequested);
    QTest::mouseClick(test::button(panel, "Measure now"), Qt::LeftButton);
    QCOMPARE(spy.count(), 1);
    panel.setMeasuring(true);
    QVERIFY(!test::button(panel, "Measuring…")->isEnabled());
}

void TstInspectorPanel::kindsStandBesideEachOther() {
    InspectorPanel panel;
    auto store = std::make_shared<MeasuredSqnrStore>();
    const SiteAnalysis site = test::makeSite({0, Site::O});
    RunResult run;
    run.spec.method = Method::Rtn;
    run.spec.rounding = WeightRounding::Gptq;
    run.text.tokens = 4096;
    run.perLayer = {{site.key, "W4A4KV4", 15.5, 0, 0, 0, 0, 0}};
    store->addRun("/runs/3", "run #3", run);
    store->addLive({0, site.key, TransformKind::None, "W4A4", 14.5, 128, 0.1}, WeightRounding::Mse);
    panel.setMeasured(store);
    panel.setPlan(Plan{test::scheme("W4A4KV4"), {}});
    panel.setSites({site});
    const QString text = qobject_cast<QLabel*>(test::byName(panel, "SQNR measured (dB)"))->text();
    for (const char* part :
         {">analysis<", ">2,048<", ">live<", ">128<", ">14.5<", ">run #3<", ">4,096<", ">15.5<"})
        QVERIFY2(text.contains(part), part);
    QVERIFY(!test::showsText(panel, "not measured"));
}

void TstInspectorPanel::lossAndTokensAreSaid() {
    InspectorPanel panel;
    const auto analysis = test::makeAnalysis(4);
    const Plan plan{test::scheme("W4A4"), {}};
    panel.setPlan(plan);
    panel.setRounding(WeightRounding::Gptq);
    panel.setSites({*analysis->find(test::kCostliest)});
    test::shot(panel, QSize(320, 640));
    auto* loss = qobject_cast<QLabel*>(test::byName(panel, "Share of the loss"));
    QCOMPARE(loss->text(), QString("not ranked"));
    panel.setRanking(test::makeRanking(*analysis, plan, TransformKind::None));
    QVERIFY2(loss->text().startsWith("!! ") && loss->text().endsWith("#1"), qPrintable(loss->text()));
    QVERIFY(test::showsText(panel, "knows no range search")); // the made-up analysis is old in this
    auto* top = qobject_cast<QLabel*>(test::byName(panel, "Energy in top 0.5 % of tokens"));
    QCOMPARE(top->text(), QString("2.00 %"));
    panel.setSites({*analysis->find(test::kLoneToken)});
    QCOMPARE(top->text(), QString("! 99.9 %"));
    const TransformAnalysis& value = analysis->find(test::kLoneToken)->transforms.at(TransformKind::None);
    const QString median = QString::number(value.sqnrDbTokenMedian.at("W4A4"), 'f', 1);
    const QString low = QString::number(value.sqnrDbTokenLow.at("W4A4"), 'f', 1);
    QCOMPARE(qobject_cast<QLabel*>(test::byName(panel, "SQNR of a token (dB)"))->text(),
             median + ", 5 % below " + low);
}

void TstInspectorPanel::onlyAnalysedTransformsAreChosen() {
    InspectorPanel panel;
    panel.setTransform(TransformKind::None);
    panel.setAnalysisSeconds(7);
    SiteAnalysis site = test::makeSite({0, Site::O});
    std::erase_if(site.transforms, [](const auto& entry) {
        return entry.first != TransformKind::None && entry.first != TransformKind::Bdq;
    });
    panel.setSites({site});
    test::shot(panel, QSize(320, 640));
    auto* box = qobject_cast<QComboBox*>(test::byName(panel, "Transform"));
    QSignalSpy chosen(&panel, &InspectorPanel::transformChosen);
    QSignalSpy wanted(&panel, &InspectorPanel::analysisWanted);
    QCOMPARE(box->currentIndex(), 0);
    QVERIFY(!box->itemText(1).startsWith("Analyse") && box->itemText(2).isEmpty()); // the separator
    QVERIFY2(box->itemText(3).startsWith("Analyse ") && box->itemText(3).contains("here (about 7 s)"),
             qPrintable(box->itemText(3)));
    box->setFocus();
    QTest::keyClick(box, Qt::Key_Down);
    QCOMPARE(chosen.count(), 1);
    QCOMPARE(chosen.last().at(1).value<TransformKind>(), TransformKind::Bdq);
    for (int i = 0; i < 3; ++i)
        QTest::keyClick(box, Qt::Key_Down); // stepping on asks for nothing
    QCOMPARE(chosen.count(), 1);
    QCOMPARE(wanted.count(), 0);
    box->showPopup();
    box->view()->setCurrentIndex(box->model()->index(3, 0));
    QTest::keyClick(box->view(), Qt::Key_Return);
    QCOMPARE(wanted.count(), 1);
    QCOMPARE(wanted.last().at(0).value<SiteKeys>(), (SiteKeys{{0, Site::O}}));
    QCOMPARE(static_cast<int>(wanted.last().at(1).value<TransformKind>()), box->itemData(3).toInt());
    QCOMPARE(box->currentIndex(), 1);            // the choice stays
    panel.setTransform(TransformKind::Hadamard); // of a method whose transform was not analysed
    QVERIFY(box->currentText().contains("not analysed"));
}

void TstInspectorPanel::largestOverRmsComesFromTheArrays() {
    InspectorPanel panel;
    const SiteKey key{0, Site::O};
    panel.setSites({test::makeSite(key)});
    test::shot(panel, QSize(320, 640));
    auto* before = qobject_cast<QLabel*>(test::byName(panel, "Largest / RMS, before"));
    QCOMPARE(before->text(), QString("–"));
    SiteDetail detail;
    detail.key = key;
    detail.transforms[TransformKind::None].channelRmsActivation = {3, 4, 0, 0}; // RMS 2.5
    detail.transforms[TransformKind::None].channelAbsmaxActivation = {30, 50, 0, 0};
    panel.setDetail({1, Site::O}, std::make_shared<SiteDetail>(detail)); // of another site
    QCOMPARE(before->text(), QString("–"));
    panel.setDetail(key, std::make_shared<SiteDetail>(detail));
    QCOMPARE(before->text(), QString("20.0"));
    panel.setSites({test::makeSite({1, Site::O})});
    QCOMPARE(before->text(), QString("–"));
}

QTEST_MAIN(TstInspectorPanel)
#include "tst_inspector_panel.moc"
