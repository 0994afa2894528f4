// Job descriptions as JSON.
#include "engine/api/json_codec.h"
#include "engine/api/sensitivity.h"
#include "engine/api/spec_limits.h"

namespace bdq {
namespace json {
namespace {

constexpr int kSpecSchema = 1;

void putDevice(Json& out, const DeviceOptions& options) {
    out["device"] = options.device;
    out["threads"] = options.threads;
}

DeviceOptions readDevice(Reader& in) {
    const DeviceOptions standard;
    return {in.text("device", standard.device),
            in.integer("threads", 0, kMaxThreads, std::optional(standard.threads))};
}

/// Versions without the key put nothing in front of a text: their specs stay as they are.
void putBos(Json& out, BosMode mode) {
    if (mode != BosMode::Off) out["bos"] = bosModeName(mode);
}

void putCalibration(Json& out, const CalibrationOptions& options, const char* countKey) {
    out["calibration"] = options.source;
    out[countKey] = options.sequences;
    out["seq_len"] = options.sequenceLength;
    putBos(out, options.bos);
}

BosMode readBos(Reader& in) {
    return in.choice<BosMode>("bos", bosModeFromName, "auto, on or off", BosMode::Off);
}

CalibrationOptions readCalibration(Reader& in, std::string_view countKey, int sequences) {
    const CalibrationOptions standard;
    CalibrationOptions options;
    options.source = in.text("calibration", standard.source);
    options.sequences = in.integer(countKey, 1, kMaxSequences, std::optional(sequences));
    options.sequenceLength =
        in.integer("seq_len", kMinSequenceLength, kMaxSequenceLength, std::optional(standard.sequenceLength));
    options.bos = readBos(in);
    return options;
}

EvaluationOptions readEvaluation(Reader& in, std::string_view textKey, std::string_view lengthKey) {
    const EvaluationOptions standard;
    EvaluationOptions options;
    options.textPath = in.text(textKey);
    options.sequenceLength =
        in.integer(lengthKey, kMinSequenceLength, kMaxSequenceLength, std::optional(standard.sequenceLength));
    options.maxWindows = in.integer("max_windows", 0, kMaxWindows, std::optional(standard.maxWindows));
    options.bos = readBos(in);
    return options;
}

std::vector<int> readLayers(Reader& in) {
    return in.has("layers") ? in.integers("layers", 0, kMaxLayer) : std::vector<int>{};
}

void putTransforms(Json& out, const std::vector<TransformKind>& transforms) {
    out["transforms"] = Json::array();
    for (TransformKind kind : transforms)
        out["transforms"].push_back(transformInfo(kind).id);
}

std::vector<TransformKind> readTransforms(Reader& in, const std::vector<TransformKind>& standard) {
    if (!in.has("transforms")) return standard;
    std::vector<TransformKind> transforms;
    for (const std::string& name : in.texts("transforms")) {
        const std::optional<TransformKind> kind = transformFromName(name);
        if (!kind) in.refuse("transforms", "\"" + name + "\"", "the name of a transform");
        transforms.push_back(kind.value_or(TransformKind::None));
    }
    return transforms;
}

Json toJson(const AnalyzeSpec& spec) {
    Json out{{"schema", kSpecSchema}, {"job", "analyze"}, {"model", spec.modelPath}, {"out", spec.outDir}};
    putCalibration(out, spec.calibration, "sequences");
    out["layers"] = spec.layers;
    putTransforms(out, spec.transforms);
    out["schemes"] = spec.schemes;
    out["estimate"] = spec.estimateLosses;
    out["seed"] = spec.seed;
    putDevice(out, spec.device);
    return out;
}

AnalyzeSpec readAnalyze(Reader& in) {
    in.allowOnly({"schema", "job", "model", "out", "calibration", "sequences", "seq_len", "layers",
                  "transforms", "schemes", "estimate", "seed", "device", "threads", "bos"});
    AnalyzeSpec spec;
    spec.modelPath = in.text("model");
    spec.outDir = in.text("out");
    spec.calibration = readCalibration(in, "sequences", spec.calibration.sequences);
    spec.layers = readLayers(in);
    spec.transforms = readTransforms(in, spec.transforms);
    if (in.has("schemes")) spec.schemes = in.texts("schemes");
    for (const std::string& scheme : spec.schemes) {
        const Result<Scheme> parsed = parseScheme(scheme);
        if (!parsed) in.refuse("schemes", "\"" + scheme.substr(0, 100) + "\"", "schemes such as W4A4KV4");
    }
    // Analyses before version 0.2 estimated nothing.
    spec.estimateLosses = in.has("estimate") && in.flag("estimate");
    spec.seed = in.unsignedNumber("seed", spec.seed);
    spec.device = readDevice(in);
    return spec;
}

/// Only what is set, so that runs without it read as they did before there was training.
void putTraining(Json& out, const TrainingOverrides& training) {
    if (training.epochs) out["epochs"] = *training.epochs;
    if (training.endToEndSteps) out["e2e_steps"] = *training.endToEndSteps;
    if (training.loss) out["loss"] = logitLossName(*training.loss);
    if (training.rate) out["rate"] = *training.rate;
    if (training.batch) out["batch"] = *training.batch;
    if (training.learnRounding) out["learn_rounding"] = *training.learnRounding;
    if (training.quantizedInputs) out["quantized_inputs"] = *training.quantizedInputs;
    if (training.autocast) out["autocast"] = *training.autocast;
}

TrainingOverrides readTraining(Reader& in) {
    TrainingOverrides training;
    if (in.has("epochs")) training.epochs = in.integer("epochs", 0, kMaxEpochs);
    if (in.has("e2e_steps")) training.endToEndSteps = in.integer("e2e_steps", 0, kMaxSteps);
    if (in.has("loss"))
        training.loss = in.choice<LogitLoss>("loss", logitLossFromName, "kl, ce, rce, rce-safe or kl-top");
    if (in.has("rate")) {
        training.rate = in.number("rate");
        if (in.ok() && !(*training.rate > 0 && *training.rate <= kMaxRate))
            in.refuse("rate", std::to_string(*training.rate), "a number more than 0, at most 1");
    }
    if (in.has("batch")) training.batch = in.integer("batch", 1, kMaxBatch);
    if (in.has("learn_rounding")) training.learnRounding = in.flag("learn_rounding", false);
    if (in.has("quantized_inputs")) training.quantizedInputs = in.flag("quantized_inputs", false);
    if (in.has("autocast")) training.autocast = in.flag("autocast", false);
    return training;
}

Json toJson(const RunSpec& spec) {
    Json out{{"schema", kSpecSchema}, {"job", "run"}, {"model", spec.modelPath}, {"out", spec.outDir}};
    putPlan(out, spec.plan);
    out["method"] = methodInfo(spec.method).id;
    out["preset"] = presetName(spec.preset);
    out["weights"] = spec.rounding ? Json(roundingName(*spec.rounding)) : Json();
    putTraining(out, spec.training);
    putCalibration(out, spec.calibration, "samples");
    out["layers"] = spec.layers;
    out["eval"] = spec.evaluation ? Json(spec.evaluation->textPath) : Json();
    if (spec.evaluation) {
        out["eval_seq_len"] = spec.evaluation->sequenceLength;
        out["max_windows"] = spec.evaluation->maxWindows;
    }
    out["seed"] = spec.seed;
    out["resume"] = spec.resume;
    putDevice(out, spec.device);
    return out;
}

RunSpec readRun(Reader& in) {
    in.allowOnly({"schema",
                  "job",
                  "model",
                  "out",
                  "scheme",
                  "overrides",
                  "method",
                  "preset",
                  "weights",
                  "epochs",
                  "e2e_steps",
                  "loss",
                  "rate",
                  "batch",
                  "calibration",
                  "samples",
                  "seq_len",
                  "layers",
                  "eval",
                  "eval_seq_len",
                  "max_windows",
                  "seed",
                  "resume",
                  "device",
                  "threads",
                  "learn_rounding",
                  "quantized_inputs",
                  "autocast",
                  "bos"});
    RunSpec spec;
    spec.modelPath = in.text("model");
    spec.outDir = in.text("out");
    spec.plan = readPlan(in);
    spec.method = in.choice<Method>("method", methodFromName, methodNames(), spec.method);
    spec.preset = in.choice<Preset>("preset", presetFromName, presetNames(spec.method),
                                    presetsOf(spec.method).front().preset);
    if (findPreset(spec.method, spec.preset) == nullptr)
        in.refuse("preset", "\"" + std::string(presetName(spec.preset)) + "\"", presetNames(spec.method));
    if (in.has("weights"))
        spec.rounding =
            in.choice<WeightRounding>("weights", roundingFromName, "rtn, mse, output-mse or gptq");
    spec.training = readTraining(in);
    spec.calibration = readCalibration(in, "samples", presetInfo(spec.method, spec.preset).sequences);
    spec.layers = readLayers(in);
    if (in.has("eval")) spec.evaluation = readEvaluation(in, "eval", "eval_seq_len");
    spec.seed = in.unsignedNumber("seed", spec.seed);
    spec.resume = in.flag("resume", spec.resume);
    spec.device = readDevice(in);
    return spec;
}

Json toJson(const EvalSpec& spec) {
    Json out{{"schema", kSpecSchema},
             {"job", "eval"},
             {"model", spec.modelPath},
             {"run", spec.runDir},
             {"text", spec.evaluation.textPath},
             {"seq_len", spec.evaluation.sequenceLength},
             {"max_windows", spec.evaluation.maxWindows},
             {"tasks", spec.tasks},
             {"limit", spec.taskLimit}};
    putBos(out, spec.evaluation.bos);
    putDevice(out, spec.device);
    return out;
}

EvalSpec readEval(Reader& in) {
    in.allowOnly({"schema", "job", "model", "run", "text", "seq_len", "max_windows", "tasks", "limit",
                  "device", "threads", "bos"});
    EvalSpec spec;
    spec.modelPath = in.text("model");
    spec.runDir = in.text("run", std::string());
    spec.evaluation = readEvaluation(in, "text", "seq_len");
    if (in.has("tasks")) spec.tasks = in.texts("tasks");
    spec.taskLimit = in.integer("limit", 0, kMaxTaskItems, std::optional(spec.taskLimit));
    spec.device = readDevice(in);
    return spec;
}

Json toJson(const ReportSpec& spec) {
    Json leftOut = Json::array();
    for (const ReportSection section : spec.leaveOut)
        leftOut.push_back(reportSectionName(section));
    return Json{{"schema", kSpecSchema}, {"job", "report"},
                {"dir", spec.dir},       {"format", reportFormatName(spec.format)},
                {"out", spec.outFile},   {"leave_out", std::move(leftOut)}};
}

ReportSpec readReport(Reader& in) {
    in.allowOnly({"schema", "job", "dir", "format", "out", "leave_out"});
    ReportSpec spec{
        in.text("dir"),
        in.choice<ReportFormat>("format", reportFormatFromName, "html, md, csv or json", ReportFormat::Html),
        in.text("out"),
        {}};
    if (!in.has("leave_out")) return spec;
    for (const std::string& name : in.texts("leave_out")) {
        const auto section = reportSectionFromName(name);
        if (!section) in.refuse("leave_out", "\"" + name + "\"", "names of sections such as definitions");
        spec.leaveOut.push_back(section.value_or(ReportSection::Table));
    }
    return spec;
}

Json toJson(const InspectSpec& spec) {
    Json out{{"schema", kSpecSchema},
             {"job", "inspect"},
             {"model", spec.modelPath},
             {"analysis", spec.analysisDir}};
    putDevice(out, spec.device);
    return out;
}

InspectSpec readInspect(Reader& in) {
    in.allowOnly({"schema", "job", "model", "analysis", "device", "threads"});
    InspectSpec spec;
    spec.modelPath = in.text("model");
    spec.analysisDir = in.text("analysis");
    spec.device = readDevice(in);
    return spec;
}

Json toJson(const SensitivitySpec& spec) {
    Json out{{"schema", kSpecSchema},
             {"job", "sensitivity"},
             {"analysis", spec.analysisDir},
             {"model", spec.modelPath},
             {"bits", Json::array()},
             {"activation", activationText(spec.activation)},
             {"weights", roundingName(spec.rounding)},
             {"text", spec.text.source},
             {"sequences", spec.text.sequences},
             {"seq_len", spec.text.sequenceLength},
             {"layers", spec.layers}};
    for (const OperandScheme& weight : spec.weights)
        out["bits"].push_back(weightText(weight));
    putTransforms(out, spec.transforms);
    if (spec.bos) out["bos"] = bosModeName(*spec.bos);
    putDevice(out, spec.device);
    return out;
}

SensitivitySpec readSensitivity(Reader& in) {
    in.allowOnly({"schema", "job", "analysis", "model", "bits", "activation", "weights", "text", "sequences",
                  "seq_len", "layers", "transforms", "device", "threads", "bos"});
    SensitivitySpec spec;
    spec.analysisDir = in.text("analysis");
    spec.modelPath = in.text("model", std::string());
    if (in.has("bits")) {
        spec.weights.clear();
        for (const std::string& weight : in.texts("bits"))
            spec.weights.push_back(weightFromText(in, "bits", weight));
    }
    if (in.has("activation")) spec.activation = activationFromText(in, "activation", in.text("activation"));
    spec.rounding = in.choice<WeightRounding>("weights", roundingFromName, "rtn or mse", spec.rounding);
    spec.text.source = in.text("text", std::string());
    spec.text.sequences = in.integer("sequences", 1, kMaxSequences, std::optional(spec.text.sequences));
    spec.text.sequenceLength = in.integer("seq_len", kMinSequenceLength, kMaxSequenceLength,
                                          std::optional(spec.text.sequenceLength));
    spec.layers = readLayers(in);
    spec.transforms = readTransforms(in, {});
    if (in.has("bos")) spec.bos = readBos(in);
    spec.device = readDevice(in);
    return spec;
}

} // namespace

Json keyToJson(SiteKey key) {
    return Json{{"layer", key.layer}, {"site", siteName(key.site)}};
}

SiteKey readKey(Reader& reader) {
    return {reader.integer("layer", 0, kMaxLayer),
            reader.choice<Site>("site", siteFromName, "qkv, o, gate_up, down, k_cache or v_cache")};
}

TransformKind readTransform(Reader& reader, std::string_view key) {
    return reader.choice<TransformKind>(key, transformFromName, "the name of a transform");
}

Scheme readScheme(Reader& reader, std::string_view key) {
    const std::string text = reader.text(key);
    if (!reader.ok()) return {};
    Result<Scheme> scheme = parseScheme(text);
    if (!scheme)
        reader.refuse(key, "\"" + text.substr(0, 100) + "\"",
                      "a scheme such as W4A4KV4 or \"W4g128sym A4asym\"");
    return scheme.value_or(Scheme{});
}

Json specToJson(const JobSpec& spec) {
    return std::visit([](const auto& job) { return toJson(job); }, spec);
}

JobSpec readSpec(Reader reader) {
    reader.checkSchema(kSpecSchema);
    const std::string job = reader.text("job");
    if (job == "analyze") return readAnalyze(reader);
    if (job == "run") return readRun(reader);
    if (job == "eval") return readEval(reader);
    if (job == "report") return readReport(reader);
    if (job == "inspect") return readInspect(reader);
    if (job == "sensitivity") return readSensitivity(reader);
    reader.refuse("job", "\"" + job.substr(0, 100) + "\"",
                  "analyze, run, eval, report, inspect or sensitivity");
    return {};
}

} // namespace json

std::string encodeSpec(const JobSpec& spec) {
    return json::dump(json::specToJson(spec));
}

Result<JobSpec> decodeSpec(std::string_view text) {
    BDQ_TRY(const json::Json document, json::parseObject(text, "job description", ErrorCode::InvalidSpec));
    json::ReadState state{"job description", ErrorCode::InvalidSpec, {}};
    const json::Reader reader(document, state);
    JobSpec spec = json::readSpec(reader);
    BDQ_CHECK(reader.status());
    return spec;
}

} // namespace bdq
