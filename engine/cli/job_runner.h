// The one place where jobs are started: checks, run folder, event log, thread, cancellation, exactly one
// terminal event.
#pragma once

#include <functional>
#include <optional>

#include "engine/api/job_event.h"
#include "engine/cli/engine_services.h"
#include "engine/cli/request_queue.h"

namespace bdq::cli {

/// What surrounds a job.
struct JobSurroundings {
    HelloEvent hello; ///< first line of the event log; not sent to the sink
    EventSink sink;   ///< called by one thread at a time, last with the terminal event
    /// Asked ten times a second, also after it has answered. Nothing = go on. An error stops the job between
    /// blocks: the job ends as cancelled for ErrorCode::Cancelled, as failed with it otherwise.
    std::function<std::optional<Error>()> stopReason;
    RequestQueue* requests = nullptr; ///< InspectSpec only: where its requests arrive
};

/// Runs a job to its end and returns its result or the error of its terminal event.
Result<JobResult> runJob(const JobSpec& spec, const JobSurroundings& surroundings);

} // namespace bdq::cli
