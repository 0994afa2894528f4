// Start page, header strip, messages and palette: what they show, what they emit, that the keyboard reaches
// it.
#include <QAction>
#include <QApplication>
#include <QDropEvent>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QLocale>
#include <QMenu>
#include <QMimeData>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>
#include <QToolButton>
#include <QUrl>

#include "tests/widgets/widget_fixtures.h"
#include "widgets/panels/command_palette.h"
#include "widgets/panels/elided_label.h"
#include "widgets/panels/empty_state.h"
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
    void messagesByUrgencyThenNewest();
    void messageWithActionsAndDetails();
    void messagesAreListed();
    void messagesMoveNothing();
    void emptyStateOffersWhatToDo();
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

void TstPanels::messagesByUrgencyThenNewest() {
    MessageBar bar;
    bar.showMessage(MessageSeverity::Info, "The language changes");
    bar.showMessage(MessageSeverity::Error, "No tokenizer");
    bar.showMessage(MessageSeverity::Warning, "Analysis not found");
    bar.showMessage(MessageSeverity::Error, "Out of memory");
    bar.showMessage(MessageSeverity::Success, "Run finished");
    QStringList shown;
    for (; bar.count() > 0; bar.dismiss())
        shown << bar.text();
    const QStringList expected{"Out of memory", "No tokenizer", "Analysis not found", "Run finished",
                               "The language changes"};
    QCOMPARE(shown, expected);
    QCOMPARE(bar.history().size(), std::size_t(5)); // newest first, dismissed or not
    QCOMPARE(bar.history().front().text, QString("Run finished"));
    QCOMPARE(bar.text(), QString());
}

void TstPanels::messageWithActionsAndDetails() {
    MessageBar bar;
    auto* retry = new QAction("Use CPU");
    QSignalSpy triggered(retry, &QAction::triggered);
    bar.showMessage(MessageSeverity::Error, "Out of device memory: needed 12 GB, free 3 GB",
                    "layer 3, site down", {retry});
    bar.showMessage(MessageSeverity::Info, "Saved");
    test::shot(bar, QSize(800, 60));
    QCOMPARE(bar.count(), 2);
    QVERIFY(test::showsText(bar, "Out of device memory"));
    QCOMPARE(bar.findChild<QToolButton*>("allMessages")->text(), QString("2"));
    QVERIFY(bar.accessibleName().startsWith("Error:"));
    auto* details = bar.findChild<QPlainTextEdit*>();
    QVERIFY(!details->isVisible());
    QTest::mouseClick(test::button(bar, "Details"), Qt::LeftButton);
    QVERIFY(details->isVisible());
    QCOMPARE(details->toPlainText(), QString("layer 3, site down"));
    details->window()->close();
    QTest::mouseClick(test::button(bar, "Use CPU"), Qt::LeftButton);
    QCOMPARE(triggered.count(), 1);
    QTest::keyClick(&bar, Qt::Key_Escape);
    QVERIFY(test::showsText(bar, "Saved"));
    QVERIFY(!test::button(bar, "Details")->isVisible()); // the line says all
    bar.dismissAll();
    QCOMPARE(bar.count(), 0);
}

void TstPanels::messagesAreListed() {
    MessageBar bar;
    auto* all = bar.findChild<QToolButton*>("allMessages");
    QVERIFY(!all->isEnabled());
    bar.showMessage(MessageSeverity::Error, "The first & worst", "what the worker wrote");
    bar.showMessage(MessageSeverity::Info, "The second");
    bar.dismissAll();
    QVERIFY(all->isEnabled());
    emit all->menu()->aboutToShow();
    QCOMPARE(all->menu()->actions().size(), 2);
    QVERIFY(all->menu()->actions().first()->text().endsWith("The second"));
    QVERIFY(all->menu()->actions().last()->text().endsWith("The first && worst"));
    test::shot(bar, QSize(600, 40));
    all->menu()->actions().last()->trigger(); // also after it was dismissed
    auto* details = bar.findChild<QPlainTextEdit*>();
    QVERIFY(details->isVisible());
    QCOMPARE(details->toPlainText(), QString("what the worker wrote"));
}

void TstPanels::messagesMoveNothing() {
    MessageBar bar;
    const QSize empty = bar.sizeHint();
    QVERIFY(empty.height() >= bar.findChild<QToolButton*>("allMessages")->sizeHint().height());
    bar.showMessage(MessageSeverity::Error, QString("A long story ").repeated(40), "details",
                    {new QAction("Do this"), new QAction("Do that")});
    QCOMPARE(bar.sizeHint().height(), empty.height());
    QCOMPARE(bar.minimumHeight(), bar.maximumHeight());
    QVERIFY(bar.minimumSizeHint().width() < 400);
    bar.dismissAll();
    QCOMPARE(bar.sizeHint().height(), empty.height());
}

void TstPanels::emptyStateOffersWhatToDo() {
    EmptyState state(nullptr);
    QAction now("Analyse now");
    QSignalSpy triggered(&now, &QAction::triggered);
    state.setText("Not analysed yet");
    state.setActions({&now});
    test::shot(state, QSize(400, 200));
    QVERIFY(test::showsText(state, "Not analysed yet"));
    QTest::mouseClick(test::button(state, "Analyse now"), Qt::LeftButton);
    QCOMPARE(triggered.count(), 1);
    now.setEnabled(false);
    QVERIFY(!test::button(state, "Analyse now")->isEnabled());
    state.setActions({});
    QVERIFY(!test::button(state, "Analyse now"));
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
    StartPage page;
    page.setDemo(true, "Ein kleines Sprachmodell, das sofort untersucht und quantisiert werden kann");
    test::shot(page, QSize(900, 700));
    QVERIFY(test::reachableByTab(page) >= 3);
}

QTEST_MAIN(TstPanels)
#include "tst_panels.moc"
