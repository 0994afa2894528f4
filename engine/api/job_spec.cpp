#include "engine/api/job_spec.h"

#include <algorithm>
#include <cctype>
#include <type_traits>

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
    BDQ_CHECK(checkText("out", spec.outDir, "a folder"));
    BDQ_CHECK(checkCalibration(spec.calibration));
    BDQ_CHECK(checkLayers(spec.layers));
    if (spec.transforms.empty()) return refuse("transforms", "none", "at least one");
    for (const std::string& scheme : spec.schemes) {
        const Result<Scheme> parsed = parseScheme(scheme);
        if (!parsed) return passOn(parsed.error(), "schemes");
    }
    return checkDevice(spec.device);
}

Status validateSpec(const RunSpec& spec) {
    BDQ_CHECK(checkText("model", spec.modelPath, "a model file or folder"));
    BDQ_CHECK(checkText("out", spec.outDir, "a folder"));
    BDQ_CHECK(checkScheme("scheme", spec.plan.base));
    for (const auto& [key, scheme] : spec.plan.overrides) {
        BDQ_CHECK(checkRange("overrides", key.layer, 0, kMaxLayer));
        BDQ_CHECK(checkScheme("overrides", scheme));
    }
    BDQ_CHECK(checkCalibration(spec.calibration));
    BDQ_CHECK(checkLayers(spec.layers));
    if (spec.evaluation) BDQ_CHECK(checkEvaluation(*spec.evaluation));
    return checkDevice(spec.device);
}

Status validateSpec(const EvalSpec& spec) {
    BDQ_CHECK(checkText("model", spec.modelPath, "a model file or folder"));
    BDQ_CHECK(checkEvaluation(spec.evaluation));
    return checkDevice(spec.device);
}

Status validateSpec(const ReportSpec& spec) {
    BDQ_CHECK(checkText("dir", spec.dir, "a folder of an analysis or a run"));
    return checkText("out", spec.outFile, "a file name");
}

Status validateSpec(const InspectSpec& spec) {
    BDQ_CHECK(checkText("model", spec.modelPath, "a model file or folder"));
    BDQ_CHECK(checkText("analysis", spec.analysisDir, "a folder of an analysis"));
    return checkDevice(spec.device);
}

} // namespace

Status validate(const JobSpec& spec) {
    return std::visit([](const auto& job) { return validateSpec(job); }, spec);
}

} // namespace bdq
