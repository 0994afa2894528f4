// A subcommand of `bdq`. Both programs know all of them: `bdq` reads the command line, executes what needs no
// libtorch and hands the rest to `bdq-engine`, which reads the same line again.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/api/result.h"
#include "engine/cli/arguments.h"
#include "engine/cli/console.h"
#include "engine/cli/engine_services.h"

namespace bdq::cli {

class Command {
public:
    Command(std::string name, std::string summary) : m_name(std::move(name)), m_summary(std::move(summary)) {}
    Command(const Command&) = delete;
    Command& operator=(const Command&) = delete;
    virtual ~Command() = default;

    [[nodiscard]] const std::string& name() const { return m_name; }
    [[nodiscard]] const std::string& summary() const { return m_summary; }
    /// True when --json was given: stdout gets exactly one JSON object, also on failure.
    [[nodiscard]] bool json() const { return m_json; }
    /// True when execute() wants EngineServices, i.e. libtorch.
    [[nodiscard]] virtual bool needsEngine() const { return false; }

    virtual void declare(Arguments& arguments) = 0;
    /// Checks options against one another, before any work.
    virtual Status check() { return {}; }
    /// Returns the exit code, or the error to print. `engine` is null exactly when needsEngine() is false.
    virtual Result<int> execute(Console& console, EngineServices* engine) = 0;

protected:
    void declareJson(Arguments& arguments);

private:
    std::string m_name;
    std::string m_summary;
    bool m_json = false;
};

std::unique_ptr<Command> makeDevicesCommand();
std::unique_ptr<Command> makeInfoCommand();
std::unique_ptr<Command> makeAnalyzeCommand();
std::unique_ptr<Command> makeSensitivityCommand();
std::unique_ptr<Command> makePlanCommand();
std::unique_ptr<Command> makeFindingsCommand();
std::unique_ptr<Command> makeRunCommand();
std::unique_ptr<Command> makeEvalCommand();
std::unique_ptr<Command> makeCompareCommand();
std::unique_ptr<Command> makeReportCommand();
std::unique_ptr<Command> makeBenchCommand();
std::unique_ptr<Command> makeWorkerCommand();

/// All of them, in the order of the help text.
std::vector<std::unique_ptr<Command>> makeCommands();

} // namespace bdq::cli
