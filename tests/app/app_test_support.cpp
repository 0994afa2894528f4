#include "tests/app/app_test_support.h"

#include <QSignalSpy>

#include "app/job_client.h"

namespace bdq::test {

QString fakeWorker(const char* mode) {
    qputenv("FAKE_WORKER_MODE", mode);
    return QStringLiteral(BDQ_FAKE_WORKER);
}

AnalyzeSpec analyzeSpec(const QString& outDir) {
    AnalyzeSpec spec;
    spec.modelPath = "model.gguf";
    spec.outDir = outDir.toStdString();
    spec.calibration = {"self", 2, 64};
    return spec;
}

RunSpec runSpec(const QString& outDir) {
    RunSpec spec;
    spec.modelPath = "model.gguf";
    spec.outDir = outDir.toStdString();
    spec.plan.base = parseScheme("W4A4").value();
    spec.calibration = {"self", 2, 64};
    return spec;
}

InspectSpec inspectSpec() {
    return {"model.gguf", "analysis", {}};
}

bool produce(const JobSpec& spec) {
    JobClient client(fakeWorker("ok"));
    bool finished = false;
    QObject::connect(&client, &JobClient::ended, [&](const JobOutcome& outcome) {
        finished = std::holds_alternative<FinishedEvent>(outcome);
    });
    QSignalSpy ended(&client, &JobClient::ended);
    return client.start(spec).has_value() && ended.wait(10000) && finished;
}

} // namespace bdq::test
