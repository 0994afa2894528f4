// Layer table: selecting, filtering, copying, what stays in sight.
#include <set>

#include <QAbstractButton>
#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QHeaderView>
#include <QLineEdit>
#include <QLocale>
#include <QShortcut>
#include <QSignalSpy>
#include <QTableView>
#include <QTest>
#include <QToolButton>
#include <QTranslator>
#include <QVBoxLayout>
#include <QWindow>

#include "tests/widgets/widget_fixtures.h"
#include "widgets/models/site_table_model.h"
#include "widgets/panels/site_table_panel.h"

using namespace bdq;

/// A language whose titles are wider than the numbers under them.
class LongTitles : public QTranslator {
public:
    [[nodiscard]] bool isEmpty() const override { return false; }
    [[nodiscard]] QString translate(const char* context, const char* text, const char*, int) const override {
        if (QLatin1String(context) != QLatin1String("bdq::SiteTableModel")) return {};
        return QStringLiteral("Donaudampfschiff ") + QString::fromUtf8(text);
    }
};

class TstSiteTablePanel : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { QLocale::setDefault(QLocale(QLocale::English, QLocale::UnitedStates)); }
    void tableSelectsFiltersCopies();
    void theCostliestStandFirst();
    void rowsStayWhileTheyAreEdited();
    void lookingChangesNoValue();
    void theKindIsChosenInTheHeader();
    void lFixesTheSelectedRows();
    void sortingKeepsTheCurrentRowInSight();
    void tableHoldsItsFirstColumns();
    void columnsShownLaterHoldTheirTitles();
    void tableEmptyStates();
    void aFilterKeepsWhatIsChosen();
    void escClearsTheFilterFirst();
};

void TstSiteTablePanel::tableSelectsFiltersCopies() {
    SiteTableModel model;
    SiteTablePanel panel(&model);
    model.setAnalysis(test::makeAnalysis(6));
    model.setPlan(Plan{test::scheme("W4A4KV4"), {}});
    test::shot(panel, QSize(360, 600));
    QCOMPARE(panel.visibleKeys().size(), std::size_t{24});
    QSignalSpy spy(&panel, &SiteTablePanel::selectionChanged);
    panel.select({{2, Site::O}, {4, Site::Down}});
    QVERIFY(spy.count() >= 1);
    const auto keys = spy.last().first().value<SiteKeys>();
    QCOMPARE(std::set<SiteKey>(keys.begin(), keys.end()), (std::set<SiteKey>{{2, Site::O}, {4, Site::Down}}));
    QVERIFY(test::showsText(panel, "2 selected"));
    QTest::keyClick(panel.view(), Qt::Key_C, Qt::ControlModifier);
    const QStringList lines = QApplication::clipboard()->text().split('\n', Qt::SkipEmptyParts);
    QCOMPARE(lines.size(), 3);
    QVERIFY(lines[0].startsWith("layer\tsite\tbits\tloss_nats\tsqnr_db_measured"));
    auto* filter = qobject_cast<QLineEdit*>(test::byName(panel, "Filter of the layer table"));
    QTest::keyClicks(filter, "down");
    QCOMPARE(panel.visibleKeys().size(), std::size_t{6});
    QVERIFY(test::showsText(panel, "6 of 24 rows"));
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
    QVERIFY(!panel.restoreColumns(panel.view()->horizontalHeader()->saveState())); // of another version
    QSignalSpy activated(&panel, &SiteTablePanel::siteActivated);
    panel.select({{3, Site::Qkv}});
    QTest::keyClick(panel.view(), Qt::Key_Return);
    QCOMPARE(activated.count(), 1);
    QCOMPARE(activated.first().first().value<SiteKey>(), (SiteKey{3, Site::Qkv}));
}

void TstSiteTablePanel::theCostliestStandFirst() {
    SiteTableModel model;
    SiteTablePanel panel(&model);
    const auto analysis = test::makeAnalysis(6);
    const Plan plan{test::scheme("W4A4KV4"), {}};
    model.setPlan(plan);
    model.setAnalysis(test::withoutLosses(*analysis));
    SiteKeys inOrder;
    for (const SiteAnalysis& site : analysis->sites)
        inOrder.push_back(site.key);
    QCOMPARE(panel.visibleKeys(), inOrder); // of the model: nothing ranks them
    const SiteRanking ranking = test::makeRanking(*analysis, plan, TransformKind::None);
    model.setRanking(ranking);
    model.setAnalysis(analysis); // measured, or analysed again
    const SiteKeys shown = panel.visibleKeys();
    for (std::size_t i = 0; i < shown.size(); ++i)
        QCOMPARE(ranking.find(shown[i])->place, static_cast<int>(i) + 1);
    QCOMPARE(shown.front(), test::kCostliest);
}

void TstSiteTablePanel::rowsStayWhileTheyAreEdited() {
    SiteTableModel model;
    SiteTablePanel panel(&model);
    const auto analysis = test::makeAnalysis(6);
    Plan plan{test::scheme("W4A4KV4"), {}};
    model.setPlan(plan);
    model.setRanking(test::makeRanking(*analysis, plan, TransformKind::None));
    model.setAnalysis(analysis);
    test::shot(panel, QSize(470, 300));
    const SiteKeys before = panel.visibleKeys();
    auto* again = qobject_cast<QToolButton*>(test::byName(panel, "Sort again"));
    QVERIFY(!again->isVisible());
    for (const std::size_t row : {0U, 1U, 2U}) { // the three that cost most, one after the other
        plan.overrides[before[row]] = test::scheme("W8A8KV4");
        model.setPlan(plan);
        model.setRanking(test::makeRanking(*analysis, plan, TransformKind::None));
        QCOMPARE(panel.visibleKeys(), before);
    }
    QVERIFY(again->isVisible());
    QTest::mouseClick(again, Qt::LeftButton);
    QVERIFY(panel.visibleKeys() != before);
    QVERIFY(!again->isVisible());
    const SiteKeys sorted = panel.visibleKeys();
    for (std::size_t i = 0; i < sorted.size(); ++i)
        QCOMPARE(model.ranking().find(sorted[i])->place, static_cast<int>(i) + 1);
}

/// Selecting, filtering, sorting and arrow keys never change a displayed value, whatever the resident worker
/// answers meanwhile.
void TstSiteTablePanel::lookingChangesNoValue() {
    SiteTableModel model;
    SiteTablePanel panel(&model);
    const auto analysis = test::makeAnalysis(5);
    const Plan plan{test::scheme("W4A4"), {}};
    model.setPlan(plan);
    model.setRanking(test::makeRanking(*analysis, plan, TransformKind::None));
    model.setAnalysis(analysis);
    RunResult run;
    run.spec.method = Method::Rtn;
    run.perLayer = {{{0, Site::O}, "W4A4KV4", 1, 0, 0, 0, 0, 0}};
    model.addRun("/runs/1", "run #1", run);
    for (int column = 0; column < SiteTableModel::ColumnCount; ++column)
        panel.setColumnShown(column, true);
    test::shot(panel, QSize(900, 500));
    const auto values = [&] {
        QStringList texts;
        for (int row = 0; row < model.rowCount(); ++row)
            for (int column = 0; column < SiteTableModel::ColumnCount; ++column)
                texts << model.index(row, column).data().toString();
        return texts;
    };
    const QStringList before = values();
    // What the window does with a selection: rows are measured live, here with other numbers.
    connect(&panel, &SiteTablePanel::selectionChanged, &model, [&](const SiteKeys& keys) {
        for (const SiteKey& key : keys)
            model.addLive({0, key, TransformKind::None, "W4A4", 99.5, 128, 0.1}, WeightRounding::Rtn);
    });
    auto* filter = qobject_cast<QLineEdit*>(test::byName(panel, "Filter of the layer table"));
    const QString patterns[] = {"down", "^1", "gate|o$", {}};
    for (int step = 0; step < 60; ++step) {
        const Qt::Key keys[] = {Qt::Key_Down, Qt::Key_Up, Qt::Key_PageDown, Qt::Key_Home, Qt::Key_End};
        QTest::keyClick(panel.view(), keys[step % 5]);
        if (step % 7 == 3) filter->setText(patterns[(step / 7) % 4]);
        if (step % 4 == 1)
            panel.view()->sortByColumn(step % SiteTableModel::ColumnCount,
                                       step % 8 == 1 ? Qt::AscendingOrder : Qt::DescendingOrder);
        panel.select({model.keyAt((step * 7) % model.rowCount())});
        QCOMPARE(values(), before);
    }
}

void TstSiteTablePanel::theKindIsChosenInTheHeader() {
    SiteTableModel model;
    SiteTablePanel panel(&model);
    auto* kind = qobject_cast<QComboBox*>(test::byName(panel, "Kind of measured SQNR"));
    QVERIFY(!kind->isEnabled());
    model.setAnalysis(test::makeAnalysis(2));
    QCOMPARE(kind->currentText(), QString("SQNR: analysis"));
    RunResult run;
    model.addRun("/runs/1", "run #1", run);
    QCOMPARE(kind->count(), 3);
    QCOMPARE(kind->currentText(), QString("SQNR: analysis")); // a finished run overwrites nothing
    test::shot(panel, QSize(470, 300));
    kind->setFocus();
    QTest::keyClick(kind, Qt::Key_End);
    QVERIFY(model.source() == (MeasuredSource{MeasuredKind::Run, "/runs/1", {}}));
    model.clearRuns();
    QCOMPARE(kind->currentText(), QString("SQNR: analysis"));
}

void TstSiteTablePanel::lFixesTheSelectedRows() {
    SiteTableModel model;
    SiteTablePanel panel(&model);
    model.setAnalysis(test::makeAnalysis(2));
    test::shot(panel, QSize(470, 300));
    QSignalSpy spy(&panel, &SiteTablePanel::lockRequested);
    QTest::keyClick(panel.view(), Qt::Key_L); // nothing is selected
    QCOMPARE(spy.count(), 0);
    panel.select({{0, Site::O}, {1, Site::Qkv}});
    QTest::keyClick(panel.view(), Qt::Key_L);
    QCOMPARE(spy.count(), 1);
    QCOMPARE(spy.last().at(0).value<SiteKeys>().size(), std::size_t{2});
    QVERIFY(spy.last().at(1).toBool());
    model.setLocked({{0, Site::O}});
    QTest::keyClick(panel.view(), Qt::Key_L); // one of them is not locked yet
    QVERIFY(spy.last().at(1).toBool());
    model.setLocked({{0, Site::O}, {1, Site::Qkv}});
    QTest::keyClick(panel.view(), Qt::Key_L);
    QVERIFY(!spy.last().at(1).toBool());
    panel.select({});
    model.setLocked({});
    const QImage without = test::shot(panel, QSize(470, 300));
    model.setLocked({{0, Site::O}});
    QVERIFY(test::differingPixels(without, test::shot(panel, QSize(470, 300))) > 20); // the padlock
}

void TstSiteTablePanel::sortingKeepsTheCurrentRowInSight() {
    SiteTableModel model;
    SiteTablePanel panel(&model);
    const auto analysis = test::makeAnalysis(30);
    Plan plan{test::scheme("W4A4KV4"), {}};
    model.setPlan(plan);
    model.setRanking(test::makeRanking(*analysis, plan, TransformKind::None));
    model.setAnalysis(analysis);
    test::shot(panel, QSize(470, 300));
    const SiteKey key = panel.visibleKeys().front();
    panel.select({key});
    plan.overrides[key] = test::scheme("W8A8KV4");
    model.setPlan(plan);
    model.setRanking(test::makeRanking(*analysis, plan, TransformKind::None));
    QCOMPARE(panel.view()->currentIndex().row(), 0);
    panel.sortAgain();
    QVERIFY(panel.view()->currentIndex().row() > 20);
    QVERIFY(
        panel.view()->viewport()->rect().contains(panel.view()->visualRect(panel.view()->currentIndex())));
    panel.view()->scrollToTop(); // whoever looks elsewhere stays there
    plan.overrides[key] = test::scheme("W6A6KV4");
    model.setPlan(plan);
    panel.sortAgain();
    QCOMPARE(panel.view()->rowAt(0), 0);
}

void TstSiteTablePanel::tableHoldsItsFirstColumns() {
    SiteTableModel model;
    SiteTablePanel panel(&model);
    const auto analysis = test::makeAnalysis(30);
    model.setRanking(test::makeRanking(*analysis, {test::scheme("W4A4"), {}}, TransformKind::None));
    model.setAnalysis(analysis);
    test::shot(panel, QSize(484, 500)); // as wide as the window makes it
    for (int column = 0; column < SiteTableModel::ColumnCount; ++column)
        if (!panel.view()->isColumnHidden(column))
            qInfo("column %d: %d of %d", column, panel.view()->columnWidth(column),
                  panel.view()->viewport()->width());
    for (int column : {SiteTableModel::LossColumn, SiteTableModel::SqnrMeasuredColumn,
                       SiteTableModel::SqnrTokenMedianColumn}) {
        QVERIFY(!panel.view()->isColumnHidden(column));
        QVERIFY(panel.view()->columnViewportPosition(column) + panel.view()->columnWidth(column) <=
                panel.view()->viewport()->width());
    }
}

void TstSiteTablePanel::columnsShownLaterHoldTheirTitles() {
    LongTitles titles;
    QVERIFY(QCoreApplication::installTranslator(&titles));
    SiteTableModel model;
    SiteTablePanel panel(&model);
    const QHeaderView* header = panel.view()->horizontalHeader();
    for (int column = 0; column < SiteTableModel::ColumnCount; ++column) {
        if (!panel.view()->isColumnHidden(column)) continue;
        panel.setColumnShown(column, true);
        const QString title = model.headerData(column, Qt::Horizontal, Qt::DisplayRole).toString();
        QVERIFY(title.startsWith(QStringLiteral("Donau")));
        const int word = header->fontMetrics().horizontalAdvance(title.section(u' ', 0, 0));
        QVERIFY2(header->sectionSize(column) > word, qPrintable(title));
    }
}

void TstSiteTablePanel::tableEmptyStates() {
    SiteTableModel model;
    SiteTablePanel panel(&model);
    test::shot(panel, QSize(360, 400));
    QVERIFY(test::showsText(panel, "Open a model"));
    model.setLayerCount(2);
    QVERIFY(!test::showsText(panel, "Open a model"));
    panel.setOnly(true, {});
    QVERIFY(test::showsText(panel, "No row passes"));
    panel.setOnly(false, {});
    QVERIFY(!test::showsText(panel, "No row passes"));
}

void TstSiteTablePanel::aFilterKeepsWhatIsChosen() {
    SiteTableModel model;
    SiteTablePanel panel(&model);
    model.setAnalysis(test::makeAnalysis(6));
    const SiteKeys chosen{{2, Site::O}, {3, Site::Down}};
    panel.select(chosen);
    const SiteKeys before = panel.selectedKeys();
    QCOMPARE(before.size(), std::size_t(2));
    QSignalSpy changed(&panel, &SiteTablePanel::selectionChanged);
    auto* filter = qobject_cast<QLineEdit*>(test::byName(panel, "Filter of the layer table"));
    filter->setText("qkv"); // hides both
    QVERIFY(panel.selectedKeys().empty());
    filter->setText("down");
    QCOMPARE(panel.selectedKeys(), (SiteKeys{{3, Site::Down}}));
    filter->clear();
    QCOMPARE(panel.selectedKeys(), before);
    panel.setOnly(true, {{0, Site::Qkv}});
    panel.setOnly(false, {});
    QCOMPARE(panel.selectedKeys(), before);
    QCOMPARE(changed.count(), 0); // plots and inspector go on showing them
    // Whoever chooses something else meanwhile keeps that.
    filter->setText("qkv");
    panel.select({{1, Site::Qkv}});
    QCOMPARE(changed.count(), 1);
    filter->clear();
    QCOMPARE(panel.selectedKeys(), (SiteKeys{{1, Site::Qkv}}));
}

void TstSiteTablePanel::escClearsTheFilterFirst() {
    QWidget window;
    SiteTableModel model;
    model.setAnalysis(test::makeAnalysis(6));
    auto* layout = new QVBoxLayout(&window);
    auto* panel = new SiteTablePanel(&model);
    layout->addWidget(panel);
    int escaped = 0; // as the window takes Esc for what is nearest
    auto* shortcut = new QShortcut(Qt::Key_Escape, &window);
    connect(shortcut, &QShortcut::activated, &window, [&escaped] { ++escaped; });
    window.show();
    window.activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(&window));
    panel->focusFilter();
    auto* filter = qobject_cast<QLineEdit*>(test::byName(*panel, "Filter of the layer table"));
    QTest::keyClicks(filter, "down");
    QTest::keyClick(window.windowHandle(), Qt::Key_Escape);
    QCOMPARE(filter->text(), QString());
    QCOMPARE(escaped, 0);
    QTest::keyClick(window.windowHandle(), Qt::Key_Escape);
    QCOMPARE(escaped, 1);
}

QTEST_MAIN(TstSiteTablePanel)
#include "tst_site_table_panel.moc"
