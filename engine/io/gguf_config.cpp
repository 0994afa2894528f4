#include <limits>

#include "engine/io/byte_reader.h"
#include "engine/io/model_config.h"
#include "engine/io/rope_scaling.h"

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

const GgufTensor* findTensor(const GgufHeader& header, std::string_view name) {
    for (const GgufTensor& tensor : header.tensors)
        if (tensor.name == name) return &tensor;
    return nullptr;
}

/// What deviates from plain RoPE over the whole head: the words, and the divisors where it is computed.
Status readRope(const GgufHeader& header, std::span<const std::byte> file, const Keys& keys,
                const std::string& label, ModelConfig& config) {
    BDQ_TRY(const std::int64_t rotated, keys.count("rope.dimension_count", false));
    if (rotated != 0 && rotated != config.headDim) {
        config.ropeScaling = "partial " + std::to_string(rotated) + " of " + std::to_string(config.headDim);
        return {};
    }
    const GgufValue* type = keys.find("rope.scaling.type");
    const std::string kind(type == nullptr ? "linear" : type->asString().value_or("unknown"));
    BDQ_TRY(const double older, keys.positive("rope.scale_linear", 1.0, false));
    BDQ_TRY(const double factor, keys.positive("rope.scaling.factor", older, false));
    if (kind != "none" && kind != "linear") {
        config.ropeScaling = kind + " factor " + shortNumber(factor);
        return {};
    }
    const double divisor = kind == "linear" ? factor : 1.0;
    const GgufTensor* table = findTensor(header, "rope_freqs.weight");
    if (divisor == 1.0 && table == nullptr) return {};
    if (divisor != 1.0) config.ropeScaling = "linear factor " + shortNumber(divisor);
    if (table != nullptr)
        config.ropeScaling += std::string(divisor != 1.0 ? ", " : "") + "llama3 (rope_freqs.weight)";
    BDQ_TRY(config.ropeDivisors, linearDivisors(divisor, config.headDim, label));
    return table == nullptr ? Status{} : multiplyByTable(*table, file, label, config.ropeDivisors);
}

/// Tokens that a token attends to; 0 = all.
Result<std::int64_t> slidingWindow(const Keys& keys) {
    const GgufValue* value = keys.find("attention.sliding_window");
    if (value != nullptr && value->asUnsigned() == 0u) return 0;
    return keys.count("attention.sliding_window", false);
}

Result<std::int64_t> vocabularySize(const GgufHeader& header, const Keys& keys) {
    const GgufTensor* embedding = findTensor(header, "token_embd.weight");
    if (embedding != nullptr && embedding->shape.size() == 2) return embedding->shape.front();
    return keys.count("vocab_size", false);
}

} // namespace

Result<ModelConfig> configFromGguf(const GgufHeader& header, std::span<const std::byte> file,
                                   const std::string& label) {
    const GgufValue* architecture = header.find("general.architecture");
    if (architecture == nullptr || !architecture->asString())
        return fail(ErrorCode::Unsupported,
                    label + ": holds no model: metadata 'general.architecture' is missing");
    ModelConfig config;
    config.architecture = std::string(*architecture->asString());
    if (const GgufValue* name = header.find("general.name"))
        config.name = std::string(name->asString().value_or(""));
    const Keys keys(header, label, config.architecture, isComputed(config.architecture));
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
    BDQ_CHECK(readRope(header, file, keys, label, config));
    BDQ_TRY(config.slidingWindow, slidingWindow(keys));
    config.permutedQk = config.architecture == "llama";
    BDQ_TRY(const std::int64_t experts, keys.count("expert_count", false));
    if (experts > 0) config.architecture += "-moe";
    return config;
}

} // namespace bdq::io
