// The slider of average bits: what it says, and when it stays silent.
#include <QAction>
#include <QDoubleSpinBox>
#include <QMenu>
#include <QPushButton>
#include <QSignalSpy>
#include <QSlider>
#include <QTest>
#include <QToolButton>

#include "tests/widgets/widget_fixtures.h"
#include "widgets/panels/budget_row.h"

using namespace bdq;

class BudgetRowTest : public QObject {
    Q_OBJECT
private slots:
    void withoutARangeItIsOffAndSaysWhy() {
        BudgetRow row;
        row.setRange({}, QStringLiteral("no analysis"));
        QVERIFY(!slider(row)->isEnabled() && !spin(row)->isEnabled());
        QCOMPARE(slider(row)->toolTip(), QStringLiteral("no analysis"));
        QCOMPARE(spin(row)->text(), QStringLiteral("–"));
    }

    void settingBitsIsSilentAndKeysAreNot() {
        BudgetRow row;
        row.setRange(BudgetRange{2.04, 8.02});
        QSignalSpy chosen(&row, &BudgetRow::bitsChosen);
        row.setBits(3.5);
        QCOMPARE(chosen.count(), 0);
        QCOMPARE(spin(row)->value(), 3.5);
        row.show();
        QTest::keyClick(slider(row), Qt::Key_Right);
        QCOMPARE(chosen.count(), 1);
        QCOMPARE(chosen.takeFirst().front().toDouble(), 3.55);
        QTest::keyClick(slider(row), Qt::Key_PageDown);
        QCOMPARE(chosen.takeFirst().front().toDouble(), 3.05);
        QCOMPARE(spin(row)->value(), 3.05);
        spin(row)->setValue(4.13);
        QCOMPARE(chosen.takeFirst().front().toDouble(), 4.13);
    }

    void theEndsAreTheRangeItself() {
        BudgetRow row;
        row.setRange(BudgetRange{2.0416, 8.0277});
        row.setBits(4);
        QSignalSpy chosen(&row, &BudgetRow::bitsChosen);
        row.show();
        QTest::keyClick(slider(row), Qt::Key_Home);
        QCOMPARE(chosen.takeFirst().front().toDouble(), 2.0416);
        QTest::keyClick(slider(row), Qt::Key_End);
        QCOMPARE(chosen.takeFirst().front().toDouble(), 8.0277);
    }

    void theButtonStartsAndCancels() {
        BudgetRow row;
        row.show();
        auto* button = row.findChild<QPushButton*>();
        QVERIFY(!button->isVisible());
        QSignalSpy measure(&row, &BudgetRow::measureRequested);
        QSignalSpy cancel(&row, &BudgetRow::cancelRequested);
        row.setMeasuring(BudgetRow::Measuring::Possible);
        button->click();
        row.setMeasuring(BudgetRow::Measuring::Running);
        button->click();
        QCOMPARE(measure.count(), 1);
        QCOMPARE(cancel.count(), 1);
    }

    void theWidthsToChooseFromAreChosen() {
        BudgetRow row;
        QSignalSpy chosen(&row, &BudgetRow::candidatesChosen);
        auto* button = row.findChild<QToolButton*>();
        QCOMPARE(button->text(), QStringLiteral("2 3 4 8"));
        const QList<QAction*> widths = button->menu()->actions();
        QCOMPARE(widths.size(), 7); // 2 to 8
        widths[3]->trigger();       // 5 bits
        QCOMPARE(chosen.takeFirst().front().value<std::vector<int>>(), (std::vector<int>{2, 3, 4, 5, 8}));
        QCOMPARE(button->text(), QStringLiteral("2 3 4 5 8"));
        row.setCandidates({4});
        QCOMPARE(chosen.count(), 0); // was not asked by hand
        widths[2]->trigger();        // the last one stays
        QCOMPARE(chosen.takeFirst().front().value<std::vector<int>>(), (std::vector<int>{4}));
    }

    void aLongOutcomeIsElidedNotCut() {
        BudgetRow row;
        row.setRange(BudgetRange{2, 8});
        row.setOutcome(QStringLiteral("53 × W3, 66 × W4, 1 × W8").repeated(20), QStringLiteral("<p>why</p>"));
        QVERIFY(row.minimumSizeHint().width() < 400);
        QVERIFY(!test::shot(row, {400, 60}).isNull());
    }

private:
    static QSlider* slider(BudgetRow& row) { return row.findChild<QSlider*>(); }
    static QDoubleSpinBox* spin(BudgetRow& row) { return row.findChild<QDoubleSpinBox*>(); }
};

QTEST_MAIN(BudgetRowTest)
#include "tst_budget_row.moc"
