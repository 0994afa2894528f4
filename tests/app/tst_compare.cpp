// Comparing runs through the window: from the list, from a message, from a folder.
#include <QAbstractButton>
#include <QAction>
#include <QDir>
#include <QFileDialog>
#include <QSignalSpy>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>

#include <cmath>

#include "app/file_loader.h"
#include "app/main_window.h"
#include "app/workspace.h"
#include "engine/api/atomic_file.h"
#include "tests/app/app_test_support.h"
#include "widgets/models/run_list_model.h"
#include "widgets/panels/message_bar.h"

using namespace bdq;

namespace {
constexpr int kWaitMs = 15000;
constexpr double kGainDb = 2.5; ///< of the second run at every site

/// A finished run folder whose sites are all `gain` dB better than the fake worker's.
Status makeRunFolder(const QString& dir, double gain) {
    if (!QDir().mkpath(dir) || !test::produce(test::runSpec(dir)))
        return fail(ErrorCode::Io, "the fake worker did not finish");
    BDQ_TRY(const LoadedRun run, loadRun(dir.toStdString()));
    RunResult changed = *run.result;
    for (RunSiteResult& row : changed.perLayer)
        row.sqnrDb += gain;
    return writeFileAtomically(dir.toStdString() + "/run.json", encodeRun(changed));
}

QAction* menuAction(const MainWindow& window, const QString& text) {
    for (QAction* action : window.findChildren<QAction*>())
        if (action->text().remove(QLatin1Char('&')) == text) return action;
    return nullptr;
}

double differenceDb(const MainWindow& window, SiteKey key) {
    const RunCompareModel* model = window.comparePanel()->model();
    return model->index(model->rowOf(key), RunCompareModel::DifferenceColumn)
        .data(RunCompareModel::SortRole)
        .toDouble();
}

bool bothShown(const MainWindow& window) {
    return window.comparePanel()->model()->run(0) && window.comparePanel()->model()->run(1);
}
} // namespace

class CompareTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() {
        QStandardPaths::setTestModeEnabled(true);
        // Apart: runs beside one that is opened are listed with it.
        m_first = m_dir.filePath(QStringLiteral("a/first"));
        m_second = m_dir.filePath(QStringLiteral("b/second"));
        QVERIFY(makeRunFolder(m_first, 0));
        QVERIFY(makeRunFolder(m_second, kGainDb));
    }

    void init() {
        m_store = std::make_unique<QSettings>(m_dir.filePath(QStringLiteral("s.ini")), QSettings::IniFormat);
        m_store->clear();
        m_settings = std::make_unique<Settings>(*m_store);
        m_window = std::make_unique<MainWindow>(*m_settings, test::fakeWorker("ok"));
        m_window->show();
    }

    void theMenuComparesTheRunsOfTheList() {
        QVERIFY(open(m_first));
        m_window->session()->adoptRun(m_second.toStdString());
        QVERIFY(QTest::qWaitFor([&] { return m_window->runList()->find(m_second) != nullptr; }, kWaitMs));
        menuAction(*m_window, QStringLiteral("Compare Runs"))->trigger();
        QVERIFY(QTest::qWaitFor([&] { return bothShown(*m_window); }, kWaitMs));
        QCOMPARE(m_window->comparePanel()->chosen(0), m_first);
        QCOMPARE(m_window->comparePanel()->chosen(1), m_second);
        QVERIFY(m_window->comparePanel()->isVisible());
        QVERIFY(std::abs(differenceDb(*m_window, {1, Site::Down}) - kGainDb) < 1e-9);
        menuAction(*m_window, QStringLiteral("Swap Runs"))->trigger();
        QVERIFY(std::abs(differenceDb(*m_window, {1, Site::Down}) + kGainDb) < 1e-9);
    }

    void aFinishedRunOffersTheComparison() {
        QVERIFY(open(m_first));
        m_window->workspace()->messages()->dismissAll();
        const QString dir = m_dir.filePath(QStringLiteral("new"));
        RunSpec spec = m_window->proposedRun();
        spec.outDir = dir.toStdString();
        QVERIFY(QDir().mkpath(dir) && m_window->startRun(spec));
        QAbstractButton* offer = nullptr;
        QVERIFY(QTest::qWaitFor([&] { return (offer = messageButton("Compare with")) != nullptr; }, kWaitMs));
        offer->click();
        QVERIFY(QTest::qWaitFor([&] { return bothShown(*m_window); }, kWaitMs));
        QCOMPARE(m_window->comparePanel()->chosen(0), m_first);
        QCOMPARE(m_window->comparePanel()->chosen(1), dir);
        QVERIFY(m_window->comparePanel()->isVisible());
    }

    void aFolderOfElsewhereJoins() {
        QVERIFY(open(m_second));
        menuAction(*m_window, QStringLiteral("Compare Runs"))->trigger();
        QCOMPARE(m_window->comparePanel()->chosen(1), m_second);
        menuAction(*m_window, QStringLiteral("Compare with Run Folder…"))->trigger();
        auto* dialog = m_window->findChild<QFileDialog*>();
        QVERIFY(dialog);
        emit dialog->fileSelected(m_first);
        dialog->close();
        QVERIFY(QTest::qWaitFor([&] { return bothShown(*m_window); }, kWaitMs));
        QCOMPARE(m_window->comparePanel()->chosen(0), m_first);
        QVERIFY(std::abs(differenceDb(*m_window, {0, Site::O}) - kGainDb) < 1e-9);
    }

    void aFolderWithoutARunIsAMessage() {
        QVERIFY(open(m_second));
        m_window->workspace()->messages()->dismissAll();
        menuAction(*m_window, QStringLiteral("Compare with Run Folder…"))->trigger();
        auto* dialog = m_window->findChild<QFileDialog*>();
        emit dialog->fileSelected(m_dir.path());
        dialog->close();
        QVERIFY(QTest::qWaitFor([&] { return m_window->workspace()->messages()->count() == 1; }, kWaitMs));
        QCOMPARE(m_window->comparePanel()->chosen(0), QString());
    }

private:
    bool open(const QString& dir) {
        QSignalSpy opened(m_window->session(), &SessionController::opened);
        m_window->openPath(dir);
        return opened.wait(kWaitMs) && m_window->runList()->find(dir);
    }
    QAbstractButton* messageButton(const QString& start) const {
        for (QAbstractButton* button : m_window->workspace()->messages()->findChildren<QAbstractButton*>())
            if (button->isVisible() && button->text().startsWith(start)) return button;
        return nullptr;
    }

    QTemporaryDir m_dir;
    QString m_first;
    QString m_second;
    std::unique_ptr<QSettings> m_store;
    std::unique_ptr<Settings> m_settings;
    std::unique_ptr<MainWindow> m_window;
};

QTEST_MAIN(CompareTest)
#include "tst_compare.moc"
