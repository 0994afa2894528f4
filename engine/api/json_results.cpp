// analysis.json, run.json, and what `bdq info` and `bdq eval` print.
#include <map>
#include <string_view>

#include "engine/api/json_codec.h"

namespace bdq {
namespace json {
namespace {

constexpr std::int64_t kMaxCount = std::int64_t{1}
                                   << 53; // exact in a double, as other readers of JSON hold it
constexpr int kMaxInt = std::numeric_limits<int>::max();
constexpr int kIndent = 1;

Json modelToJson(const ModelConfig& model) {
    return Json{{"architecture", model.architecture},
                {"name", model.name},
                {"layers", model.layers},
                {"hidden_size", model.hiddenSize},
                {"intermediate_size", model.intermediateSize},
                {"heads", model.heads},
                {"kv_heads", model.kvHeads},
                {"head_dim", model.headDim},
                {"vocab_size", model.vocabSize},
                {"context_length", model.contextLength},
                {"rope_theta", model.ropeTheta},
                {"rope_scaling", model.ropeScaling},
                {"sliding_window", model.slidingWindow},
                {"first_sliding_layer", model.firstSlidingLayer},
                {"norm_epsilon", model.normEpsilon},
                {"tied_embedding", model.tiedEmbedding},
                {"permuted_qk", model.permutedQk}};
}

ModelConfig readModel(Reader in) {
    const auto count = [&in](std::string_view key) { return in.integer<std::int64_t>(key, 0, kMaxCount); };
    ModelConfig model;
    model.architecture = in.text("architecture");
    model.name = in.text("name");
    model.layers = in.integer("layers", 0, kMaxInt);
    model.hiddenSize = count("hidden_size");
    model.intermediateSize = count("intermediate_size");
    model.heads = count("heads");
    model.kvHeads = count("kv_heads");
    model.headDim = count("head_dim");
    model.vocabSize = count("vocab_size");
    model.contextLength = count("context_length");
    model.ropeTheta = in.number("rope_theta");
    // Files of the first days have none of these three.
    model.ropeScaling = in.text("rope_scaling", "");
    model.slidingWindow = in.integer<std::int64_t>("sliding_window", 0, kMaxCount, 0);
    model.firstSlidingLayer = in.integer("first_sliding_layer", 0, kMaxInt, std::optional(0));
    model.normEpsilon = in.number("norm_epsilon");
    model.tiedEmbedding = in.flag("tied_embedding");
    model.permutedQk = in.flag("permuted_qk");
    return model;
}

BosMode readBosMode(Reader& in) {
    return in.choice<BosMode>("bos_mode", bosModeFromName, "auto, on or off", BosMode::Off);
}

} // namespace

Json textToJson(const TextInfo& text) {
    return Json{{"source", text.source},
                {"sha256", text.sha256},
                {"tokens", text.tokens},
                {"sequences", text.sequences},
                {"seq_len", text.sequenceLength},
                {"bos", text.bos},
                {"bos_mode", bosModeName(text.bosMode)},
                {"form", text.form}};
}

TextInfo readText(Reader in) {
    TextInfo text{in.text("source"), in.text("sha256"), in.integer<std::int64_t>("tokens", 0, kMaxCount),
                  in.integer("sequences", 0, kMaxInt), in.integer("seq_len", 0, kMaxInt)};
    // Earlier versions put nothing in front of a text file and a BOS in front of what a model generated.
    text.bos = in.flag("bos", text.source == "self");
    text.bosMode = readBosMode(in);
    text.form = in.text("form", std::string());
    return text;
}

void putOrigin(Json& out, const std::string& fingerprint, const std::vector<std::string>& warnings) {
    out["model_fingerprint"] = fingerprint;
    out["warnings"] = warnings;
}

std::vector<std::string> readWarnings(Reader& in) {
    return in.has("warnings") ? in.texts("warnings") : std::vector<std::string>{};
}

Json provenanceToJson(const Provenance& value) {
    return Json{{"command", value.command},
                {"version", value.version},
                {"torch", value.torch},
                {"device", value.device},
                {"device_name", value.deviceName},
                {"threads", value.threads},
                {"started_utc", value.startedUtc},
                {"seconds", value.seconds},
                {"peak_host_bytes", value.peakHostBytes},
                {"peak_device_bytes", value.peakDeviceBytes}};
}

Provenance readProvenance(Reader in) {
    Provenance value;
    value.command = in.text("command");
    value.version = in.text("version");
    value.torch = in.text("torch");
    value.device = in.text("device");
    value.deviceName = in.text("device_name");
    value.threads = in.integer("threads", 0, kMaxInt);
    value.startedUtc = in.text("started_utc");
    value.seconds = in.number("seconds");
    value.peakHostBytes = in.unsignedNumber("peak_host_bytes");
    value.peakDeviceBytes = in.unsignedNumber("peak_device_bytes");
    return value;
}

namespace {

void putText(Json& out, const EvalResult& result) {
    out["text"] = result.text;
    out["perplexity"] = result.perplexity;
    out["nll"] = result.nll;
    out["perplexity_stderr"] = result.perplexityError();
    out["nll_stderr"] = result.nllError;
    out["windows"] = result.windows;
    out["seq_len"] = result.sequenceLength;
    out["tokens"] = result.tokens;
    out["tokens_per_second"] = result.tokensPerSecond;
    out["form"] = result.form;
    if (!result.comparison) return;
    out["perplexity_full"] = result.comparison->perplexityFull;
    out["nll_full"] = result.comparison->nllFull;
    out["kl"] = result.comparison->klDivergence;
    out["top1_agreement"] = result.comparison->topAgreement;
}

Json taskToJson(const TaskResult& task) {
    return Json{{"name", task.name},
                {"items", task.items},
                {"acc", task.accuracy},
                {"acc_norm", task.accuracyNormalized},
                {"acc_stderr", task.accuracyError},
                {"acc_norm_stderr", task.accuracyNormalizedError},
                {"truncated", task.truncated}};
}

/// Keys about the text are absent when only tasks were measured, "tasks" when only a text was.
Json evalToJson(const EvalResult& result) {
    Json out{{"schema", kResultSchema}, {"model", result.modelPath}, {"run", result.runDir}};
    if (!result.text.empty()) putText(out, result);
    out["bos"] = result.bos;
    out["bos_mode"] = bosModeName(result.bosMode);
    if (!result.tasks.empty()) {
        out["tasks"] = Json::array();
        for (const TaskResult& task : result.tasks)
            out["tasks"].push_back(taskToJson(task));
    }
    out["warnings"] = result.warnings;
    out["provenance"] = provenanceToJson(result.provenance);
    return out;
}

void readTextPart(Reader& in, EvalResult& result) {
    result.text = in.text("text");
    result.perplexity = in.number("perplexity");
    result.nll = in.number("nll");
    result.windows = in.integer("windows", 0, kMaxInt);
    result.sequenceLength = in.integer("seq_len", 0, kMaxInt);
    result.tokens = in.integer<std::int64_t>("tokens", 0, kMaxCount);
    result.tokensPerSecond = in.number("tokens_per_second");
    result.nllError = in.number("nll_stderr", std::numeric_limits<double>::quiet_NaN());
    result.form = in.text("form", std::string());
    if (in.has("kl"))
        result.comparison = ModelComparison{in.number("kl"), in.number("top1_agreement"),
                                            in.number("nll_full"), in.number("perplexity_full")};
}

TaskResult readTask(Reader in) {
    return {in.text("name"),
            in.integer("items", 0, kMaxInt),
            in.number("acc"),
            in.number("acc_norm"),
            in.number("acc_stderr"),
            in.number("acc_norm_stderr"),
            in.integer("truncated", 0, kMaxInt)};
}

EvalResult readEvalResult(Reader in) {
    in.checkSchema(kResultSchema);
    EvalResult result;
    result.modelPath = in.text("model");
    result.runDir = in.text("run");
    if (in.has("text") || !in.has("tasks")) readTextPart(in, result);
    if (in.has("tasks"))
        for (const Reader& task : in.objects("tasks"))
            result.tasks.push_back(readTask(task));
    result.bos = in.flag("bos", false);
    result.bosMode = readBosMode(in);
    result.warnings = readWarnings(in);
    result.provenance = readProvenance(in.object("provenance"));
    return result;
}

Json runRowToJson(const RunSiteResult& row) {
    Json out = keyToJson(row.key);
    out["scheme"] = row.scheme;
    out["sqnr_db"] = row.sqnrDb;
    out["mse"] = row.mse;
    out["flatness_before"] = row.flatnessBefore;
    out["flatness_after"] = row.flatnessAfter;
    out["weight_flatness_before"] = row.weightFlatnessBefore;
    out["weight_flatness_after"] = row.weightFlatnessAfter;
    return out;
}

RunSiteResult readRunRow(Reader in) {
    RunSiteResult row;
    row.key = readKey(in);
    row.scheme = in.text("scheme");
    row.sqnrDb = in.number("sqnr_db");
    row.mse = in.number("mse");
    row.flatnessBefore = in.number("flatness_before");
    row.flatnessAfter = in.number("flatness_after");
    row.weightFlatnessBefore = in.number("weight_flatness_before");
    row.weightFlatnessAfter = in.number("weight_flatness_after");
    return row;
}

template <class Spec> Spec readSpecOf(Reader in, std::string_view job) {
    JobSpec spec = readSpec(in);
    if (Spec* found = std::get_if<Spec>(&spec)) return std::move(*found);
    in.refuse("job", "\"" + std::string(jobName(spec)) + "\"", "\"" + std::string(job) + "\"");
    return {};
}

/// The keys that scripts read (README, "Command line") come first; what follows them holds everything.
Json runToJson(const RunResult& result) {
    Json out{{"schema", kResultSchema},
             {"status", result.status},
             {"simulated", result.simulated},
             {"method", methodInfo(result.spec.method).id},
             {"preset", presetName(result.spec.preset)},
             {"scheme", formatScheme(result.spec.plan.base)},
             {"seconds", result.provenance.seconds},
             {"peak_host_bytes", result.provenance.peakHostBytes},
             {"peak_device_bytes", result.provenance.peakDeviceBytes}};
    if (result.full) out["perplexity_full"] = result.full->perplexity;
    if (result.quantized) out["perplexity"] = result.quantized->perplexity;
    out["average_weight_bits"] = result.averageWeightBits;
    out["quantized_layers"] = result.quantizedLayers();
    out["quantized_layer_bits"] = result.quantizedLayerBits;
    out["parameters"] = result.parameters;
    out["model"] = modelToJson(result.model);
    out["text"] = textToJson(result.text);
    out["full"] = result.full ? evalToJson(*result.full) : Json();
    out["quantized"] = result.quantized ? evalToJson(*result.quantized) : Json();
    out["spec"] = specToJson(result.spec);
    putOrigin(out, result.modelFingerprint, result.warnings);
    out["provenance"] = provenanceToJson(result.provenance);
    out["per_layer"] = Json::array();
    for (const RunSiteResult& row : result.perLayer)
        out["per_layer"].push_back(runRowToJson(row));
    return out;
}

RunResult readRunResult(Reader in) {
    in.checkSchema(kResultSchema);
    RunResult result;
    result.status = in.text("status");
    if (in.ok() && result.status != "finished" && result.status != "cancelled" && result.status != "failed")
        in.refuse("status", "\"" + result.status.substr(0, 100) + "\"", "finished, cancelled or failed");
    result.simulated = in.flag("simulated");
    result.averageWeightBits = in.number("average_weight_bits");
    result.quantizedLayerBits = in.number("quantized_layer_bits", std::numeric_limits<double>::quiet_NaN());
    result.parameters = in.integer<std::int64_t>("parameters", 0, kMaxCount);
    result.model = readModel(in.object("model"));
    result.text = readText(in.object("text"));
    if (in.has("full")) result.full = readEvalResult(in.object("full"));
    if (in.has("quantized")) result.quantized = readEvalResult(in.object("quantized"));
    result.spec = readSpecOf<RunSpec>(in.object("spec"), "run");
    result.modelFingerprint = in.text("model_fingerprint", std::string());
    result.warnings = readWarnings(in);
    result.provenance = readProvenance(in.object("provenance"));
    for (const Reader& row : in.objects("per_layer"))
        result.perLayer.push_back(readRunRow(row));
    return result;
}

Json lossInfoToJson(const LossEstimateInfo& info) {
    return Json{{"sequences", info.sequences},
                {"sequence_length", info.sequenceLength},
                {"labels", info.labels},
                {"seconds", info.seconds}};
}

LossEstimateInfo readLossInfo(Reader in) {
    LossEstimateInfo info;
    info.sequences = in.integer<int>("sequences", 0, INT32_MAX);
    info.sequenceLength = in.integer<int>("sequence_length", 0, INT32_MAX);
    info.labels = in.integer<int>("labels", 0, INT32_MAX);
    info.seconds = in.number("seconds");
    return info;
}

AnalysisResult readAnalysisResult(Reader in) {
    in.checkSchema(kResultSchema);
    AnalysisResult result;
    result.parameters = in.integer<std::int64_t>("parameters", 0, kMaxCount);
    result.model = readModel(in.object("model"));
    result.text = readText(in.object("text"));
    result.spec = readSpecOf<AnalyzeSpec>(in.object("spec"), "analyze");
    result.modelFingerprint = in.text("model_fingerprint", std::string());
    result.warnings = readWarnings(in);
    result.provenance = readProvenance(in.object("provenance"));
    if (in.has("loss_estimate")) result.lossEstimate = readLossInfo(in.object("loss_estimate"));
    for (const Reader& site : in.objects("sites"))
        result.sites.push_back(readSite(site));
    return result;
}

/// Parses, reads with `read`, and reports the first thing that was wrong.
template <class Read>
auto decode(std::string_view text, const std::string& label, Read read)
    -> Result<decltype(read(std::declval<Reader>()))> {
    BDQ_TRY(const Json document, parseObject(text, label, ErrorCode::BadFormat));
    ReadState state{label, ErrorCode::BadFormat, {}};
    const Reader reader(document, state);
    auto value = read(reader);
    BDQ_CHECK(reader.status());
    return value;
}

/// Removes the numbers and names that a file does not say: 0 and the empty text stand for them.
void eraseUnknown(Json& model) {
    for (const char* key : {"layers", "hidden_size", "intermediate_size", "heads", "kv_heads", "head_dim",
                            "vocab_size", "context_length", "rope_theta", "norm_epsilon"})
        if (model.at(key) == 0) model.erase(key);
    if (model.at("architecture") == "") model.erase("architecture");
}

} // namespace
} // namespace json

std::string encodeModelInfo(const ModelIndex& index) {
    json::Json out{{"schema", kResultSchema}, {"path", index.path}, {"format", index.format}};
    json::Json config = json::modelToJson(index.config);
    json::eraseUnknown(config);
    out.update(config);
    out["parameters"] = index.parameters;
    out["tensors"] = index.tensors.size();
    out["files"] = index.files.size();
    out["file_bytes"] = index.fileBytes;
    std::map<std::string_view, std::int64_t> byType;
    for (const TensorEntry& tensor : index.tensors)
        ++byType[tensorTypeName(tensor.type)];
    json::Json types = json::Json::object();
    for (const auto& [name, count] : byType)
        types[std::string(name)] = count;
    out["tensor_types"] = std::move(types);
    return json::dump(out, json::kIndent);
}

std::string encodeAnalysis(const AnalysisResult& result) {
    json::Json out{{"schema", kResultSchema},
                   {"parameters", result.parameters},
                   {"model", json::modelToJson(result.model)},
                   {"text", json::textToJson(result.text)},
                   {"spec", json::specToJson(result.spec)},
                   {"provenance", json::provenanceToJson(result.provenance)}};
    json::putOrigin(out, result.modelFingerprint, result.warnings);
    if (result.lossEstimate) out["loss_estimate"] = json::lossInfoToJson(*result.lossEstimate);
    out["sites"] = json::Json::array();
    for (const SiteAnalysis& site : result.sites)
        out["sites"].push_back(json::siteToJson(site));
    return json::dump(out);
}

Result<AnalysisResult> decodeAnalysis(std::string_view text, const std::string& label) {
    return json::decode(text, label, json::readAnalysisResult);
}

std::string encodeEval(const EvalResult& result) {
    return json::dump(json::evalToJson(result), json::kIndent);
}

Result<EvalResult> decodeEval(std::string_view text, const std::string& label) {
    return json::decode(text, label, json::readEvalResult);
}

std::string encodeRun(const RunResult& result) {
    return json::dump(json::runToJson(result), json::kIndent);
}

Result<RunResult> decodeRun(std::string_view text, const std::string& label) {
    return json::decode(text, label, json::readRunResult);
}

std::string encodeRunRow(const RunSiteResult& row) {
    return json::dump(json::runRowToJson(row));
}

Result<RunSiteResult> decodeRunRow(std::string_view text, const std::string& label) {
    return json::decode(text, label, json::readRunRow);
}

} // namespace bdq
