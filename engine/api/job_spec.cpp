#include "engine/api/job_spec.h"

#include <algorithm>
#include <cctype>
#include <type_traits>

#include "engine/api/sensitivity.h"
#include "engine/api/spec_limits.h"

namespace bdq {
namespace {

tl::unexpected<Error> refuse(std::string_view field, const std::string& found, const std::string& rule) {
    return fail(ErrorCode::InvalidSpec, std::string(field) + ": found " + found + ", expected " + rule);
}

Status checkText(std::string_view field, const std::string& value, const std::string& rule) {
    if (value.empty()) return refuse(field, "nothing", rule);
    if (value.find('\0') != std::string::npos) return refuse(field, "a zero byte", rule);
    return {};
}

/// "-" is standard output, which is no folder; one of that name is ./-
Status checkFolder(std::string_view field, const std::string& value) {
    if (value == "-") return refuse(field, "\"-\" (standard output)", "a folder");
    return checkText(field, value, "a folder");
}

Status checkRange(std::string_view field, int value, int least, int most) {
    if (value < least || value > most)
        return refuse(field, std::to_string(value), std::to_string(least) + " to " + std::to_string(most));
    return {};
}

Status checkDevice(const DeviceOptions& options) {
    const std::string& device = options.device;
    constexpr std::string_view kIndexed = "cuda:";
    const bool indexed = device.starts_with(kIndexed) && device.size() > kIndexed.size() &&
                         device.size() <= kIndexed.size() + 3 &&
                         std::all_of(device.begin() + kIndexed.size(), device.end(),
                                     [](unsigned char c) { return std::isdigit(c) != 0; });
    if (device != "auto" && device != "cpu" && device != "cuda" && !indexed)
        return refuse("device", "\"" + device + "\"", "auto, cpu, cuda or cuda:N");
    return checkRange("threads", options.threads, 0, kMaxThreads);
}

Status checkLayers(const std::vector<int>& layers) {
    for (int layer : layers)
        BDQ_CHECK(checkRange("layers", layer, 0, kMaxLayer));
    return {};
}

Status checkCalibration(const CalibrationOptions& options) {
    BDQ_CHECK(checkText("calibration", options.source, "a text file or \"self\""));
    BDQ_CHECK(checkRange("sequences", options.sequences, 1, kMaxSequences));
    return checkRange("seq_len", options.sequenceLength, kMinSequenceLength, kMaxSequenceLength);
}

Status checkEvaluation(const EvaluationOptions& options) {
    BDQ_CHECK(checkText("text", options.textPath, "a text file"));
    BDQ_CHECK(checkRange("seq_len", options.sequenceLength, kMinSequenceLength, kMaxSequenceLength));
    return checkRange("max_windows", options.maxWindows, 0, kMaxWindows);
}

/// Every scheme that can be written can be read back: one rule for both.
Status checkScheme(std::string_view field, const Scheme& scheme) {
    const Result<Scheme> again = parseScheme(formatScheme(scheme));
    if (!again) return passOn(again.error(), field);
    return {};
}

Status validateSpec(const AnalyzeSpec& spec) {
    BDQ_CHECK(checkText("model", spec.modelPath, "a model file or folder"));
    BDQ_CHECK(checkFolder("out", spec.outDir));
    BDQ_CHECK(checkCalibration(spec.calibration));
    BDQ_CHECK(checkLayers(spec.layers));
    if (spec.transforms.empty()) return refuse("transforms", "none", "at least one");
    for (const TransformKind kind : spec.transforms)
        if (!isClosedForm(kind))
            return refuse("transforms", std::string(transformInfo(kind).id),
                          "transforms that need no training");
    for (const std::string& scheme : spec.schemes) {
        const Result<Scheme> parsed = parseScheme(scheme);
        if (!parsed) return passOn(parsed.error(), "schemes");
    }
    return checkDevice(spec.device);
}

/// What a preset that trains nothing, or not end to end, cannot take.
Status checkTraining(const RunSpec& spec) {
    const TrainingOverrides& changes = spec.training;
    const std::string who = "method " + std::string(methodInfo(spec.method).id) + ", preset " +
                            std::string(presetName(spec.preset));
    const auto refuseAll = [&](bool given, std::string_view field, const std::string& found) -> Status {
        if (given) return refuse(field, found, "none: " + who + " does not train");
        return {};
    };
    if (!trainingRecipe(spec.method, spec.preset).trains()) {
        BDQ_CHECK(
            refuseAll(changes.epochs.has_value(), "epochs", std::to_string(changes.epochs.value_or(0))));
        BDQ_CHECK(refuseAll(changes.endToEndSteps.has_value(), "e2e_steps",
                            std::to_string(changes.endToEndSteps.value_or(0))));
        BDQ_CHECK(refuseAll(changes.loss.has_value(), "loss",
                            std::string(logitLossName(changes.loss.value_or(LogitLoss::Kl)))));
        BDQ_CHECK(refuseAll(changes.rate.has_value(), "rate", std::to_string(changes.rate.value_or(0))));
        BDQ_CHECK(refuseAll(changes.batch.has_value(), "batch", std::to_string(changes.batch.value_or(0))));
        BDQ_CHECK(refuseAll(changes.learnRounding.value_or(false), "learn_rounding", "true"));
        BDQ_CHECK(refuseAll(changes.quantizedInputs.value_or(false), "quantized_inputs", "true"));
        return refuseAll(changes.autocast.value_or(false), "autocast", "true");
    }
    if (changes.epochs) BDQ_CHECK(checkRange("epochs", *changes.epochs, 0, kMaxEpochs));
    if (changes.endToEndSteps) BDQ_CHECK(checkRange("e2e_steps", *changes.endToEndSteps, 0, kMaxSteps));
    if (changes.batch) BDQ_CHECK(checkRange("batch", *changes.batch, 1, kMaxBatch));
    if (changes.rate && !(*changes.rate > 0 && *changes.rate <= kMaxRate))
        return refuse("rate", std::to_string(*changes.rate), "more than 0, at most 1");
    const TrainingRecipe recipe = effectiveRecipe(spec);
    if (!recipe.trains())
        return refuse("epochs", "0 and no steps over the whole model", "training: " + who + " is made of it");
    if (changes.loss && !recipe.trainsEndToEnd())
        return refuse("loss", std::string(logitLossName(*changes.loss)),
                      "none without steps over the whole model (e2e_steps)");
    return {};
}

Status checkMethod(const RunSpec& spec) {
    const std::string name(presetName(spec.preset));
    if (!findPreset(spec.method, spec.preset))
        return refuse("preset", "\"" + name + "\"",
                      presetNames(spec.method) + " (method " + std::string(methodInfo(spec.method).id) + ")");
    return checkTraining(spec);
}

Status validateSpec(const RunSpec& spec) {
    BDQ_CHECK(checkText("model", spec.modelPath, "a model file or folder"));
    BDQ_CHECK(checkFolder("out", spec.outDir));
    BDQ_CHECK(checkMethod(spec));
    BDQ_CHECK(checkScheme("scheme", spec.plan.base));
    for (const auto& [key, scheme] : spec.plan.overrides) {
        BDQ_CHECK(checkRange("overrides", key.layer, 0, kMaxLayer));
        BDQ_CHECK(checkScheme("overrides", scheme));
    }
    BDQ_CHECK(checkCalibration(spec.calibration));
    BDQ_CHECK(checkLayers(spec.layers));
    if (spec.evaluation) {
        BDQ_CHECK(checkEvaluation(*spec.evaluation));
        if (spec.evaluation->bos != spec.calibration.bos)
            return refuse("bos", std::string(bosModeName(spec.evaluation->bos)) + " for the evaluation",
                          std::string(bosModeName(spec.calibration.bos)) + ", as for the calibration");
    }
    return checkDevice(spec.device);
}

Status validateSpec(const EvalSpec& spec) {
    BDQ_CHECK(checkText("model", spec.modelPath, "a model file or folder"));
    if (spec.evaluation.textPath.empty() && spec.tasks.empty())
        return refuse("text", "nothing", "a text file (--text) or a task file (--task)");
    if (!spec.evaluation.textPath.empty()) BDQ_CHECK(checkEvaluation(spec.evaluation));
    for (const std::string& task : spec.tasks)
        BDQ_CHECK(checkText("tasks", task, "task files"));
    BDQ_CHECK(checkRange("limit", spec.taskLimit, 0, kMaxTaskItems));
    return checkDevice(spec.device);
}

Status validateSpec(const ReportSpec& spec) {
    BDQ_CHECK(checkText("dir", spec.dir, "a folder of an analysis or a run"));
    return checkText("out", spec.outFile, "a file name");
}

Status validateSpec(const InspectSpec& spec) {
    BDQ_CHECK(checkText("model", spec.modelPath, "a model file or folder"));
    BDQ_CHECK(checkFolder("analysis", spec.analysisDir));
    return checkDevice(spec.device);
}

Status checkWeights(const std::vector<OperandScheme>& weights) {
    if (weights.empty() || weights.size() > kMaxWeightSchemes)
        return refuse("bits", std::to_string(weights.size()) + " bit widths",
                      "1 to " + std::to_string(kMaxWeightSchemes));
    for (auto weight = weights.begin(); weight != weights.end(); ++weight) {
        BDQ_CHECK(checkScheme("bits", {*weight, {}, {}}));
        if (std::find(weights.begin(), weight, *weight) != weight)
            return refuse("bits", weightText(*weight) + " twice", "different bit widths");
    }
    return {};
}

Status validateSpec(const SensitivitySpec& spec) {
    BDQ_CHECK(checkFolder("analysis", spec.analysisDir));
    BDQ_CHECK(checkWeights(spec.weights));
    BDQ_CHECK(checkScheme("activation", {{}, spec.activation, {}}));
    if (spec.rounding != WeightRounding::Rtn && spec.rounding != WeightRounding::Mse)
        return refuse("weights", std::string(roundingName(spec.rounding)), "rtn or mse");
    BDQ_CHECK(checkRange("sequences", spec.text.sequences, 1, kMaxSequences));
    BDQ_CHECK(checkRange("seq_len", spec.text.sequenceLength, kMinSequenceLength, kMaxSequenceLength));
    BDQ_CHECK(checkLayers(spec.layers));
    return checkDevice(spec.device);
}

} // namespace

TrainingRecipe effectiveRecipe(const RunSpec& spec) {
    TrainingRecipe recipe = trainingRecipe(spec.method, spec.preset);
    const TrainingOverrides& changes = spec.training;
    const int sequences = std::max(spec.calibration.sequences, 1);
    recipe.batch = std::min(changes.batch.value_or(recipe.batch), sequences);
    const bool onlyEndToEnd = recipe.epochs == 0 && recipe.trainsEndToEnd();
    if (changes.epochs) (onlyEndToEnd ? recipe.endToEndEpochs : recipe.epochs) = *changes.epochs;
    if (recipe.endToEndEpochs > 0) {
        const std::int64_t perEpoch = (std::int64_t{sequences} - 1) / std::max(recipe.batch, 1) + 1;
        recipe.endToEndSteps =
            static_cast<int>(std::min<std::int64_t>(recipe.endToEndEpochs * perEpoch, kMaxSteps));
    }
    if (changes.endToEndSteps) recipe.endToEndSteps = *changes.endToEndSteps;
    recipe.endToEndEpochs = 0;
    recipe.loss = changes.loss.value_or(recipe.loss);
    recipe.learnRounding = changes.learnRounding.value_or(recipe.learnRounding);
    recipe.quantizedInputs = changes.quantizedInputs.value_or(recipe.quantizedInputs);
    recipe.autocast = changes.autocast.value_or(recipe.autocast);
    if (changes.rate) {
        const double factor = *changes.rate / (onlyEndToEnd ? recipe.endToEndRate : recipe.rate);
        for (double* rate :
             {&recipe.rate, &recipe.clippingRate, &recipe.endToEndRate, &recipe.endToEndClippingRate,
              &recipe.roundingRate, &recipe.endToEndRoundingRate})
            *rate *= factor;
    }
    return recipe;
}

WeightRounding effectiveRounding(const RunSpec& spec) {
    return spec.rounding.value_or(presetInfo(spec.method, spec.preset).rounding);
}

Status validate(const JobSpec& spec) {
    return std::visit([](const auto& job) { return validateSpec(job); }, spec);
}

} // namespace bdq
