// The suffix of the name decides what is written.
#include <QAction>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include "tests/widgets/widget_fixtures.h"
#include "widgets/panels/report_panel.h"
#include "widgets/plots/histogram_plot.h"
#include "widgets/save_format.h"

using namespace bdq;

class TstSaveFormat : public QObject {
    Q_OBJECT
private slots:
    void theSuffixDecides_data();
    void theSuffixDecides();
    void aCompletedNameReplacesNoFile();
    void reportsByTheirSuffix();
    void plotsByTheirSuffix();
};

void TstSaveFormat::theSuffixDecides_data() {
    QTest::addColumn<QString>("path");
    QTest::addColumn<QString>("expected");
    QTest::addColumn<QString>("suffix");
    QTest::newRow("as chosen") << "/a/x.html"
                               << "/a/x.html"
                               << "html";
    QTest::newRow("another format") << "/a/x.csv"
                                    << "/a/x.csv"
                                    << "csv";
    QTest::newRow("capitals") << "/a/X.JSON"
                              << "/a/X.JSON"
                              << "json";
    QTest::newRow("no suffix") << "/a.b/x"
                               << "/a.b/x.html"
                               << "html";
    QTest::newRow("unknown suffix") << "/a/x.v2"
                                    << "/a/x.v2.html"
                                    << "html";
    QTest::newRow("a dot at the end") << "/a/x."
                                      << "/a/x.html"
                                      << "html";
    QTest::newRow("a hidden file") << "/a/.csv"
                                   << "/a/.csv.html"
                                   << "html";
}

void TstSaveFormat::theSuffixDecides() {
    QFETCH(QString, path);
    QFETCH(QString, expected);
    QFETCH(QString, suffix);
    const auto target = saveTarget(path, QStringLiteral("html"), reportSuffixes());
    QVERIFY(target);
    QCOMPARE(target->path, expected);
    QCOMPARE(target->suffix, suffix);
}

void TstSaveFormat::aCompletedNameReplacesNoFile() {
    QTemporaryDir dir;
    QFile file(dir.filePath(QStringLiteral("x.html")));
    QVERIFY(file.open(QIODevice::WriteOnly));
    // Whoever names the file itself was asked by the dialog.
    QVERIFY(saveTarget(file.fileName(), QStringLiteral("html"), reportSuffixes()));
    const auto target =
        saveTarget(dir.filePath(QStringLiteral("x")), QStringLiteral("html"), reportSuffixes());
    QVERIFY(!target);
    QVERIFY(target.error().text().find("x.html: found a file") != std::string::npos);
}

void TstSaveFormat::reportsByTheirSuffix() {
    for (const ReportFormat format :
         {ReportFormat::Html, ReportFormat::Markdown, ReportFormat::Csv, ReportFormat::Json}) {
        QVERIFY(reportSuffixes().contains(reportSuffix(format)));
        QCOMPARE(reportFormatOf(reportSuffix(format)), format);
    }
    QCOMPARE(reportFormatOf(QStringLiteral("htm")), ReportFormat::Html);
    QCOMPARE(reportFormatOf(QStringLiteral("csv")), ReportFormat::Csv);
}

void TstSaveFormat::plotsByTheirSuffix() {
    HistogramPlot plot;
    const SiteKey key{11, Site::Down};
    plot.setSite(test::makeSite(key), test::makeDetail(key), test::makeAnalysis(1)->text);
    test::shot(plot, QSize(600, 400));
    QCOMPARE(plot.toFormat(QStringLiteral("csv")), plot.toCsv().toUtf8());
    QVERIFY(plot.toFormat(QStringLiteral("png")).startsWith("\x89PNG"));
    QVERIFY(plot.toFormat(QStringLiteral("svg")).contains("<svg"));
    QVERIFY(plot.toFormat(QStringLiteral("pdf")).startsWith("%PDF"));
    QVERIFY(plot.toFormat(QStringLiteral("doc")).isEmpty());
    // The format is asked for when the name is known, not when saving was chosen.
    PlotContent content;
    connect(&plot, &PlotPanel::saveRequested, this,
            [&](const QString&, const PlotContent& offered) { content = offered; });
    for (QAction* action : plot.findChildren<QAction*>())
        if (action->text().contains("PNG")) action->trigger();
    QVERIFY(content);
    QCOMPARE(content(QStringLiteral("csv")), plot.toCsv().toUtf8());
}

QTEST_MAIN(TstSaveFormat)
#include "tst_save_format.moc"
