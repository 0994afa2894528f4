// Layer table: selecting, filtering, copying, what stays in sight.
#include <algorithm>
#include <set>

#include <QApplication>
#include <QClipboard>
#include <QHeaderView>
#include <QLineEdit>
#include <QLocale>
#include <QShortcut>
#include <QSignalSpy>
#include <QTableView>
#include <QTest>
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
    void tableKeepsTheEditedRowInSight();
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
    QVERIFY(test::showsText(panel, "2 selected"));
    QTest::keyClick(panel.view(), Qt::Key_C, Qt::ControlModifier);
    const QStringList lines = QApplication::clipboard()->text().split('\n', Qt::SkipEmptyParts);
    QCOMPARE(lines.size(), 3);
    QVERIFY(lines[0].startsWith("layer\tsite\tbits\tsqnr_db_predicted"));
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
    QSignalSpy activated(&panel, &SiteTablePanel::siteActivated);
    panel.select({{3, Site::Qkv}});
    QTest::keyClick(panel.view(), Qt::Key_Return);
    QCOMPARE(activated.count(), 1);
    QCOMPARE(activated.first().first().value<SiteKey>(), (SiteKey{3, Site::Qkv}));
}

void TstSiteTablePanel::tableKeepsTheEditedRowInSight() {
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

void TstSiteTablePanel::tableHoldsItsFirstColumns() {
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
