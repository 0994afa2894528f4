#include "engine/cli/job_command.h"

#include "engine/cli/progress.h"

namespace bdq::cli {

Status JobCommand::check() {
    BDQ_TRY(const JobSpec job, spec());
    return validate(job);
}

Result<int> JobCommand::execute(Console& console, EngineServices* engine) {
    BDQ_TRY(const JobSpec job, spec());
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
