#include <algorithm>
#include <filesystem>

#include "engine/pipeline/quality_bench.h"

namespace bdq {
namespace {

std::string nameOf(const QualityMethod& method, const Scheme& scheme, std::uint64_t seed) {
    std::string bits = formatScheme(scheme);
    std::replace(bits.begin(), bits.end(), ':', '-');
    std::replace(bits.begin(), bits.end(), ' ', '_');
    return std::string(methodInfo(method.method).id) + "-" + std::string(presetName(method.preset)) + "-" +
           bits + "-s" + std::to_string(seed);
}

/// What of the wished training this preset has; the others stay as they are.
TrainingOverrides applicable(const TrainingOverrides& wished, const TrainingRecipe& recipe) {
    TrainingOverrides changes;
    if (recipe.trains()) {
        changes.epochs = wished.epochs;
        changes.rate = wished.rate;
        changes.batch = wished.batch;
        changes.learnRounding = wished.learnRounding;
        changes.quantizedInputs = wished.quantizedInputs;
        changes.autocast = wished.autocast;
    }
    if (recipe.trainsEndToEnd()) {
        changes.endToEndSteps = wished.endToEndSteps;
        changes.loss = wished.loss;
    }
    return changes;
}

RunSpec runOf(const QualitySpec& spec, const QualityMethod& method, const Scheme& scheme,
              std::uint64_t seed) {
    RunSpec run;
    run.modelPath = spec.modelPath;
    run.outDir = (std::filesystem::path(spec.outDir) / "runs" / nameOf(method, scheme, seed)).string();
    run.plan.base = scheme;
    run.method = method.method;
    run.preset = method.preset;
    run.training = applicable(spec.training, trainingRecipe(method.method, method.preset));
    run.calibration = spec.calibration;
    if (run.calibration.sequences == 0)
        run.calibration.sequences = presetInfo(method.method, method.preset).sequences;
    run.seed = seed;
    run.device = spec.device;
    return run;
}

template <class Value> Status checkList(const std::string& field, const std::vector<Value>& values) {
    if (values.empty()) return fail(ErrorCode::InvalidSpec, field + ": found none, expected at least one");
    for (auto at = values.begin(); at != values.end(); ++at)
        if (std::find(values.begin(), at, *at) != at)
            return fail(ErrorCode::InvalidSpec, field + ": found the same one twice, expected each once");
    return {};
}

} // namespace

std::vector<RunSpec> qualityRuns(const QualitySpec& spec) {
    std::vector<RunSpec> runs;
    for (const std::uint64_t seed : spec.seeds)
        for (const Scheme& scheme : spec.schemes)
            for (const QualityMethod& method : spec.methods)
                runs.push_back(runOf(spec, method, scheme, seed));
    return runs;
}

EvalSpec qualityEvaluation(const QualitySpec& spec, const std::string& runDir) {
    EvalSpec eval;
    eval.modelPath = spec.modelPath;
    eval.runDir = runDir;
    eval.evaluation = spec.evaluation;
    eval.device = spec.device;
    eval.tasks = spec.tasks;
    eval.taskLimit = spec.taskLimit;
    return eval;
}

Status validateQuality(const QualitySpec& spec) {
    BDQ_CHECK(checkList("methods", spec.methods));
    BDQ_CHECK(checkList("schemes", spec.schemes));
    BDQ_CHECK(checkList("seeds", spec.seeds));
    if (spec.outDir.empty()) return fail(ErrorCode::InvalidSpec, "out: found nothing, expected a folder");
    if (spec.outDir == "-")
        return fail(ErrorCode::InvalidSpec, "out: found \"-\" (standard output), expected a folder");
    if (spec.evaluation.bos != spec.calibration.bos)
        return fail(ErrorCode::InvalidSpec, "bos: found " + std::string(bosModeName(spec.evaluation.bos)) +
                                                " for the evaluation, expected " +
                                                std::string(bosModeName(spec.calibration.bos)) +
                                                ", as for the calibration");
    BDQ_CHECK(validate(qualityEvaluation(spec, {})));
    for (const RunSpec& run : qualityRuns(spec))
        if (Status checked = validate(run); !checked)
            return passOn(std::move(checked).error(), std::filesystem::path(run.outDir).filename().string());
    return {};
}

} // namespace bdq
