// Report: formats, preview, saving.
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

QTEST_MAIN(TstReportPanel)
#include "tst_report_panel.moc"
