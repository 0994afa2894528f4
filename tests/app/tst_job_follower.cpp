// A job that goes on without the window that started it, and a window that follows it.
#include <QDir>
#include <QFile>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include <csignal>

#include "app/job_client.h"
#include "app/job_follower.h"
#include "tests/app/app_test_support.h"

using namespace bdq;

namespace {
constexpr int kWaitMs = 15000;
}

class JobFollowerTest : public QObject {
    Q_OBJECT
private slots:
    void aDetachedJobIsFollowedAndCancelled() {
        const QString folder = m_dir.filePath("cancelled");
        const ProcessMark worker = detached(folder);
        QVERIFY(worker.alive());
        JobFollower follower(folder, worker);
        follower.setPauseMs(20);
        Seen seen(follower);
        follower.start();
        QVERIFY(QTest::qWaitFor([&] { return seen.progress > 3; }, kWaitMs)); // earlier ones and new ones
        QVERIFY(!seen.outcome);
        follower.cancel();
        QVERIFY(QTest::qWaitFor([&] { return seen.outcome.has_value(); }, kWaitMs));
        QVERIFY(std::holds_alternative<CancelledEvent>(*seen.outcome));
        QVERIFY(!worker.alive());
        QVERIFY(!QFile::exists(folder + "/cancel"));
    }

    void aFollowedJobThatDiesIsSaid() {
        const QString folder = m_dir.filePath("killed");
        const ProcessMark worker = detached(folder);
        JobFollower follower(folder, worker);
        follower.setPauseMs(20);
        Seen seen(follower);
        follower.start();
        QVERIFY(QTest::qWaitFor([&] { return seen.progress > 0; }, kWaitMs));
        ::kill(static_cast<pid_t>(worker.id), SIGKILL);
        QVERIFY(QTest::qWaitFor([&] { return seen.outcome.has_value(); }, kWaitMs));
        const auto* failed = std::get_if<FailedEvent>(&*seen.outcome);
        QVERIFY(failed && failed->error.code == ErrorCode::WorkerCrashed);
    }

    void anEndBeforeThatIsRead() {
        const QString folder = m_dir.filePath("over");
        QVERIFY(test::produce(test::runSpec(folder)));
        JobFollower follower(folder, ProcessMark{1 << 22, "1"});
        Seen seen(follower);
        follower.start();
        QVERIFY(QTest::qWaitFor([&] { return seen.outcome.has_value(); }, kWaitMs));
        QVERIFY(std::holds_alternative<FinishedEvent>(*seen.outcome));
        QVERIFY(seen.rows > 0);
    }

    void anEarlierAttemptIsNotTheEnd() {
        const QString folder = m_dir.filePath("resumed");
        QVERIFY(QDir().mkpath(folder));
        QFile log(folder + "/events.jsonl");
        QVERIFY(log.open(QIODevice::WriteOnly));
        const auto write = [&log](const JobEvent& event) {
            log.write(QByteArray::fromStdString(encodeEvent(event, 0)) + '\n');
        };
        write(HelloEvent{});
        write(CancelledEvent{});
        log.write("{\"half a li\n");
        write(HelloEvent{});
        write(ProgressEvent{1, 2, "layers", 1});
        log.close();
        JobFollower follower(folder, ProcessMark{1 << 22, "1"});
        Seen seen(follower);
        follower.start();
        QVERIFY(QTest::qWaitFor([&] { return seen.outcome.has_value(); }, kWaitMs));
        QVERIFY(std::holds_alternative<FailedEvent>(*seen.outcome)); // gone without a word
        QCOMPARE(seen.progress, 1);
    }

    void aNumberThatWasGivenToAnotherProcessIsNotAlive() {
        ProcessMark mark = ProcessMark::of(QCoreApplication::applicationPid());
        QVERIFY(mark.alive() && !mark.startedTicks.empty());
        mark.startedTicks = "1";
        QVERIFY(!mark.alive());
        QVERIFY(!ProcessMark{}.alive());
    }

private:
    struct Seen {
        explicit Seen(JobChannel& channel) {
            QObject::connect(&channel, &JobChannel::eventReceived, [this](const JobEvent& event) {
                progress += std::holds_alternative<ProgressEvent>(event) ? 1 : 0;
                rows += std::holds_alternative<RowEvent>(event) ? 1 : 0;
            });
            QObject::connect(&channel, &JobChannel::ended,
                             [this](const JobOutcome& ended) { outcome = ended; });
        }
        int progress = 0;
        int rows = 0;
        std::optional<JobOutcome> outcome;
    };

    /// A slow job whose window is gone.
    ProcessMark detached(const QString& folder) {
        auto client = std::make_unique<JobClient>(test::fakeWorker("slow"));
        Seen seen(*client);
        if (!client->start(test::runSpec(folder))) return {};
        const ProcessMark worker = ProcessMark::of(client->processId());
        if (!QTest::qWaitFor([&] { return seen.progress > 1; }, kWaitMs)) return {};
        client->detach();
        client.reset(); // kills what it still has
        QTest::qWait(200);
        return worker;
    }

    QTemporaryDir m_dir;
};

QTEST_GUILESS_MAIN(JobFollowerTest)
#include "tst_job_follower.moc"
