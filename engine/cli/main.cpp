// bdq: the command line. Starts in milliseconds because it is not linked with libtorch; what needs it is
// executed by bdq-engine beside it, in the same process, so that pipes, signals and exit codes are those of
// the caller.
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <unistd.h>

#include "engine/api/fault_signals.h"
#include "engine/cli/program.h"

namespace {

bdq::Error becomeEngine(char* const* argv) {
    std::error_code error;
    const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
    const std::filesystem::path engine = self.parent_path() / "bdq-engine";
    // OpenMP threads that wait for one another spin for milliseconds by default. On a machine that does
    // something else too, that made an analysis five times slower (README, Measured); a user's own setting
    // wins.
    ::setenv("GOMP_SPINCOUNT", "2000", 0);
    if (!error) ::execv(engine.c_str(), argv);
    return {bdq::ErrorCode::Internal,
            engine.string() + ": cannot be started: " + (error ? error.message() : std::strerror(errno)) +
                "; expected beside bdq",
            {}};
}

} // namespace

int main(int argc, char* argv[]) {
    bdq::handleFaultSignals("bdq");
    return bdq::cli::runProgram(argc, argv, STDOUT_FILENO, nullptr, becomeEngine);
}
