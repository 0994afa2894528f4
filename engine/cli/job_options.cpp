#include "engine/cli/job_options.h"

#include <cctype>
#include <charconv>
#include <filesystem>
#include <limits>
#include <optional>
#include <utility>

#include "engine/api/spec_limits.h"

namespace bdq::cli {
namespace {

/// Reads all of the text as a number in least..most.
template <class Number>
Arguments::Taker numberTaker(std::optional<Number>& value, std::string name, Number least, Number most,
                             std::string rule) {
    return [&value, name = std::move(name), least, most,
            rule = std::move(rule)](const std::string& text) -> Status {
        Number number{};
        const char* end = text.data() + text.size();
        const auto [stop, error] = std::from_chars(text.data(), end, number);
        if (error != std::errc() || stop != end || !(number >= least && number <= most))
            return fail(ErrorCode::InvalidSpec, name + ": found \"" + text + "\", expected " + rule);
        value = number;
        return {};
    };
}

void optionalCount(Arguments& arguments, const OptionText& text, std::optional<int>& value, int least,
                   int most) {
    arguments.option(text, numberTaker<int>(value, text.names, least, most,
                                            "a whole number from " + std::to_string(least) + " to " +
                                                std::to_string(most)));
}

constexpr const char* kSelf = "self"; // text that the model writes, no file

constexpr double kLeastRate = std::numeric_limits<double>::min();

std::string lossNames() {
    std::string names;
    for (const LogitLossInfo& info : logitLossTable())
        names += (names.empty() ? "" : ", ") + std::string(info.id);
    return names;
}

/// A scheme whose text begins with `letter` and that quantizes at most that operand.
Result<OperandScheme> readOperand(const std::string& text, char letter, OperandScheme Scheme::*part,
                                  const std::string& name, const std::string& expected) {
    const Result<Scheme> scheme = parseScheme(text);
    const bool begins = !text.empty() && std::tolower(static_cast<unsigned char>(text.front())) == letter;
    if (scheme && begins) {
        Scheme others = *scheme;
        others.*part = Scheme{}.*part;
        if (others == Scheme{}) return (*scheme).*part;
    }
    return fail(ErrorCode::InvalidSpec, name + ": found \"" + text + "\", expected " + expected);
}

/// "auto", "on", "off".
Result<BosMode> readBos(const std::string& text) {
    if (const std::optional<BosMode> mode = bosModeFromName(text)) return *mode;
    return fail(ErrorCode::InvalidSpec, "--bos: found \"" + text + "\", expected auto, on or off");
}

} // namespace

Result<OperandScheme> readActivation(const std::string& text) {
    return readOperand(text, 'a', &Scheme::activation, "--activation",
                       "bits of activations such as A4, A8asym or A16");
}

Result<OperandScheme> readCache(const std::string& text) {
    return readOperand(text, 'k', &Scheme::kv, "--kv", "bits of the KV cache such as KV4, KV8sym or KV16");
}

Result<TransformKind> readTransformName(const std::string& id, const std::string& name) {
    if (const std::optional<TransformKind> kind = transformFromName(id)) return *kind;
    std::string known;
    for (const TransformInfo& info : closedFormTransforms())
        known += (known.empty() ? "" : ", ") + std::string(info.id);
    return fail(ErrorCode::InvalidSpec, name + ": unknown transform \"" + id + "\", expected " + known);
}

void makeAbsolute(std::string& path) {
    std::error_code error; // the current folder may be gone
    const std::filesystem::path whole = std::filesystem::absolute(path, error);
    if (!path.empty() && path != kSelf && !error) path = whole.lexically_normal().string();
}

void declareSwitch(Arguments& arguments, const OptionText& text, std::function<void(bool)> take) {
    arguments.option(text, [take = std::move(take), name = text.names](const std::string& found) -> Status {
        if (found != "on" && found != "off")
            return fail(ErrorCode::InvalidSpec, name + ": found \"" + found + "\", expected on or off");
        take(found == "on");
        return {};
    });
}

void declareDevice(Arguments& arguments, DeviceOptions& device) {
    arguments.option(
        {"--device", "D", "auto (a CUDA GPU when there is one), cpu, cuda or cuda:N (default auto)"},
        device.device);
    arguments.number({"--threads", "N", "CPU threads; 0 = all cores we may use (default 0)"}, device.threads,
                     0, kMaxThreads);
}

void declareSeed(Arguments& arguments, std::uint64_t& seed, const std::string& what) {
    arguments.number({"--seed", "N", what + " (default 0)"}, seed);
}

void declareCalibration(Arguments& arguments, CalibrationOptions& calibration, const std::string& sequences) {
    arguments.option({"--calibration", "FILE|self",
                      "text to calibrate on; self = text that the model generates itself (default self)"},
                     calibration.source);
    arguments.number({"--sequences,--samples", "N", "calibration sequences (default " + sequences + ")"},
                     calibration.sequences, 1, kMaxSequences);
    arguments.number(
        {"--seq-len", "N",
         "tokens a calibration sequence (default " + std::to_string(calibration.sequenceLength) + ")"},
        calibration.sequenceLength, kMinSequenceLength, kMaxSequenceLength);
    declareBos(arguments, calibration.bos);
}

void declareBos(Arguments& arguments, BosMode& bos) {
    arguments.option({"--bos", "MODE",
                      "BOS token in front of texts: auto (as the tokenizer says, what transformers does), on "
                      "or off (default auto)"},
                     [&bos](const std::string& text) -> Status {
                         BDQ_TRY(bos, readBos(text));
                         return {};
                     });
}

void declareBos(Arguments& arguments, std::optional<BosMode>& bos, const std::string& otherwise) {
    arguments.option(
        {"--bos", "MODE", "BOS token in front of the text: auto, on or off (default: " + otherwise + ")"},
        [&bos](const std::string& text) -> Status {
            BDQ_TRY(bos, readBos(text));
            return {};
        });
}

void declareTraining(Arguments& arguments, TrainingOverrides& training) {
    optionalCount(
        arguments,
        {"--epochs", "N",
         "passes over the calibration sequences a block, or over the whole model where the preset trains "
         "only that (default: the preset's)"},
        training.epochs, 0, kMaxEpochs);
    optionalCount(arguments,
                  {"--e2e-steps", "N", "steps over the whole model after the blocks (default: the preset's)"},
                  training.endToEndSteps, 0, kMaxSteps);
    arguments.option({"--loss", "NAME", "loss of those steps: " + lossNames() + " (default: the preset's)"},
                     [&training](const std::string& name) -> Status {
                         training.loss = logitLossFromName(name);
                         if (training.loss) return {};
                         return fail(ErrorCode::InvalidSpec,
                                     "--loss: unknown loss \"" + name + "\", expected " + lossNames());
                     });
    arguments.option(
        {"--rate", "R",
         "learning rate of transforms; the preset's other rates keep their ratio to it (default: the "
         "preset's)"},
        numberTaker<double>(training.rate, "--rate", kLeastRate, kMaxRate,
                            "a number more than 0, at most 1"));
    optionalCount(arguments, {"--batch", "N", "sequences a training step (default: the preset's)"},
                  training.batch, 1, kMaxBatch);
    declareSwitch(arguments, {"--learn-rounding", "on|off", "learn which way each weight is rounded"},
                  [&training](bool on) { training.learnRounding = on; });
    declareSwitch(arguments,
                  {"--quantized-inputs", "on|off", "blocks learn from the quantized blocks before them"},
                  [&training](bool on) { training.quantizedInputs = on; });
    declareSwitch(arguments, {"--autocast", "on|off", "train with bfloat16 matrix products"},
                  [&training](bool on) { training.autocast = on; });
}

void declareLayers(Arguments& arguments, std::vector<int>& layers, const std::string& help) {
    arguments.option({"--layers", "LIST", help}, [&layers](const std::string& text) -> Status {
        BDQ_TRY(layers, parseLayers(text));
        return {};
    });
}

} // namespace bdq::cli
