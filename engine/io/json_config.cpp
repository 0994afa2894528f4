#include <initializer_list>
#include <limits>

#include "engine/io/byte_reader.h"
#include "engine/io/config_fields.h"
#include "engine/io/json_guard.h"
#include "engine/io/model_config.h"
#include "engine/io/rope_scaling.h"

namespace bdq::io {
namespace {

using nlohmann::json;

/// The scaling of one rope object: its words, and the divisors of the kinds that are computed.
void readScaling(const ConfigFields& scaling, const ConfigFields& top, const std::string& label,
                 ConfigReading& reading) {
    ModelConfig& config = reading.config;
    const std::string kind = scaling.text("rope_type", scaling.text("type", "default"));
    const double factor = scaling.positive("factor", 1.0);
    if (kind == "default") return;
    config.ropeScaling = kind + " factor " + json(factor).dump();
    if (!isComputed(config.architecture)) return;
    Result<std::vector<double>> divisors;
    if (kind == "linear") {
        divisors = linearDivisors(factor, config.headDim, label);
    } else if (kind == "llama3") {
        Llama3Scaling numbers;
        numbers.factor = factor;
        numbers.lowFrequencyFactor = scaling.requiredPositive("low_freq_factor");
        numbers.highFrequencyFactor = scaling.requiredPositive("high_freq_factor");
        numbers.originalContext = scaling.requiredPositive("original_max_position_embeddings", &top);
        divisors = llama3Divisors(config.ropeTheta, config.headDim, numbers, label);
    }
    if (divisors)
        config.ropeDivisors = std::move(*divisors);
    else
        reading.refuse(divisors.error().code, divisors.error().message);
}

/// rope_theta and scaling stand at the top (rope_scaling) or, in newer files, in rope_parameters.
void readRope(const ConfigFields& fields, const std::string& label, ConfigReading& reading) {
    ModelConfig& config = reading.config;
    config.ropeTheta = fields.positive("rope_theta", config.ropeTheta);
    double partial = fields.positive("partial_rotary_factor", 1.0);
    for (const char* key : {"rope_parameters", "rope_scaling"}) {
        const json* object = fields.find(key);
        if (object == nullptr) continue;
        const std::string place = label + ": " + key;
        const ConfigFields scaling(*object, place, reading);
        config.ropeTheta = scaling.positive("rope_theta", config.ropeTheta);
        partial = scaling.positive("partial_rotary_factor", partial);
        readScaling(scaling, fields, place, reading);
    }
    if (partial == 1.0) return;
    config.ropeScaling = "partial " + json(partial).dump();
    config.ropeDivisors.clear();
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
void readWindow(const ConfigFields& fields, ModelConfig& config) {
    const bool qwen = config.architecture == "qwen2" || config.architecture == "qwen3";
    if (!qwen && config.architecture != "mistral") return;
    const bool used = fields.flag("use_sliding_window", !qwen);
    if (!used || fields.find("sliding_window") == nullptr) return;
    config.slidingWindow = fields.count({"sliding_window"}, 0);
    if (!qwen) return;
    constexpr std::int64_t kQwenFullLayers = 28; // transformers' default
    const json* full = fields.find("max_window_layers");
    if (full == nullptr || !full->is_number_unsigned() || full->get<std::uint64_t>() != 0)
        config.firstSlidingLayer = static_cast<int>(fields.count({"max_window_layers"}, kQwenFullLayers));
    const json* types = fields.find("layer_types");
    if (types == nullptr || !types->is_array()) return;
    const std::optional<int> leading = leadingFullLayers(*types);
    if (leading)
        config.firstSlidingLayer = *leading;
    else
        config.architecture += "-mixed-attention";
}

void readFamily(const ConfigFields& fields, const std::string& label, ConfigReading& reading) {
    if (!isComputed(reading.config.architecture)) return;
    const std::string activation = fields.text("hidden_act", "silu");
    // "swish" is the older name of the same function.
    if (activation != "silu" && activation != "swish")
        reading.refuse(ErrorCode::Unsupported,
                       label + ": hidden_act " + inQuotes(activation) + ", expected 'silu'");
    readWindow(fields, reading.config);
}

/// head_dim where the file does not say it; 0 = not known.
std::int64_t usualHeadDim(const ModelConfig& config) {
    constexpr std::int64_t kQwen3HeadDim = 128; // transformers' default
    if (config.architecture == "qwen3") return kQwen3HeadDim;
    return config.heads > 0 ? config.hiddenSize / config.heads : 0;
}

/// Other families have other names for the same numbers; only the first is that of those that are computed.
void readNumbers(const ConfigFields& fields, ModelConfig& config) {
    const std::int64_t required = isComputed(config.architecture) ? ConfigFields::kRequired : 0;
    config.layers = static_cast<int>(fields.count(
        {"num_hidden_layers", "n_layer", "n_layers", "num_layers", "num_decoder_layers"}, required));
    config.hiddenSize =
        fields.count({"hidden_size", "n_embd", "d_model", "n_embed", "hidden_dim", "dim"}, required);
    config.intermediateSize = fields.count(
        {"intermediate_size", "ffn_dim", "n_inner", "d_ff", "ffn_hidden_size", "ffn_hidden_dim"}, required);
    config.heads = fields.count({"num_attention_heads", "n_head", "n_heads", "num_heads"}, required);
    config.kvHeads = fields.count(
        {"num_key_value_heads", "num_kv_heads", "n_head_kv", "multi_query_group_num"}, config.heads);
    config.headDim = fields.count({"head_dim", "kv_channels"}, usualHeadDim(config));
    config.vocabSize = fields.count({"vocab_size", "padded_vocab_size"}, required);
    config.contextLength = fields.count({"max_position_embeddings", "n_positions", "n_ctx", "max_seq_len",
                                         "seq_length", "max_sequence_length"},
                                        0);
}

/// The numbers of a language model inside a larger one stand in an object of their own; those at the top come
/// first.
json flattened(json document) {
    for (const char* key : {"text_config", "language_config", "llm_config", "thinker_config"}) {
        const json* inner = member(document, key);
        if (inner == nullptr || !inner->is_object()) continue;
        const json numbers = flattened(*inner);
        for (const auto& [name, value] : numbers.items())
            if (const auto there = document.find(name); there == document.end() || there->is_null())
                document[name] = value;
    }
    return document;
}

/// Weights that are codes of another method's quantization would be read as plain numbers.
void refuseQuantized(const json& document, const std::string& label, ConfigReading& reading) {
    for (const char* key : {"quantization_config", "compression_config", "quantization"}) {
        const json* object = member(document, key);
        if (object == nullptr || !object->is_object()) continue;
        const json* method = member(*object, "quant_method");
        const std::string name = method != nullptr && method->is_string() ? method->get<std::string>()
                                                                          : std::string("unknown method");
        reading.refuse(ErrorCode::Unsupported,
                       label + ": the checkpoint is already quantized (" + key + ": " + name +
                           "); it can be listed but not computed, expected weights of F32, F16 or BF16");
    }
}

std::string architectureOf(const json& document) {
    const auto textAt = [](const json* value) {
        return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
    };
    if (std::string type = textAt(member(document, "model_type")); !type.empty()) return type;
    const json* classes = member(document, "architectures");
    return classes != nullptr && classes->is_array() && !classes->empty() ? textAt(&classes->front()) : "";
}

} // namespace

std::string computedArchitecturesText() {
    std::string text;
    for (const std::string_view name : kComputedArchitectures)
        text += (text.empty() ? "" : ", ") + std::string(name);
    return text;
}

Result<ConfigReading> configFromJson(std::string_view text, const std::string& label) {
    BDQ_TRY(const json whole, parseJson(withoutPythonNumbers(text), label));
    if (!whole.is_object()) return fail(ErrorCode::BadFormat, label + ": is no JSON object");
    ConfigReading reading;
    ModelConfig& config = reading.config;
    config.architecture = architectureOf(whole);
    if (member(whole, "model_type") == nullptr)
        reading.refuse(ErrorCode::BadFormat, label + ": key 'model_type' is missing");
    const json document = flattened(whole);
    refuseQuantized(document, label, reading);
    const ConfigFields fields(document, label, reading);
    if (!isComputed(config.architecture)) config.ropeTheta = config.normEpsilon = 0;
    readNumbers(fields, config);
    constexpr double kEpsilon = 1e-6; // transformers' default
    config.normEpsilon =
        fields.positive("rms_norm_eps", isComputed(config.architecture) ? kEpsilon : config.normEpsilon);
    config.tiedEmbedding = fields.flag("tie_word_embeddings", false);
    readRope(fields, label, reading);
    readFamily(fields, label, reading);
    return reading;
}

} // namespace bdq::io
