// Panels: what they show, what they emit, that the keyboard reaches it.
#include <algorithm>
#include <set>

#include <QAction>
#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QDropEvent>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QMimeData>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QRadioButton>
#include <QSignalSpy>
#include <QTableView>
#include <QTest>
#include <QToolButton>
#include <QUrl>

#include "tests/widgets/widget_fixtures.h"
#include "widgets/models/run_list_model.h"
#include "widgets/models/site_table_model.h"
#include "widgets/panels/command_palette.h"
#include "widgets/panels/elided_label.h"
#include "widgets/panels/header_strip.h"
#include "widgets/panels/inspector_panel.h"
#include "widgets/panels/message_bar.h"
#include "widgets/panels/report_panel.h"
#include "widgets/panels/run_panel.h"
#include "widgets/panels/site_table_panel.h"
#include "widgets/panels/start_page.h"

using namespace bdq;

namespace {

QWidget* byName(QWidget& parent, const QString& accessibleName) {
    for (QWidget* child : parent.findChildren<QWidget*>())
        if (child->accessibleName() == accessibleName) return child;
    return nullptr;
}

QAbstractButton* button(QWidget& parent, const QString& text) {
    for (QAbstractButton* child : parent.findChildren<QAbstractButton*>())
        if (QString(child->text()).remove('&') == text) return child;
    return nullptr;
}

bool showsText(QWidget& parent, const QString& part) {
    for (const QLabel* label : parent.findChildren<QLabel*>())
        if (label->isVisible() && label->text().contains(part)) return true;
    return false;
}

/// Everything that can take the focus by Tab is met once before it comes round.
int reachableByTab(QWidget& window) {
    std::set<QWidget*> seen;
    for (int i = 0; i < 200; ++i) {
        QTest::keyClick(window.focusWidget() ? window.focusWidget() : &window, Qt::Key_Tab);
        if (!window.focusWidget() || !seen.insert(window.focusWidget()).second) break;
    }
    return static_cast<int>(seen.size());
}

} // namespace

class TstPanels : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { QLocale::setDefault(QLocale(QLocale::English, QLocale::UnitedStates)); }
    void tableSelectsFiltersCopies();
    void tableKeepsTheEditedRowInSight();
    void tableHoldsItsFirstColumns();
    void tableEmptyStates();
    void inspectorSingleRow();
    void inspectorSeveralRows();
    void inspectorMarksMeasured();
    void startPageTargetsAndDrop();
    void startPageRecent();
    void elidedInTheMiddle();
    void headerStripSaysIt();
    void messageBarQueue();
    void reportFormats();
    void runPanelFollowsModel();
    void paletteFindsAndTriggers();
    void germanTextsFit();
};

void TstPanels::tableSelectsFiltersCopies() {
    SiteTableModel model;
    SiteTablePanel panel(&model);
    model.setAnalysis(test::makeAnalysis(6));
    model.setPlan(Plan{test::scheme("W4A4KV4"), {}});
    test::shot(panel, QSize(360, 600));
    SiteKeys worstFirst = panel.visibleKeys();
    QCOMPARE(worstFirst.size(), std::size_t{24});
    const auto predicted = [&](SiteKey key) {
        return predictedSqnrDb(*model.find(key), TransformKind::None, test::scheme("W4A4"));
    };
    QVERIFY(std::is_sorted(worstFirst.begin(), worstFirst.end(),
                           [&](SiteKey a, SiteKey b) { return predicted(a) < predicted(b); }));
    QSignalSpy spy(&panel, &SiteTablePanel::selectionChanged);
    panel.select({{2, Site::O}, {4, Site::Down}});
    QVERIFY(spy.count() >= 1);
    const auto keys = spy.last().first().value<SiteKeys>();
    QCOMPARE(std::set<SiteKey>(keys.begin(), keys.end()), (std::set<SiteKey>{{2, Site::O}, {4, Site::Down}}));
    QVERIFY(showsText(panel, "2 selected"));
    QTest::keyClick(panel.view(), Qt::Key_C, Qt::ControlModifier);
    const QStringList lines = QApplication::clipboard()->text().split('\n', Qt::SkipEmptyParts);
    QCOMPARE(lines.size(), 3);
    QVERIFY(lines[0].startsWith("layer\tsite\tbits\tsqnr_db_predicted"));
    auto* filter = qobject_cast<QLineEdit*>(byName(panel, "Filter of the layer table"));
    QTest::keyClicks(filter, "down");
    QCOMPARE(panel.visibleKeys().size(), std::size_t{6});
    QVERIFY(showsText(panel, "6 of 24 rows"));
    panel.selectAllOfSite(Site::Down);
    QCOMPARE(panel.selectedKeys().size(), std::size_t{6});
    QTest::keyClick(filter, Qt::Key_Escape);
    QCOMPARE(panel.visibleKeys().size(), std::size_t{24});
    QVERIFY(panel.minimumSizeHint().width() <= 320);
    panel.select({{5, Site::O}});
    model.setAnalysis(test::makeAnalysis(6)); // new numbers for the same rows
    QCOMPARE(panel.selectedKeys(), (SiteKeys{{5, Site::O}}));
    const QByteArray columns = panel.saveColumns();
    panel.view()->setColumnHidden(SiteTableModel::KurtosisColumn, false);
    QVERIFY(panel.restoreColumns(columns));
    QVERIFY(panel.view()->isColumnHidden(SiteTableModel::KurtosisColumn));
    QSignalSpy activated(&panel, &SiteTablePanel::siteActivated);
    panel.select({{3, Site::Qkv}});
    QTest::keyClick(panel.view(), Qt::Key_Return);
    QCOMPARE(activated.count(), 1);
    QCOMPARE(activated.first().first().value<SiteKey>(), (SiteKey{3, Site::Qkv}));
}

void TstPanels::tableKeepsTheEditedRowInSight() {
    SiteTableModel model;
    SiteTablePanel panel(&model);
    model.setAnalysis(test::makeAnalysis(30));
    Plan plan{test::scheme("W4A4KV4"), {}};
    model.setPlan(plan);
    test::shot(panel, QSize(470, 300));
    const SiteKey key = panel.visibleKeys().front();
    panel.select({key});
    const int before = panel.view()->currentIndex().row();
    plan.overrides[key] = test::scheme("W8A8KV4");
    model.setPlan(plan);
    QVERIFY(panel.view()->currentIndex().row() > before + 20);
    QVERIFY(
        panel.view()->viewport()->rect().contains(panel.view()->visualRect(panel.view()->currentIndex())));
    panel.view()->scrollToTop(); // whoever looks elsewhere stays there
    plan.overrides[key] = test::scheme("W6A6KV4");
    model.setPlan(plan);
    QCOMPARE(panel.view()->rowAt(0), 0);
}

void TstPanels::tableHoldsItsFirstColumns() {
    SiteTableModel model;
    SiteTablePanel panel(&model);
    model.setAnalysis(test::makeAnalysis(30));
    test::shot(panel, QSize(470, 500));
    for (int column : {SiteTableModel::SqnrPredictedColumn, SiteTableModel::SqnrMeasuredColumn,
                       SiteTableModel::FlatnessActivationAfterColumn}) {
        QVERIFY(!panel.view()->isColumnHidden(column));
        QVERIFY(panel.view()->columnViewportPosition(column) + panel.view()->columnWidth(column) <=
                panel.view()->viewport()->width());
    }
}

void TstPanels::tableEmptyStates() {
    SiteTableModel model;
    SiteTablePanel panel(&model);
    test::shot(panel, QSize(360, 400));
    QVERIFY(showsText(panel, "Open a model"));
    model.setLayerCount(2);
    QVERIFY(!showsText(panel, "Open a model"));
    panel.setOnly(true, {});
    QVERIFY(showsText(panel, "No row passes"));
    panel.setOnly(false, {});
    QVERIFY(!showsText(panel, "No row passes"));
}

void TstPanels::inspectorSingleRow() {
    InspectorPanel panel;
    test::shot(panel, QSize(320, 640));
    QVERIFY(showsText(panel, "Select one or more rows"));
    panel.setPlan(Plan{test::scheme("W4A4KV4"), {}});
    panel.setTransform(TransformKind::Bdq);
    panel.setSites({test::makeSite({11, Site::Down})});
    test::shot(panel, QSize(320, 640));
    QVERIFY(showsText(panel, "layer 11 · down"));
    QVERIFY(showsText(panel, "in 1,536 → out 576"));
    QSignalSpy edits(&panel, &InspectorPanel::planEdited);
    auto* weights = qobject_cast<QComboBox*>(byName(panel, "Bits of weights"));
    QCOMPARE(weights->currentText(), QString("4"));
    panel.focusBits();
    QTest::keyClick(weights, Qt::Key_Down); // by keyboard
    QCOMPARE(edits.count(), 1);
    QCOMPARE(edits.first().at(0).value<SiteKeys>(), (SiteKeys{{11, Site::Down}}));
    QCOMPARE(edits.first().at(1).value<SchemeEdit>(), (SchemeEdit{5, std::nullopt, std::nullopt}));
    QSignalSpy transforms(&panel, &InspectorPanel::transformChosen);
    auto* transform = qobject_cast<QComboBox*>(byName(panel, "Transform"));
    QCOMPARE(transform->currentText(), QString::fromUtf8(transformInfo(TransformKind::Bdq).title.data()));
    transform->setFocus();
    QTest::keyClick(transform, Qt::Key_Up);
    QCOMPARE(transforms.count(), 1);
    QVERIFY(transforms.first().at(1).value<TransformKind>() != TransformKind::Bdq);
}

void TstPanels::inspectorSeveralRows() {
    InspectorPanel panel;
    Plan plan{test::scheme("W4A4KV4"), {}};
    plan = withEdit(plan, {{1, Site::O}}, SchemeEdit{8, std::nullopt, std::nullopt});
    panel.setPlan(plan);
    panel.setTransform(TransformKind::None, {{{1, Site::O}, TransformKind::Bdq}});
    panel.setSites(
        {test::makeSite({0, Site::O}), test::makeSite({1, Site::O}), test::makeSite({2, Site::O})});
    test::shot(panel, QSize(320, 640));
    QVERIFY(showsText(panel, "3 rows selected"));
    QVERIFY(panel.minimumSizeHint().width() <= 300);
    auto* weights = qobject_cast<QComboBox*>(byName(panel, "Bits of weights"));
    auto* activations = qobject_cast<QComboBox*>(byName(panel, "Bits of activations"));
    QCOMPARE(weights->currentIndex(), -1);
    QCOMPARE(weights->placeholderText(), QString("mixed"));
    QCOMPARE(activations->currentText(), QString("4"));
    QCOMPARE(qobject_cast<QComboBox*>(byName(panel, "Transform"))->currentIndex(), -1);
    QSignalSpy edits(&panel, &InspectorPanel::planEdited);
    activations->setFocus();
    QTest::keyClick(activations, Qt::Key_Up);
    QCOMPARE(edits.count(), 1);
    QCOMPARE(edits.first().at(0).value<SiteKeys>().size(), std::size_t{3});
    QCOMPARE(edits.first().at(1).value<SchemeEdit>(), (SchemeEdit{std::nullopt, 3, std::nullopt}));
}

void TstPanels::inspectorMarksMeasured() {
    InspectorPanel panel;
    panel.setPlan(Plan{test::scheme("W5A5"), {}});
    panel.setSites({test::makeSite({0, Site::O})});
    test::shot(panel, QSize(320, 640));
    auto* measured = qobject_cast<QLabel*>(byName(panel, "SQNR measured (dB)"));
    QCOMPARE(measured->text(), QString("–"));
    QVERIFY(showsText(panel, "1 row not measured"));
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
    QTest::mouseClick(button(panel, "Measure now"), Qt::LeftButton);
    QCOMPARE(spy.count(), 1);
    panel.setMeasuring(true);
    QVERIFY(!button(panel, "Measuring…")->isEnabled());
}

void TstPanels::startPageTargetsAndDrop() {
    StartPage page;
    test::shot(page, QSize(1000, 700));
    QSignalSpy open(&page, &StartPage::openModelRequested);
    QSignalSpy demo(&page, &StartPage::demoRequested);
    QSignalSpy result(&page, &StartPage::openResultRequested);
    QTest::mouseClick(button(page, "Open model"), Qt::LeftButton);
    button(page, "Demo")->setFocus();
    QTest::keyClick(button(page, "Demo"), Qt::Key_Space);
    QTest::mouseClick(button(page, "Open result"), Qt::LeftButton);
    QCOMPARE(open.count() + demo.count() + result.count(), 3);
    page.setDemo(false, "The demo model is missing");
    QVERIFY(!button(page, "Demo")->isEnabled());
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
    QVERIFY(showsText(page, "What you open appears here"));
    page.setRecent(
        {{"/very/long/path/model.gguf", "SmolLM2", "perplexity 21.6 → 26.4"}, {"/other/run", {}, {}}});
    test::shot(page, QSize(900, 700));
    QVERIFY(!showsText(page, "What you open appears here"));
    auto* list = qobject_cast<QListWidget*>(byName(page, "Recent files"));
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
    const PlanSummary summary =
        summarizePlan(plan, analysis->sites, analysis->parameters, TransformKind::None);
    strip.setPlan(plan.base, summary);
    QVERIFY(showsText(strip, "perplexity 21.6 → 26.4"));
    QVERIFY(showsText(strip, "W4A4KV4: predicted"));
    QVERIFY(showsText(strip, "MB"));
    const auto labels = strip.findChildren<ElidedLabel*>();
    QCOMPARE(labels.at(0)->text(), QString("SmolLM2-135M-Instruct · 30 layers · 135 M"));
    QCOMPARE(labels.at(1)->text(), QString("calibration: wikitext2-calibration.txt, 32 × 2,048 tokens"));
    TextInfo odd = analysis->text;
    odd.source = "100%2 text.txt";
    strip.setText(odd);
    QVERIFY(labels.at(1)->text().contains("100%2 text.txt, 32"));
    strip.clear();
    QVERIFY(!showsText(strip, "26.4"));
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
    QVERIFY(showsText(bar, "Out of device memory"));
    QVERIFY(showsText(bar, "and 1 more"));
    QVERIFY(bar.accessibleName().startsWith("Error:"));
    auto* details = bar.findChild<QPlainTextEdit*>();
    QVERIFY(!details->isVisible());
    QTest::mouseClick(button(bar, "Details"), Qt::LeftButton);
    QVERIFY(details->isVisible());
    QTest::mouseClick(button(bar, "Use CPU"), Qt::LeftButton);
    QCOMPARE(triggered.count(), 1);
    QTest::keyClick(&bar, Qt::Key_Escape);
    QVERIFY(showsText(bar, "Saved"));
    bar.dismissAll();
    QVERIFY(bar.isHidden());
    QCOMPARE(bar.count(), 0);
}

void TstPanels::reportFormats() {
    ReportPanel panel;
    test::shot(panel, QSize(600, 500));
    QVERIFY(showsText(panel, "Nothing to report yet"));
    QVERIFY(!button(panel, "Save report…")->isEnabled());
    QSignalSpy preview(&panel, &ReportPanel::previewRequested);
    panel.setSource("#3 W4A4KV4");
    QCOMPARE(preview.count(), 1);
    QSignalSpy save(&panel, &ReportPanel::saveRequested);
    QTest::mouseClick(button(panel, "CSV"), Qt::LeftButton, Qt::NoModifier, QPoint(8, 8));
    QTest::mouseClick(button(panel, "Save report…"), Qt::LeftButton);
    QCOMPARE(save.count(), 1);
    QCOMPARE(save.first().first().value<ReportFormat>(), ReportFormat::Csv);
    panel.setBusy(true);
    QVERIFY(!button(panel, "Writing…")->isEnabled());
}

void TstPanels::runPanelFollowsModel() {
    RunListModel model;
    RunPanel panel(&model);
    test::shot(panel, QSize(1000, 320));
    QVERIFY(showsText(panel, "Runs appear here"));
    RunInfo run;
    run.id = "run-0001";
    run.title = "#1";
    run.state = RunState::Running;
    run.stage = "layer 12";
    run.outDir = "/tmp/run-0001";
    run.progress = 0.4;
    model.addOrUpdate(run);
    QCOMPARE(panel.selectedRun(), run.id);
    QVERIFY(button(panel, "Cancel run")->isVisible());
    auto* list = qobject_cast<QTableView*>(byName(panel, "Runs"));
    QVERIFY(list->isColumnHidden(RunListModel::PerplexityColumn));
    run.method = "Baseline method";
    model.addOrUpdate(run);
    test::shot(panel, QSize(600, 200));
    QVERIFY(list->columnWidth(RunListModel::MethodColumn) >
            list->fontMetrics().horizontalAdvance(run.method)); // however narrow the list
    QVERIFY(panel.minimumSizeHint().height() <= 180);
    QVERIFY(panel.minimumSizeHint().width() <= 700);
    QVERIFY(!button(panel, "Resume")->isVisible());
    QSignalSpy cancel(&panel, &RunPanel::cancelRequested);
    QTest::mouseClick(button(panel, "Cancel run"), Qt::LeftButton);
    QCOMPARE(cancel.first().first().toString(), run.id);
    panel.appendLog(run.id, "first line");
    panel.appendLog("other", "of another run");
    auto* log = qobject_cast<QPlainTextEdit*>(byName(panel, "Log"));
    QCOMPARE(log->toPlainText(), QString("first line"));
    for (int layer = 0; layer < 3; ++layer)
        panel.addRow(run.id, RunSiteResult{{layer, Site::Down}, "W4A4", 12.0 + layer, 0, 0, 0, 0, 0});
    const QImage before = test::shot(panel, QSize(1000, 320));
    QTRY_VERIFY(test::differingPixels(before, test::shot(panel, QSize(1000, 320))) >
                300); // the plot follows shortly after
    run.state = RunState::Cancelled;
    run.resumable = true;
    model.addOrUpdate(run);
    QVERIFY(button(panel, "Resume")->isVisible());
    QVERIFY(!button(panel, "Cancel run")->isVisible());
    model.remove(run.id);
    panel.forget(run.id);
    QVERIFY(showsText(panel, "Runs appear here"));
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
    const auto* actionButton = button(bar, action->text());
    QVERIFY(actionButton->width() >= actionButton->sizeHint().width());
    for (const QLabel* label : bar.findChildren<QLabel*>())
        if (label->wordWrap() && label->isVisible())
            QVERIFY(label->heightForWidth(label->width()) <= label->height());
    StartPage page;
    page.setDemo(true, "Ein kleines Sprachmodell, das sofort untersucht und quantisiert werden kann");
    test::shot(page, QSize(900, 700));
    QVERIFY(reachableByTab(page) >= 3);
}

QTEST_MAIN(TstPanels)
#include "tst_panels.moc"
