#include "engine/io/sentencepiece_proto.h"

#include <bit>
#include <optional>

namespace bdq::io {
namespace {

constexpr unsigned kVarint = 0;
constexpr unsigned kFixed64 = 1;
constexpr unsigned kBytes = 2;
constexpr unsigned kFixed32 = 5;

struct Field {
    unsigned number = 0;
    std::uint64_t value = 0; ///< of a varint
    std::string_view bytes;  ///< of a length-delimited field
};

/// Fields of one message, one after the other.
class ProtoReader {
public:
    explicit ProtoReader(std::string_view message) : m_left(message) {}

    /// Nothing at the end, and where the bytes are no field.
    std::optional<Field> next() {
        const auto key = varint();
        if (!key) return std::nullopt;
        Field field{static_cast<unsigned>(*key >> 3), 0, {}};
        const auto type = static_cast<unsigned>(*key & 7);
        if (type == kFixed32 || type == kFixed64) return skip(type == kFixed32 ? 4 : 8, field);
        const auto value = varint();
        if (!value || (type != kVarint && type != kBytes)) return std::nullopt;
        field.value = *value;
        if (type == kVarint) return field;
        if (*value > m_left.size()) return std::nullopt;
        field.bytes = m_left.substr(0, static_cast<std::size_t>(*value));
        return skip(field.bytes.size(), field);
    }

private:
    std::optional<Field> skip(std::size_t bytes, const Field& field) {
        if (bytes > m_left.size()) return std::nullopt;
        m_left.remove_prefix(bytes);
        return field;
    }
    std::optional<std::uint64_t> varint() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64 && !m_left.empty(); shift += 7) {
            const auto byte = static_cast<unsigned char>(m_left.front());
            m_left.remove_prefix(1);
            value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
            if (byte < 0x80) return value;
        }
        return std::nullopt;
    }
    std::string_view m_left;
};

constexpr unsigned kPieces = 1;         // ModelProto.pieces
constexpr unsigned kNormalizerSpec = 3; // ModelProto.normalizer_spec
constexpr unsigned kPieceText = 1;      // SentencePiece.piece
constexpr unsigned kPieceType = 3;      // SentencePiece.type
constexpr unsigned kDummyPrefix = 3;    // NormalizerSpec.add_dummy_prefix

} // namespace

void ProtoWriter::number(unsigned field, std::uint64_t value) {
    key(field, kVarint);
    varint(value);
}

void ProtoWriter::real(unsigned field, float value) {
    key(field, kFixed32);
    const auto bits = std::bit_cast<std::uint32_t>(value);
    for (int shift = 0; shift < 32; shift += 8)
        m_bytes += static_cast<char>(bits >> shift & 0xff);
}

void ProtoWriter::bytes(unsigned field, std::string_view value) {
    key(field, kBytes);
    varint(value.size());
    m_bytes += value;
}

void ProtoWriter::key(unsigned field, unsigned wireType) {
    varint(field << 3 | wireType);
}

void ProtoWriter::varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7)
        m_bytes += static_cast<char>((value & 0x7f) | 0x80);
    m_bytes += static_cast<char>(value);
}

std::vector<SentencePiece> piecesOfModel(std::string_view model) {
    std::vector<SentencePiece> pieces;
    ProtoReader reader(model);
    while (const auto field = reader.next()) {
        if (field->number != kPieces) continue;
        SentencePiece piece;
        ProtoReader parts(field->bytes);
        while (const auto part = parts.next()) {
            if (part->number == kPieceText) piece.text = part->bytes;
            if (part->number == kPieceType) piece.type = static_cast<int>(part->value & 0xff);
        }
        pieces.push_back(piece);
    }
    return pieces;
}

// Messages that are appended are merged; of a field that appears twice the last value counts.
std::string withoutDummyPrefix(std::string_view model) {
    ProtoWriter normalizer;
    normalizer.number(kDummyPrefix, 0);
    ProtoWriter change;
    change.bytes(kNormalizerSpec, normalizer.result());
    return std::string(model) + change.result();
}

} // namespace bdq::io
