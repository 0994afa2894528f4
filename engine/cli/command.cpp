#include "engine/cli/command.h"

namespace bdq::cli {

void Command::declareJson(Arguments& arguments) {
    arguments.flag({"--json", "", "print exactly one JSON object on stdout"}, m_json);
}

std::vector<std::unique_ptr<Command>> makeCommands() {
    std::vector<std::unique_ptr<Command>> commands;
    commands.push_back(makeDevicesCommand());
    commands.push_back(makeInfoCommand());
    commands.push_back(makeAnalyzeCommand());
    commands.push_back(makeSensitivityCommand());
    commands.push_back(makePlanCommand());
    commands.push_back(makeFindingsCommand());
    commands.push_back(makeRunCommand());
    commands.push_back(makeEvalCommand());
    commands.push_back(makeCompareCommand());
    commands.push_back(makeReportCommand());
    commands.push_back(makeBenchCommand());
    commands.push_back(makeWorkerCommand());
    return commands;
}

} // namespace bdq::cli
