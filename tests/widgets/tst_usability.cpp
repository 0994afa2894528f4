// What every page owes its user: the wheel scrolls, Tab comes everywhere once.
#include <algorithm>
#include <functional>
#include <memory>

#include <QAbstractButton>
#include <QApplication>
#include <QLabel>
#include <QLineEdit>
#include <QLocale>
#include <QRadioButton>
#include <QScrollArea>
#include <QScrollBar>
#include <QSpinBox>
#include <QTest>
#include <QVBoxLayout>

#include "tests/widgets/widget_fixtures.h"
#include "widgets/panels/analyze_sheet.h"
#include "widgets/panels/compare_panel.h"
#include "widgets/panels/inspector_panel.h"
#include "widgets/panels/plan_panel.h"
#include "widgets/panels/report_panel.h"
#include "widgets/panels/run_sheet.h"
#include "widgets/panels/start_page.h"
#include "widgets/plots/channels_plot.h"
#include "widgets/plots/flatness_plot.h"
#include "widgets/wheel_guard.h"

using namespace bdq;

namespace {

RunSpec runSpec() {
    RunSpec spec;
    spec.modelPath = "/models/a.gguf";
    spec.outDir = "/runs/run-0001";
    spec.plan.base = test::scheme("W4A4KV4");
    spec.method = Method::Bdq;
    spec.preset = Preset::Best; // trains: all fields are there
    spec.calibration.source = "/texts/c.txt";
    spec.evaluation = EvaluationOptions{"/texts/e.txt", 1024, 4};
    return spec;
}

/// Signals that mean an edit of the plan.
template <class Panel, class... Observed>
int editsOf(Panel& panel, const std::function<void()>& act, Observed... observed) {
    int edits = 0;
    (QObject::connect(&panel, observed, &panel, [&edits] { ++edits; }), ...);
    act();
    QObject::disconnect(&panel, nullptr, &panel, nullptr);
    return edits;
}

void activate(QWidget& page) {
    page.show();
    page.activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(&page));
}

} // namespace

class TstUsability : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { QLocale::setDefault(QLocale(QLocale::English, QLocale::UnitedStates)); }
    void theWheelScrollsTheRunSheet();
    void theWheelScrollsTheAnalyzeSheet();
    void theWheelEditsNoPlan();
    void theWheelEditsWhatWasClicked();
    void tabMeetsEveryField_data();
    void tabMeetsEveryField();
    void labelsLeadToTheirFields();
    void runSheetFoldsItsProse();
    void sheetsKeepTheirButtons();
};

void TstUsability::theWheelScrollsTheRunSheet() {
    WheelGuard guard;
    qApp->installEventFilter(&guard);
    RunSheet sheet;
    sheet.setSpec(runSpec());
    sheet.resize(600, 400);
    activate(sheet);
    sheet.focusFirst(); // as when it opens: nobody has chosen that box
    QScrollBar* bar = sheet.findChild<QScrollArea*>()->verticalScrollBar();
    QVERIFY(bar->maximum() > 0);
    const std::vector<QWidget*> editors = test::wheelEditors(sheet);
    QVERIFY(editors.size() >= 12);
    for (QWidget* editor : editors) {
        bar->setValue(0);
        test::turnWheel(editor);
        QVERIFY2(bar->value() > 0, qPrintable(test::nameOf(editor)));
        QCOMPARE(encodeSpec(sheet.spec()), encodeSpec(runSpec()));
    }
}

void TstUsability::theWheelScrollsTheAnalyzeSheet() {
    WheelGuard guard;
    qApp->installEventFilter(&guard);
    AnalyzeSheet sheet;
    AnalyzeSpec spec;
    spec.modelPath = "/models/a.gguf";
    spec.outDir = "/out";
    sheet.setSpec(spec);
    sheet.resize(600, 300);
    activate(sheet);
    const std::string before = encodeSpec(sheet.spec());
    QScrollBar* bar = sheet.findChild<QScrollArea*>()->verticalScrollBar();
    const std::vector<QWidget*> editors = test::wheelEditors(sheet);
    QVERIFY(editors.size() >= 3);
    for (QWidget* editor : editors) {
        bar->setValue(0);
        test::turnWheel(editor);
        QVERIFY2(bar->value() > 0, qPrintable(test::nameOf(editor)));
        QCOMPARE(encodeSpec(sheet.spec()), before);
    }
}

void TstUsability::theWheelEditsNoPlan() {
    WheelGuard guard;
    qApp->installEventFilter(&guard);
    const auto analysis = test::makeAnalysis(4);
    PlanPanel plan;
    plan.setLayerCount(4);
    plan.setPlan(Plan{test::scheme("W4A4KV4"), {}});
    activate(plan);
    const auto turnAll = [](QWidget& page) {
        return [&page] {
            for (QWidget* editor : test::wheelEditors(page))
                for (const int notches : {-1, 1, 1})
                    test::turnWheel(editor, notches);
        };
    };
    QVERIFY(test::wheelEditors(plan).size() >= 9);
    QCOMPARE(editsOf(plan, turnAll(plan), &PlanPanel::baseSchemeEdited, &PlanPanel::methodChosen,
                     &PlanPanel::presetChosen, &PlanPanel::roundingChosen),
             0);
    InspectorPanel inspector;
    inspector.setPlan(Plan{test::scheme("W4A4KV4"), {}});
    inspector.setSites({analysis->sites.front()});
    activate(inspector);
    QCOMPARE(test::wheelEditors(inspector).size(), std::size_t(4));
    QCOMPARE(
        editsOf(inspector, turnAll(inspector), &InspectorPanel::planEdited, &InspectorPanel::transformChosen),
        0);
}

void TstUsability::theWheelEditsWhatWasClicked() {
    WheelGuard guard;
    qApp->installEventFilter(&guard);
    QWidget page;
    auto* layout = new QVBoxLayout(&page);
    auto* first = new QSpinBox(&page);
    auto* second = new QSpinBox(&page);
    layout->addWidget(first);
    layout->addWidget(second);
    activate(page);
    first->setFocus(Qt::OtherFocusReason);
    test::turnWheel(first, 1);
    QCOMPARE(first->value(), 0);
    QTest::mouseClick(first->findChild<QLineEdit*>(), Qt::LeftButton);
    test::turnWheel(first, 1);
    QCOMPARE(first->value(), 1);
    QTest::keyClick(first, Qt::Key_Tab);
    QVERIFY(second->hasFocus());
    test::turnWheel(second, 1);
    QCOMPARE(second->value(), 1);
    test::turnWheel(first, 1); // and no longer what was clicked before
    QCOMPARE(first->value(), 1);
    first->setFocus(Qt::OtherFocusReason); // the program's doing, not the user's
    test::turnWheel(first, 1);
    QCOMPARE(first->value(), 1);
}

void TstUsability::tabMeetsEveryField_data() {
    QTest::addColumn<QWidget*>("page");
    auto* run = new RunSheet;
    run->setSpec(runSpec());
    auto* analyze = new AnalyzeSheet;
    AnalyzeSpec spec;
    spec.modelPath = "/models/a.gguf";
    spec.outDir = "/out";
    analyze->setSpec(spec);
    auto* plan = new PlanPanel;
    plan->setLayerCount(4);
    auto* inspector = new InspectorPanel;
    inspector->setSites({test::makeAnalysis(4)->sites.front()});
    auto* report = new ReportPanel;
    report->setSource(QStringLiteral("#1"));
    auto* start = new StartPage;
    start->setRecent({{"/a", "a", {}}});
    auto* flatness = new FlatnessPlot;
    flatness->setAnalysis(test::makeAnalysis(4));
    auto* channels = new ChannelsPlot;
    auto* compare = new ComparePanel;
    QTest::newRow("run sheet") << static_cast<QWidget*>(run);
    QTest::newRow("analysis sheet") << static_cast<QWidget*>(analyze);
    QTest::newRow("plan") << static_cast<QWidget*>(plan);
    QTest::newRow("inspector") << static_cast<QWidget*>(inspector);
    QTest::newRow("report") << static_cast<QWidget*>(report);
    QTest::newRow("start page") << static_cast<QWidget*>(start);
    QTest::newRow("overview") << static_cast<QWidget*>(flatness);
    QTest::newRow("channels") << static_cast<QWidget*>(channels);
    QTest::newRow("compare") << static_cast<QWidget*>(compare);
}

void TstUsability::tabMeetsEveryField() {
    QFETCH(QWidget*, page);
    const std::unique_ptr<QWidget> owned(page);
    page->resize(900, 700);
    activate(*page);
    QCOMPARE(test::tabProblems(*page, false).join(u'\n'), QString());
    QCOMPARE(test::tabProblems(*page, true).join(u'\n'), QString());
    // A text file instead of the model's own text, or the other way round, changes what Tab meets.
    for (QRadioButton* button : page->findChildren<QRadioButton*>())
        if (!button->isChecked() && button->isEnabled()) {
            button->setChecked(true);
            break;
        }
    QCOMPARE(test::tabProblems(*page, false).join(u'\n'), QString());
}

void TstUsability::labelsLeadToTheirFields() {
    RunSheet sheet;
    sheet.setSpec(runSpec());
    sheet.resize(900, 900);
    activate(sheet);
    int labels = 0;
    for (const QLabel* label : sheet.findChildren<QLabel*>()) {
        if (!label->buddy() || !label->isVisible()) continue;
        label->buddy()->setFocus(Qt::ShortcutFocusReason); // as the label does for its Alt key
        QWidget* field = sheet.focusWidget();
        QVERIFY2(field == label->buddy() || label->buddy()->isAncestorOf(field), qPrintable(label->text()));
        const std::vector<QWidget*> fields = test::tabFields(sheet);
        QVERIFY2(std::ranges::find(fields, field) != fields.end(), qPrintable(label->text()));
        ++labels;
    }
    QVERIFY(labels >= 9);
}

void TstUsability::runSheetFoldsItsProse() {
    RunSheet sheet;
    sheet.setSpec(runSpec());
    test::shot(sheet, QSize(600, 500));
    const MethodInfo& info = methodInfo(runSpec().method);
    const QString sentence = QString::fromUtf8(info.explanation).toHtmlEscaped();
    QVERIFY(!test::showsText(sheet, sentence));
    auto* about = test::button(sheet, "About " + QString::fromUtf8(info.title));
    QVERIFY(about);
    QTest::mouseClick(about, Qt::LeftButton);
    QVERIFY(test::showsText(sheet, sentence));
    QTest::mouseClick(about, Qt::LeftButton);
    QVERIFY(!test::showsText(sheet, sentence));
}

void TstUsability::sheetsKeepTheirButtons() {
    RunSheet run;
    run.setSpec(runSpec());
    AnalyzeSheet analyze;
    for (QWidget* sheet : {static_cast<QWidget*>(&run), static_cast<QWidget*>(&analyze)}) {
        test::shot(*sheet, QSize(480, 260));
        QCOMPARE(sheet->size(), QSize(480, 260));
        QCOMPARE(test::layoutProblems(*sheet).join(u'\n'), QString());
    }
}

QTEST_MAIN(TstUsability)
#include "tst_usability.moc"
