// GGUF container, versions 2 and 3, little-endian: header, metadata and tensor table (design/formats.md 5).
// One parser over a span, so that files, tests and fuzzers share it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/api/model_index.h"
#include "engine/api/result.h"

namespace bdq::io {

/// Type ids of metadata values.
enum class GgufType : std::uint32_t { U8, I8, U16, I16, U32, I32, F32, Bool, String, Array, U64, I64, F64 };

/// One metadata value: a view into the file, decoded when asked for.
struct GgufValue {
    GgufType type = GgufType::U8;
    GgufType elementType = GgufType::U8; ///< of an array
    std::uint64_t count = 1;             ///< elements of an array
    std::span<const std::byte> bytes;    ///< scalar, characters of a string, or payload of an array

    /// Value of a scalar number or bool; nothing for other types (integer: also nothing for a negative
    /// number).
    [[nodiscard]] std::optional<std::uint64_t> asUnsigned() const;
    [[nodiscard]] std::optional<double> asNumber() const;
    [[nodiscard]] std::optional<std::string_view> asString() const;
    [[nodiscard]] std::optional<bool> asBool() const;
    /// Elements of an array; empty for other types.
    [[nodiscard]] std::vector<std::string_view> strings() const;
    [[nodiscard]] std::vector<double> numbers() const;
};

/// One row of the tensor table.
struct GgufTensor {
    std::string_view name;
    TensorType type = TensorType::F32; ///< Other = known to ggml, but not decoded here
    std::string typeName;              ///< ggml's name of the type; "ggml type 99" when it is not known
    std::vector<std::int64_t> shape;   ///< outermost first (the file has the fastest first)
    std::uint64_t offsetBytes = 0;     ///< from the start of the file
    std::uint64_t sizeBytes = 0;       ///< of an unknown type: up to the next tensor or the end of the file
};

/// Views into the parsed bytes, which must outlive it.
struct GgufHeader {
    std::uint32_t version = 0;
    std::vector<std::pair<std::string_view, GgufValue>> metadata; ///< in file order
    std::unordered_map<std::string_view, std::size_t> byKey;
    std::vector<GgufTensor> tensors; ///< in file order
    std::uint64_t headerBytes = 0;   ///< up to the end of the tensor table

    [[nodiscard]] const GgufValue* find(std::string_view key) const;
};

/// Parses and checks everything in front of the data, and that every tensor lies inside the file without
/// overlapping another. Errors: BadFormat; Unsupported for version 1 and big-endian files.
Result<GgufHeader> parseGguf(std::span<const std::byte> bytes, const std::string& label);

} // namespace bdq::io
