// Runs dock: follows its list, its buttons, rows and log.
#include <QLocale>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QTabWidget>
#include <QTableView>
#include <QTest>

#include "tests/widgets/widget_fixtures.h"
#include "widgets/models/run_list_model.h"
#include "widgets/panels/run_panel.h"

using namespace bdq;

class TstRunPanel : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { QLocale::setDefault(QLocale(QLocale::English, QLocale::UnitedStates)); }
    void runPanelFollowsModel();
    void anAnalysisHasNoPlotOfRows();
    void runsThatAreFoundDoNotTakeTheSelection();
};

void TstRunPanel::runsThatAreFoundDoNotTakeTheSelection() {
    RunListModel model;
    RunPanel panel(&model);
    RunInfo opened;
    opened.id = "/runs/opened";
    opened.state = RunState::Finished;
    model.addOrUpdate(opened);
    QCOMPARE(panel.selectedRun(), opened.id);
    RunInfo found = opened;
    found.id = "/runs/found";
    found.createdMs = 5; // newer: it stands above
    model.addOrUpdate(found);
    QCOMPARE(panel.selectedRun(), opened.id);
    RunInfo begun = found;
    begun.id = "/runs/begun";
    begun.state = RunState::Queued;
    model.addOrUpdate(begun);
    QCOMPARE(panel.selectedRun(), begun.id);
}

void TstRunPanel::runPanelFollowsModel() {
    RunListModel model;
    RunPanel panel(&model);
    test::shot(panel, QSize(1000, 320));
    QVERIFY(test::showsText(panel, "Runs appear here"));
    RunInfo run;
    run.id = "run-0001";
    run.title = "#1";
    run.state = RunState::Running;
    run.stage = "layer 12";
    run.outDir = "/tmp/run-0001";
    run.progress = 0.4;
    model.addOrUpdate(run);
    QCOMPARE(panel.selectedRun(), run.id);
    QVERIFY(test::button(panel, "Cancel run")->isVisible());
    auto* list = qobject_cast<QTableView*>(test::byName(panel, "Runs"));
    QVERIFY(list->isColumnHidden(RunListModel::PerplexityColumn));
    run.method = "Baseline method";
    model.addOrUpdate(run);
    test::shot(panel, QSize(600, 200));
    QVERIFY(list->columnWidth(RunListModel::MethodColumn) >
            list->fontMetrics().horizontalAdvance(run.method)); // however narrow the list
    QVERIFY(panel.minimumSizeHint().height() <= 180);
    QVERIFY(panel.minimumSizeHint().width() <= 630); // beside the plan at 1280
    QVERIFY(!test::button(panel, "Resume")->isVisible());
    QSignalSpy cancel(&panel, &RunPanel::cancelRequested);
    QTest::mouseClick(test::button(panel, "Cancel run"), Qt::LeftButton);
    QCOMPARE(cancel.first().first().toString(), run.id);
    panel.appendLog(run.id, "first line");
    panel.appendLog("other", "of another run");
    auto* log = qobject_cast<QPlainTextEdit*>(test::byName(panel, "Log"));
    QCOMPARE(log->toPlainText(), QString("first line"));
    for (int layer = 0; layer < 3; ++layer)
        panel.addRow(run.id, RunSiteResult{{layer, Site::Down}, "W4A4", 12.0 + layer, 0, 0, 0, 0, 0});
    const QImage before = test::shot(panel, QSize(1000, 320));
    QTRY_VERIFY(test::differingPixels(before, test::shot(panel, QSize(1000, 320))) >
                300); // the plot follows shortly after
    run.state = RunState::Cancelled;
    run.resumable = true;
    model.addOrUpdate(run);
    QVERIFY(test::button(panel, "Resume")->isVisible());
    QVERIFY(!test::button(panel, "Cancel run")->isVisible());
    model.remove(run.id);
    panel.forget(run.id);
    QVERIFY(test::showsText(panel, "Runs appear here"));
}

void TstRunPanel::anAnalysisHasNoPlotOfRows() {
    RunListModel model;
    RunPanel panel(&model);
    const auto* tabs = panel.findChild<QTabWidget*>();
    RunInfo job;
    job.id = "analysis-1";
    job.kind = "analyze";
    job.state = RunState::Running;
    model.addOrUpdate(job);
    QCOMPARE(panel.selectedRun(), job.id);
    test::shot(panel, QSize(1000, 320));
    QVERIFY(!tabs->isTabVisible(0));
    QVERIFY(test::byName(panel, "Log")->isVisible());
    job.id = "run-1";
    job.kind = "run";
    model.addOrUpdate(job);
    panel.select(job.id);
    QVERIFY(tabs->isTabVisible(0));
    QCOMPARE(tabs->currentIndex(), 0);
}

QTEST_MAIN(TstRunPanel)
#include "tst_run_panel.moc"
