// The options of one subcommand, bound to variables. CLI11 stays inside arguments.cpp: it costs seconds a
// unit.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/api/result.h"

namespace CLI {
class App;
}

namespace bdq::cli {

class Command;

/// How an option appears in the help text.
struct OptionText {
    std::string names;       ///< "--out" or "--samples,--sequences": all names, the usual one first
    std::string placeholder; ///< "DIR"
    std::string help;
};

/// Declares options. Values are converted after all words are read; a value that cannot be read gives
/// InvalidSpec naming the option, what was found and what was expected.
class Arguments {
public:
    using Taker = std::function<Status(const std::string& value)>;
    struct Slot;

    explicit Arguments(CLI::App& app);
    Arguments(const Arguments&) = delete;
    Arguments& operator=(const Arguments&) = delete;
    ~Arguments();

    /// One word without a dash; required.
    void word(const std::string& name, const std::string& help, std::string& value);
    /// One or more words without a dash.
    void words(const std::string& name, const std::string& help, std::vector<std::string>& values);
    void flag(const OptionText& text, bool& value);
    void option(const OptionText& text, std::string& value, bool required = false);
    void option(const OptionText& text, Taker taker, bool required = false);
    /// An option that may be given several times, one value each.
    void repeated(const OptionText& text, std::vector<std::string>& values);
    /// A whole number in minimum..maximum.
    void number(const OptionText& text, int& value, int minimum, int maximum);
    void number(const OptionText& text, std::uint64_t& value);
    /// Text below the options.
    void footer(const std::string& text);

    /// Converts the values of the options that were given.
    Status take() const;

private:
    CLI::App& m_app;
    std::vector<std::unique_ptr<Slot>> m_slots;
};

/// What the words on the command line ask for.
struct ParsedLine {
    Command* command = nullptr; ///< null = only print `text`
    std::string text;           ///< help or version
};

/// Reads the command line. Errors: InvalidSpec (usage), one line.
Result<ParsedLine> parseCommandLine(int argc, const char* const* argv, const std::vector<Command*>& commands);

/// "a,b,c" -> {"a", "b", "c"}; empty parts stay.
std::vector<std::string> splitList(const std::string& text);

} // namespace bdq::cli
