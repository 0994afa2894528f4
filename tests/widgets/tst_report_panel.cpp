// Report: formats, preview, saving.
#include <QListWidget>
#include <QLocale>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>

#include "tests/widgets/widget_fixtures.h"
#include "widgets/panels/report_panel.h"

using namespace bdq;

class TstReportPanel : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { QLocale::setDefault(QLocale(QLocale::English, QLocale::UnitedStates)); }
    void reportFormats();
    void sectionsAreTicked();
};

void TstReportPanel::reportFormats() {
    ReportPanel panel;
    test::shot(panel, QSize(600, 500));
    QVERIFY(test::showsText(panel, "Nothing to report yet"));
    QVERIFY(!test::button(panel, "Save report…")->isEnabled());
    QSignalSpy preview(&panel, &ReportPanel::previewRequested);
    panel.setSource("#3 W4A4KV4");
    QCOMPARE(preview.count(), 1);
    QSignalSpy save(&panel, &ReportPanel::saveRequested);
    QTest::mouseClick(test::button(panel, "CSV"), Qt::LeftButton, Qt::NoModifier, QPoint(8, 8));
    QTest::mouseClick(test::button(panel, "Save report…"), Qt::LeftButton);
    QCOMPARE(save.count(), 1);
    QCOMPARE(save.first().first().value<ReportFormat>(), ReportFormat::Csv);
    panel.setBusy(true);
    QVERIFY(!test::button(panel, "Writing…")->isEnabled());
}

void TstReportPanel::sectionsAreTicked() {
    ReportPanel panel;
    panel.setSource("analysis", false);
    auto* list = qobject_cast<QListWidget*>(test::byName(panel, "Sections of the report"));
    const auto shown = [&] {
        int count = 0;
        for (int row = 0; row < list->count(); ++row)
            count += list->item(row)->isHidden() ? 0 : 1;
        return count;
    };
    QCOMPARE(shown(), 9);
    panel.setSource("#3 W4A4KV4", true);
    QCOMPARE(shown(), 7);
    test::shot(panel, QSize(600, 500));
    QVERIFY(panel.leaveOut().empty());
    QSignalSpy preview(&panel, &ReportPanel::previewRequested);
    list->setFocus();
    list->setCurrentItem(list->findItems("Definitions", Qt::MatchExactly).front());
    QTest::keyClick(list, Qt::Key_Space); // by keyboard
    list->findItems("Worst sites", Qt::MatchExactly).front()->setCheckState(Qt::Unchecked);
    QCOMPARE(panel.leaveOut(), (std::vector{ReportSection::Worst, ReportSection::Definitions}));
    QTRY_COMPARE(preview.count(), 1); // one preview for several ticks
    panel.setFormat(ReportFormat::Csv);
    QVERIFY(!list->isEnabled());
}

QTEST_MAIN(TstReportPanel)
#include "tst_report_panel.moc"
