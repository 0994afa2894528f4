#include <algorithm>
#include <array>
#include <limits>

#include "engine/io/byte_reader.h"
#include "engine/io/json_guard.h"
#include "engine/io/model_config.h"

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

/// rope_theta and scaling stand at the top (rope_scaling) or, in newer files, in rope_parameters.
Status readRope(const Fields& fields, const std::string& label, ModelConfig& config) {
    BDQ_TRY(config.ropeTheta, fields.positive("rope_theta", config.ropeTheta));
    BDQ_TRY(const double partial, fields.positive("partial_rotary_factor", 1.0));
    if (partial != 1.0) config.ropeScaling = "partial " + json(partial).dump();
    for (const char* key : {"rope_parameters", "rope_scaling"}) {
        const json* object = fields.find(key);
        if (object == nullptr) continue;
        const Fields scaling(*object, label + ": " + key);
        BDQ_TRY(config.ropeTheta, scaling.positive("rope_theta", config.ropeTheta));
        BDQ_TRY(const std::string older, scaling.text("type", "default"));
        BDQ_TRY(const std::string kind, scaling.text("rope_type", older));
        BDQ_TRY(const double factor, scaling.positive("factor", 1.0));
        if (kind != "default") config.ropeScaling = kind + " factor " + json(factor).dump();
    }
    return {};
}

Status readFamily(const Fields& fields, const std::string& label, ModelConfig& config) {
    BDQ_TRY(config.architecture, fields.text("model_type", ""));
    if (config.architecture.empty())
        return fail(ErrorCode::BadFormat, label + ": key 'model_type' is missing");
    if (config.architecture != "llama" && config.architecture != "mistral") return {};
    config.architecture = "llama";
    BDQ_TRY(const std::int64_t window, fields.count("sliding_window", config.contextLength));
    config.contextLength = std::min(config.contextLength, window);
    BDQ_TRY(const std::string activation, fields.text("hidden_act", "silu"));
    if (activation != "silu")
        return fail(ErrorCode::Unsupported,
                    label + ": hidden_act " + inQuotes(activation) + ", expected 'silu'");
    return {};
}

} // namespace

Result<ModelConfig> configFromJson(std::string_view text, const std::string& label) {
    BDQ_TRY(const json document, parseJson(text, label));
    if (!document.is_object()) return fail(ErrorCode::BadFormat, label + ": is no JSON object");
    const Fields fields(document, label);
    ModelConfig config;
    BDQ_TRY(const std::int64_t layers, fields.count("num_hidden_layers", -1));
    config.layers = static_cast<int>(layers);
    BDQ_TRY(config.hiddenSize, fields.count("hidden_size", -1));
    BDQ_TRY(config.intermediateSize, fields.count("intermediate_size", -1));
    BDQ_TRY(config.heads, fields.count("num_attention_heads", -1));
    BDQ_TRY(config.kvHeads, fields.count("num_key_value_heads", config.heads));
    BDQ_TRY(config.headDim, fields.count("head_dim", config.hiddenSize / config.heads));
    BDQ_TRY(config.vocabSize, fields.count("vocab_size", -1));
    BDQ_TRY(config.contextLength, fields.count("max_position_embeddings", 0));
    BDQ_TRY(config.normEpsilon, fields.positive("rms_norm_eps", config.normEpsilon));
    BDQ_TRY(config.tiedEmbedding, fields.flag("tie_word_embeddings", false));
    BDQ_CHECK(readRope(fields, label, config));
    BDQ_CHECK(readFamily(fields, label, config));
    return config;
}

} // namespace bdq::io
