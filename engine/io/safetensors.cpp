#include "engine/io/safetensors.h"

#include <algorithm>
#include <array>
#include <optional>

#include "engine/io/byte_reader.h"
#include "engine/io/json_guard.h"

namespace bdq::io {
namespace {

using nlohmann::json;

struct DtypeRow {
    std::string_view name;
    std::uint64_t bits;
    TensorType type;
};

// All names of the format; Other = listed and size-checked, but not decoded.
constexpr std::array kDtypes{
    DtypeRow{"BOOL", 8, TensorType::Bool},
    DtypeRow{"F4", 4, TensorType::Other},
    DtypeRow{"F6_E2M3", 6, TensorType::Other},
    DtypeRow{"F6_E3M2", 6, TensorType::Other},
    DtypeRow{"U8", 8, TensorType::U8},
    DtypeRow{"I8", 8, TensorType::I8},
    DtypeRow{"F8_E5M2", 8, TensorType::Other},
    DtypeRow{"F8_E4M3", 8, TensorType::F8E4M3},
    DtypeRow{"F8_E8M0", 8, TensorType::Other},
    DtypeRow{"F8_E4M3FNUZ", 8, TensorType::Other},
    DtypeRow{"F8_E5M2FNUZ", 8, TensorType::Other},
    DtypeRow{"I16", 16, TensorType::I16},
    DtypeRow{"U16", 16, TensorType::Other},
    DtypeRow{"F16", 16, TensorType::F16},
    DtypeRow{"BF16", 16, TensorType::BF16},
    DtypeRow{"I32", 32, TensorType::I32},
    DtypeRow{"U32", 32, TensorType::Other},
    DtypeRow{"F32", 32, TensorType::F32},
    DtypeRow{"C64", 64, TensorType::Other},
    DtypeRow{"F64", 64, TensorType::F64},
    DtypeRow{"I64", 64, TensorType::I64},
    DtypeRow{"U64", 64, TensorType::Other},
};

tl::unexpected<Error> bad(const std::string& object, const std::string& reason) {
    return fail(ErrorCode::BadFormat, object + ": " + reason);
}

/// Non-negative integer up to 2^63 - 1, written without fraction or exponent.
std::optional<std::int64_t> asCount(const json& value) {
    if (!value.is_number_unsigned()) return std::nullopt;
    const auto number = value.get<std::uint64_t>();
    return number > INT64_MAX ? std::nullopt : std::optional(static_cast<std::int64_t>(number));
}

Result<std::vector<std::int64_t>> counts(const json* list, const std::string& object,
                                         const std::string& what) {
    if (list == nullptr || !list->is_array()) return bad(object, what + " is missing or no array");
    std::vector<std::int64_t> result;
    result.reserve(list->size());
    for (const json& value : *list) {
        const auto count = asCount(value);
        if (!count)
            return bad(object, what + " holds " +
                                   inQuotes(value.dump(-1, ' ', false, json::error_handler_t::replace)) +
                                   ", expected integers from 0 to 2^63 - 1");
        result.push_back(*count);
    }
    return result;
}

Result<std::map<std::string, std::string>> parseMetadata(const json& object, const std::string& label) {
    if (!object.is_object()) return bad(label, "__metadata__ is no object");
    std::map<std::string, std::string> metadata;
    for (const auto& [key, value] : object.items()) {
        if (!value.is_string()) return bad(label, "__metadata__ value of " + inQuotes(key) + " is no string");
        metadata.emplace(key, value.get<std::string>());
    }
    return metadata;
}

Result<std::uint64_t> sizeOf(const SafetensorsTensor& tensor, std::uint64_t bits, const std::string& object) {
    const auto elements = checkedElements(tensor.shape);
    const auto total = elements ? checkedProduct(static_cast<std::uint64_t>(*elements), bits) : std::nullopt;
    if (!total) return bad(object, "its size in bits exceeds 2^64 - 1");
    if (*total % 8 != 0) return bad(object, "its " + std::to_string(*total) + " bits do not end on a byte");
    return *total / 8;
}

/// Offsets are still relative to the byte buffer.
Result<SafetensorsTensor> parseTensor(const std::string& name, const json& entry, const std::string& label) {
    const std::string object = label + ": tensor " + inQuotes(name);
    if (!entry.is_object()) return bad(object, "its header entry is no object");
    SafetensorsTensor tensor;
    tensor.name = name;
    const json* dtype = member(entry, "dtype");
    if (dtype == nullptr || !dtype->is_string()) return bad(object, "dtype is missing or no string");
    tensor.dtype = dtype->get<std::string>();
    const auto* row = std::find_if(kDtypes.begin(), kDtypes.end(),
                                   [&](const DtypeRow& candidate) { return candidate.name == tensor.dtype; });
    tensor.type = row == kDtypes.end() ? TensorType::Other : row->type;
    BDQ_TRY(tensor.shape, counts(member(entry, "shape"), object, "shape"));
    BDQ_TRY(const std::vector<std::int64_t> range,
            counts(member(entry, "data_offsets"), object, "data_offsets"));
    if (range.size() != 2 || range[1] < range[0])
        return bad(object, "data_offsets is no pair [begin, end] with begin <= end");
    tensor.offsetBytes = static_cast<std::uint64_t>(range[0]);
    tensor.sizeBytes = static_cast<std::uint64_t>(range[1] - range[0]);
    if (row == kDtypes.end()) return tensor; // listed with the bytes that its header gives
    BDQ_TRY(const std::uint64_t expected, sizeOf(tensor, row->bits, object));
    if (expected != tensor.sizeBytes)
        return bad(object, "data_offsets span " + std::to_string(tensor.sizeBytes) +
                               " bytes, its shape and dtype " + tensor.dtype + " need " +
                               std::to_string(expected));
    return tensor;
}

/// Sorts by offset and checks that the tensors fill the buffer exactly.
Status placeTensors(SafetensorsHeader& header, std::uint64_t bufferBytes, const std::string& label) {
    auto& tensors = header.tensors;
    std::sort(tensors.begin(), tensors.end(), [](const SafetensorsTensor& a, const SafetensorsTensor& b) {
        return std::pair(a.offsetBytes, a.sizeBytes) < std::pair(b.offsetBytes, b.sizeBytes);
    });
    std::uint64_t end = 0;
    for (SafetensorsTensor& tensor : tensors) {
        if (tensor.offsetBytes != end)
            return bad(
                label + ": tensor " + inQuotes(tensor.name),
                "begins at " + std::to_string(tensor.offsetBytes) + ", expected " + std::to_string(end) +
                    (tensor.offsetBytes < end ? ": it overlaps the one before" : ": a hole in the data"));
        end += tensor.sizeBytes;
        tensor.offsetBytes += header.headerBytes;
    }
    if (end != bufferBytes)
        return bad(label, "its header describes " + std::to_string(end) + " bytes of data, the file has " +
                              std::to_string(bufferBytes));
    return {};
}

} // namespace

Result<SafetensorsHeader> parseSafetensors(std::span<const std::byte> bytes, const std::string& label) {
    ByteReader reader(bytes, label);
    BDQ_TRY(const std::uint64_t length, reader.read<std::uint64_t>("header length"));
    if (length > kMaxSafetensorsHeader)
        return bad(label, "header of " + std::to_string(length) + " bytes, the format allows " +
                              std::to_string(kMaxSafetensorsHeader) + "; is it a safetensors file?");
    BDQ_TRY(const std::string_view text, reader.takeText(length, "header"));
    if (text.empty() || text.front() != '{')
        return bad(label, "header does not start with '{'; is it a safetensors file?");
    BDQ_TRY(const json document, parseJson(text, label));
    SafetensorsHeader header;
    header.headerBytes = reader.position();
    header.tensors.reserve(document.size());
    for (const auto& [name, entry] : document.items()) {
        if (name == "__metadata__") {
            BDQ_TRY(header.metadata, parseMetadata(entry, label));
            continue;
        }
        BDQ_TRY(SafetensorsTensor tensor, parseTensor(name, entry, label));
        header.tensors.push_back(std::move(tensor));
    }
    BDQ_CHECK(placeTensors(header, reader.left(), label));
    return header;
}

std::string_view safetensorsName(TensorType type) {
    for (const DtypeRow& row : kDtypes)
        if (row.type == type && type != TensorType::Other) return row.name;
    return {};
}

} // namespace bdq::io
