// What the tests of app/ share: the fake worker and small job descriptions.
#pragma once

#include <QString>

#include "engine/api/job_spec.h"

namespace bdq {
class MainWindow;
class Settings;
} // namespace bdq

namespace bdq::test {

/// Path of the fake worker. `mode` becomes FAKE_WORKER_MODE of processes started from now on.
QString fakeWorker(const char* mode);

AnalyzeSpec analyzeSpec(const QString& outDir);
RunSpec runSpec(const QString& outDir);
InspectSpec inspectSpec();
/// A small Hugging Face folder that the window opens; models of different `layers` are different models. The
/// fake worker's results are about two layers. Returns its path.
QString makeModel(const QString& folder, int layers = 2);
/// Settings whose results folder is in `folder`, and no edits of earlier tests.
void startFresh(Settings& settings, const QString& folder);
/// Waits until the model is open and its results are listed.
bool openAndSearch(MainWindow& window, const QString& path);
/// Runs an analysis or a run of the fake worker to its end, so that outDir holds its files.
bool produce(const JobSpec& spec);

} // namespace bdq::test
