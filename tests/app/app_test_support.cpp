#include "tests/app/app_test_support.h"

#include <QDir>
#include <QSignalSpy>
#include <QTest>

#include "app/job_client.h"
#include "app/main_window.h"
#include "app/output_folders.h"
#include "tests/e2e/tiny_model.h"

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

QString makeModel(const QString& folder, int layers) {
    e2e::TinyModelOptions options;
    options.layers = layers;
    options.withTokenizer = false;
    e2e::writeTinyModel(folder.toStdString(), options);
    return folder;
}

void startFresh(Settings& settings, const QString& folder) {
    settings.setResultsFolder(folder + QStringLiteral("/results"));
    QDir(autosaveFolder()).removeRecursively();
}

bool openAndSearch(MainWindow& window, const QString& path) {
    QSignalSpy ended(window.session(), &SessionController::searchEnded);
    QSignalSpy opened(window.session(), &SessionController::opened);
    window.openPath(path);
    return QTest::qWaitFor([&] { return !opened.isEmpty() && !ended.isEmpty(); }, 15000) &&
           !window.session()->searching();
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
