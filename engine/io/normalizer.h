// What a tokenizer changes in a text before it cuts it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "engine/api/result.h"

namespace bdq::io {

/// A sequence of changes. Immutable and thread-safe.
class Normalizer {
public:
    using Step = std::function<Status(std::string&)>;

    Normalizer() = default;
    explicit Normalizer(std::vector<Step> steps) : m_steps(std::move(steps)) {}

    [[nodiscard]] bool empty() const { return m_steps.empty(); }
    /// `text` is valid UTF-8, and so is the result. Errors: Unsupported (a pattern that gave up), HostOom.
    Result<std::string> apply(std::string_view text) const;

private:
    std::vector<Step> m_steps;
};

/// 'normalizer' of a tokenizer.json: NFC, NFD, NFKC, NFKD, Lowercase, Prepend, Replace, Strip, StripAccents
/// and sequences of them; null = none. Errors: Unsupported (another kind), BadFormat.
Result<Normalizer> normalizerFromJson(const nlohmann::json* object, const std::string& label);

/// One step of Unicode's normalization form C, which Qwen's tokenizers are defined with.
Normalizer nfcNormalizer();

} // namespace bdq::io
