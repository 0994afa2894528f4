#include "engine/api/fault_signals.h"

#include <csignal>
#include <cstring>

#include <signal.h>
#include <unistd.h>

namespace bdq {
namespace {

constexpr int kBadInput = 3;
const char* programName = "bdq";

/// Only what a signal handler may call.
void say(const char* text) {
    if (::write(STDERR_FILENO, text, std::strlen(text)) < 0) return;
}

extern "C" void onLostMapping(int) {
    say(programName);
    say(": error: a file that was being read became shorter or could not be read any more (SIGBUS)\n");
    ::_exit(kBadInput);
}

} // namespace

void handleFaultSignals(const char* program) {
    programName = program;
    std::signal(SIGXFSZ, SIG_IGN);
    std::signal(SIGPIPE, SIG_IGN);
    struct sigaction wanted {};
    wanted.sa_handler = onLostMapping;
    ::sigaction(SIGBUS, &wanted, nullptr);
}

} // namespace bdq
