#include "engine/cli/job_command.h"

#include "engine/cli/job_options.h"
#include "engine/cli/progress.h"

namespace bdq::cli {
namespace {

/// Results name what they were made from, and are opened from other folders than they were made in.
void makeInputsAbsolute(JobSpec& job) {
    if (auto* analyze = std::get_if<AnalyzeSpec>(&job)) {
        makeAbsolute(analyze->modelPath);
        makeAbsolute(analyze->calibration.source);
    } else if (auto* run = std::get_if<RunSpec>(&job)) {
        makeAbsolute(run->modelPath);
        makeAbsolute(run->calibration.source);
        if (run->evaluation) makeAbsolute(run->evaluation->textPath);
    } else if (auto* sensitivity = std::get_if<SensitivitySpec>(&job)) {
        makeAbsolute(sensitivity->modelPath);
        makeAbsolute(sensitivity->text.source);
    }
}

} // namespace

Status JobCommand::check() {
    BDQ_TRY(const JobSpec job, spec());
    return validate(job);
}

Result<int> JobCommand::execute(Console& console, EngineServices* engine) {
    BDQ_TRY(JobSpec job, spec());
    makeInputsAbsolute(job);
    Result<JobResult> result;
    {
        ProgressDisplay progress(ProgressDisplay::styleOfStderr());
        result = engine->runJob(job, [&progress](const JobEvent& event) { progress.take(event); });
    }
    if (!result) {
        Error error = std::move(result).error();
        if (error.code == ErrorCode::Cancelled && !cancelAdvice().empty())
            error.message += "; " + cancelAdvice();
        return tl::unexpected<Error>(std::move(error));
    }
    BDQ_CHECK(console.print(printed(*result)));
    return 0;
}

} // namespace bdq::cli
