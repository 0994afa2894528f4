#include "engine/cli/program.h"

#include <algorithm>
#include <string_view>

#include "engine/cli/command.h"
#include "engine/cli/exception_guard.h"

namespace bdq::cli {
namespace {

/// Before the command line is understood, and when it cannot be.
bool asksForJson(int argc, char* const* argv) {
    return std::any_of(argv, argv + argc,
                       [](const char* word) { return std::string_view(word) == "--json"; });
}

} // namespace

int runProgram(int argc, char* const* argv, int outFd, EngineServices* engine, const HandOver& handOver) {
    Console console(outFd);
    const std::vector<std::unique_ptr<Command>> commands = makeCommands();
    std::vector<Command*> known;
    for (const auto& command : commands)
        known.push_back(command.get());

    const Result<ParsedLine> line = guarded([&] { return parseCommandLine(argc, argv, known); });
    if (!line) return console.report(line.error(), asksForJson(argc, argv));
    if (line->command == nullptr) {
        const Status printed = console.print(line->text);
        return printed ? 0 : console.report(printed.error(), false);
    }
    Command& command = *line->command;
    if (command.needsEngine() && engine == nullptr) return console.report(handOver(argv), command.json());
    const Result<int> code = guarded([&] { return command.execute(console, engine); });
    return code ? *code : console.report(code.error(), command.json());
}

} // namespace bdq::cli
