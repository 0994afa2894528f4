// The window against the fake worker: open, look, edit, run, cancel, crash, close.
#include <algorithm>
#include <cmath>

#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QMessageBox>
#include <QPushButton>
#include <QScreen>
#include <QSignalSpy>
#include <QSlider>
#include <QSplitter>
#include <QStandardPaths>
#include <QTabWidget>
#include <QTableView>
#include <QTemporaryDir>
#include <QTest>

#include "app/main_window.h"
#include "app/workspace.h"
#include "engine/io/model_reader.h"
#include "tests/app/app_test_support.h"
#include "widgets/models/run_list_model.h"
#include "widgets/models/site_table_model.h"
#include "widgets/panels/analyze_sheet.h"
#include "widgets/panels/budget_row.h"
#include "widgets/panels/elided_label.h"
#include "widgets/panels/header_strip.h"
#include "widgets/panels/inspector_panel.h"
#include "widgets/panels/losses_sheet.h"
#include "widgets/panels/message_bar.h"
#include "widgets/panels/run_sheet.h"
#include "widgets/panels/site_table_panel.h"
#include "widgets/plots/histogram_plot.h"

using namespace bdq;

namespace {
constexpr int kWaitMs = 15000;

QString shownMessage(const MainWindow& window) {
    return window.workspace()->messages()->text();
}

QString elidedText(const QWidget& widget) {
    QStringList texts;
    for (const ElidedLabel* label : widget.findChildren<ElidedLabel*>())
        texts << label->text();
    return texts.join(QLatin1Char('|'));
}

QVariant tableValue(const MainWindow& window, SiteKey key, int column) {
    const SiteTableModel* sites = window.workspace()->sites();
    return sites->index(sites->rowOf(key), column).data(SiteTableModel::SortRole);
}
} // namespace

class MainWindowTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() {
        QStandardPaths::setTestModeEnabled(true);
        m_analysis = m_dir.filePath(QStringLiteral("analysis"));
        m_run = m_dir.filePath(QStringLiteral("run"));
        QVERIFY(QDir().mkpath(m_analysis) && QDir().mkpath(m_run));
        QVERIFY(test::produce(test::analyzeSpec(m_analysis)));
        QVERIFY(test::produce(test::runSpec(m_run)));
    }

    void init() {
        m_store = std::make_unique<QSettings>(m_dir.filePath(QStringLiteral("s.ini")), QSettings::IniFormat);
        m_store->clear();
        m_settings = std::make_unique<Settings>(*m_store);
        test::startFresh(*m_settings, m_dir.path());
    }

    void firstPaintDoesNoHeavyWork() {
        QElapsedTimer clock;
        clock.start();
        auto window = makeWindow("ok");
        window->show();
        QVERIFY(QTest::qWaitForWindowExposed(window.get()));
        qInfo("construction to first paint: %lld ms", static_cast<long long>(clock.elapsed()));
        QVERIFY(!window->session()->isOpen());
    }

    void anAnalysisShowsItsRowsAndTheHistogramOfTheFirst() {
        auto window = makeWindow("ok");
        QVERIFY(openAnalysis(*window));
        QCOMPARE(window->workspace()->sites()->rowCount(), 8);
        QCOMPARE(window->workspace()->selection().size(), std::size_t(1));
        QVERIFY(QTest::qWaitFor([&] { return !window->workspace()->histogram()->isEmpty(); }, kWaitMs));
        QVERIFY(tableValue(*window, {1, Site::Down}, SiteTableModel::SqnrPredictedColumn).isValid());
    }

    void anotherRowIsShownFromItsFile() {
        auto window = makeWindow("ok");
        window->show();
        QVERIFY(openAnalysis(*window));
        window->workspace()->tabs()->setCurrentIndex(Workspace::HistogramTab);
        for (const SiteKey key : {SiteKey{0, Site::Qkv}, SiteKey{1, Site::Down}, SiteKey{0, Site::O}}) {
            QElapsedTimer clock;
            clock.start();
            window->workspace()->select({key});
            const QString title = QStringLiteral("layer %1").arg(key.layer);
            QVERIFY(QTest::qWaitFor(
                [&] {
                    const HistogramPlot* plot = window->workspace()->histogram();
                    return !plot->isEmpty() && plot->title().contains(title);
                },
                kWaitMs));
            window->grab();
            qInfo("layer %d shown after %lld ms", key.layer, static_cast<long long>(clock.elapsed()));
        }
    }

    void anEditAnswersAtOnceAndIsUndone() {
        auto window = makeWindow("request");
        QVERIFY(openAnalysis(*window));
        const SiteKey key{1, Site::Down};
        const double before = tableValue(*window, key, SiteTableModel::SqnrPredictedColumn).toDouble();
        QElapsedTimer clock;
        clock.start();
        window->plan()->editSchemes({key}, SchemeEdit{8, 8, {}});
        const double after = tableValue(*window, key, SiteTableModel::SqnrPredictedColumn).toDouble();
        qInfo("what-if answered after %lld us", static_cast<long long>(clock.nsecsElapsed() / 1000));
        QVERIFY(after > before);
        window->plan()->history()->undo();
        QCOMPARE(tableValue(*window, key, SiteTableModel::SqnrPredictedColumn).toDouble(), before);
    }

    void lossesAreMeasuredAndTheSliderWeighsThem() {
        auto window = makeWindow("ok");
        window->show();
        QVERIFY(openAnalysis(*window));
        auto* row = window->findChild<BudgetRow*>();
        auto* slider = row->findChild<QSlider*>();
        auto* measure = row->findChild<QPushButton*>();
        QVERIFY(slider->isEnabled() && measure->isVisible());
        QSignalSpy ended(window->jobs(), &JobQueue::jobEnded);
        measure->click(); // asks first
        auto* sheet = window->findChild<LossesSheet*>();
        QVERIFY(sheet && ended.isEmpty());
        emit sheet->startRequested(sheet->spec());
        QVERIFY(ended.wait(kWaitMs));
        const RunInfo* listed = window->runList()->find(m_analysis + QStringLiteral("/sensitivity"));
        QVERIFY(listed);
        QCOMPARE(listed->state, RunState::Finished);
        QVERIFY(QTest::qWaitFor([&] { return !measure->isVisible(); }, kWaitMs));
        QCOMPARE(window->workspace()->sites()->ranking().basis, RankingBasis::Measured);
        QVERIFY(tableValue(*window, {1, Site::Down}, SiteTableModel::LossColumn).isValid());
        const PlanState before = window->plan()->state();
        slider->setValue(slider->minimum() + 1);
        QVERIFY(window->plan()->state().budget);
        QVERIFY(window->plan()->state().plan != before.plan);
        QCOMPARE(slider->value(), slider->minimum() + 1); // it stays where it was put
        window->plan()->history()->undo();
        QVERIFY(window->plan()->state() == before);
        QVERIFY(QFile::remove(m_analysis + QStringLiteral("/sensitivity.json")));
    }

    void whatCostsMostIsShownFirst() {
        auto window = makeWindow("request");
        window->show();
        QVERIFY(openAnalysis(*window));
        const SiteRanking& ranking = window->workspace()->sites()->ranking();
        QCOMPARE(ranking.basis, RankingBasis::Estimated);
        const AnalysisResult& analysis = *window->session()->analysis();
        const PlanState& state = window->plan()->state();
        SiteKey worst;
        double most = -1;
        double sum = 0;
        for (const SiteAnalysis& site : analysis.sites) {
            const double loss =
                estimatedLoss(site, state.fallback(), state.plan.at(site.key), state.effectiveRounding());
            sum += loss;
            if (loss <= most) continue;
            most = loss;
            worst = site.key;
        }
        QCOMPARE(*ranking.largest, worst);
        QVERIFY(std::abs(ranking.sum - sum) < 1e-12 * sum);
        QCOMPARE(window->workspace()->table()->visibleKeys().front(), worst);
        QCOMPARE(window->workspace()->selection(), SiteKeys{worst});
        QVERIFY(elidedText(*window->workspace()->header()).contains(rankingText(ranking)));
    }

    void anAnalysisWithoutLossesRanksNothingAndTheSliderIsOff() {
        const QString dir = m_dir.filePath(QStringLiteral("unranked"));
        QVERIFY(QDir().mkpath(dir));
        AnalyzeSpec spec = test::analyzeSpec(dir);
        spec.estimateLosses = false; // as in version 0.1
        QVERIFY(test::produce(spec));
        auto window = makeWindow("ok");
        window->show();
        QSignalSpy opened(window->session(), &SessionController::opened);
        window->openPath(dir);
        QVERIFY(opened.wait(kWaitMs));
        const SiteKeys shown = window->workspace()->table()->visibleKeys();
        QVERIFY(std::ranges::is_sorted(shown)); // the order of the model
        QVERIFY(elidedText(*window->workspace()->header()).contains(QStringLiteral("not ranked")));
        auto* row = window->findChild<BudgetRow*>();
        QVERIFY(!row->findChild<QSlider*>()->isEnabled());
        QVERIFY(elidedText(*row).contains(QStringLiteral("Not ranked")));
        QVERIFY(row->findChild<QPushButton*>()->isVisible()); // "Measure losses"
        const PlanState before = window->plan()->state();
        emit row->bitsChosen(3.5);
        QVERIFY(window->plan()->state() == before);
    }

    void aTransformThatWasNotAnalysedIsProposedNotApplied() {
        auto window = makeWindow("request");
        QVERIFY(openAnalysis(*window));
        const PlanState before = window->plan()->state();
        emit window->workspace()->inspector()->analysisWanted({{1, Site::Down}, {0, Site::O}},
                                                              TransformKind::Wush);
        QVERIFY(window->workspace()->sheetOpen());
        const AnalyzeSpec spec = window->workspace()->analyzeSheet()->spec();
        QCOMPARE(spec.layers, (std::vector<int>{0, 1}));
        QVERIFY(std::ranges::find(spec.transforms, TransformKind::Wush) != spec.transforms.end());
        QVERIFY(window->plan()->state() == before);
        QCOMPARE(window->workspace()->messages()->count(), 0);
    }

    void aMethodThatWasNotAnalysedMeasuresNothingAndSaysSo() {
        auto window = makeWindow("request");
        window->show();
        QVERIFY(openAnalysis(*window));
        window->workspace()->tabs()->setCurrentIndex(Workspace::HistogramTab);
        QVERIFY(QTest::qWaitFor([&] { return !window->workspace()->histogram()->isEmpty(); }, kWaitMs));
        const SiteKeys order = window->workspace()->table()->visibleKeys();
        const TransformKind shown = window->workspace()->histogram()->after();
        window->plan()->setTransform({order.front()}, TransformKind::Wush);
        QTest::qWait(500); // longer than the pause before rows are measured
        QCOMPARE(window->workspace()->messages()->count(), 0);
        QCOMPARE(window->workspace()->table()->visibleKeys(), order); // no row sinks
        QCOMPARE(window->workspace()->histogram()->after(), shown);   // no curve vanishes
        QVERIFY(!window->workspace()->histogram()->isEmpty());
    }

    void theMeasuredValueFollowsTheEdit() {
        auto window = makeWindow("request");
        QVERIFY(openAnalysis(*window));
        const SiteKey key{1, Site::Down};
        window->workspace()->sites()->setSource({MeasuredKind::Live});
        window->workspace()->select({key});
        window->plan()->editSchemes({key}, SchemeEdit{5, 5, {}});
        QVERIFY(!tableValue(*window, key, SiteTableModel::SqnrMeasuredColumn).isValid());
        // The fake worker answers 2 dB per weight bit plus the transform's number.
        const double expected = 2.0 * 5 + static_cast<double>(window->plan()->state().fallback());
        QVERIFY(QTest::qWaitFor(
            [&] {
                return tableValue(*window, key, SiteTableModel::SqnrMeasuredColumn).toDouble() == expected;
            },
            kWaitMs));
    }

    void aRunGoesFromStartToFinished() {
        auto window = makeWindow("ok");
        QVERIFY(openAnalysis(*window));
        RunSpec spec = window->proposedRun();
        spec.outDir = m_dir.filePath(QStringLiteral("run-finished")).toStdString();
        QVERIFY(QDir().mkpath(QString::fromStdString(spec.outDir)));
        std::vector<double> progress;
        connect(window->jobs(), &JobQueue::jobChanged, window.get(), [&](int id) {
            const JobRecord* record = window->jobs()->find(id);
            if (record && record->total > 0) progress.push_back(record->done / record->total);
        });
        QVERIFY(window->startRun(spec));
        const QString id = QString::fromStdString(spec.outDir);
        QVERIFY(window->runList()->find(id));
        QVERIFY(QTest::qWaitFor([&] { return window->runList()->find(id)->state == RunState::Finished; },
                                kWaitMs));
        QVERIFY(!progress.empty());
        QCOMPARE(progress.back(), 1.0);
        QCOMPARE(window->workspace()->messages()->count(), 1);
        QVERIFY(QTest::qWaitFor([&] { return window->session()->runs().size() == 1; }, kWaitMs));
    }

    void aCancelledRunCanBeResumed() {
        auto window = makeWindow("slow");
        QVERIFY(openAnalysis(*window));
        RunSpec spec = window->proposedRun();
        spec.outDir = m_dir.filePath(QStringLiteral("run-cancelled")).toStdString();
        QVERIFY(window->startRun(spec));
        const QString id = QString::fromStdString(spec.outDir);
        QVERIFY(QTest::qWaitFor([&] { return window->runList()->find(id)->progress > 0; }, kWaitMs));
        const int job = window->jobs()->records().back()->id;
        window->jobs()->cancel(job);
        QVERIFY(QTest::qWaitFor([&] { return window->runList()->find(id)->state == RunState::Cancelled; },
                                kWaitMs));
        QVERIFY(window->runList()->find(id)->resumable);
        // Cancelled is not an error.
        QCOMPARE(window->workspace()->messages()->count(), 0);
    }

    void aCrashIsOneMessageAndTheWindowLivesOn() {
        auto window = makeWindow("segv");
        window->workspace()->messages()->dismissAll();
        QVERIFY(openAnalysis(*window));
        QSignalSpy ended(window->jobs(), &JobQueue::jobEnded);
        RunSpec spec = window->proposedRun();
        spec.outDir = m_dir.filePath(QStringLiteral("run-crashed")).toStdString();
        QVERIFY(window->startRun(spec));
        QVERIFY(ended.wait(kWaitMs));
        QTest::qWait(200);
        QCOMPARE(ended.count(), 1);
        QVERIFY2(shownMessage(*window).contains(QStringLiteral("SIGSEGV")),
                 qPrintable(shownMessage(*window)));
        window->workspace()->select({{1, Site::O}});
        QVERIFY(QTest::qWaitFor([&] { return !window->workspace()->histogram()->isEmpty(); }, kWaitMs));
    }

    void aBrokenModelGivesTheReadersMessageAndKeepsWhatIsOpen() {
        const QString path = m_dir.filePath(QStringLiteral("broken.gguf"));
        QFile file(path);
        QVERIFY(file.open(QIODevice::WriteOnly) && file.write("GGUF\x03", 5) == 5);
        file.close();
        const auto expected = io::ModelReader::open(path.toStdString());
        QVERIFY(!expected);
        auto window = makeWindow("ok");
        QVERIFY(openAnalysis(*window));
        QSignalSpy failed(window->session(), &SessionController::openFailed);
        window->openPath(path);
        QVERIFY(failed.wait(kWaitMs));
        const QString text = QString::fromStdString(expected.error().text());
        QVERIFY2(shownMessage(*window).contains(text), qPrintable(shownMessage(*window)));
        QCOMPARE(window->workspace()->sites()->rowCount(), 8);
    }

    void anEarlierRunOpensWithItsRows() {
        auto window = makeWindow("ok");
        QSignalSpy opened(window->session(), &SessionController::opened);
        window->openPath(m_run);
        QVERIFY(opened.wait(kWaitMs));
        const RunInfo* info = window->runList()->find(m_run);
        QVERIFY(info);
        QCOMPARE(info->state, RunState::Finished);
        const RunResult& run = *window->session()->runs().front().result;
        QVERIFY(window->plan()->state().plan == run.spec.plan);
        QVERIFY(window->workspace()->sites()->rowCount() >= 8);
        const RunSiteResult& row = run.perLayer.front();
        QCOMPARE(tableValue(*window, row.key, SiteTableModel::SqnrMeasuredColumn).toDouble(), row.sqnrDb);
    }

    void anAnalysisFillsTheTableWhileItRuns() {
        auto window = makeWindow("ok");
        QVERIFY(openAnalysis(*window));
        AnalyzeSpec spec = window->proposedAnalysis();
        spec.outDir = m_dir.filePath(QStringLiteral("analysis-live")).toStdString();
        QVERIFY(QDir().mkpath(QString::fromStdString(spec.outDir)));
        QSignalSpy rows(window->session(), &SessionController::siteAdded);
        QVERIFY(window->startAnalysis(spec));
        QVERIFY(window->session()->analysisIsLive());
        QVERIFY(QTest::qWaitFor(
            [&] {
                return !window->session()->analysisIsLive() && window->session()->analysis() &&
                       window->session()->analysis()->spec.outDir == spec.outDir;
            },
            kWaitMs));
        QCOMPARE(rows.count(), 8);
        QCOMPARE(window->session()->analysisDir(), spec.outDir);
        QVERIFY(QTest::qWaitFor([&] { return !window->workspace()->histogram()->isEmpty(); }, kWaitMs));
    }

    void aSessionSurvivesARestart() {
        const QString path = m_dir.filePath(QStringLiteral("kept.bdqsession"));
        PlanState state;
        {
            auto window = makeWindow("request");
            QVERIFY(openAnalysis(*window));
            window->plan()->setMethod(Method::QuaRot);
            window->plan()->setWeights({4, true, 0}, {{{0, Site::O}, {8, true, 0}}}, 4.25);
            state = window->plan()->state();
            QSignalSpy saved(window->session(), &SessionController::saved);
            window->session()->save(path);
            QVERIFY(saved.wait(kWaitMs));
            QVERIFY(!window->session()->modified());
        }
        auto window = makeWindow("request");
        QSignalSpy opened(window->session(), &SessionController::opened);
        window->openPath(path);
        QVERIFY(opened.wait(kWaitMs));
        QVERIFY(window->plan()->state() == state);
        QCOMPARE(state.method, Method::QuaRot);
        QCOMPARE(state.plan.at({0, Site::O}).weight.bits, 8);
        QCOMPARE(window->session()->analysisDir(), m_analysis.toStdString());
        QVERIFY(!window->plan()->history()->canUndo());
    }

    void layoutAndOptionsAreRemembered() {
        QSize size;
        {
            auto window = makeWindow("ok");
            window->show();
            QVERIFY(openAnalysis(*window));
            window->resize(790, 640);
            size = window->size();
            window->workspace()->tabs()->setCurrentIndex(Workspace::ChannelsTab);
            window->close();
        }
        auto window = makeWindow("ok");
        // A window never comes back larger than its screen, which is small here.
        QCOMPARE(window->size(), size.boundedTo(window->screen()->availableSize()));
        QCOMPARE(window->workspace()->tabs()->currentIndex(), static_cast<int>(Workspace::ChannelsTab));
        QCOMPARE(m_settings->recent().front().path, m_analysis);
    }

private:
    std::unique_ptr<MainWindow> makeWindow(const char* mode) {
        return std::make_unique<MainWindow>(*m_settings, test::fakeWorker(mode));
    }
    bool openAnalysis(MainWindow& window) {
        QSignalSpy opened(window.session(), &SessionController::opened);
        window.openPath(m_analysis);
        const bool done = opened.wait(kWaitMs);
        // The model of the made-up analysis does not exist; that is said once and not what these tests are
        // about.
        window.workspace()->messages()->dismissAll();
        return done;
    }

    QTemporaryDir m_dir;
    QString m_analysis;
    QString m_run;
    std::unique_ptr<QSettings> m_store;
    std::unique_ptr<Settings> m_settings;
};

QTEST_MAIN(MainWindowTest)
#include "tst_main_window.moc"
