// bdq bench MODEL: speed of the engine's parts on this machine. bdq bench quality MODEL: methods x schemes in
// one table, resumable row by row.
#include <charconv>
#include <optional>

#include <nlohmann/json.hpp>

#include "engine/api/spec_limits.h"
#include "engine/cli/command.h"
#include "engine/cli/job_options.h"
#include "engine/cli/progress.h"
#include "engine/cli/text.h"

namespace bdq::cli {
namespace {

constexpr const char* kQuality = "quality";
constexpr std::int64_t kMaxTrainTokens = 1 << 24; // hidden states of all of them are in memory

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

tl::unexpected<Error> refuse(const std::string& name, const std::string& found, const std::string& expected) {
    return fail(ErrorCode::InvalidSpec, name + ": found \"" + found + "\", expected " + expected);
}

/// "bdq:best", or "quarot" with its first preset.
Result<QualityMethod> readMethod(const std::string& text) {
    const std::size_t colon = text.find(':');
    const std::optional<Method> method = methodFromName(text.substr(0, colon));
    if (!method) return refuse("--methods", text, "NAME or NAME:PRESET with a method of " + methodNames());
    if (colon == std::string::npos) return QualityMethod{*method, presetsOf(*method).front().preset};
    const std::optional<Preset> preset = presetFromName(text.substr(colon + 1));
    if (!preset || !findPreset(*method, *preset))
        return refuse("--methods", text, "a preset of " + presetNames(*method));
    return QualityMethod{*method, *preset};
}

Result<Scheme> readScheme(const std::string& text) {
    Result<Scheme> scheme = parseScheme(text);
    if (!scheme) return passOn(std::move(scheme).error(), "--schemes");
    return scheme;
}

Result<std::uint64_t> readSeed(const std::string& text) {
    std::uint64_t seed = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
    if (error != std::errc() || end != text.data() + text.size())
        return refuse("--seeds", text, "whole numbers from 0, separated by commas");
    return seed;
}

/// Takes "a,b,c" by reading every part.
template <class Value>
Arguments::Taker listTaker(std::vector<Value>& values, Result<Value> (*read)(const std::string&)) {
    return [&values, read](const std::string& text) -> Status {
        values.clear();
        for (const std::string& part : splitList(text)) {
            BDQ_TRY(Value value, read(part));
            values.push_back(std::move(value));
        }
        return {};
    };
}

constexpr const char* kFooter =
    R"(bdq bench MODEL measures speed: eval (forward pass against a large matmul), kernels (statistics, transforms,
quantizers), train (steps of block 0's training; with --losses also its losses in fp64, which CPU and GPU share), e2e
(steps over the whole model; only when named). --calibration gives the training a text, else a fixed sequence of
tokens serves. bdq bench quality MODEL --out DIR --methods LIST --schemes LIST --eval FILE makes a run of every
method, scheme and seed in DIR/runs, evaluates it, and writes DIR/quality.json and DIR/quality.md after every row.
The same command continues what was interrupted and tries failed rows again; more methods, schemes and seeds may be
added to a folder. --epochs, --rate and --batch change the presets that train, --e2e-steps and --loss those that
train the whole model; the others stay as they are. Exit code 1: some rows failed, the others are there.
)";

class BenchCommand : public Command {
public:
    BenchCommand()
        : Command("bench",
                  "measure the speed of the engine's parts, or the quality of methods side by side") {}

    [[nodiscard]] bool needsEngine() const override { return true; }

    void declare(Arguments& arguments) override {
        arguments.words(
            "MODEL",
            "GGUF file, safetensors file or Hugging Face folder; with the word quality before it, "
            "methods are compared instead of speed measured",
            m_words);
        declareSpeed(arguments);
        declareTable(arguments);
        declareCalibration(arguments, m_quality.calibration, "every preset's own");
        declareTraining(arguments, m_quality.training);
        declareEvaluation(arguments);
        declareSeed(arguments, m_seed,
                    "quality: the seed where --seeds is not given; speed: of the training");
        declareDevice(arguments, m_speed.device);
        declareJson(arguments);
        arguments.footer(kFooter);
    }

    Status check() override {
        const bool twoWords = m_words.size() == 2 && m_words.front() == kQuality;
        if (!twoWords && m_words.size() != 1)
            return refuse("MODEL", m_words[1], "one model, or the word quality and one model");
        m_comparing = twoWords;
        m_speed.modelPath = m_words.back();
        return m_comparing ? checkQuality() : checkSpeed();
    }

    Result<int> execute(Console& console, EngineServices* engine) override {
        return m_comparing ? compareQuality(console, *engine) : measureSpeed(console, *engine);
    }

private:
    void declareSpeed(Arguments& arguments) {
        std::string parts;
        for (const std::string_view part : kBenchParts)
            parts += (parts.empty() ? "" : ", ") + std::string(part);
        arguments.option({"--parts", "LIST", "speed: of " + parts + " (default all but e2e)"},
                         [this](const std::string& text) -> Status {
                             m_speed.parts = splitList(text);
                             return {};
                         });
        arguments.option({"--train-tokens", "SxL",
                          "speed: sequences x tokens that are trained on (default 8x512); --methods and "
                          "--schemes say what, one each (default bdq:balanced, W4A4KV4)"},
                         [this](const std::string& text) { return readTrainTokens(text); });
        arguments.number({"--losses", "N",
                          "speed: also N losses of block 0's training in fp64, to compare devices by "
                          "(default none)"},
                         m_speed.training.losses, 0, kMaxSteps);
    }

    Status readTrainTokens(const std::string& text) {
        const std::size_t cross = text.find('x');
        const auto number = [](std::string_view part, int least, int most) -> std::optional<int> {
            int value = 0;
            const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
            const bool whole = error == std::errc() && end == part.data() + part.size();
            return whole && value >= least && value <= most ? std::optional(value) : std::nullopt;
        };
        const std::string_view view = text;
        if (cross != std::string::npos) {
            const auto sequences = number(view.substr(0, cross), 1, kMaxSequences);
            const auto length = number(view.substr(cross + 1), kMinSequenceLength, kMaxSequenceLength);
            if (sequences && length && std::int64_t{*sequences} * *length <= kMaxTrainTokens) {
                m_speed.training.sequences = *sequences;
                m_speed.training.sequenceLength = *length;
                return {};
            }
        }
        return refuse("--train-tokens", text,
                      "sequences x tokens, e.g. 8x512, at most " + std::to_string(kMaxTrainTokens) +
                          " together");
    }

    void declareTable(Arguments& arguments) {
        arguments.option({"--out", "DIR", "quality: folder of the table and its runs"}, m_quality.outDir);
        arguments.option({"--methods", "LIST", "methods with or without preset, e.g. rtn,quarot,bdq:best"},
                         listTaker<QualityMethod>(m_quality.methods, readMethod));
        arguments.option({"--schemes", "LIST", "bits, e.g. W4A4KV4,W2A4KV16"},
                         listTaker<Scheme>(m_quality.schemes, readScheme));
        arguments.option({"--seeds", "LIST", "quality: seeds, a row each (default: --seed)"},
                         listTaker<std::uint64_t>(m_seeds, readSeed));
    }

    void declareEvaluation(Arguments& arguments) {
        EvaluationOptions& evaluation = m_quality.evaluation;
        arguments.option({"--eval", "FILE", "quality: text for perplexity, divergence and agreement"},
                         evaluation.textPath);
        arguments.number({"--eval-seq-len", "N", "quality: tokens a perplexity window (default 2048)"},
                         evaluation.sequenceLength, kMinSequenceLength, kMaxSequenceLength);
        arguments.number(
            {"--max-windows", "N", "quality: perplexity windows; 0 = all of the text (default 0)"},
            evaluation.maxWindows, 0, kMaxWindows);
        arguments.repeated({"--task", "FILE", "quality: multiple-choice items; may be repeated"},
                           m_quality.tasks);
        arguments.number({"--limit", "N", "quality: items of each task; 0 = all of them (default 0)"},
                         m_quality.taskLimit, 0, kMaxTaskItems);
    }

    Status checkQuality() {
        if (!m_speed.parts.empty())
            return fail(ErrorCode::InvalidSpec, "--parts: measures speed, expected bdq bench MODEL");
        if (m_quality.outDir.empty()) return fail(ErrorCode::InvalidSpec, "no folder, expected --out DIR");
        if (m_quality.methods.empty())
            return fail(ErrorCode::InvalidSpec, "no method, expected --methods LIST");
        if (m_quality.schemes.empty())
            return fail(ErrorCode::InvalidSpec, "no bits, expected --schemes LIST");
        if (m_quality.evaluation.textPath.empty() && m_quality.tasks.empty())
            return fail(ErrorCode::InvalidSpec, "nothing to measure, expected --eval FILE or --task FILE");
        m_quality.modelPath = m_speed.modelPath;
        for (std::string* input :
             {&m_quality.modelPath, &m_quality.calibration.source, &m_quality.evaluation.textPath})
            makeAbsolute(*input);
        m_quality.evaluation.bos = m_quality.calibration.bos;
        m_quality.device = m_speed.device;
        m_quality.seeds = m_seeds.empty() ? std::vector{m_seed} : m_seeds;
        return {};
    }

    Status checkSpeed() {
        const EvaluationOptions& evaluation = m_quality.evaluation;
        const bool quality = !m_quality.outDir.empty() || !m_seeds.empty() || !evaluation.textPath.empty() ||
                             !m_quality.tasks.empty() || m_quality.taskLimit != 0 ||
                             evaluation.maxWindows != 0 || m_quality.calibration.sequences != 0 ||
                             m_quality.methods.size() > 1 || m_quality.schemes.size() > 1;
        if (quality)
            return fail(
                ErrorCode::InvalidSpec,
                "found options about quality, expected bdq bench quality MODEL (see bdq bench --help)");
        TrainingBenchOptions& training = m_speed.training;
        if (!m_quality.methods.empty()) {
            training.method = m_quality.methods.front().method;
            training.preset = m_quality.methods.front().preset;
        }
        if (!m_quality.schemes.empty()) training.scheme = m_quality.schemes.front();
        if (m_quality.calibration.source != QualitySpec{}.calibration.source)
            training.textPath = m_quality.calibration.source;
        training.training = m_quality.training;
        training.seed = m_seed;
        return {};
    }

    Result<int> measureSpeed(Console& console, EngineServices& engine) {
        Result<std::string> measured;
        {
            ProgressDisplay progress(ProgressDisplay::styleOfStderr());
            measured = engine.bench(m_speed, [&progress](const JobEvent& event) { progress.take(event); });
        }
        if (!measured) return tl::unexpected<Error>(std::move(measured).error());
        BDQ_CHECK(console.print(json() ? endLine(*measured) : asText(*measured)));
        return 0;
    }

    Result<int> compareQuality(Console& console, EngineServices& engine) {
        Result<QualityReport> table;
        {
            ProgressDisplay progress(ProgressDisplay::styleOfStderr());
            table =
                engine.benchQuality(m_quality, [&progress](const JobEvent& event) { progress.take(event); });
        }
        if (!table) {
            Error error = std::move(table).error();
            if (error.code == ErrorCode::Cancelled) error.message += "; the same command continues it";
            return tl::unexpected<Error>(std::move(error));
        }
        BDQ_CHECK(console.print(endLine(json() ? table->json : table->markdown)));
        return table->failedRows == 0 ? 0 : 1;
    }

    static std::string asText(const std::string& measured) {
        const auto object = nlohmann::ordered_json::parse(measured, nullptr, false);
        TextTable table({"measure", "value"});
        addRows(table, "", object);
        return table.render("");
    }

    std::vector<std::string> m_words; ///< MODEL, or "quality" and MODEL
    bool m_comparing = false;
    BenchSpec m_speed;
    QualitySpec m_quality;
    std::vector<std::uint64_t> m_seeds;
    std::uint64_t m_seed = 0;
};

} // namespace

std::unique_ptr<Command> makeBenchCommand() {
    return std::make_unique<BenchCommand>();
}

} // namespace bdq::cli
