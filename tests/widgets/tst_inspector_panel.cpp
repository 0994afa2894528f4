// Inspector: one row, several rows, measured values.
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
    panel.setMeasured(answer);
    QCOMPARE(measured->text(), QString("–")); // another scheme
    answer.scheme = "W5A5";
    panel.setMeasured(answer);
    QCOMPARE(measured->text(), QString("31.2"));
    QVERIFY(measured->toolTip().contains("31.24"));
    QVERIFY(measured->autoFillBackground());
    QTRY_VERIFY_WITH_TIMEOUT(!measured->autoFillBackground(), 3000);
    QSignalSpy spy(&panel, &InspectorPanel::measureRequested);
    QTest::mouseClick(test::button(panel, "Measure now"), Qt::LeftButton);
    QCOMPARE(spy.count(), 1);
    panel.setMeasuring(true);
    QVERIFY(!test::button(panel, "Measuring…")->isEnabled());
}

QTEST_MAIN(TstInspectorPanel)
#include "tst_inspector_panel.moc"
