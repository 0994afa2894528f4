// The few protocol-buffer fields of a SentencePiece model that are read or written here (protobuf.dev,
// "Encoding"; field numbers from sentencepiece_model.proto).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bdq::io {

/// Appends fields of one message.
class ProtoWriter {
public:
    void number(unsigned field, std::uint64_t value);
    void real(unsigned field, float value);
    void bytes(unsigned field, std::string_view value);
    [[nodiscard]] const std::string& result() const { return m_bytes; }

private:
    void key(unsigned field, unsigned wireType);
    void varint(std::uint64_t value);
    std::string m_bytes;
};

/// A piece of a ModelProto; GGUF's token types have the same numbers.
struct SentencePiece {
    std::string_view text;
    int type = 1;
};

/// Pieces of a serialized ModelProto in order of their ids, viewing it; up to the first byte that is no valid
/// field.
std::vector<SentencePiece> piecesOfModel(std::string_view model);

/// The model with the space in front of a text switched off (NormalizerSpec.add_dummy_prefix).
std::string withoutDummyPrefix(std::string_view model);

} // namespace bdq::io
