// The worker's side of the protocol (design/style.md 6).
#pragma once

#include "engine/api/job_event.h"

namespace bdq::cli {

/// Says hello on `eventFd`, reads commands from `commandFd`, runs one job. Returns the exit code: 0 = a
/// terminal event was delivered, 2 = could not speak.
int runWorker(int commandFd, int eventFd, const HelloEvent& hello);

} // namespace bdq::cli
