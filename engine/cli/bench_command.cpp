// bdq bench MODEL: speed of the engine's parts on this machine.
#include <nlohmann/json.hpp>

#include "engine/cli/command.h"
#include "engine/cli/job_options.h"
#include "engine/cli/progress.h"
#include "engine/cli/text.h"

namespace bdq::cli {
namespace {

void addRows(TextTable& table, const std::string& name, const nlohmann::ordered_json& value) {
    if (value.is_structured()) {
        for (const auto& [key, item] : value.items())
            addRows(table, name.empty() ? key : name + "." + key, item);
    } else {
        table.add({name, value.is_number_float() ? formatShort(value.get<double>())
                         : value.is_string()     ? value.get<std::string>()
                                                 : value.dump()});
    }
}

class BenchCommand : public Command {
public:
    BenchCommand() : Command("bench", "measure the speed of the engine's parts on this machine") {}

    [[nodiscard]] bool needsEngine() const override { return true; }

    void declare(Arguments& arguments) override {
        arguments.word("MODEL", "GGUF file, safetensors file or Hugging Face folder", m_spec.modelPath);
        arguments.option({"--parts", "LIST", "comma-separated parts to measure (default all)"},
                         [this](const std::string& text) -> Status {
                             m_spec.parts = splitList(text);
                             return {};
                         });
        declareSeed(arguments, m_seed, "accepted for scripts: nothing is random here");
        declareDevice(arguments, m_spec.device);
        declareJson(arguments);
    }

    Result<int> execute(Console& console, EngineServices* engine) override {
        Result<std::string> measured;
        {
            ProgressDisplay progress(ProgressDisplay::styleOfStderr());
            measured = engine->bench(m_spec, [&progress](const JobEvent& event) { progress.take(event); });
        }
        if (!measured) return tl::unexpected<Error>(std::move(measured).error());
        BDQ_CHECK(console.print(json() ? endLine(*measured) : asText(*measured)));
        return 0;
    }

private:
    static std::string asText(const std::string& measured) {
        const auto object = nlohmann::ordered_json::parse(measured, nullptr, false);
        TextTable table({"measure", "value"});
        addRows(table, "", object);
        return table.render("");
    }

    BenchSpec m_spec;
    std::uint64_t m_seed = 0;
};

} // namespace

std::unique_ptr<Command> makeBenchCommand() {
    return std::make_unique<BenchCommand>();
}

} // namespace bdq::cli
