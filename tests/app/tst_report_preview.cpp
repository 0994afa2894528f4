// The preview keeps everything but the long ends of tables.
#include <QTest>

#include "app/report_preview.h"

using namespace bdq;

class ReportPreviewTest : public QObject {
    Q_OBJECT
private slots:
    void shortTablesStay() {
        const std::string text = "# Title\n\n| a |\n|---|\n| 1 |\n\nend\n";
        QCOMPARE(previewOf(text, "more"), text);
    }

    void longTablesAreCutAndCounted() {
        std::string text = "| a |\n|---|\n";
        for (int i = 0; i < kPreviewTableRows + 5; ++i)
            text += "| " + std::to_string(i) + " |\n";
        const std::string preview = previewOf(text + "after\n", "%1 more");
        QVERIFY(preview.find("| 11 |") != std::string::npos);
        QVERIFY(preview.find("| 12 |") == std::string::npos);
        QVERIFY(preview.find("\n5 more\n") < preview.find("after"));
        // A table at the very end is counted as well.
        QVERIFY(previewOf(text, "%1 more").find("\n5 more\n") != std::string::npos);
    }
};

QTEST_GUILESS_MAIN(ReportPreviewTest)
#include "tst_report_preview.moc"
