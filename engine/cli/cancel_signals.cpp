#include "engine/cli/cancel_signals.h"

#include <csignal>
#include <initializer_list>

#include <signal.h>
#include <unistd.h>

namespace bdq::cli {
namespace {

constexpr int kCancelledExitCode = 130;
volatile std::sig_atomic_t signalled = 0;

extern "C" void onCancelSignal(int) {
    if (signalled != 0) ::_exit(kCancelledExitCode);
    signalled = 1;
}

} // namespace

void catchCancelSignals() {
    for (const int number : {SIGINT, SIGTERM}) {
        struct sigaction current {};
        ::sigaction(number, nullptr, &current);
        if (current.sa_handler == SIG_IGN) continue;
        struct sigaction wanted {};
        wanted.sa_handler = onCancelSignal;
        wanted.sa_flags = SA_RESTART;
        ::sigaction(number, &wanted, nullptr);
    }
}

bool cancelSignalled() {
    return signalled != 0;
}

} // namespace bdq::cli
