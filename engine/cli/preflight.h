// What can be refused before the engine is asked: nothing is written and no time is spent.
#pragma once

#include <string>

#include "engine/api/job_spec.h"

namespace bdq::cli {

/// Folder that a job writes into, empty when it writes none.
std::string outDirOf(const JobSpec& spec);

/// Checks the options and that the texts a job names can be read: the evaluation text is needed only after
/// the long part. Errors: InvalidSpec, NotFound, Io, MissingCalibration for an empty text.
Status preflight(const JobSpec& spec);

} // namespace bdq::cli
