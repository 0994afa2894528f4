// The window and the results of a model: found again, added, removed, moved; edits that come back; values
// that go with what they belong to.
#include <QDir>
#include <QDockWidget>
#include <QFile>
#include <QLabel>
#include <QMenuBar>
#include <QMessageBox>
#include <QPushButton>
#include <QSignalSpy>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>

#include "app/main_window.h"
#include "app/output_folders.h"
#include "app/workspace.h"
#include "tests/app/app_test_support.h"
#include "widgets/models/run_list_model.h"
#include "widgets/models/site_table_model.h"
#include "widgets/panels/elided_label.h"
#include "widgets/panels/header_strip.h"
#include "widgets/panels/inspector_panel.h"
#include "widgets/panels/message_bar.h"
#include "widgets/panels/run_panel.h"

using namespace bdq;

namespace {

constexpr int kWaitMs = 15000;

QString textsOf(const QWidget* widget) {
    QStringList texts;
    for (const QLabel* label : widget->findChildren<QLabel*>())
        if (!label->isHidden()) texts << label->text();
    for (const ElidedLabel* label : widget->findChildren<ElidedLabel*>())
        texts << label->text();
    return texts.join(QLatin1Char('|'));
}

void press(const QWidget* widget, const QString& text) {
    for (QAbstractButton* button : widget->findChildren<QAbstractButton*>())
        if (button->text().remove(QLatin1Char('&')) == text) return button->click();
    QFAIL(qPrintable(QStringLiteral("no button ") + text));
}

std::vector<RunInfo> listOf(const MainWindow& window) {
    std::vector<RunInfo> runs;
    for (int row = 0; row < window.runList()->rowCount(); ++row)
        runs.push_back(*window.runList()->find(window.runList()->idAt(row)));
    return runs;
}

QVariant measuredAt(const MainWindow& window, SiteKey key) {
    const SiteTableModel* sites = window.workspace()->sites();
    return sites->index(sites->rowOf(key), SiteTableModel::SqnrMeasuredColumn).data(SiteTableModel::SortRole);
}

} // namespace

class MainWindowResultsTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() {
        QStandardPaths::setTestModeEnabled(true);
        qputenv("XDG_DATA_HOME", m_trash.path().toUtf8()); // where the trash is
    }

    void init() {
        m_dir = std::make_unique<QTemporaryDir>();
        m_store = std::make_unique<QSettings>(m_dir->filePath(QStringLiteral("s.ini")), QSettings::IniFormat);
        m_settings = std::make_unique<Settings>(*m_store);
        test::startFresh(*m_settings, m_dir->path());
        m_model = test::makeModel(m_dir->filePath(QStringLiteral("model")));
    }

    void runsComeBackWithTheirNumbersNewestFirst() {
        QStringList ids;
        {
            auto window = makeWindow("ok");
            QVERIFY(test::openAndSearch(*window, m_model));
            QVERIFY(finishRun(*window) && finishRun(*window));
            for (const RunInfo& info : listOf(*window))
                ids << info.id;
        }
        auto window = makeWindow("ok");
        QVERIFY(test::openAndSearch(*window, m_model));
        const std::vector<RunInfo> found = listOf(*window);
        QCOMPARE(found.size(), std::size_t(2));
        QCOMPARE(QStringList({found[0].id, found[1].id}), ids);
        QCOMPARE(found[0].title, QStringLiteral("#2"));
        QVERIFY(found[0].state == RunState::Finished && found[0].createdMs >= found[1].createdMs);
        QVERIFY(finishRun(*window));
        QCOMPARE(listOf(*window).front().title, QStringLiteral("#3")); // no second #1
        // Whatever is selected has its rows, though nobody opened it.
        window->findChild<RunPanel*>()->select(ids.back());
        QVERIFY(window->session()->runs().size() == 1);
    }

    void aRunThatIsOpenedIsAddedAndLeavesThePlan() {
        const QString other = m_dir->filePath(QStringLiteral("elsewhere/other"));
        RunSpec spec = test::runSpec(other);
        spec.modelPath = m_model.toStdString();
        QVERIFY(test::produce(spec));
        auto window = makeWindow("ok");
        QVERIFY(test::openAndSearch(*window, m_model));
        QVERIFY(finishRun(*window));
        window->plan()->editSchemes({{1, Site::O}}, SchemeEdit{8, {}, {}});
        const PlanState edited = window->plan()->state();
        QVERIFY(test::openAndSearch(*window, other));
        QCOMPARE(listOf(*window).size(), std::size_t(2));
        QVERIFY(window->plan()->state() == edited);
        QVERIFY(window->plan()->history()->canUndo());
        // From now on it is known where that one lies.
        window.reset();
        window = makeWindow("ok");
        QVERIFY(test::openAndSearch(*window, m_model));
        QCOMPARE(listOf(*window).size(), std::size_t(2));
    }

    void resultsInTheFolderOfEarlierVersionsAreFound() {
        const QString old = earlierResultsFolder() + QStringLiteral("/tiny-01234567/run-0001");
        RunSpec spec = test::runSpec(old);
        spec.modelPath = m_model.toStdString();
        QVERIFY(test::produce(spec));
        auto window = makeWindow("ok");
        QVERIFY(test::openAndSearch(*window, m_model));
        QVERIFY(window->runList()->find(old));
        QVERIFY(QDir(old).removeRecursively());
    }

    void editsComeBackAndCanBeLeftBehind() {
        PlanState edited;
        {
            auto window = makeWindow("request");
            QVERIFY(test::openAndSearch(*window, m_model));
            window->plan()->setMethod(Method::QuaRot);
            window->plan()->editSchemes({{1, Site::Down}}, SchemeEdit{8, 8, {}});
            edited = window->plan()->state();
            window->show();
            window->close();
        }
        auto window = makeWindow("request");
        QVERIFY(test::openAndSearch(*window, m_model));
        QVERIFY(window->plan()->state() == edited);
        QVERIFY(textsOf(window->workspace()->messages()).contains(QStringLiteral("Continued")));
        press(window->workspace()->messages(), QStringLiteral("Start fresh"));
        QVERIFY(window->plan()->state() == SessionController::firstPlan());
        window->plan()->history()->undo();
        QVERIFY(window->plan()->state() == edited);
    }

    void anotherModelKeepsTheEditsOfTheFirst() {
        const QString other = test::makeModel(m_dir->filePath(QStringLiteral("other")), 3);
        auto window = makeWindow("request");
        QVERIFY(test::openAndSearch(*window, m_model));
        window->plan()->editSchemes({{0, Site::O}}, SchemeEdit{8, {}, {}});
        const PlanState edited = window->plan()->state();
        QVERIFY(test::openAndSearch(*window, other));
        QVERIFY(window->plan()->state() == SessionController::firstPlan());
        QVERIFY(test::openAndSearch(*window, m_model));
        QVERIFY(window->plan()->state() == edited);
    }

    void editsArriveOnDiskWithoutClosing() {
        auto window = makeWindow("request");
        QVERIFY(test::openAndSearch(*window, m_model));
        const ModelMark mark = window->session()->mark();
        const QString file = autosaveFile(mark.fingerprint, mark.path);
        QVERIFY(!QFile::exists(file));
        window->plan()->editSchemes({{0, Site::O}}, SchemeEdit{8, {}, {}});
        QTRY_VERIFY_WITH_TIMEOUT(QFile::exists(file), kWaitMs);
        QVERIFY(loadSession(file.toStdString())->state == window->plan()->state());
    }

    void aKilledAnalysisLeavesTheStateBefore_data() {
        QTest::addColumn<bool>("analysed");
        QTest::addColumn<bool>("withRun");
        QTest::newRow("nothing before") << false << false;
        QTest::newRow("a run before") << false << true;
        QTest::newRow("an analysis before") << true << false;
    }
    void aKilledAnalysisLeavesTheStateBefore() {
        QFETCH(bool, analysed);
        QFETCH(bool, withRun);
        if (analysed) QVERIFY(produceAnalysis(QStringLiteral("analysis-0001")));
        auto window = makeWindow("ok");
        window->show();
        QVERIFY(test::openAndSearch(*window, m_model));
        QCOMPARE(window->session()->analysis() != nullptr, analysed);
        if (withRun) QVERIFY(finishRun(*window));
        window->workspace()->select({{1, Site::O}});
        const Seen before = look(*window);
        qputenv("FAKE_WORKER_MODE", "kill_amid");
        QSignalSpy ended(window->jobs(), &JobQueue::jobEnded);
        QSignalSpy rows(window->session(), &SessionController::siteAdded);
        QVERIFY(window->startAnalysis(window->proposedAnalysis()));
        QVERIFY(!measuredAt(*window, {1, Site::O}).isValid()); // values of others do not stand in a new one
        QVERIFY(ended.wait(kWaitMs));
        QCOMPARE(rows.count(), 3);
        window->workspace()->select({{1, Site::O}});
        const Seen after = look(*window);
        QCOMPARE(after.header, before.header);
        QCOMPARE(after.inspector, before.inspector);
        QCOMPARE(after.measured, before.measured);
        QCOMPARE(after.report, before.report);
        QVERIFY(window->session()->analysisDir() == before.analysis);
    }

    void aRemovedRunTakesItsValuesAlong() {
        auto window = makeWindow("ok");
        window->show();
        QVERIFY(test::openAndSearch(*window, m_model));
        RunSpec spec = window->proposedRun();
        spec.evaluation = EvaluationOptions{"text", 64, 0};
        const QString id = QString::fromStdString(spec.outDir);
        QVERIFY(window->startRun(spec));
        QVERIFY(QTest::qWaitFor([&] { return window->session()->runs().size() == 1; }, kWaitMs));
        const QString figures = QStringLiteral("(256 tokens)");
        QVERIFY2(textsOf(window->workspace()->header()).contains(figures),
                 qPrintable(textsOf(window->workspace()->header())));
        QVERIFY(textsOf(window->workspace()->messages()).contains(figures));
        QVERIFY(m_settings->recent().front().detail.contains(figures));
        QVERIFY(measuredAt(*window, {0, Site::O}).isValid());
        emit window->findChild<RunPanel*>()->removeRequested(id);
        auto* box = window->findChild<QMessageBox*>(QStringLiteral("removeQuestion"));
        QVERIFY(box && box->informativeText().contains(id));
        press(box, QStringLiteral("Move to trash"));
        QVERIFY(QTest::qWaitFor([&] { return window->runList()->rowCount() == 0; }, kWaitMs));
        QVERIFY(!QFile::exists(id));
        QVERIFY(!measuredAt(*window, {0, Site::O}).isValid());
        QVERIFY(!textsOf(window->workspace()->header()).contains(figures));
        QVERIFY(window->session()->runs().empty());
        window->ledger()->flush();
        QVERIFY(!QFile::exists(id)); // nor is it made again
    }

    void closingTheModelClearsEverything() {
        QVERIFY(produceAnalysis(QStringLiteral("analysis-0001")));
        auto window = makeWindow("ok");
        window->show();
        QVERIFY(test::openAndSearch(*window, m_model));
        QVERIFY(finishRun(*window));
        window->workspace()->messages()->showMessage(MessageSeverity::Warning,
                                                     QStringLiteral("of this model"));
        for (QAction* action : window->findChildren<QAction*>())
            if (action->shortcut() == QKeySequence(QKeySequence::Close)) action->trigger();
        QVERIFY(!window->session()->isOpen());
        for (const QDockWidget* dock : window->findChildren<QDockWidget*>())
            QVERIFY2(dock->isHidden(), qPrintable(dock->windowTitle()));
        QCOMPARE(window->runList()->rowCount(), 0);
        QCOMPARE(window->workspace()->sites()->rowCount(), 0);
        QCOMPARE(window->workspace()->messages()->count(), 0);
        for (const QAction* action : window->findChildren<QAction*>())
            if (action->text().contains(QStringLiteral("Analyse Activations"))) QVERIFY(!action->isEnabled());
        QVERIFY(test::openAndSearch(*window, m_model)); // and everything is there again
        QVERIFY(!window->findChild<QDockWidget*>(QStringLiteral("planDock"))->isHidden());
        QCOMPARE(window->runList()->rowCount(), 2);
        QVERIFY(window->session()->analysis());
    }

    void aMovedModelBringsItsAnalysisAndRuns() {
        QString analysis;
        {
            auto window = makeWindow("ok");
            QVERIFY(test::openAndSearch(*window, m_model));
            QSignalSpy ended(window->jobs(), &JobQueue::jobEnded);
            QVERIFY(window->startAnalysis(window->proposedAnalysis()));
            QVERIFY(ended.wait(kWaitMs));
            QVERIFY(QTest::qWaitFor([&] { return !window->session()->analysisIsLive(); }, kWaitMs));
            analysis = QString::fromStdString(window->session()->analysisDir());
            QVERIFY(finishRun(*window));
        }
        const QString moved = m_dir->filePath(QStringLiteral("new/place"));
        QVERIFY(QDir().mkpath(QFileInfo(moved).absolutePath()) && QDir().rename(m_model, moved));
        auto window = makeWindow("ok");
        QVERIFY(test::openAndSearch(*window, moved));
        QCOMPARE(listOf(*window).size(), std::size_t(2));
        QCOMPARE(QString::fromStdString(window->session()->analysisDir()), analysis);
    }

    void aMissingPartCanBeLocated() {
        QVERIFY(produceAnalysis(QStringLiteral("analysis-0001")));
        const QString session = m_dir->filePath(QStringLiteral("kept.bdqsession"));
        {
            auto window = makeWindow("ok");
            QVERIFY(test::openAndSearch(*window, m_model));
            QSignalSpy saved(window->session(), &SessionController::saved);
            window->session()->save(session);
            QVERIFY(saved.wait(kWaitMs));
        }
        const QString moved = m_dir->filePath(QStringLiteral("moved-model"));
        QVERIFY(QDir().rename(m_model, moved));
        auto window = makeWindow("ok");
        QVERIFY(test::openAndSearch(*window, session));
        QVERIFY(!window->session()->model());
        bool offered = false;
        for (const auto* button : window->workspace()->messages()->findChildren<QAbstractButton*>())
            offered = offered || button->text() == QStringLiteral("Locate…");
        QVERIFY(offered);
        QSignalSpy changed(window->session(), &SessionController::modelChanged);
        window->session()->relocateModel(moved);
        QVERIFY(changed.wait(kWaitMs));
        QCOMPARE(window->session()->modelPath(), moved);
        QVERIFY(window->session()->analysis());
    }

private:
    struct Seen {
        QString header;
        QString inspector;
        QVariant measured;
        bool report = false;
        std::string analysis;
    };

    std::unique_ptr<MainWindow> makeWindow(const char* mode) {
        return std::make_unique<MainWindow>(*m_settings, test::fakeWorker(mode));
    }
    bool finishRun(MainWindow& window) {
        const std::size_t before = window.session()->runs().size();
        return window.startRun(window.proposedRun()) &&
               QTest::qWaitFor([&] { return window.session()->runs().size() == before + 1; }, kWaitMs);
    }
    bool produceAnalysis(const QString& name) {
        AnalyzeSpec spec = test::analyzeSpec(m_dir->filePath(QStringLiteral("results/any/") + name));
        spec.modelPath = m_model.toStdString();
        return test::produce(spec);
    }
    static Seen look(MainWindow& window) {
        Seen seen;
        seen.header = textsOf(window.workspace()->header());
        seen.inspector = textsOf(window.workspace()->inspector());
        seen.measured = measuredAt(window, {1, Site::O});
        for (const QAction* action : window.findChildren<QAction*>())
            if (action->text() == QStringLiteral("&Report…")) seen.report = action->isEnabled();
        seen.analysis = window.session()->analysisDir();
        return seen;
    }

    QTemporaryDir m_trash;
    std::unique_ptr<QTemporaryDir> m_dir;
    std::unique_ptr<QSettings> m_store;
    std::unique_ptr<Settings> m_settings;
    QString m_model;
};

QTEST_MAIN(MainWindowResultsTest)
#include "tst_main_window_results.moc"
