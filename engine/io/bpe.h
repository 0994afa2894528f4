// Byte-level byte-pair encoding: vocabulary, merges by rank, encoding of one piece of text.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/api/result.h"

namespace bdq::io {

/// Text of a token as files write it: bytes outside of the printable ones are shifted to U+0100..U+0143
/// (GPT-2's table). Returns the bytes, or nothing when a character is not in the table.
std::optional<std::string> bytesOfTokenText(std::string_view text);
/// Inverse: one byte as the file writes it.
std::string tokenTextOfByte(std::uint8_t byte);

/// What a file says about a BPE vocabulary. Views need to live only as long as Bpe::build runs.
struct BpeSource {
    struct Token {
        std::string_view text;
        bool special = false; ///< control or added token: never produced from plain text
    };
    std::vector<Token> tokens;                                         ///< by id; empty text = id not used
    std::vector<std::pair<std::string_view, std::string_view>> merges; ///< best first
    bool ignoreMerges = false; ///< a piece that is a token as a whole is not merged (LLaMA 3)
};

/// Immutable and thread-safe.
class Bpe {
public:
    /// Errors: BadFormat naming the token or merge.
    static Result<Bpe> build(const BpeSource& source, const std::string& label);

    /// Appends the ids of one piece. Error: Unsupported when a byte has no token.
    Status encodePiece(std::string_view piece, std::vector<std::int32_t>& ids) const;
    /// Bytes of a token; empty for ids outside of the vocabulary.
    [[nodiscard]] std::string_view bytesOf(std::int32_t id) const;
    [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(m_bytes.size()); }

    // m_ids views the strings of m_bytes: moving keeps them in place, copying would not.
    Bpe(Bpe&&) noexcept = default;
    Bpe& operator=(Bpe&&) noexcept = default;
    Bpe(const Bpe&) = delete;
    Bpe& operator=(const Bpe&) = delete;

private:
    struct Merge {
        std::int32_t rank;
        std::int32_t result;
    };
    Bpe() = default;
    Status addTokens(const BpeSource& source, const std::string& label);
    Status addMerges(const BpeSource& source, const std::string& label);

    std::vector<std::string> m_bytes; ///< by id
    std::unordered_map<std::string_view, std::int32_t>
        m_ids;                                         ///< plain tokens by their bytes, views into m_bytes
    std::unordered_map<std::uint64_t, Merge> m_merges; ///< by pairKey
    std::array<std::int32_t, 256> m_byteIds{};         ///< -1 = none
    bool m_ignoreMerges = false;
    std::string m_label;
};

} // namespace bdq::io
