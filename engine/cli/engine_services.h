// What only the program that is linked with libtorch can do, as the subcommands see it.
#pragma once

#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "engine/api/job_event.h"
#include "engine/api/results.h"
#include "engine/api/sensitivity.h"
#include "engine/pipeline/jobs.h"
#include "engine/pipeline/quality_bench.h"

namespace bdq::cli {

/// What a job gives back in the process that ran it. ReportSpec and InspectSpec give nothing.
using JobResult = std::variant<std::monostate, AnalysisResult, RunResult, EvalResult, SensitivityResult>;
using EventSink = std::function<void(const JobEvent&)>;

class EngineServices {
public:
    virtual ~EngineServices() = default;
    virtual std::string torch() = 0;
    virtual std::vector<DeviceInfo> devices() = 0;
    /// Runs a job to its end; SIGINT and SIGTERM cancel it between blocks.
    virtual Result<JobResult> runJob(const JobSpec& spec, const EventSink& sink) = 0;
    virtual Result<std::string> bench(const BenchSpec& spec, const EventSink& sink) = 0;
    virtual Result<QualityReport> benchQuality(const QualitySpec& spec, const EventSink& sink) = 0;
    /// Speaks the worker protocol on stdin and stdout; returns the exit code.
    virtual int work() = 0;
};

} // namespace bdq::cli
