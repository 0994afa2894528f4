#include <limits>

#include "engine/io/byte_reader.h"
#include "engine/io/model_config.h"
#include "engine/io/rope_scaling.h"

namespace bdq::io {
namespace {

constexpr std::uint64_t kMaxNumber = std::numeric_limits<std::int32_t>::max();

const GgufValue* findValue(std::span<const GgufPart> parts, std::string_view key) {
    for (const GgufPart& part : parts)
        if (const GgufValue* value = part.header->find(key)) return value;
    return nullptr;
}

std::string textAt(std::span<const GgufPart> parts, std::string_view key) {
    const GgufValue* value = findValue(parts, key);
    return std::string(value == nullptr ? std::string_view{} : value->asString().value_or(""));
}

/// A tensor and the file that it stands in.
struct FoundTensor {
    const GgufTensor* tensor = nullptr;
    std::span<const std::byte> file;
};

FoundTensor findTensor(std::span<const GgufPart> parts, std::string_view name) {
    for (const GgufPart& part : parts)
        for (const GgufTensor& tensor : part.header->tensors)
            if (tensor.name == name) return {&tensor, part.bytes};
    return {};
}

/// Typed look-ups below one architecture prefix. What is missing or wrong counts as absent (0) and is noted
/// as the reason why the model cannot be computed.
class Keys {
public:
    Keys(std::span<const GgufPart> parts, std::string label, ConfigReading& reading)
        : m_parts(parts), m_label(std::move(label)), m_prefix(reading.config.architecture + "."),
          m_computed(isComputed(reading.config.architecture)), m_reading(reading) {}

    [[nodiscard]] const GgufValue* find(std::string_view key) const {
        return findValue(m_parts, m_prefix + std::string(key));
    }

    /// Positive integer; an array of equal integers counts as one.
    [[nodiscard]] std::int64_t count(std::string_view key, bool required) const {
        const GgufValue* value = find(key);
        if (value == nullptr) return missing(key, required), 0;
        if (value->type == GgufType::Array) return uniform(*value, key);
        const auto number = value->asUnsigned();
        if (number && *number != 0 && *number <= kMaxNumber) return static_cast<std::int64_t>(*number);
        return wrong(key, "a positive integer below 2^31"), 0;
    }

    [[nodiscard]] double positive(std::string_view key, double fallback, bool required) const {
        const GgufValue* value = find(key);
        if (value == nullptr) return missing(key, required), fallback;
        const auto number = value->asNumber();
        if (number && *number > 0 && *number < 1e30) return *number;
        return wrong(key, "a positive number"), fallback;
    }

private:
    [[nodiscard]] std::string object(std::string_view key) const {
        return m_label + ": metadata " + inQuotes(m_prefix + std::string(key));
    }
    void missing(std::string_view key, bool required) const {
        if (required && m_computed) m_reading.refuse(ErrorCode::BadFormat, object(key) + " is missing");
    }
    void wrong(std::string_view key, const std::string& expected) const {
        m_reading.refuse(ErrorCode::BadFormat, object(key) + " is not " + expected);
    }
    [[nodiscard]] std::int64_t uniform(const GgufValue& list, std::string_view key) const {
        const std::vector<double> numbers = list.numbers();
        if (numbers.empty() || !(numbers.front() >= 1) ||
            !(numbers.front() <= static_cast<double>(kMaxNumber)))
            return wrong(key, "a list of positive integers"), 0;
        for (const double number : numbers)
            if (number != numbers.front()) {
                m_reading.refuse(ErrorCode::Unsupported,
                                 object(key) + " differs between layers; this version needs one value");
                return 0;
            }
        return static_cast<std::int64_t>(numbers.front());
    }

    std::span<const GgufPart> m_parts;
    std::string m_label;
    std::string m_prefix;
    bool m_computed;
    ConfigReading& m_reading;
};

std::string shortNumber(double value) {
    std::string text = std::to_string(value);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text;
}

/// Divisors of linear scaling and of the table that converters write for LLaMA 3.1's.
Result<std::vector<double>> divisorsOf(double divisor, const FoundTensor& table, std::int64_t headDim,
                                       const std::string& label) {
    BDQ_TRY(std::vector<double> divisors, linearDivisors(divisor, headDim, label));
    if (table.tensor != nullptr) BDQ_CHECK(multiplyByTable(*table.tensor, table.file, label, divisors));
    return divisors;
}

/// What deviates from plain RoPE over the whole head: the words, and the divisors where it is computed.
void readRope(std::span<const GgufPart> parts, const Keys& keys, const std::string& label,
              ConfigReading& reading) {
    ModelConfig& config = reading.config;
    const std::int64_t rotated = keys.count("rope.dimension_count", false);
    if (rotated != 0 && rotated != config.headDim) {
        config.ropeScaling = "partial " + std::to_string(rotated) + " of " + std::to_string(config.headDim);
        return;
    }
    const GgufValue* type = keys.find("rope.scaling.type");
    const std::string kind(type == nullptr ? "linear" : type->asString().value_or("unknown"));
    const double factor =
        keys.positive("rope.scaling.factor", keys.positive("rope.scale_linear", 1.0, false), false);
    if (kind != "none" && kind != "linear") {
        config.ropeScaling = kind + " factor " + shortNumber(factor);
        return;
    }
    const double divisor = kind == "linear" ? factor : 1.0;
    const FoundTensor table = findTensor(parts, "rope_freqs.weight");
    if (divisor == 1.0 && table.tensor == nullptr) return;
    if (divisor != 1.0) config.ropeScaling = "linear factor " + shortNumber(divisor);
    if (table.tensor != nullptr)
        config.ropeScaling += std::string(divisor != 1.0 ? ", " : "") + "llama3 (rope_freqs.weight)";
    if (!isComputed(config.architecture)) return;
    auto divisors = divisorsOf(divisor, table, config.headDim, label);
    if (divisors)
        config.ropeDivisors = std::move(*divisors);
    else
        reading.refuse(divisors.error().code, divisors.error().message);
}

/// Tokens that a token attends to; 0 = all.
std::int64_t slidingWindow(const Keys& keys) {
    const GgufValue* value = keys.find("attention.sliding_window");
    if (value != nullptr && value->asUnsigned() == 0u) return 0;
    return keys.count("attention.sliding_window", false);
}

std::int64_t vocabularySize(std::span<const GgufPart> parts, const Keys& keys) {
    const GgufTensor* embedding = findTensor(parts, "token_embd.weight").tensor;
    if (embedding != nullptr && embedding->shape.size() == 2) return embedding->shape.front();
    return keys.count("vocab_size", false);
}

/// Files that hold something other than a whole model (LoRA adapters, importance matrices, projectors).
void refuseOtherKinds(std::span<const GgufPart> parts, const std::string& label, ConfigReading& reading) {
    const std::string kind = textAt(parts, "general.type");
    if (!kind.empty() && kind != "model")
        reading.refuse(ErrorCode::Unsupported, label + ": holds no whole model: general.type is " +
                                                   inQuotes(kind) + "; it can be listed but not computed");
    if (reading.config.architecture.empty())
        reading.refuse(ErrorCode::Unsupported,
                       label + ": holds no model: metadata 'general.architecture' is missing");
}

} // namespace

ConfigReading configFromGguf(std::span<const GgufPart> parts, const std::string& label) {
    ConfigReading reading;
    ModelConfig& config = reading.config;
    config.architecture = textAt(parts, "general.architecture");
    config.name = textAt(parts, "general.name");
    refuseOtherKinds(parts, label, reading);
    if (!isComputed(config.architecture)) config.ropeTheta = config.normEpsilon = 0;
    const Keys keys(parts, label, reading);
    config.layers = static_cast<int>(keys.count("block_count", true));
    config.hiddenSize = keys.count("embedding_length", true);
    config.intermediateSize = keys.count("feed_forward_length", true);
    config.heads = keys.count("attention.head_count", true);
    config.kvHeads = keys.count("attention.head_count_kv", false);
    config.headDim = keys.count("attention.key_length", false);
    config.contextLength = keys.count("context_length", false);
    config.ropeTheta = keys.positive("rope.freq_base", config.ropeTheta, false);
    config.normEpsilon = keys.positive("attention.layer_norm_rms_epsilon", config.normEpsilon, true);
    config.vocabSize = vocabularySize(parts, keys);
    if (config.kvHeads == 0 && keys.find("attention.head_count_kv") == nullptr) config.kvHeads = config.heads;
    if (config.headDim == 0 && config.heads > 0) config.headDim = config.hiddenSize / config.heads;
    readRope(parts, keys, label, reading);
    config.slidingWindow = slidingWindow(keys);
    config.permutedQk = config.architecture == "llama";
    if (keys.count("expert_count", false) > 0) config.architecture += "-moe";
    return reading;
}

} // namespace bdq::io
