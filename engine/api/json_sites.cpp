// Analysed sites as JSON.
#include <algorithm>
#include <limits>

#include "engine/api/json_codec.h"

namespace bdq {
namespace json {
namespace {

constexpr std::int64_t kMaxCount = std::int64_t{1}
                                   << 53; // exact in a double, as other readers of JSON hold it

Json flatnessToJson(const Flatness& value) {
    return Json{{"entropy", value.entropy},
                {"entropy_bound", value.entropyBound},
                {"entropy_normalized", value.entropyNormalized},
                {"channel", value.channel},
                {"channel_normalized", value.channelNormalized},
                {"figure2", value.figure2}};
}

Flatness readFlatness(Reader in) {
    Flatness value;
    value.entropy = in.number("entropy");
    value.entropyBound = in.number("entropy_bound");
    value.entropyNormalized = in.number("entropy_normalized");
    value.channel = in.number("channel");
    value.channelNormalized = in.number("channel_normalized");
    value.figure2 = in.number("figure2");
    return value;
}

NoiseByBits readNoise(Reader& in, std::string_view key) {
    NoiseByBits noise{};
    const std::vector<double> values = in.numbers(key, noise.size());
    std::copy(values.begin(), values.end(), noise.begin());
    return noise;
}

Json mapToJson(const std::map<std::string, double>& values) {
    Json out = Json::object();
    for (const auto& [name, value] : values)
        out[name] = value;
    return out;
}

std::map<std::string, double> readMap(Reader& in, std::string_view key) {
    std::map<std::string, double> values;
    for (auto& [name, value] : in.numberMap(key))
        values.emplace(name, value);
    return values;
}

Json lossToJson(const LossEstimate& loss) {
    return Json{{"unit", "nats"},
                {"activation_symmetric", loss.activationSymmetric},
                {"activation_asymmetric", loss.activationAsymmetric},
                {"weight_symmetric", loss.weightSymmetric},
                {"weight_asymmetric", loss.weightAsymmetric},
                {"weight_symmetric_searched", loss.weightSymmetricSearched},
                {"weight_asymmetric_searched", loss.weightAsymmetricSearched}};
}

LossEstimate readLoss(Reader in) {
    LossEstimate loss;
    loss.activationSymmetric = readNoise(in, "activation_symmetric");
    loss.activationAsymmetric = readNoise(in, "activation_asymmetric");
    loss.weightSymmetric = readNoise(in, "weight_symmetric");
    loss.weightAsymmetric = readNoise(in, "weight_asymmetric");
    loss.weightSymmetricSearched = readNoise(in, "weight_symmetric_searched");
    loss.weightAsymmetricSearched = readNoise(in, "weight_asymmetric_searched");
    return loss;
}

Json noiseToJson(const TransformAnalysis& value) {
    Json noise{{"activation_symmetric", value.activationNoiseSymmetric},
               {"activation_asymmetric", value.activationNoiseAsymmetric},
               {"weight_symmetric", value.weightNoiseSymmetric},
               {"weight_asymmetric", value.weightNoiseAsymmetric}};
    if (value.weightNoiseSymmetricSearched)
        noise["weight_symmetric_searched"] = *value.weightNoiseSymmetricSearched;
    if (value.weightNoiseAsymmetricSearched)
        noise["weight_asymmetric_searched"] = *value.weightNoiseAsymmetricSearched;
    return noise;
}

void readNoiseTables(Reader noise, TransformAnalysis& value) {
    value.activationNoiseSymmetric = readNoise(noise, "activation_symmetric");
    value.activationNoiseAsymmetric = readNoise(noise, "activation_asymmetric");
    value.weightNoiseSymmetric = readNoise(noise, "weight_symmetric");
    value.weightNoiseAsymmetric = readNoise(noise, "weight_asymmetric");
    if (noise.has("weight_symmetric_searched"))
        value.weightNoiseSymmetricSearched = readNoise(noise, "weight_symmetric_searched");
    if (noise.has("weight_asymmetric_searched"))
        value.weightNoiseAsymmetricSearched = readNoise(noise, "weight_asymmetric_searched");
}

Json transformToJson(const TransformAnalysis& value) {
    Json out{{"flatness_activation", value.activation.entropyNormalized},
             {"flatness_weight", value.weight.entropyNormalized},
             {"flatness",
              {{"activation", flatnessToJson(value.activation)}, {"weight", flatnessToJson(value.weight)}}},
             {"sqnr_db_measured", mapToJson(value.sqnrDbMeasured)},
             {"sqnr_db_token_median", mapToJson(value.sqnrDbTokenMedian)},
             {"sqnr_db_token_p5", mapToJson(value.sqnrDbTokenLow)},
             {"sqnr_db_predicted", mapToJson(value.sqnrDbPredicted)},
             {"sqnr_db_theorem", mapToJson(value.sqnrDbTheorem)},
             {"concentration_activation_db", value.concentrationActivationDb},
             {"concentration_weight_db", value.concentrationWeightDb},
             {"alignment_db", value.alignmentDb},
             {"absmax_activation", value.absmaxActivation},
             {"absmax_weight", value.absmaxWeight},
             {"kurtosis_activation", value.kurtosisActivation},
             {"outlier_share", value.outlierShare},
             {"noise", noiseToJson(value)}};
    if (value.loss) out["loss"] = lossToJson(*value.loss);
    return out;
}

TransformAnalysis readTransformAnalysis(Reader in) {
    TransformAnalysis value;
    Reader flatness = in.object("flatness");
    value.activation = readFlatness(flatness.object("activation"));
    value.weight = readFlatness(flatness.object("weight"));
    value.sqnrDbMeasured = readMap(in, "sqnr_db_measured");
    if (in.has("sqnr_db_token_median")) value.sqnrDbTokenMedian = readMap(in, "sqnr_db_token_median");
    if (in.has("sqnr_db_token_p5")) value.sqnrDbTokenLow = readMap(in, "sqnr_db_token_p5");
    value.sqnrDbPredicted = readMap(in, "sqnr_db_predicted");
    value.sqnrDbTheorem = readMap(in, "sqnr_db_theorem");
    value.concentrationActivationDb = in.number("concentration_activation_db");
    value.concentrationWeightDb = in.number("concentration_weight_db");
    value.alignmentDb = in.number("alignment_db");
    value.absmaxActivation = in.number("absmax_activation");
    value.absmaxWeight = in.number("absmax_weight");
    value.kurtosisActivation = in.number("kurtosis_activation");
    value.outlierShare = in.number("outlier_share");
    readNoiseTables(in.object("noise"), value);
    if (in.has("loss")) value.loss = readLoss(in.object("loss"));
    return value;
}

/// A file inside the analysis folder: a result from elsewhere must not point at other files.
std::string readInsidePath(Reader& in, std::string_view key) {
    std::string path = in.text(key, std::string());
    const bool outside = path.starts_with('/') || ("/" + path + "/").find("/../") != std::string::npos ||
                         path.find('\0') != std::string::npos;
    if (outside) in.refuse(key, "\"" + path.substr(0, 100) + "\"", "a path inside the folder");
    return path;
}

} // namespace

Json siteToJson(const SiteAnalysis& site) {
    Json out = keyToJson(site.key);
    out["in_features"] = site.inFeatures;
    out["out_features"] = site.outFeatures;
    out["tokens"] = site.tokens;
    out["sample_tokens"] = site.sampleTokens;
    out["signal_power"] = site.signalPower;
    out["top_token_energy_share"] = site.topTokenEnergyShare;
    out["tensors"] = site.tensors;
    out["notes"] = site.notes;
    out["detail_file"] = site.detailFile;
    out["channels_file"] = site.detailFile;
    out["histogram_file"] = site.detailFile;
    Json transforms = Json::object();
    for (const auto& [kind, value] : site.transforms)
        transforms[std::string(transformInfo(kind).id)] = transformToJson(value);
    out["transforms"] = std::move(transforms);
    return out;
}

SiteAnalysis readSite(Reader in) {
    SiteAnalysis site;
    site.key = readKey(in);
    site.inFeatures = in.integer<std::int64_t>("in_features", 0, kMaxCount);
    site.outFeatures = in.integer<std::int64_t>("out_features", 0, kMaxCount);
    site.tokens = in.integer<std::int64_t>("tokens", 0, kMaxCount);
    site.sampleTokens = in.integer<std::int64_t>("sample_tokens", 0, kMaxCount);
    site.signalPower = in.number("signal_power");
    site.topTokenEnergyShare = in.number("top_token_energy_share", std::numeric_limits<double>::quiet_NaN());
    site.tensors = in.texts("tensors");
    site.notes = in.texts("notes");
    site.detailFile = readInsidePath(in, "detail_file");
    for (auto& [name, value] : in.objectMap("transforms")) {
        const std::optional<TransformKind> kind = transformFromName(name);
        if (!kind)
            in.refuse("transforms", "\"" + name + "\"", "the name of a transform");
        else
            site.transforms.emplace(*kind, readTransformAnalysis(value));
    }
    return site;
}

} // namespace json

std::string encodeSiteRow(const SiteAnalysis& site) {
    return json::dump(json::siteToJson(site));
}

Result<SiteAnalysis> decodeSiteRow(std::string_view text, const std::string& label) {
    BDQ_TRY(const json::Json document, json::parseObject(text, label, ErrorCode::BadFormat));
    json::ReadState state{label, ErrorCode::BadFormat, {}};
    const json::Reader reader(document, state);
    SiteAnalysis site = json::readSite(reader);
    BDQ_CHECK(reader.status());
    return site;
}

} // namespace bdq
