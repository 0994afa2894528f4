// Closing the window while jobs run or wait, at any moment: nothing is lost.
#include <QDir>
#include <QMessageBox>
#include <QPushButton>
#include <QSignalSpy>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>

#include <csignal>

#include "app/main_window.h"
#include "app/workspace.h"
#include "tests/app/app_test_support.h"
#include "widgets/models/run_list_model.h"
#include "widgets/panels/message_bar.h"

using namespace bdq;

namespace {

constexpr int kWaitMs = 15000;
constexpr int kMoments = 20;
constexpr int kMomentMs = 40;

QMessageBox* questionOf(const MainWindow& window) {
    return window.findChild<QMessageBox*>(QStringLiteral("closeQuestion"));
}

void answer(const MainWindow& window, QMessageBox::ButtonRole role) {
    QMessageBox* box = questionOf(window);
    QVERIFY(box);
    for (QAbstractButton* button : box->buttons())
        if (box->buttonRole(button) == role) return button->click();
    QFAIL("the question has no such button");
}

} // namespace

class MainWindowClosingTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { QStandardPaths::setTestModeEnabled(true); }

    void init() {
        m_dir = std::make_unique<QTemporaryDir>();
        m_store = std::make_unique<QSettings>(m_dir->filePath(QStringLiteral("s.ini")), QSettings::IniFormat);
        m_settings = std::make_unique<Settings>(*m_store);
        test::startFresh(*m_settings, m_dir->path());
        m_model = test::makeModel(m_dir->filePath(QStringLiteral("model")));
    }

    void stayingIsTheDefault() {
        auto window = makeWindow("slow");
        window->show();
        QVERIFY(test::openAndSearch(*window, m_model));
        const QString running = startRun(*window);
        const QString waiting = startRun(*window);
        window->close();
        window->close();
        QVERIFY(window->isVisible());
        QCOMPARE(window->findChildren<QMessageBox*>().size(), 1);
        QVERIFY(questionOf(*window)->informativeText().contains(QStringLiteral("One more job")));
        QVERIFY(qobject_cast<QPushButton*>(questionOf(*window)->escapeButton())->isDefault());
        answer(*window, QMessageBox::RejectRole);
        QVERIFY(window->isVisible());
        QCOMPARE(window->runList()->find(running)->state, RunState::Running);
        QCOMPARE(window->runList()->find(waiting)->state, RunState::Queued);
    }

    void aRunGoesOnInTheBackgroundAndIsFoundRunning() {
        QString id;
        {
            auto window = makeWindow("slow");
            window->show();
            QVERIFY(test::openAndSearch(*window, m_model));
            id = startRun(*window);
            QVERIFY(QTest::qWaitFor([&] { return window->runList()->find(id)->progress > 0; }, kWaitMs));
            window->close();
            answer(*window, QMessageBox::AcceptRole);
            QVERIFY(!window->isVisible());
        }
        auto window = makeWindow("slow");
        QVERIFY(test::openAndSearch(*window, m_model));
        QCOMPARE(window->runList()->find(id)->state, RunState::Running);
        QCOMPARE(window->runList()->find(id)->title, QStringLiteral("#1"));
        QVERIFY(window->runList()->find(id)->detached);
        const double before = window->runList()->find(id)->progress;
        QVERIFY(
            QTest::qWaitFor([&] { return window->runList()->find(id)->progress > before + 0.01; }, kWaitMs));
        window->show();
        window->close(); // no question: it goes on anyway
        QVERIFY(!window->isVisible());
        window = makeWindow("slow");
        QVERIFY(test::openAndSearch(*window, m_model));
        window->jobs()->cancelAll();
        QVERIFY(QTest::qWaitFor([&] { return window->runList()->find(id)->state == RunState::Cancelled; },
                                kWaitMs));
        QVERIFY(window->runList()->find(id)->resumable);
    }

    void aRunStopsAfterItsLayerAndTheQueueStays() {
        QString running;
        QString waiting;
        {
            auto window = makeWindow("slow");
            window->show();
            QVERIFY(test::openAndSearch(*window, m_model));
            running = startRun(*window);
            waiting = startRun(*window);
            QVERIFY(QTest::qWaitFor([&] { return window->runList()->find(running)->progress > 0; }, kWaitMs));
            window->close();
            answer(*window, QMessageBox::DestructiveRole);
            QVERIFY(window->isVisible()); // until the layer is on disk
            QVERIFY(QTest::qWaitFor([&] { return !window->isVisible(); }, kWaitMs));
        }
        auto window = makeWindow("ok");
        QVERIFY(test::openAndSearch(*window, m_model));
        QCOMPARE(window->runList()->find(running)->state, RunState::Cancelled);
        QVERIFY(window->runList()->find(running)->resumable);
        QCOMPARE(window->runList()->find(waiting)->state, RunState::Queued);
        QVERIFY(window->runList()->find(waiting)->held);
        QVERIFY(window->jobs()->records().empty()); // it does not start by itself
        for (auto* button : window->workspace()->messages()->findChildren<QAbstractButton*>())
            if (button->text() == QStringLiteral("Start it")) button->click();
        QVERIFY(QTest::qWaitFor([&] { return window->runList()->find(waiting)->state == RunState::Finished; },
                                kWaitMs));
        QCOMPARE(window->runList()->find(waiting)->title, QStringLiteral("#2"));
    }

    void closingAgainDoesNotWaitForTheLayer() {
        auto window = makeWindow("hang"); // never says that a layer is done
        window->show();
        QVERIFY(test::openAndSearch(*window, m_model));
        const QString id = startRun(*window);
        QVERIFY(QTest::qWaitFor([&] { return !window->runList()->find(id)->device.isEmpty(); }, kWaitMs));
        window->close();
        answer(*window, QMessageBox::DestructiveRole);
        QVERIFY(QTest::qWaitFor([&] { return !window->isVisible(); }, kWaitMs));
        QVERIFY(!window->jobs()->anyActive());
    }

    void aWindowThatDiesLeavesEverythingInTheList() {
        QString id;
        {
            auto window = makeWindow("slow");
            QVERIFY(test::openAndSearch(*window, m_model));
            id = startRun(*window);
            QVERIFY(QTest::qWaitFor([&] { return window->runList()->find(id)->progress > 0; }, kWaitMs));
        } // without closing: its worker dies with it
        auto window = makeWindow("ok");
        QVERIFY(test::openAndSearch(*window, m_model));
        QCOMPARE(window->runList()->find(id)->state, RunState::Cancelled);
        QVERIFY(window->runList()->find(id)->resumable);
    }

    void closedAtAnyMomentThePlanAndTheRunsAreThereAgain() {
        PlanState plan = SessionController::firstPlan();
        QStringList ids;
        for (int moment = 0; moment < kMoments; ++moment) {
            auto window = makeWindow("slow");
            window->show();
            QVERIFY(test::openAndSearch(*window, m_model));
            QVERIFY2(window->plan()->state() == plan, qPrintable(QString::number(moment)));
            QCOMPARE(window->runList()->rowCount(), ids.size());
            for (const QString& id : ids) {
                QVERIFY(window->runList()->find(id));
                QCOMPARE(window->runList()->find(id)->title, QStringLiteral("#%1").arg(ids.indexOf(id) + 1));
            }
            window->jobs()->cancelAll(); // what the window before left running
            QVERIFY(QTest::qWaitFor([&] { return !window->jobs()->anyActive(); }, kWaitMs));
            if (moment % 2 == 0) ids << startRun(*window);
            window->plan()->editSchemes({{moment % 2, Site::O}}, SchemeEdit{2 + moment % 7, {}, {}});
            plan = window->plan()->state();
            QTest::qWait(moment * kMomentMs);
            window->close();
            if (questionOf(*window))
                answer(*window, moment % 4 == 0 ? QMessageBox::AcceptRole : QMessageBox::DestructiveRole);
            QVERIFY(QTest::qWaitFor([&] { return !window->isVisible(); }, kWaitMs));
        }
        QVERIFY(ids.size() == kMoments / 2);
    }

private:
    std::unique_ptr<MainWindow> makeWindow(const char* mode) {
        return std::make_unique<MainWindow>(*m_settings, test::fakeWorker(mode));
    }
    static QString startRun(MainWindow& window) {
        const RunSpec spec = window.proposedRun();
        return window.startRun(spec) ? QString::fromStdString(spec.outDir) : QString();
    }

    std::unique_ptr<QTemporaryDir> m_dir;
    std::unique_ptr<QSettings> m_store;
    std::unique_ptr<Settings> m_settings;
    QString m_model;
};

QTEST_MAIN(MainWindowClosingTest)
#include "tst_main_window_closing.moc"
