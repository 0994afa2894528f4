// What can be refused before the engine is asked: nothing is written and no time is spent.
#pragma once

#include <string>

#include "engine/api/job_spec.h"

namespace bdq::cli {

/// Folder of the job's own, with its event log and its cancel file. Empty when it has none, as a sensitivity:
/// what it adds to belongs to the analysis.
std::string outDirOf(const JobSpec& spec);

/// Checks the options and that the texts a job names can be read: the evaluation text is needed only after
/// the long part. Errors: InvalidSpec, NotFound, Io, MissingCalibration for an empty text.
Status preflight(const JobSpec& spec);

} // namespace bdq::cli
