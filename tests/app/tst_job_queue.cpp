// Order of jobs, one per device, and what is known about them.
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <QThreadPool>

#include "app/job_queue.h"
#include "engine/api/results.h"
#include "tests/app/app_test_support.h"

using namespace bdq;

namespace {
constexpr int kWaitMs = 15000;
}

class JobQueueTest : public QObject {
    Q_OBJECT
private slots:
    void theSecondJobOfADeviceWaits() {
        JobQueue queue(test::fakeWorker("slow"));
        RunSpec cpu = test::runSpec(m_dir.filePath("a"));
        cpu.device.device = "cpu";
        RunSpec gpu = test::runSpec(m_dir.filePath("b"));
        gpu.device.device = "cuda:0";
        RunSpec any = test::runSpec(m_dir.filePath("c"));
        const int first = queue.enqueue(cpu, "first").value();
        const int second = queue.enqueue(cpu, "second").value();
        const int other = queue.enqueue(gpu, "other").value();
        const int wild = queue.enqueue(any, "auto").value();
        QCOMPARE(queue.find(first)->state, JobState::Running);
        QCOMPARE(queue.find(second)->state, JobState::Queued);
        QCOMPARE(queue.find(other)->state, JobState::Running);
        QCOMPARE(queue.find(wild)->state, JobState::Queued);
        const int report =
            queue.enqueue(ReportSpec{"run", ReportFormat::Html, "report.html"}, "report").value();
        QCOMPARE(queue.find(report)->state, JobState::Running);
        queue.cancel(first);
        QVERIFY(QTest::qWaitFor([&] { return queue.find(second)->state == JobState::Running; }, kWaitMs));
        QCOMPARE(queue.find(first)->state, JobState::Cancelled);
        queue.cancelAll();
        QVERIFY(QTest::qWaitFor([&] { return !queue.anyActive(); }, kWaitMs));
        QCOMPARE(queue.find(wild)->state, JobState::Cancelled);
    }

    void aSensitivityTakesItsDeviceAndAddsOnlyItsFile() {
        const QString folder = m_dir.filePath("analysis");
        QVERIFY(test::produce(test::analyzeSpec(folder)));
        QFile::remove(folder + "/worker.log");
        SensitivitySpec spec;
        spec.analysisDir = folder.toStdString();
        spec.device.device = "cpu";
        JobQueue queue(test::fakeWorker("failed")); // it logs something
        QSignalSpy ended(&queue, &JobQueue::jobEnded);
        const int first = queue.enqueue(spec, "first").value();
        const int second = queue.enqueue(spec, "second").value();
        QCOMPARE(queue.find(first)->state, JobState::Running);
        QCOMPARE(queue.find(second)->state, JobState::Queued);
        QCOMPARE(queue.find(first)->folder(), folder + "/sensitivity");
        QVERIFY(ended.wait(kWaitMs));
        qputenv("FAKE_WORKER_MODE", "ok");
        QVERIFY(QTest::qWaitFor([&] { return queue.find(second)->over(); }, kWaitMs));
        QVERIFY(!queue.log(first).isEmpty());
        const int third = queue.enqueue(spec, "third").value();
        QVERIFY(QTest::qWaitFor([&] { return queue.find(third)->over(); }, kWaitMs));
        QCOMPARE(queue.find(third)->state, JobState::Finished);
        QCOMPARE(queue.find(third)->done, queue.find(third)->total);
        QThreadPool::globalInstance()->waitForDone();
        QVERIFY(QFile::exists(folder + "/sensitivity.json"));
        QVERIFY(!QFile::exists(folder + "/worker.log"));
    }

    void aRunStopsWhenItsLayerIsOnDisk() {
        JobQueue queue(test::fakeWorker("slow"));
        const int run = queue.enqueue(test::runSpec(m_dir.filePath("layers")), "run").value();
        const int next = queue.enqueue(test::runSpec(m_dir.filePath("next")), "next").value();
        QVERIFY(QTest::qWaitFor([&] { return queue.find(run)->layer >= 0; }, kWaitMs));
        QCOMPARE(queue.find(run)->checkpointLayer, -1);
        queue.hold();
        queue.stopAfterLayer(run);
        QCOMPARE(queue.find(run)->state, JobState::Running); // not yet
        QVERIFY(QTest::qWaitFor([&] { return queue.find(run)->over(); }, kWaitMs));
        QCOMPARE(queue.find(run)->state, JobState::Cancelled);
        QCOMPARE(queue.find(run)->checkpointLayer, 0);
        QTest::qWait(50);
        QCOMPARE(queue.find(next)->state, JobState::Queued);
    }

    void whatHasNoLayersStopsAtOnce() {
        JobQueue queue(test::fakeWorker("slow"));
        const int id = queue.enqueue(test::analyzeSpec(m_dir.filePath("whole")), "analysis").value();
        QVERIFY(QTest::qWaitFor([&] { return queue.find(id)->done > 0; }, kWaitMs));
        queue.stopAfterLayer(id);
        QVERIFY(QTest::qWaitFor([&] { return queue.find(id)->over(); }, kWaitMs));
        QCOMPARE(queue.find(id)->state, JobState::Cancelled);
    }

    void progressAndResultAreKept() {
        JobQueue queue(test::fakeWorker("ok"));
        QSignalSpy ended(&queue, &JobQueue::jobEnded);
        const int id = queue.enqueue(test::runSpec(m_dir.filePath("run")), "run").value();
        QVERIFY(ended.wait(kWaitMs));
        const JobRecord* record = queue.find(id);
        QCOMPARE(record->state, JobState::Finished);
        QCOMPARE(record->device, QStringLiteral("cpu"));
        QCOMPARE(record->done, record->total);
        QCOMPARE(record->checkpointLayer, 1);
        QVERIFY(decodeRunStatus(*record) == "finished");
        QVERIFY(record->seconds > 0);
        queue.remove(id);
        QVERIFY(!queue.find(id));
    }

    void aFailureKeepsErrorAndLog() {
        JobQueue queue(test::fakeWorker("failed"));
        QSignalSpy ended(&queue, &JobQueue::jobEnded);
        const int id = queue.enqueue(test::runSpec(m_dir.filePath("failed")), "run").value();
        QVERIFY(ended.wait(kWaitMs));
        QCOMPARE(queue.find(id)->state, JobState::Failed);
        QCOMPARE(queue.find(id)->error.code, ErrorCode::DeviceOom);
        QVERIFY(queue.log(id).contains(QStringLiteral("about to fail")));
    }

    void aWrongDescriptionIsRefused() {
        JobQueue queue(test::fakeWorker("ok"));
        RunSpec spec = test::runSpec(m_dir.filePath("wrong"));
        spec.modelPath.clear();
        QVERIFY(!queue.enqueue(spec, "wrong"));
        QVERIFY(queue.records().empty());
    }

private:
    static std::string decodeRunStatus(const JobRecord& record);
    QTemporaryDir m_dir;
};

std::string JobQueueTest::decodeRunStatus(const JobRecord& record) {
    const auto run = decodeRun(record.summaryJson.toStdString(), "summary");
    return run ? run->status : run.error().text();
}

QTEST_GUILESS_MAIN(JobQueueTest)
#include "tst_job_queue.moc"
