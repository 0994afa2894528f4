#include "engine/io/bpe.h"

#include <algorithm>
#include <queue>

#include "engine/io/byte_reader.h"
#include "engine/io/unicode.h"

namespace bdq::io {
namespace {

/// Bytes that GPT-2's table writes as themselves; the other 68 become U+0100 onwards in order of their value.
constexpr bool isPlainByte(unsigned byte) {
    return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}

constexpr unsigned kShiftedBase = 0x100;
constexpr unsigned kShiftedCount = 68;

constexpr std::array<std::uint8_t, kShiftedCount> makeShifted() {
    std::array<std::uint8_t, kShiftedCount> bytes{};
    std::size_t next = 0;
    for (unsigned byte = 0; byte < 256; ++byte)
        if (!isPlainByte(byte)) bytes[next++] = static_cast<std::uint8_t>(byte);
    return bytes;
}
constexpr auto kShifted = makeShifted();

std::uint64_t pairKey(std::int32_t left, std::int32_t right) {
    return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 |
           static_cast<std::uint32_t>(right);
}

/// A symbol of the piece that is being merged, linked to its neighbours; id -1 = swallowed by its left
/// neighbour.
struct Symbol {
    std::int32_t id;
    std::int32_t previous;
    std::int32_t next;
};

/// A possible merge of the symbol at `left` with its right neighbour; stale once either id has changed.
struct Candidate {
    std::int32_t rank;
    std::int32_t left;
    std::int32_t leftId;
    std::int32_t rightId;
    std::int32_t result;
    bool operator>(const Candidate& other) const {
        return std::pair(rank, left) > std::pair(other.rank, other.left);
    }
};

} // namespace

std::string tokenTextOfByte(std::uint8_t byte) {
    unsigned code = byte;
    for (unsigned i = 0; i < kShiftedCount; ++i)
        if (kShifted[i] == byte) code = kShiftedBase + i;
    if (code < 0x80) return {static_cast<char>(code)};
    return {static_cast<char>(0xc0 | code >> 6), static_cast<char>(0x80 | (code & 0x3f))};
}

std::optional<std::string> bytesOfTokenText(std::string_view text) {
    std::string bytes;
    bytes.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned code = static_cast<unsigned char>(text[i]);
        if (code >= 0x80) {
            // All characters of the table have one or two bytes in UTF-8.
            if (code >> 5 != 6 || i + 1 == text.size()) return std::nullopt;
            code = (code & 0x1fu) << 6 | (static_cast<unsigned char>(text[++i]) & 0x3fu);
        }
        if (code < 256 && isPlainByte(code))
            bytes += static_cast<char>(code);
        else if (code >= kShiftedBase && code < kShiftedBase + kShiftedCount)
            bytes += static_cast<char>(kShifted[code - kShiftedBase]);
        else
            return std::nullopt;
    }
    return bytes;
}

void Bpe::addTokens(const BpeSource& source) {
    m_bytes.reserve(source.tokens.size());
    m_ids.reserve(source.tokens.size());
    for (const BpeSource::Token& token : source.tokens) {
        const auto id = static_cast<std::int32_t>(m_bytes.size());
        std::optional<std::string> bytes;
        if (!token.special)
            bytes = m_byteLevel ? bytesOfTokenText(token.text) : std::optional(std::string(token.text));
        const bool plain = bytes.has_value() && !bytes->empty();
        m_bytes.push_back(plain ? std::move(*bytes) : std::string(token.text));
        if (plain) m_ids.insert_or_assign(m_bytes.back(), id);
    }
}

Status Bpe::addMerges(const BpeSource& source, const std::string& label) {
    m_merges.reserve(source.merges.size());
    std::int32_t rank = 0;
    for (const auto& [left, right] : source.merges) {
        const auto bytes = [&](std::string_view text) {
            return m_byteLevel ? bytesOfTokenText(text) : std::optional(std::string(text));
        };
        const auto leftBytes = bytes(left);
        const auto rightBytes = bytes(right);
        const auto id = [&](const std::optional<std::string>& text) {
            return text ? idOf(*text).value_or(-1) : -1;
        };
        const std::int32_t leftId = id(leftBytes);
        const std::int32_t rightId = id(rightBytes);
        const std::int32_t result = leftId < 0 || rightId < 0 ? -1 : id(*leftBytes + *rightBytes);
        if (result < 0)
            return fail(ErrorCode::BadFormat, label + ": merge " + std::to_string(rank) + " of " +
                                                  inQuotes(left) + " and " + inQuotes(right) +
                                                  " names a token that is not in the vocabulary");
        m_merges.try_emplace(pairKey(leftId, rightId), Merge{rank++, result});
    }
    return {};
}

Status Bpe::addFallback(const BpeSource& source, const std::string& label) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    for (unsigned byte = 0; byte < 256; ++byte) {
        const std::string bytes = m_byteLevel
                                      ? std::string(1, static_cast<char>(byte))
                                      : std::string("<0x") + kDigits[byte / 16] + kDigits[byte % 16] + ">";
        m_byteIds[byte] = idOf(bytes).value_or(-1);
    }
    if (source.unknown.empty()) return {};
    for (std::size_t id = 0; id < source.tokens.size(); ++id)
        if (source.tokens[id].text == source.unknown) m_unknownId = static_cast<std::int32_t>(id);
    if (m_unknownId < 0)
        return fail(ErrorCode::BadFormat,
                    label + ": the unknown token " + inQuotes(source.unknown) + " is not in the vocabulary");
    return {};
}

Result<Bpe> Bpe::build(const BpeSource& source, const std::string& label) {
    if (source.tokens.empty() || source.tokens.size() > INT32_MAX || source.merges.size() > INT32_MAX)
        return fail(ErrorCode::BadFormat, label + ": vocabulary of " + std::to_string(source.tokens.size()) +
                                              " tokens and " + std::to_string(source.merges.size()) +
                                              " merges");
    Bpe bpe;
    bpe.m_label = label;
    bpe.m_byteLevel = source.byteLevel;
    bpe.m_ignoreMerges = source.ignoreMerges;
    bpe.m_byteFallback = source.byteFallback && !source.byteLevel;
    bpe.m_fuseUnknown = source.fuseUnknown;
    bpe.addTokens(source);
    BDQ_CHECK(bpe.addMerges(source, label));
    BDQ_CHECK(bpe.addFallback(source, label));
    return bpe;
}

std::string_view Bpe::bytesOf(std::int32_t id) const {
    return id < 0 || id >= size() ? std::string_view{} : m_bytes[static_cast<std::size_t>(id)];
}

std::optional<std::int32_t> Bpe::idOf(std::string_view bytes) const {
    const auto found = m_ids.find(bytes);
    return found == m_ids.end() ? std::nullopt : std::optional(found->second);
}

/// What is merged: ids of bytes or characters. As in `tokenizers`, an unknown token waits for the next one
/// that the vocabulary has, also when bytes come in between.
std::vector<std::int32_t> Bpe::symbolsOf(std::string_view piece) const {
    std::vector<std::int32_t> symbols;
    symbols.reserve(piece.size());
    bool waiting = false;
    const auto flush = [&] {
        if (waiting) symbols.push_back(m_unknownId);
        waiting = false;
    };
    while (!piece.empty()) {
        const std::size_t bytes = m_byteLevel ? 1 : firstCharacter(piece).bytes;
        const std::string_view character = piece.substr(0, bytes);
        piece.remove_prefix(bytes);
        const std::int32_t id = m_byteLevel ? m_byteIds[static_cast<unsigned char>(character.front())]
                                            : idOf(character).value_or(-1);
        const auto byteId = [&](char byte) { return m_byteIds[static_cast<unsigned char>(byte)]; };
        if (id >= 0) {
            flush();
            symbols.push_back(id);
        } else if (m_byteFallback &&
                   std::all_of(character.begin(), character.end(), [&](char c) { return byteId(c) >= 0; })) {
            for (const char byte : character)
                symbols.push_back(byteId(byte));
        } else if (m_unknownId >= 0) {
            if (!m_fuseUnknown) flush();
            waiting = true;
        }
    }
    flush();
    return symbols;
}

Status Bpe::encodePiece(std::string_view piece, std::vector<std::int32_t>& ids) const {
    if (m_ignoreMerges)
        if (const auto whole = idOf(piece)) {
            ids.push_back(*whole);
            return {};
        }
    if (piece.size() > INT32_MAX)
        return fail(ErrorCode::Unsupported, m_label + ": a piece of text without a break of over 2 GiB");
    merge(symbolsOf(piece), ids);
    return {};
}

void Bpe::merge(const std::vector<std::int32_t>& start, std::vector<std::int32_t>& ids) const {
    const auto count = static_cast<std::int32_t>(start.size());
    std::vector<Symbol> symbols;
    symbols.reserve(start.size());
    for (std::int32_t i = 0; i < count; ++i)
        symbols.push_back({start[static_cast<std::size_t>(i)], i - 1, i + 1 < count ? i + 1 : -1});
    const auto at = [&](std::int32_t i) -> Symbol& { return symbols[static_cast<std::size_t>(i)]; };
    std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue;
    const auto propose = [&](std::int32_t left) {
        if (left < 0 || at(left).next < 0) return;
        const std::int32_t leftId = at(left).id;
        const std::int32_t rightId = at(at(left).next).id;
        if (const auto merge = m_merges.find(pairKey(leftId, rightId)); merge != m_merges.end())
            queue.push({merge->second.rank, left, leftId, rightId, merge->second.result});
    };
    for (std::int32_t i = 0; i + 1 < count; ++i)
        propose(i);
    while (!queue.empty()) {
        const Candidate best = queue.top();
        queue.pop();
        Symbol& left = at(best.left);
        if (left.id != best.leftId || left.next < 0 || at(left.next).id != best.rightId) continue;
        Symbol& right = at(left.next);
        left.id = best.result;
        left.next = right.next;
        right.id = -1;
        if (left.next >= 0) at(left.next).previous = best.left;
        propose(left.previous);
        propose(best.left);
    }
    for (std::int32_t i = 0; i >= 0 && count > 0; i = at(i).next)
        ids.push_back(at(i).id);
}

} // namespace bdq::io
