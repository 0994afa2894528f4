// bdq run MODEL --out DIR --scheme W4A4KV4 --method NAME: quantize layer by layer and say what it cost.
#include "engine/api/atomic_file.h"
#include "engine/api/spec_limits.h"
#include "engine/cli/job_command.h"
#include "engine/cli/job_options.h"
#include "engine/cli/summaries.h"
#include "engine/cli/text.h"

namespace bdq::cli {
namespace {

constexpr std::size_t kMaxPlanBytes = 16u << 20;
constexpr int kPresetSequences = 0; // stands for the preset's number

/// "fast (weights gptq): ..." and what of it is the same for all presets.
std::string presetHelp(const MethodInfo& method) {
    std::string text;
    for (const PresetInfo& preset : method.presets)
        text += "    " + std::string(presetName(preset.preset)) + ": " + std::string(preset.explanation) +
                " Weights: " + std::string(roundingName(preset.rounding)) + "; " +
                std::to_string(preset.sequences) + " sequences.\n";
    return text;
}

std::string methodHelp() {
    std::string text = "Methods and their presets, the default first:\n";
    for (const MethodInfo& info : methodTable()) {
        text += "  " + std::string(info.id) + ": " + std::string(info.title) + ". " +
                std::string(info.explanation);
        if (!info.citation.empty()) text += " (" + std::string(info.citation) + ")";
        text += "\n" + presetHelp(info);
    }
    return text +
           "Schemes: W, A and KV with 2..8 or 16 bits, 16 = untouched: W4A4KV4, W4A16, W4A4KV4:g128 (weight "
           "groups of 128), W4g128sym A4asym KV4asym.\n"
           "The arithmetic is simulated in floating point; the result is measured, not a checkpoint to "
           "deploy.\n";
}

class RunCommand : public JobCommand {
public:
    RunCommand() : JobCommand("run", "quantize a model layer by layer and measure what it cost") {}

    void declare(Arguments& arguments) override {
        arguments.word("MODEL", "GGUF file, safetensors file or Hugging Face folder", m_spec.modelPath);
        arguments.option({"--out", "DIR", "folder for run.json, events and layer checkpoints"}, m_spec.outDir,
                         true);
        declareWhat(arguments);
        m_spec.calibration.sequences = kPresetSequences;
        declareCalibration(arguments, m_spec.calibration, "the preset's");
        declareTraining(arguments, m_spec.training);
        declareEvaluation(arguments);
        arguments.flag({"--resume", "", "continue the interrupted run in DIR from its last finished layer"},
                       m_spec.resume);
        declareSeed(arguments, m_spec.seed, "seed of random signs and of self-generated text");
        declareDevice(arguments, m_spec.device);
        declareJson(arguments);
        arguments.footer(methodHelp());
    }

protected:
    Result<JobSpec> spec() override {
        if (m_scheme.empty() && m_planFile.empty())
            return fail(ErrorCode::InvalidSpec, "no bits, expected --scheme S or --plan FILE");
        if (!m_planFile.empty()) {
            BDQ_TRY(const std::string text, readTextFile(m_planFile, kMaxPlanBytes));
            BDQ_TRY(m_spec.plan, decodePlan(text, m_planFile));
        }
        if (!m_scheme.empty()) {
            BDQ_TRY(m_spec.plan.base, parseScheme(m_scheme));
        }
        m_spec.preset = m_preset.value_or(presetsOf(m_spec.method).front().preset);
        if (m_spec.calibration.sequences == kPresetSequences)
            m_spec.calibration.sequences = presetInfo(m_spec.method, m_spec.preset).sequences;
        m_spec.evaluation.reset();
        m_evaluation.bos = m_spec.calibration.bos;
        if (!m_evaluation.textPath.empty()) m_spec.evaluation = m_evaluation;
        return m_spec;
    }

    std::string printed(const JobResult& result) override {
        const auto& run = std::get<RunResult>(result);
        return json() ? endLine(encodeRun(run)) : describeRun(run) + "Run in " + m_spec.outDir + "\n";
    }

    std::string cancelAdvice() override { return "the same command with --resume continues it"; }

private:
    void declareWhat(Arguments& arguments) {
        arguments.option({"--scheme", "S", "bits of weights, activations and KV cache, e.g. W4A4KV4"},
                         m_scheme);
        arguments.option(
            {"--plan", "FILE",
             "plan with bits by layer and site, or the spec.json of a run; --scheme replaces its base"},
            m_planFile);
        arguments.option({"--method", "NAME", methodNames() + " (default bdq)"},
                         [this](const std::string& name) { return takeMethod(name); });
        arguments.option({"--preset", "NAME",
                          "fast, balanced, best or paper, as the method has them (default: its first)"},
                         [this](const std::string& name) { return takePreset(name); });
        arguments.option({"--weights", "NAME",
                          "rounding of weights: rtn, mse, output-mse or gptq (default: the preset's)"},
                         [this](const std::string& name) { return takeRounding(name); });
        declareLayers(arguments, m_spec.layers, "only these layers are quantized, e.g. 0-3,7 (default all)");
    }

    void declareEvaluation(Arguments& arguments) {
        arguments.option({"--eval", "FILE", "text to measure perplexity on, before and after"},
                         m_evaluation.textPath);
        arguments.number({"--eval-seq-len", "N", "tokens a perplexity window (default 2048)"},
                         m_evaluation.sequenceLength, kMinSequenceLength, kMaxSequenceLength);
        arguments.number({"--max-windows", "N", "perplexity windows; 0 = all of the text (default 0)"},
                         m_evaluation.maxWindows, 0, kMaxWindows);
    }

    Status takeMethod(const std::string& name) {
        const std::optional<Method> method = methodFromName(name);
        if (!method)
            return fail(ErrorCode::InvalidSpec,
                        "--method: unknown method \"" + name + "\", expected " + methodNames());
        m_spec.method = *method;
        return {};
    }

    Status takePreset(const std::string& name) {
        const std::optional<Preset> preset = presetFromName(name);
        if (!preset)
            return fail(ErrorCode::InvalidSpec,
                        "--preset: unknown preset \"" + name + "\", expected fast, balanced, best or paper");
        m_preset = preset;
        return {};
    }

    Status takeRounding(const std::string& name) {
        m_spec.rounding = roundingFromName(name);
        if (!m_spec.rounding)
            return fail(ErrorCode::InvalidSpec, "--weights: unknown rounding \"" + name +
                                                    "\", expected rtn, mse, output-mse or gptq");
        return {};
    }

    RunSpec m_spec;
    std::optional<Preset> m_preset; ///< empty = the method's first
    EvaluationOptions m_evaluation;
    std::string m_scheme;
    std::string m_planFile;
};

} // namespace

std::unique_ptr<Command> makeRunCommand() {
    return std::make_unique<RunCommand>();
}

} // namespace bdq::cli
