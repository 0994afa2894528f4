// Byte-pair encoding: vocabulary, merges by rank, encoding of one piece of text.
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

/// Text of a token as byte-level files write it: bytes outside of the printable ones are shifted to
/// U+0100..U+0143 (GPT-2's table). Returns the bytes, or nothing when a character is not in the table.
std::optional<std::string> bytesOfTokenText(std::string_view text);
/// Inverse: one byte as the file writes it.
std::string tokenTextOfByte(std::uint8_t byte);

/// What a file says about a BPE vocabulary. Views need to live only as long as Bpe::build runs.
struct BpeSource {
    struct Token {
        std::string_view text;
        bool special = false; ///< not part of what merges work on: never produced from text
    };
    std::vector<Token> tokens; ///< by id; empty text = id not used; of two with the same text the last counts
    std::vector<std::pair<std::string_view, std::string_view>> merges; ///< best first
    bool byteLevel =
        true; ///< tokens are written in GPT-2's table and merged from bytes, else from characters
    bool ignoreMerges = false; ///< a piece that is a token as a whole is not merged (LLaMA 3)
    bool byteFallback = false; ///< a character without a token becomes its bytes' tokens, "<0x0A>" etc.
    std::string_view unknown;  ///< token for what has none; empty = it is left out, as `tokenizers` does
    bool fuseUnknown = false;  ///< one unknown token for a run of such characters
};

/// Immutable and thread-safe.
class Bpe {
public:
    /// Errors: BadFormat naming the token or merge.
    static Result<Bpe> build(const BpeSource& source, const std::string& label);

    /// Appends the ids of one piece. Error: Unsupported (a piece of over 2 GiB).
    Status encodePiece(std::string_view piece, std::vector<std::int32_t>& ids) const;
    /// Bytes of a token; empty for ids outside of the vocabulary.
    [[nodiscard]] std::string_view bytesOf(std::int32_t id) const;
    [[nodiscard]] std::optional<std::int32_t> idOf(std::string_view bytes) const;
    [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(m_bytes.size()); }

    // m_ids views the strings of m_bytes: moving keeps them in place, copying would not.
    Bpe(Bpe&&) noexcept = default;
    Bpe& operator=(Bpe&&) noexcept = default;
    Bpe(const Bpe&) = delete;
    Bpe& operator=(const Bpe&) = delete;
    ~Bpe() = default;

private:
    struct Merge {
        std::int32_t rank;
        std::int32_t result;
    };
    Bpe() = default;
    void addTokens(const BpeSource& source);
    Status addMerges(const BpeSource& source, const std::string& label);
    Status addFallback(const BpeSource& source, const std::string& label);
    [[nodiscard]] std::vector<std::int32_t> symbolsOf(std::string_view piece) const;
    void merge(const std::vector<std::int32_t>& symbols, std::vector<std::int32_t>& ids) const;

    std::vector<std::string> m_bytes; ///< by id
    std::unordered_map<std::string_view, std::int32_t>
        m_ids;                                         ///< plain tokens by their bytes, views into m_bytes
    std::unordered_map<std::uint64_t, Merge> m_merges; ///< by pairKey
    std::array<std::int32_t, 256> m_byteIds{}; ///< byte-level: of the byte; else of "<0x..>"; -1 = none
    std::int32_t m_unknownId = -1;
    bool m_byteLevel = true;
    bool m_ignoreMerges = false;
    bool m_byteFallback = false;
    bool m_fuseUnknown = false;
    std::string m_label;
};

} // namespace bdq::io
