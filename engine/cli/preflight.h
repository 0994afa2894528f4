// What can be refused before the engine is asked: nothing is written and no time is spent.
#pragma once

#include <string>

#include "engine/api/job_spec.h"

namespace bdq::cli {

/// Folder of the job's own, with its event log and its cancel file; of a sensitivity a folder in that of the
/// analysis. Empty when it has none.
std::string outDirOf(const JobSpec& spec);

/// Checks the options and that the texts a job names can be read: the evaluation text is needed only after
/// the long part. Errors: InvalidSpec, NotFound, Io, MissingCalibration for an empty text.
Status preflight(const JobSpec& spec);

} // namespace bdq::cli
