// Start page, header strip, messages and palette: what they show, what they emit, that the keyboard reaches
// it.
#include <QAction>
#include <QApplication>
#include <QDropEvent>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QLocale>
#include <QMimeData>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>
#include <QUrl>

#include "tests/widgets/widget_fixtures.h"
#include "widgets/panels/command_palette.h"
#include "widgets/panels/elided_label.h"
#include "widgets/panels/header_strip.h"
#include "widgets/panels/message_bar.h"
#include "widgets/panels/start_page.h"

using namespace bdq;

class TstPanels : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { QLocale::setDefault(QLocale(QLocale::English, QLocale::UnitedStates)); }
    void startPageTargetsAndDrop();
    void startPageRecent();
    void elidedInTheMiddle();
    void headerStripSaysIt();
    void messageBarQueue();
    void paletteFindsAndTriggers();
    void germanTextsFit();
};

void TstPanels::startPageTargetsAndDrop() {
    StartPage page;
    test::shot(page, QSize(1000, 700));
    QSignalSpy open(&page, &StartPage::openModelRequested);
    QSignalSpy demo(&page, &StartPage::demoRequested);
    QSignalSpy result(&page, &StartPage::openResultRequested);
    QTest::mouseClick(test::button(page, "Open model"), Qt::LeftButton);
    test::button(page, "Demo")->setFocus();
    QTest::keyClick(test::button(page, "Demo"), Qt::Key_Space);
    QTest::mouseClick(test::button(page, "Open result"), Qt::LeftButton);
    QCOMPARE(open.count() + demo.count() + result.count(), 3);
    page.setDemo(false, "The demo model is missing");
    QVERIFY(!test::button(page, "Demo")->isEnabled());
    QSignalSpy dropped(&page, &StartPage::pathsDropped);
    QMimeData mime;
    mime.setUrls({QUrl::fromLocalFile("/models/a b.gguf"), QUrl("https://example.org/x")});
    QDragEnterEvent enter(QPoint(20, 20), Qt::CopyAction, &mime, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(&page, &enter);
    QVERIFY(enter.isAccepted());
    QDropEvent drop(QPointF(20, 20), Qt::CopyAction, &mime, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(&page, &drop);
    QCOMPARE(dropped.count(), 1);
    QCOMPARE(dropped.first().first().toStringList(), QStringList{"/models/a b.gguf"});
}

void TstPanels::startPageRecent() {
    StartPage page;
    test::shot(page, QSize(900, 700));
    QVERIFY(test::showsText(page, "What you open appears here"));
    page.setRecent(
        {{"/very/long/path/model.gguf", "SmolLM2", "perplexity 21.6 → 26.4"}, {"/other/run", {}, {}}});
    test::shot(page, QSize(900, 700));
    QVERIFY(!test::showsText(page, "What you open appears here"));
    auto* list = qobject_cast<QListWidget*>(test::byName(page, "Recent files"));
    QCOMPARE(list->item(1)->text(), QString("run"));
    QSignalSpy activated(&page, &StartPage::recentActivated);
    QSignalSpy removed(&page, &StartPage::recentRemoveRequested);
    list->setCurrentRow(0);
    QTest::keyClick(list, Qt::Key_Return);
    QCOMPARE(activated.last().first().toString(), QString("/very/long/path/model.gguf"));
    QTest::keyClick(list, Qt::Key_Delete);
    QCOMPARE(removed.last().first().toString(), QString("/very/long/path/model.gguf"));
}

void TstPanels::elidedInTheMiddle() {
    ElidedLabel label;
    const QString name = "a-very-long-model-name-that-does-not-fit-anywhere-Q4_1.gguf";
    label.setText(name);
    label.resize(160, 20);
    QVERIFY(label.shownText().size() < name.size());
    QVERIFY(label.shownText().startsWith("a-"));
    QVERIFY(label.shownText().endsWith("f"));
    QVERIFY(label.toolTip().contains(name));
    label.setText("<b>a & b</b>"); // names of files are text, not markup
    QVERIFY(label.toolTip().contains("&lt;b&gt;a &amp; b"));
    label.setText(name);
    label.resize(label.sizeHint().width() + 10, 20);
    QCOMPARE(label.shownText(), name);
}

void TstPanels::headerStripSaysIt() {
    HeaderStrip strip;
    test::shot(strip, QSize(1280, 40));
    const auto analysis = test::makeAnalysis(4);
    strip.setModel("SmolLM2-135M-Instruct", 30, 134515008, "/models/smol.gguf");
    strip.setText(analysis->text);
    strip.setPerplexity(21.631, 26.44);
    const Plan plan{test::scheme("W4A4KV4"), {}};
    PlanSummary summary = summarizePlan(plan, analysis->sites, analysis->parameters);
    strip.setPlan(plan.base, summary, test::makeRanking(*analysis, plan, TransformKind::None));
    QVERIFY(test::showsText(strip, "perplexity 21.6 → 26.4"));
    QVERIFY(test::showsText(strip, "MB"));
    const auto labels = strip.findChildren<ElidedLabel*>();
    QVERIFY2(labels.at(2)->text().startsWith("W4A4KV4: sum of losses "), qPrintable(labels.at(2)->text()));
    QVERIFY(labels.at(2)->text().contains("(estimated), largest 2 gate, up with "));
    QVERIFY(labels.at(2)->toolTip().contains("!! more than 6 times"));
    strip.setPlan(plan.base, summary, {});
    QVERIFY(labels.at(2)->text().contains("not ranked: measure losses"));
    summary.averageWeightBits = 13.6; // 24 of 30 layers are out of reach
    strip.setPlan(plan.base, summary, {});
    QVERIFY(test::showsText(strip, "13.6 bit (4.0"));
    QCOMPARE(labels.at(0)->text(), QString("SmolLM2-135M-Instruct · 30 layers · 135 M"));
    QCOMPARE(labels.at(1)->text(), QString("calibration: wikitext2-calibration.txt, 32 × 2,048 tokens"));
    TextInfo odd = analysis->text;
    odd.source = "100%2 text.txt";
    strip.setText(odd);
    QVERIFY(labels.at(1)->text().contains("100%2 text.txt, 32"));
    strip.clear();
    QVERIFY(!test::showsText(strip, "26.4"));
    QVERIFY(strip.minimumSizeHint().width() <= 1280);
}

void TstPanels::messageBarQueue() {
    MessageBar bar;
    QVERIFY(bar.isHidden());
    auto* retry = new QAction("Use CPU");
    QSignalSpy triggered(retry, &QAction::triggered);
    bar.showMessage(MessageSeverity::Error, "Out of device memory: needed 12 GB, free 3 GB",
                    "layer 3, site down", {retry});
    bar.showMessage(MessageSeverity::Info, "Saved");
    test::shot(bar, QSize(800, 60));
    QCOMPARE(bar.count(), 2);
    QVERIFY(test::showsText(bar, "Out of device memory"));
    QVERIFY(test::showsText(bar, "and 1 more"));
    QVERIFY(bar.accessibleName().startsWith("Error:"));
    auto* details = bar.findChild<QPlainTextEdit*>();
    QVERIFY(!details->isVisible());
    QTest::mouseClick(test::button(bar, "Details"), Qt::LeftButton);
    QVERIFY(details->isVisible());
    QTest::mouseClick(test::button(bar, "Use CPU"), Qt::LeftButton);
    QCOMPARE(triggered.count(), 1);
    QTest::keyClick(&bar, Qt::Key_Escape);
    QVERIFY(test::showsText(bar, "Saved"));
    bar.dismissAll();
    QVERIFY(bar.isHidden());
    QCOMPARE(bar.count(), 0);
}

void TstPanels::paletteFindsAndTriggers() {
    QWidget window;
    window.resize(900, 600);
    window.show();
    CommandPalette palette(&window);
    QAction first("&Open model…");
    QAction second("Start &run");
    QAction disabled("Start nothing");
    disabled.setEnabled(false);
    palette.setActions({&first, &second, &disabled});
    palette.setSites({{0, Site::Qkv}, {11, Site::Down}, {12, Site::Down}});
    palette.popUp();
    auto* query = palette.findChild<QLineEdit*>();
    auto* list = palette.findChild<QListWidget*>();
    QCOMPARE(list->count(), 5);
    QTest::keyClicks(query, "start");
    QCOMPARE(list->count(), 1);
    QSignalSpy triggered(&second, &QAction::triggered);
    QTest::keyClick(query, Qt::Key_Return);
    QCOMPARE(triggered.count(), 1);
    QVERIFY(palette.isHidden());
    palette.popUp();
    QCOMPARE(query->text(), QString());
    QTest::keyClicks(query, "down");
    QTest::keyClick(query, Qt::Key_Down);
    QSignalSpy chosen(&palette, &CommandPalette::siteChosen);
    QTest::keyClick(query, Qt::Key_Return);
    QCOMPARE(chosen.first().first().value<SiteKey>(), (SiteKey{12, Site::Down}));
    palette.popUp();
    QTest::keyClick(query, Qt::Key_Escape);
    QVERIFY(palette.isHidden());
}

void TstPanels::germanTextsFit() {
    // Compounds are about half as long again as English; buttons must grow instead of cutting.
    MessageBar bar;
    auto* action = new QAction("Zwischenspeicherverzeichnis öffnen");
    bar.showMessage(MessageSeverity::Warning, QString("Aktivierungsquantisierungsfehleranalyse ").repeated(6),
                    {}, {action});
    test::shot(bar, QSize(480, 120));
    const auto* actionButton = test::button(bar, action->text());
    QVERIFY(actionButton->width() >= actionButton->sizeHint().width());
    for (const QLabel* label : bar.findChildren<QLabel*>())
        if (label->wordWrap() && label->isVisible())
            QVERIFY(label->heightForWidth(label->width()) <= label->height());
    StartPage page;
    page.setDemo(true, "Ein kleines Sprachmodell, das sofort untersucht und quantisiert werden kann");
    test::shot(page, QSize(900, 700));
    QVERIFY(test::reachableByTab(page) >= 3);
}

QTEST_MAIN(TstPanels)
#include "tst_panels.moc"
