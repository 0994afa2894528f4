#include <limits>
#include <optional>

#include "engine/io/byte_reader.h"
#include "engine/io/json_guard.h"
#include "engine/io/model_config.h"
#include "engine/io/rope_scaling.h"

namespace bdq::io {
namespace {

using nlohmann::json;

/// Typed look-ups in one object of config.json; null counts as absent.
class Fields {
public:
    Fields(const json& object, std::string label) : m_object(object), m_label(std::move(label)) {}

    [[nodiscard]] const json* find(const char* key) const {
        const json* value = member(m_object, key);
        return value == nullptr || value->is_null() ? nullptr : value;
    }
    /// Positive integer below 2^31; `fallback` < 0 makes the key required.
    Result<std::int64_t> count(const char* key, std::int64_t fallback) const {
        const json* value = find(key);
        if (value == nullptr && fallback >= 0) return fallback;
        if (value == nullptr) return fail(ErrorCode::BadFormat, m_label + ": key '" + key + "' is missing");
        if (!value->is_number_unsigned() || value->get<std::uint64_t>() == 0 ||
            value->get<std::uint64_t>() > std::numeric_limits<std::int32_t>::max())
            return fail(ErrorCode::BadFormat,
                        m_label + ": '" + key + "' is not a positive integer below 2^31");
        return value->get<std::int64_t>();
    }
    Result<double> positive(const char* key, double fallback) const {
        const json* value = find(key);
        if (value == nullptr) return fallback;
        if (!value->is_number() || !(value->get<double>() > 0) || !(value->get<double>() < 1e30))
            return fail(ErrorCode::BadFormat, m_label + ": '" + key + "' is not a positive number");
        return value->get<double>();
    }
    /// The first of several objects that has the key; BadFormat when none does.
    Result<double> requiredPositive(const char* key, const Fields* elsewhere = nullptr) const {
        if (find(key) == nullptr && elsewhere != nullptr && elsewhere->find(key) != nullptr)
            return elsewhere->positive(key, 1);
        if (find(key) == nullptr)
            return fail(ErrorCode::BadFormat, m_label + ": key '" + key + "' is missing");
        return positive(key, 1);
    }
    Result<std::string> text(const char* key, std::string fallback) const {
        const json* value = find(key);
        if (value == nullptr) return fallback;
        if (!value->is_string())
            return fail(ErrorCode::BadFormat, m_label + ": '" + key + "' is not a string");
        return value->get<std::string>();
    }
    Result<bool> flag(const char* key, bool fallback) const {
        const json* value = find(key);
        if (value == nullptr) return fallback;
        if (!value->is_boolean())
            return fail(ErrorCode::BadFormat, m_label + ": '" + key + "' is not true or false");
        return value->get<bool>();
    }

private:
    const json& m_object;
    std::string m_label;
};

/// The scaling of one rope object: its words, and the divisors of the kinds that are computed.
Status readScaling(const Fields& scaling, const Fields& top, const std::string& label, ModelConfig& config) {
    BDQ_TRY(const std::string older, scaling.text("type", "default"));
    BDQ_TRY(const std::string kind, scaling.text("rope_type", older));
    BDQ_TRY(const double factor, scaling.positive("factor", 1.0));
    if (kind == "default") return {};
    config.ropeScaling = kind + " factor " + json(factor).dump();
    if (kind == "linear") {
        BDQ_TRY(config.ropeDivisors, linearDivisors(factor, config.headDim, label));
    }
    if (kind != "llama3") return {};
    Llama3Scaling numbers;
    numbers.factor = factor;
    BDQ_TRY(numbers.lowFrequencyFactor, scaling.requiredPositive("low_freq_factor"));
    BDQ_TRY(numbers.highFrequencyFactor, scaling.requiredPositive("high_freq_factor"));
    BDQ_TRY(numbers.originalContext, scaling.requiredPositive("original_max_position_embeddings", &top));
    BDQ_TRY(config.ropeDivisors, llama3Divisors(config.ropeTheta, config.headDim, numbers, label));
    return {};
}

/// rope_theta and scaling stand at the top (rope_scaling) or, in newer files, in rope_parameters.
Status readRope(const Fields& fields, const std::string& label, ModelConfig& config) {
    BDQ_TRY(config.ropeTheta, fields.positive("rope_theta", config.ropeTheta));
    BDQ_TRY(double partial, fields.positive("partial_rotary_factor", 1.0));
    for (const char* key : {"rope_parameters", "rope_scaling"}) {
        const json* object = fields.find(key);
        if (object == nullptr) continue;
        const std::string place = label + ": " + key;
        const Fields scaling(*object, place);
        BDQ_TRY(config.ropeTheta, scaling.positive("rope_theta", config.ropeTheta));
        BDQ_TRY(partial, scaling.positive("partial_rotary_factor", partial));
        BDQ_CHECK(readScaling(scaling, fields, place, config));
    }
    if (partial == 1.0) return {};
    config.ropeScaling = "partial " + json(partial).dump();
    config.ropeDivisors.clear();
    return {};
}

/// Number of leading full-attention layers in layer_types; nothing when the others are not all windowed.
std::optional<int> leadingFullLayers(const json& types) {
    std::size_t full = 0;
    while (full < types.size() && types[full] == "full_attention")
        ++full;
    for (std::size_t layer = full; layer < types.size(); ++layer)
        if (types[layer] != "sliding_attention") return std::nullopt;
    return static_cast<int>(full);
}

/// Which layers attend to a window: all (Mistral), or those behind max_window_layers if use_sliding_window
/// says so (Qwen); layer_types of newer files overrules.
Status readWindow(const Fields& fields, ModelConfig& config) {
    const bool qwen = config.architecture == "qwen2" || config.architecture == "qwen3";
    if (!qwen && config.architecture != "mistral") return {};
    BDQ_TRY(const bool used, fields.flag("use_sliding_window", !qwen));
    if (!used || fields.find("sliding_window") == nullptr) return {};
    BDQ_TRY(config.slidingWindow, fields.count("sliding_window", 0));
    if (!qwen) return {};
    constexpr std::int64_t kQwenFullLayers = 28; // transformers' default
    const json* full = fields.find("max_window_layers");
    if (full == nullptr || !full->is_number_unsigned() || full->get<std::uint64_t>() != 0) {
        BDQ_TRY(const std::int64_t layers, fields.count("max_window_layers", kQwenFullLayers));
        config.firstSlidingLayer = static_cast<int>(layers);
    }
    const json* types = fields.find("layer_types");
    if (types == nullptr || !types->is_array()) return {};
    const std::optional<int> leading = leadingFullLayers(*types);
    if (leading)
        config.firstSlidingLayer = *leading;
    else
        config.architecture += "-mixed-attention";
    return {};
}

Status readFamily(const Fields& fields, const std::string& label, ModelConfig& config) {
    if (!isComputed(config.architecture)) return {};
    BDQ_TRY(const std::string activation, fields.text("hidden_act", "silu"));
    if (activation != "silu")
        return fail(ErrorCode::Unsupported,
                    label + ": hidden_act " + inQuotes(activation) + ", expected 'silu'");
    return readWindow(fields, config);
}

/// head_dim where the file does not say it.
std::int64_t usualHeadDim(const ModelConfig& config) {
    constexpr std::int64_t kQwen3HeadDim = 128; // transformers' default
    return config.architecture == "qwen3" ? kQwen3HeadDim : config.hiddenSize / config.heads;
}

} // namespace

std::string computedArchitecturesText() {
    std::string text;
    for (const std::string_view name : kComputedArchitectures)
        text += (text.empty() ? "" : ", ") + std::string(name);
    return text;
}

Result<ModelConfig> configFromJson(std::string_view text, const std::string& label) {
    BDQ_TRY(const json document, parseJson(text, label));
    if (!document.is_object()) return fail(ErrorCode::BadFormat, label + ": is no JSON object");
    const Fields fields(document, label);
    ModelConfig config;
    BDQ_TRY(config.architecture, fields.text("model_type", ""));
    if (config.architecture.empty())
        return fail(ErrorCode::BadFormat, label + ": key 'model_type' is missing");
    BDQ_TRY(const std::int64_t layers, fields.count("num_hidden_layers", -1));
    config.layers = static_cast<int>(layers);
    BDQ_TRY(config.hiddenSize, fields.count("hidden_size", -1));
    BDQ_TRY(config.intermediateSize, fields.count("intermediate_size", -1));
    BDQ_TRY(config.heads, fields.count("num_attention_heads", -1));
    BDQ_TRY(config.kvHeads, fields.count("num_key_value_heads", config.heads));
    BDQ_TRY(config.headDim, fields.count("head_dim", usualHeadDim(config)));
    BDQ_TRY(config.vocabSize, fields.count("vocab_size", -1));
    BDQ_TRY(config.contextLength, fields.count("max_position_embeddings", 0));
    constexpr double kEpsilon = 1e-6; // transformers' default
    BDQ_TRY(config.normEpsilon, fields.positive("rms_norm_eps", kEpsilon));
    BDQ_TRY(config.tiedEmbedding, fields.flag("tie_word_embeddings", false));
    BDQ_CHECK(readRope(fields, label, config));
    BDQ_CHECK(readFamily(fields, label, config));
    return config;
}

} // namespace bdq::io
