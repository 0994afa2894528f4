#include <limits>

#include "engine/io/byte_reader.h"
#include "engine/io/model_config.h"

namespace bdq::io {
namespace {

constexpr std::uint64_t kMaxNumber = std::numeric_limits<std::int32_t>::max();

/// Typed look-ups below one architecture prefix.
class Keys {
public:
    Keys(const GgufHeader& header, std::string label, std::string architecture, bool required)
        : m_header(header), m_label(std::move(label)), m_prefix(std::move(architecture) + "."),
          m_required(required) {}

    [[nodiscard]] const GgufValue* find(std::string_view key) const {
        return m_header.find(m_prefix + std::string(key));
    }

    /// Positive integer; an array of equal integers counts as one. 0 when the key is absent and not required.
    Result<std::int64_t> count(std::string_view key, bool required) const {
        const GgufValue* value = find(key);
        if (value == nullptr) {
            if (required && m_required)
                return fail(ErrorCode::BadFormat,
                            m_label + ": metadata " + inQuotes(m_prefix + std::string(key)) + " is missing");
            return 0;
        }
        if (value->type == GgufType::Array) return uniform(*value, key);
        const auto number = value->asUnsigned();
        if (!number || *number == 0 || *number > kMaxNumber)
            return wrong(key, "a positive integer below 2^31");
        return static_cast<std::int64_t>(*number);
    }

    Result<double> positive(std::string_view key, double fallback, bool required) const {
        const GgufValue* value = find(key);
        if (value == nullptr) {
            if (required && m_required)
                return fail(ErrorCode::BadFormat,
                            m_label + ": metadata " + inQuotes(m_prefix + std::string(key)) + " is missing");
            return fallback;
        }
        const auto number = value->asNumber();
        if (!number || !(*number > 0) || !(*number < 1e30)) return wrong(key, "a positive number");
        return *number;
    }

private:
    [[nodiscard]] tl::unexpected<Error> wrong(std::string_view key, const std::string& expected) const {
        return fail(ErrorCode::BadFormat,
                    m_label + ": metadata " + inQuotes(m_prefix + std::string(key)) + " is not " + expected);
    }
    [[nodiscard]] Result<std::int64_t> uniform(const GgufValue& list, std::string_view key) const {
        const std::vector<double> numbers = list.numbers();
        if (numbers.empty() || !(numbers.front() >= 1) ||
            !(numbers.front() <= static_cast<double>(kMaxNumber)))
            return wrong(key, "a list of positive integers");
        for (const double number : numbers)
            if (number != numbers.front())
                return fail(ErrorCode::Unsupported,
                            m_label + ": metadata " + inQuotes(m_prefix + std::string(key)) +
                                " differs between layers; this version needs one value");
        return static_cast<std::int64_t>(numbers.front());
    }

    const GgufHeader& m_header;
    std::string m_label;
    std::string m_prefix;
    bool m_required;
};

std::string shortNumber(double value) {
    std::string text = std::to_string(value);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text;
}

/// What deviates from plain RoPE over the whole head, in words.
Result<std::string> ropeScaling(const GgufHeader& header, const Keys& keys, const ModelConfig& config) {
    BDQ_TRY(const std::int64_t rotated, keys.count("rope.dimension_count", false));
    if (rotated != 0 && rotated != config.headDim)
        return "partial " + std::to_string(rotated) + " of " + std::to_string(config.headDim);
    for (const GgufTensor& tensor : header.tensors)
        if (tensor.name == "rope_freqs.weight") return std::string("llama3 (rope_freqs.weight)");
    const GgufValue* type = keys.find("rope.scaling.type");
    const std::string kind(type == nullptr ? "" : type->asString().value_or("unknown"));
    BDQ_TRY(const double factor, keys.positive("rope.scaling.factor", 1.0, false));
    BDQ_TRY(const double linear, keys.positive("rope.scale_linear", 1.0, false));
    if (!kind.empty() && kind != "none") return kind + " factor " + shortNumber(factor);
    return linear == 1.0 ? std::string() : "linear factor " + shortNumber(linear);
}

Result<std::int64_t> vocabularySize(const GgufHeader& header, const Keys& keys) {
    for (const GgufTensor& tensor : header.tensors)
        if (tensor.name == "token_embd.weight" && tensor.shape.size() == 2) return tensor.shape.front();
    return keys.count("vocab_size", false);
}

} // namespace

Result<ModelConfig> configFromGguf(const GgufHeader& header, const std::string& label) {
    const GgufValue* architecture = header.find("general.architecture");
    if (architecture == nullptr || !architecture->asString())
        return fail(ErrorCode::Unsupported,
                    label + ": holds no model: metadata 'general.architecture' is missing");
    ModelConfig config;
    config.architecture = std::string(*architecture->asString());
    if (const GgufValue* name = header.find("general.name"))
        config.name = std::string(name->asString().value_or(""));
    const Keys keys(header, label, config.architecture, config.architecture == "llama");
    BDQ_TRY(const std::int64_t layers, keys.count("block_count", true));
    config.layers = static_cast<int>(layers);
    BDQ_TRY(config.hiddenSize, keys.count("embedding_length", true));
    BDQ_TRY(config.intermediateSize, keys.count("feed_forward_length", true));
    BDQ_TRY(config.heads, keys.count("attention.head_count", true));
    BDQ_TRY(config.kvHeads, keys.count("attention.head_count_kv", false));
    BDQ_TRY(config.headDim, keys.count("attention.key_length", false));
    BDQ_TRY(config.contextLength, keys.count("context_length", false));
    BDQ_TRY(config.ropeTheta, keys.positive("rope.freq_base", config.ropeTheta, false));
    BDQ_TRY(config.normEpsilon, keys.positive("attention.layer_norm_rms_epsilon", config.normEpsilon, true));
    BDQ_TRY(config.vocabSize, vocabularySize(header, keys));
    if (config.kvHeads == 0) config.kvHeads = config.heads;
    if (config.headDim == 0 && config.heads > 0) config.headDim = config.hiddenSize / config.heads;
    BDQ_TRY(config.ropeScaling, ropeScaling(header, keys, config));
    config.permutedQk = config.architecture == "llama";
    BDQ_TRY(const std::int64_t experts, keys.count("expert_count", false));
    if (experts > 0) config.architecture += "-moe";
    return config;
}

} // namespace bdq::io
