// What the tests of app/ share: the fake worker and small job descriptions.
#pragma once

#include <QString>

#include "engine/api/job_spec.h"

namespace bdq::test {

/// Path of the fake worker. `mode` becomes FAKE_WORKER_MODE of processes started from now on.
QString fakeWorker(const char* mode);

AnalyzeSpec analyzeSpec(const QString& outDir);
RunSpec runSpec(const QString& outDir);
InspectSpec inspectSpec();
/// Runs an analysis or a run of the fake worker to its end, so that outDir holds its files.
bool produce(const JobSpec& spec);

} // namespace bdq::test
