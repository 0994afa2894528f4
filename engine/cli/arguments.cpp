#include "engine/cli/arguments.h"

#include <algorithm>
#include <charconv>

#include <CLI/CLI.hpp>

#include "engine/api/version.h"
#include "engine/cli/command.h"
#include "engine/cli/text.h"

namespace bdq::cli {
namespace {

constexpr std::size_t kHelpColumn = 34;
constexpr std::size_t kHelpWidth = 110;

template <class Number> Result<Number> readNumber(const std::string& text) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
        return fail(ErrorCode::InvalidSpec, "not a number");
    return value;
}

std::string firstName(const std::string& names) {
    return names.substr(0, names.find(','));
}

tl::unexpected<Error> refuse(const std::string& names, const std::string& found,
                             const std::string& expected) {
    return fail(ErrorCode::InvalidSpec, firstName(names) + ": found \"" + found + "\", expected " + expected);
}

std::string oneLine(std::string text) {
    std::replace(text.begin(), text.end(), '\n', ' ');
    while (!text.empty() && text.back() == ' ')
        text.pop_back();
    return text;
}

std::string commandNames(const std::vector<Command*>& commands) {
    std::string names;
    for (const Command* command : commands)
        names += (names.empty() ? "" : ", ") + command->name();
    return names;
}

/// CLI11 reports an unknown subcommand as a missing one; this names it.
Status checkCommandName(int argc, const char* const* argv, const std::vector<Command*>& commands) {
    if (argc < 2)
        return fail(ErrorCode::InvalidSpec,
                    "no command, expected one of " + commandNames(commands) + " (see bdq --help)");
    const std::string word = argv[1];
    if (word.empty() || word.front() == '-') return {};
    for (const Command* command : commands)
        if (command->name() == word) return {};
    return fail(ErrorCode::InvalidSpec, "unknown command \"" + word + "\", expected one of " +
                                            commandNames(commands) + " (see bdq --help)");
}

/// One subcommand of the parser and the options bound to it.
struct Entry {
    Command* command;
    CLI::App* app;
    std::unique_ptr<Arguments> arguments;
};

std::vector<Entry> declareAll(CLI::App& app, const std::vector<Command*>& commands) {
    std::vector<Entry> entries;
    for (Command* command : commands) {
        CLI::App* sub = app.add_subcommand(command->name(), command->summary());
        sub->get_formatter()->column_width(kHelpColumn);
        auto arguments = std::make_unique<Arguments>(*sub);
        command->declare(*arguments);
        entries.push_back({command, sub, std::move(arguments)});
    }
    return entries;
}

Result<ParsedLine> parsedCommand(const std::vector<Entry>& entries) {
    for (const Entry& entry : entries) {
        if (!entry.app->parsed()) continue;
        const std::string context = "bdq " + entry.command->name();
        if (Status taken = entry.arguments->take(); !taken) return passOn(std::move(taken).error(), context);
        if (Status checked = entry.command->check(); !checked)
            return passOn(std::move(checked).error(), context);
        return ParsedLine{entry.command, {}};
    }
    return fail(ErrorCode::InvalidSpec, "no command (see bdq --help)");
}

/// The subcommand that the user was typing when an error was found, for the hint.
std::string helpHint(const std::vector<Entry>& entries) {
    for (const Entry& entry : entries)
        if (entry.app->parsed()) return "bdq " + entry.command->name() + " --help";
    return "bdq --help";
}

} // namespace

struct Arguments::Slot {
    std::string text;
    CLI::Option* option = nullptr;
    Taker taker;
};

Arguments::Arguments(CLI::App& app) : m_app(app) {}
Arguments::~Arguments() = default;

void Arguments::word(const std::string& name, const std::string& help, std::string& value) {
    m_app.add_option(name, value, help)->required()->option_text(" ");
}

void Arguments::words(const std::string& name, const std::string& help, std::vector<std::string>& values) {
    m_app.add_option(name, values, help)->required()->option_text(" ");
}

void Arguments::flag(const OptionText& text, bool& value) {
    m_app.add_flag(text.names, value, text.help);
}

void Arguments::option(const OptionText& text, std::string& value, bool required) {
    option(
        text,
        [&value](const std::string& found) -> Status {
            value = found;
            return {};
        },
        required);
}

void Arguments::option(const OptionText& text, Taker taker, bool required) {
    m_slots.push_back(std::make_unique<Slot>());
    Slot& slot = *m_slots.back();
    slot.taker = std::move(taker);
    slot.option = m_app.add_option(text.names, slot.text, text.help);
    slot.option->required(required)->option_text(text.placeholder + (required ? " (required)" : ""));
}

void Arguments::repeated(const OptionText& text, std::vector<std::string>& values) {
    m_app.add_option(text.names, values, text.help)->allow_extra_args(false)->option_text(text.placeholder);
}

void Arguments::number(const OptionText& text, int& value, int minimum, int maximum) {
    option(text, [&value, minimum, maximum, names = text.names](const std::string& found) -> Status {
        const Result<int> number = readNumber<int>(found);
        if (!number || *number < minimum || *number > maximum)
            return refuse(names, found,
                          "a whole number from " + std::to_string(minimum) + " to " +
                              std::to_string(maximum));
        value = *number;
        return {};
    });
}

void Arguments::number(const OptionText& text, std::uint64_t& value) {
    option(text, [&value, names = text.names](const std::string& found) -> Status {
        const Result<std::uint64_t> number = readNumber<std::uint64_t>(found);
        if (!number) return refuse(names, found, "a whole number from 0 to 18446744073709551615");
        value = *number;
        return {};
    });
}

void Arguments::footer(const std::string& text) {
    m_app.footer(text);
}

Status Arguments::take() const {
    for (const auto& slot : m_slots)
        if (slot->option->count() > 0) BDQ_CHECK(slot->taker(slot->text));
    return {};
}

Result<ParsedLine> parseCommandLine(int argc, const char* const* argv,
                                    const std::vector<Command*>& commands) {
    BDQ_CHECK(checkCommandName(argc, argv, commands));
    CLI::App app(
        "BDQ Studio on the command line: see which layers of a language model suffer from few bits, quantize "
        "it, and report what it cost.",
        "bdq");
    app.set_version_flag("--version", "bdq " + std::string(version()));
    app.require_subcommand(1);
    app.footer(
        "bdq COMMAND --help explains the options of a command.\n"
        "Exit codes: 0 done, 1 failed, 2 usage, 3 bad input, 4 unsupported, 5 out of memory, 130 cancelled.");
    const std::vector<Entry> entries = declareAll(app, commands);
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForVersion& call) {
        return ParsedLine{nullptr, std::string(call.what()) + "\n"};
    } catch (const CLI::CallForHelp&) {
        return ParsedLine{nullptr, app.help()};
    } catch (const CLI::ParseError& error) {
        return fail(ErrorCode::InvalidSpec, oneLine(error.what()) + " (see " + helpHint(entries) + ")");
    }
    return parsedCommand(entries);
}

std::vector<std::string> splitList(const std::string& text) {
    std::vector<std::string> parts(1);
    for (const char c : text) {
        if (c == ',')
            parts.emplace_back();
        else
            parts.back() += c;
    }
    return parts;
}

} // namespace bdq::cli
