// What analyze, run, eval and sensitivity share: they build one JobSpec, run it with progress on stderr, and
// print its result.
#pragma once

#include "engine/cli/command.h"

namespace bdq::cli {

class JobCommand : public Command {
public:
    using Command::Command;
    [[nodiscard]] bool needsEngine() const final { return true; }
    Status check() final;
    Result<int> execute(Console& console, EngineServices* engine) final;

protected:
    /// The job that the options describe. Reads small option files (plans), nothing else.
    virtual Result<JobSpec> spec() = 0;
    /// What stdout gets when the job is done.
    virtual std::string printed(const JobResult& result) = 0;
    /// What to do after a cancel, in words; empty = nothing.
    virtual std::string cancelAdvice() { return {}; }
};

} // namespace bdq::cli
