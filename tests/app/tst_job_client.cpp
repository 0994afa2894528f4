// The classification of design/style.md 6.2, one row per mode of the fake worker; cancel with its escalation.
#include <QDir>
#include <QFile>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <QThreadPool>

#include "app/job_client.h"
#include "tests/app/app_test_support.h"

using namespace bdq;

Q_DECLARE_METATYPE(bdq::ErrorCode)

namespace {

constexpr int kWaitMs = 15000;
constexpr int kSettleMs = 200;

/// Runs one job and keeps what was said.
struct Listener {
    JobClient client;
    std::vector<JobOutcome> outcomes;
    std::vector<JobEvent> events;

    explicit Listener(const QString& worker) : client(worker) {
        QObject::connect(&client, &JobClient::ended,
                         [this](const JobOutcome& outcome) { outcomes.push_back(outcome); });
        QObject::connect(&client, &JobClient::eventReceived,
                         [this](const JobEvent& event) { events.push_back(event); });
    }
    bool waitForEnd() {
        return QTest::qWaitFor([this] { return !outcomes.empty(); }, kWaitMs);
    }
    [[nodiscard]] const Error* error() const {
        const auto* failed = std::get_if<FailedEvent>(&outcomes.front());
        return failed ? &failed->error : nullptr;
    }
};

} // namespace

class JobClientTest : public QObject {
    Q_OBJECT
private slots:
    void init() { QVERIFY(m_dir.isValid()); }

    void aGoodJobReportsItsEventsInOrderAndOneEnd() {
        Listener job(test::fakeWorker("ok"));
        QVERIFY(job.client.start(test::runSpec(m_dir.filePath("good"))));
        QVERIFY(job.client.state() == JobClient::State::Running);
        QVERIFY(job.waitForEnd());
        QVERIFY(std::holds_alternative<FinishedEvent>(job.outcomes.front()));
        QVERIFY(std::holds_alternative<HelloEvent>(job.events.at(0)));
        QVERIFY(std::holds_alternative<AcceptedEvent>(job.events.at(1)));
        const auto rows = std::count_if(job.events.begin(), job.events.end(), [](const JobEvent& event) {
            return std::holds_alternative<RowEvent>(event);
        });
        QCOMPARE(rows, 8); // 2 layers x 4 sites
        QTest::qWait(kSettleMs);
        QCOMPARE(job.outcomes.size(), std::size_t(1));
        QVERIFY(job.client.state() == JobClient::State::Idle);
    }

    void aBadEndIsOneClearFailure_data() {
        QTest::addColumn<QByteArray>("mode");
        QTest::addColumn<ErrorCode>("code");
        QTest::addColumn<QString>("says");
        QTest::newRow("failed") << QByteArray("failed") << ErrorCode::DeviceOom << "layer 1, site down";
        QTest::newRow("abort") << QByteArray("abort") << ErrorCode::WorkerCrashed << "SIGABRT";
        QTest::newRow("segv") << QByteArray("segv") << ErrorCode::WorkerCrashed << "SIGSEGV";
        QTest::newRow("kill") << QByteArray("kill") << ErrorCode::WorkerCrashed
                              << "probably out of host memory";
        QTest::newRow("exit") << QByteArray("exit_without_terminal") << ErrorCode::Protocol << "exit code 0";
        QTest::newRow("half line") << QByteArray("half_line") << ErrorCode::Protocol << "cut off after";
        QTest::newRow("garbage") << QByteArray("garbage") << ErrorCode::Protocol << "this is no event";
        QTest::newRow("over-long") << QByteArray("over_long_line") << ErrorCode::Protocol << "1048576";
    }
    void aBadEndIsOneClearFailure() {
        QFETCH(QByteArray, mode);
        QFETCH(ErrorCode, code);
        QFETCH(QString, says);
        Listener job(test::fakeWorker(mode.constData()));
        QVERIFY(job.client.start(test::runSpec(m_dir.filePath("bad"))));
        QVERIFY(job.waitForEnd());
        QVERIFY(job.error());
        QCOMPARE(job.error()->code, code);
        const QString text = QString::fromStdString(job.error()->text());
        QVERIFY2(text.contains(says), qPrintable(text));
        QTest::qWait(kSettleMs);
        QCOMPARE(job.outcomes.size(), std::size_t(1));
        QVERIFY(job.client.state() == JobClient::State::Idle);
    }

    void aMissingWorkerIsNamed() {
        Listener job(QStringLiteral("/nowhere/bdq"));
        QVERIFY(job.client.start(test::runSpec(m_dir.filePath("missing"))));
        QVERIFY(job.waitForEnd());
        QVERIFY(job.error());
        QVERIFY(QString::fromStdString(job.error()->text()).contains("/nowhere/bdq"));
        QTest::qWait(kSettleMs);
        QCOMPARE(job.outcomes.size(), std::size_t(1));
    }

    void cancelEndsAsCancelled_data() {
        QTest::addColumn<QByteArray>("mode");
        QTest::newRow("obeys") << QByteArray("slow");
        QTest::newRow("needs terminate") << QByteArray("hang");
        QTest::newRow("needs kill") << QByteArray("hang_hard");
        QTest::newRow("silent") << QByteArray("silent");
    }
    void cancelEndsAsCancelled() {
        QFETCH(QByteArray, mode);
        Listener job(test::fakeWorker(mode.constData()));
        job.client.setPatience({400, 300});
        QVERIFY(job.client.start(test::runSpec(m_dir.filePath("cancel"))));
        if (mode != "silent") QVERIFY(QTest::qWaitFor([&] { return job.events.size() >= 2; }, kWaitMs));
        job.client.cancel();
        QVERIFY(job.client.state() == JobClient::State::Cancelling);
        job.client.cancel();
        QVERIFY(job.waitForEnd());
        QVERIFY(std::holds_alternative<CancelledEvent>(job.outcomes.front()));
        QTest::qWait(kSettleMs);
        QCOMPARE(job.outcomes.size(), std::size_t(1));
    }

    void aSecondStartIsRefusedWhileRunning() {
        Listener job(test::fakeWorker("slow"));
        QVERIFY(job.client.start(test::runSpec(m_dir.filePath("one"))));
        const Status second = job.client.start(test::runSpec(m_dir.filePath("two")));
        QVERIFY(!second);
        QCOMPARE(second.error().code, ErrorCode::InvalidSpec);
        job.client.cancel();
        QVERIFY(job.waitForEnd());
        // Idle again: the same client takes the next job.
        test::fakeWorker("ok");
        job.outcomes.clear();
        QVERIFY(job.client.start(test::runSpec(m_dir.filePath("two"))));
        QVERIFY(job.waitForEnd());
        QVERIFY(std::holds_alternative<FinishedEvent>(job.outcomes.front()));
    }

    void aWrongSpecStartsNothing() {
        Listener job(test::fakeWorker("ok"));
        RunSpec spec = test::runSpec(m_dir.filePath("wrong"));
        spec.calibration.sequences = 0;
        const Status started = job.client.start(spec);
        QVERIFY(!started);
        QCOMPARE(started.error().code, ErrorCode::InvalidSpec);
        QVERIFY(job.client.state() == JobClient::State::Idle);
    }

    void theLogOfAFailureIsKeptInTheOutputFolder() {
        const QString outDir = m_dir.filePath("logged");
        QVERIFY(QDir().mkpath(outDir));
        Listener job(test::fakeWorker("failed"));
        QVERIFY(job.client.start(test::runSpec(outDir)));
        QVERIFY(job.waitForEnd());
        QVERIFY(job.client.log().contains("about to fail"));
        QVERIFY(QThreadPool::globalInstance()->waitForDone(kWaitMs));
        QFile log(outDir + QStringLiteral("/worker.log"));
        QVERIFY(log.open(QIODevice::ReadOnly));
        QVERIFY(log.readAll().contains("about to fail"));
    }

    void destroyingARunningClientKillsItsWorker() {
        auto client = std::make_unique<JobClient>(test::fakeWorker("hang_hard"));
        QSignalSpy ended(client.get(), &JobClient::ended);
        QSignalSpy events(client.get(), &JobClient::eventReceived);
        QVERIFY(client->start(test::runSpec(m_dir.filePath("gone"))));
        QVERIFY(events.wait(kWaitMs));
        client.reset();
        QCOMPARE(ended.count(), 0);
    }

private:
    QTemporaryDir m_dir;
};

QTEST_GUILESS_MAIN(JobClientTest)
#include "tst_job_client.moc"
