// What `bdq` and `bdq-engine` have in common: reading the command line, executing, reporting.
#pragma once

#include <functional>

#include "engine/cli/engine_services.h"

namespace bdq::cli {

/// Hands the whole command line to the other program. Returns the reason when that is impossible, else never.
using HandOver = std::function<Error(char* const* argv)>;

/// Executes the command line and returns the exit code. Results go to `outFd`. Commands that need libtorch
/// get `engine`; when it is null they are handed over.
int runProgram(int argc, char* const* argv, int outFd, EngineServices* engine, const HandOver& handOver);

} // namespace bdq::cli
