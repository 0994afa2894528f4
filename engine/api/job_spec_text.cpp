// Specs as people write them: names, layer lists, command lines.
#include <algorithm>
#include <array>
#include <charconv>

#include "engine/api/job_spec.h"
#include "engine/api/sensitivity.h"
#include "engine/api/shell_words.h"
#include "engine/api/spec_limits.h"

namespace bdq {
namespace {

struct FormatRow {
    ReportFormat format;
    std::string_view name;
};
constexpr std::array kFormats{FormatRow{ReportFormat::Html, "html"}, FormatRow{ReportFormat::Markdown, "md"},
                              FormatRow{ReportFormat::Csv, "csv"}, FormatRow{ReportFormat::Json, "json"}};

constexpr std::array kSections{
    ReportSectionInfo{ReportSection::Transforms, "transforms", "Transforms compared", false, true},
    ReportSectionInfo{ReportSection::Layers, "layers", "Across the layers", true, true},
    ReportSectionInfo{ReportSection::Worst, "worst", "Worst sites", true, true},
    ReportSectionInfo{ReportSection::Prediction, "prediction", "Predicted against measured SQNR", false,
                      true},
    ReportSectionInfo{ReportSection::Table, "table", "Every layer and site", true, true},
    ReportSectionInfo{ReportSection::Settings, "settings", "Settings", true, true},
    ReportSectionInfo{ReportSection::Sources, "sources", "Model and text", true, true},
    ReportSectionInfo{ReportSection::Definitions, "definitions", "Definitions", true, true},
    ReportSectionInfo{ReportSection::Reproduction, "reproduction", "How to reproduce", true, true}};

/// Collects "--name value" words.
class CommandText {
public:
    explicit CommandText(std::string_view command) : m_text("bdq " + std::string(command)) {}
    /// A path as positional argument; one that looks like an option is made unambiguous.
    CommandText& path(const std::string& value) {
        m_text += " " + shellQuoted(value.starts_with('-') ? "./" + value : value);
        return *this;
    }
    CommandText& option(std::string_view name, const std::string& value) {
        m_text += " --" + std::string(name) + " " + shellQuoted(value);
        return *this;
    }
    template <class T> CommandText& unlessDefault(std::string_view name, const T& value, const T& standard) {
        if (value == standard) return *this;
        if constexpr (std::is_same_v<T, std::string>)
            return option(name, value);
        else
            return option(name, std::to_string(value));
    }
    CommandText& flag(std::string_view name, bool on) {
        if (on) m_text += " --" + std::string(name);
        return *this;
    }
    CommandText& bos(BosMode mode) {
        return mode == BosMode::Auto ? *this : option("bos", std::string(bosModeName(mode)));
    }
    CommandText& layers(const std::vector<int>& list) {
        return list.empty() ? *this : option("layers", formatLayers(list));
    }
    CommandText& device(const DeviceOptions& options) {
        const DeviceOptions standard;
        return unlessDefault("device", options.device, standard.device)
            .unlessDefault("threads", options.threads, standard.threads);
    }
    [[nodiscard]] std::string text() const { return m_text; }

private:
    std::string m_text;
};

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words)
        text += (text.empty() ? "" : ",") + word;
    return text;
}

std::string joined(const std::vector<TransformKind>& kinds) {
    std::vector<std::string> names;
    for (TransformKind kind : kinds)
        names.emplace_back(transformInfo(kind).id);
    return joined(names);
}

std::string joined(const std::vector<OperandScheme>& weights) {
    std::vector<std::string> bits;
    for (const OperandScheme& weight : weights)
        bits.push_back(weightText(weight).substr(1));
    return joined(bits);
}

std::string textOf(const AnalyzeSpec& spec) {
    const AnalyzeSpec standard;
    CommandText text("analyze");
    text.path(spec.modelPath).option("out", spec.outDir);
    text.unlessDefault("calibration", spec.calibration.source, standard.calibration.source)
        .unlessDefault("sequences", spec.calibration.sequences, standard.calibration.sequences)
        .unlessDefault("seq-len", spec.calibration.sequenceLength, standard.calibration.sequenceLength)
        .bos(spec.calibration.bos)
        .layers(spec.layers)
        .unlessDefault("transforms", joined(spec.transforms), joined(standard.transforms))
        .unlessDefault("schemes", joined(spec.schemes), joined(standard.schemes));
    if (!spec.estimateLosses) text.option("estimate", "off");
    text.unlessDefault("seed", spec.seed, standard.seed);
    return text.device(spec.device).text();
}

/// The shortest text that reads back as the same number.
std::string shortest(double value) {
    std::array<char, 32> buffer{};
    const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
    return error == std::errc() ? std::string(buffer.data(), end) : std::to_string(value);
}

void addTraining(CommandText& text, const TrainingOverrides& training) {
    if (training.epochs) text.option("epochs", std::to_string(*training.epochs));
    if (training.endToEndSteps) text.option("e2e-steps", std::to_string(*training.endToEndSteps));
    if (training.loss) text.option("loss", std::string(logitLossName(*training.loss)));
    if (training.rate) text.option("rate", shortest(*training.rate));
    if (training.batch) text.option("batch", std::to_string(*training.batch));
    const auto onOff = [&](const char* name, const std::optional<bool>& value) {
        if (value) text.option(name, *value ? "on" : "off");
    };
    onOff("learn-rounding", training.learnRounding);
    onOff("quantized-inputs", training.quantizedInputs);
    onOff("autocast", training.autocast);
}

std::string textOf(const RunSpec& spec) {
    const RunSpec standard;
    CommandText text("run");
    text.path(spec.modelPath).option("out", spec.outDir).option("scheme", formatScheme(spec.plan.base));
    text.option("method", std::string(methodInfo(spec.method).id));
    // The run folder keeps the exact plan in its spec, which --plan reads.
    if (!spec.plan.overrides.empty())
        text.option("plan", spec.outDir + (spec.outDir.ends_with('/') ? "spec.json" : "/spec.json"));
    text.unlessDefault("preset", std::string(presetName(spec.preset)),
                       std::string(presetName(presetsOf(spec.method).front().preset)));
    if (spec.rounding) text.option("weights", std::string(roundingName(*spec.rounding)));
    addTraining(text, spec.training);
    text.unlessDefault("calibration", spec.calibration.source, standard.calibration.source)
        .unlessDefault("samples", spec.calibration.sequences, presetInfo(spec.method, spec.preset).sequences)
        .unlessDefault("seq-len", spec.calibration.sequenceLength, standard.calibration.sequenceLength)
        .bos(spec.calibration.bos)
        .layers(spec.layers);
    if (spec.evaluation) {
        const EvaluationOptions usual;
        text.option("eval", spec.evaluation->textPath)
            .unlessDefault("eval-seq-len", spec.evaluation->sequenceLength, usual.sequenceLength)
            .unlessDefault("max-windows", spec.evaluation->maxWindows, usual.maxWindows);
    }
    text.unlessDefault("seed", spec.seed, standard.seed).flag("resume", spec.resume);
    return text.device(spec.device).text();
}

std::string textOf(const EvalSpec& spec) {
    const EvaluationOptions standard;
    CommandText text("eval");
    text.path(spec.modelPath)
        .unlessDefault("text", spec.evaluation.textPath, std::string())
        .unlessDefault("run", spec.runDir, std::string())
        .unlessDefault("seq-len", spec.evaluation.sequenceLength, standard.sequenceLength)
        .unlessDefault("max-windows", spec.evaluation.maxWindows, standard.maxWindows)
        .bos(spec.evaluation.bos);
    for (const std::string& task : spec.tasks)
        text.option("task", task);
    text.unlessDefault("limit", spec.taskLimit, 0);
    return text.device(spec.device).text();
}

std::string textOf(const ReportSpec& spec) {
    CommandText text("report");
    std::string leftOut;
    for (const ReportSection section : spec.leaveOut)
        leftOut += (leftOut.empty() ? "" : ",") + std::string(reportSectionName(section));
    return text.path(spec.dir)
        .option("format", std::string(reportFormatName(spec.format)))
        .option("out", spec.outFile)
        .unlessDefault("leave-out", leftOut, std::string())
        .text();
}

/// The resident mode takes its spec on stdin only.
std::string textOf(const InspectSpec&) {
    return CommandText("worker").text();
}

std::string textOf(const SensitivitySpec& spec) {
    const SensitivitySpec standard;
    CommandText text("sensitivity");
    text.path(spec.analysisDir)
        .unlessDefault("model", spec.modelPath, standard.modelPath)
        .unlessDefault("bits", joined(spec.weights), joined(standard.weights))
        .unlessDefault("activation", activationText(spec.activation), activationText(standard.activation))
        .unlessDefault("transforms", joined(spec.transforms), joined(standard.transforms))
        .layers(spec.layers)
        .unlessDefault("weights", std::string(roundingName(spec.rounding)),
                       std::string(roundingName(standard.rounding)))
        .unlessDefault("text", spec.text.source, standard.text.source)
        .unlessDefault("sequences", spec.text.sequences, standard.text.sequences)
        .unlessDefault("seq-len", spec.text.sequenceLength, standard.text.sequenceLength);
    if (spec.bos) text.option("bos", std::string(bosModeName(*spec.bos)));
    return text.device(spec.device).text();
}

std::string_view nameOf(const AnalyzeSpec&) {
    return "analyze";
}
std::string_view nameOf(const RunSpec&) {
    return "run";
}
std::string_view nameOf(const EvalSpec&) {
    return "eval";
}
std::string_view nameOf(const ReportSpec&) {
    return "report";
}
std::string_view nameOf(const InspectSpec&) {
    return "inspect";
}
std::string_view nameOf(const SensitivitySpec&) {
    return "sensitivity";
}

tl::unexpected<Error> badLayers(std::string_view text, const std::string& found,
                                const std::string& expected) {
    return fail(ErrorCode::InvalidSpec, "layers \"" + std::string(text.substr(0, 80)) + "\": found " + found +
                                            ", expected " + expected);
}

/// One number of a layer list, or -1.
int layerNumber(std::string_view text) {
    int value = -1;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    const bool plain = !text.empty() && text.front() >= '0' && text.front() <= '9';
    return plain && error == std::errc() && stop == end && value <= kMaxLayer ? value : -1;
}

} // namespace

std::string_view reportFormatName(ReportFormat format) {
    for (const FormatRow& row : kFormats)
        if (row.format == format) return row.name;
    return "html";
}

std::optional<ReportFormat> reportFormatFromName(std::string_view name) {
    for (const FormatRow& row : kFormats)
        if (row.name == name) return row.format;
    return std::nullopt;
}

std::span<const ReportSectionInfo> reportSectionTable() {
    return kSections;
}

std::string_view reportSectionName(ReportSection section) {
    const auto row = std::ranges::find(kSections, section, &ReportSectionInfo::section);
    return row == kSections.end() ? "table" : row->id;
}

std::optional<ReportSection> reportSectionFromName(std::string_view id) {
    const auto row = std::ranges::find(kSections, id, &ReportSectionInfo::id);
    return row == kSections.end() ? std::nullopt : std::optional(row->section);
}

std::string_view jobName(const JobSpec& spec) {
    return std::visit([](const auto& job) { return nameOf(job); }, spec);
}

std::string commandLine(const JobSpec& spec) {
    return std::visit([](const auto& job) { return textOf(job); }, spec);
}

Result<std::vector<int>> parseLayers(std::string_view text, int layerCount) {
    const std::string expected = "numbers and ranges such as 0-3,7";
    std::vector<int> layers;
    std::string_view rest = text;
    for (bool more = true; more;) {
        const std::size_t comma = rest.find(',');
        more = comma != std::string_view::npos;
        const std::string_view part = rest.substr(0, comma);
        if (more) rest.remove_prefix(comma + 1);
        const std::size_t dash = part.find('-');
        const int first = layerNumber(part.substr(0, dash));
        const int last = dash == std::string_view::npos ? first : layerNumber(part.substr(dash + 1));
        if (first < 0 || last < first)
            return badLayers(text, "\"" + std::string(part.substr(0, 80)) + "\"", expected);
        if (layerCount > 0 && last >= layerCount)
            return badLayers(text, std::to_string(last), "layers 0 to " + std::to_string(layerCount - 1));
        if (layers.size() > std::size_t{kMaxLayer} * 2) return badLayers(text, "repeated ranges", expected);
        for (int layer = first; layer <= last; ++layer)
            layers.push_back(layer);
    }
    std::sort(layers.begin(), layers.end());
    layers.erase(std::unique(layers.begin(), layers.end()), layers.end());
    return layers;
}

std::string formatLayers(const std::vector<int>& layers) {
    std::vector<int> sorted = layers;
    std::sort(sorted.begin(), sorted.end());
    sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
    std::string text;
    for (std::size_t i = 0; i < sorted.size();) {
        std::size_t last = i;
        while (last + 1 < sorted.size() && sorted[last + 1] == sorted[last] + 1)
            ++last;
        text += (text.empty() ? "" : ",") + std::to_string(sorted[i]);
        if (last > i) text += "-" + std::to_string(sorted[last]);
        i = last + 1;
    }
    return text;
}

} // namespace bdq
