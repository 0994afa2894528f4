// bdq worker: the process that the window starts; JSON lines on stdin and stdout (design/style.md 6).
#include "engine/cli/command.h"

namespace bdq::cli {
namespace {

class WorkerCommand : public Command {
public:
    WorkerCommand() : Command("worker", "run one job for another program: JSON lines on stdin and stdout") {}

    [[nodiscard]] bool needsEngine() const override { return true; }
    void declare(Arguments&) override {}
    Result<int> execute(Console&, EngineServices* engine) override { return engine->work(); }
};

} // namespace

std::unique_ptr<Command> makeWorkerCommand() {
    return std::make_unique<WorkerCommand>();
}

} // namespace bdq::cli
