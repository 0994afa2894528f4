#include "engine/io/gguf.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

#include "engine/io/byte_reader.h"
#include "engine/io/tensor_blocks.h"

namespace bdq::io {
namespace {

constexpr std::uint32_t kMagic = 0x46554747; // "GGUF"
constexpr std::uint64_t kDefaultAlignment = 32;
constexpr std::uint32_t kMaxDims = 4;
// Smallest encodings: key length + type + one byte; name length + dims + type + offset; type + length.
constexpr std::uint64_t kMinPairBytes = 8 + 4 + 1;
constexpr std::uint64_t kMinTensorBytes = 8 + 4 + 4 + 8;
constexpr std::uint64_t kMinArrayBytes = 4 + 8;
const std::string kUnknownType = "ggml type ";
constexpr int kMaxArrayDepth = 4; // of arrays in arrays

/// Bytes of a scalar type; 0 for strings, arrays and unknown numbers.
std::uint64_t scalarBytes(GgufType type) {
    constexpr std::array<std::uint8_t, 13> kBytes{1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    const auto index = static_cast<std::size_t>(type);
    return index < kBytes.size() ? kBytes[index] : 0;
}

template <class T> T loadAs(std::span<const std::byte> bytes) {
    T value;
    std::memcpy(&value, bytes.data(), sizeof(T));
    return value;
}

std::optional<double> loadNumber(GgufType type, std::span<const std::byte> bytes) {
    switch (type) {
    case GgufType::U8:
    case GgufType::Bool:
        return loadAs<std::uint8_t>(bytes);
    case GgufType::I8:
        return loadAs<std::int8_t>(bytes);
    case GgufType::U16:
        return loadAs<std::uint16_t>(bytes);
    case GgufType::I16:
        return loadAs<std::int16_t>(bytes);
    case GgufType::U32:
        return loadAs<std::uint32_t>(bytes);
    case GgufType::I32:
        return loadAs<std::int32_t>(bytes);
    case GgufType::F32:
        return static_cast<double>(loadAs<float>(bytes));
    case GgufType::U64:
        return static_cast<double>(loadAs<std::uint64_t>(bytes));
    case GgufType::I64:
        return static_cast<double>(loadAs<std::int64_t>(bytes));
    case GgufType::F64:
        return loadAs<double>(bytes);
    case GgufType::String:
    case GgufType::Array:
        break;
    }
    return std::nullopt;
}

Result<std::string_view> readString(ByteReader& reader, std::string_view what) {
    BDQ_TRY(const std::uint64_t length, reader.read<std::uint64_t>(what));
    return reader.takeText(length, what);
}

Status readArray(ByteReader& reader, std::string_view key, int depth, GgufValue& value);

Status skipElement(ByteReader& reader, std::string_view key, int depth, GgufType type) {
    if (type == GgufType::String) {
        BDQ_CHECK(readString(reader, key));
        return {};
    }
    GgufValue inner;
    return readArray(reader, key, depth + 1, inner);
}

/// Walks over the payload of an array so that later readers of the view need no checks.
Status readArray(ByteReader& reader, std::string_view key, int depth, GgufValue& value) {
    BDQ_TRY(const std::uint32_t elementType, reader.read<std::uint32_t>("array type"));
    BDQ_TRY(value.count, reader.read<std::uint64_t>("array length"));
    value.elementType = static_cast<GgufType>(elementType);
    const bool nested = value.elementType == GgufType::Array && depth < kMaxArrayDepth;
    const bool walked = nested || value.elementType == GgufType::String;
    const std::uint64_t bytesEach = nested ? kMinArrayBytes : (walked ? 8 : scalarBytes(value.elementType));
    if (bytesEach == 0)
        return fail(ErrorCode::BadFormat, reader.label() + ": metadata " + inQuotes(key) +
                                              ": array of type " + std::to_string(elementType) +
                                              ", expected numbers, bools, strings or up to " +
                                              std::to_string(kMaxArrayDepth) + " levels of arrays");
    BDQ_CHECK(reader.requireItems(value.count, bytesEach, "elements of " + inQuotes(key)));
    if (!walked) {
        BDQ_TRY(value.bytes, reader.take(value.count * bytesEach, key));
        return {};
    }
    ByteReader walker = reader;
    for (std::uint64_t i = 0; i < value.count; ++i)
        BDQ_CHECK(skipElement(walker, key, depth, value.elementType));
    BDQ_TRY(value.bytes, reader.take(walker.position() - reader.position(), key));
    return {};
}

Result<GgufValue> readValue(ByteReader& reader, std::string_view key) {
    BDQ_TRY(const std::uint32_t type, reader.read<std::uint32_t>("metadata type"));
    GgufValue value;
    value.type = static_cast<GgufType>(type);
    if (value.type == GgufType::Array) {
        BDQ_CHECK(readArray(reader, key, 0, value));
        return value;
    }
    std::uint64_t bytes = scalarBytes(value.type);
    if (value.type == GgufType::String) {
        BDQ_TRY(bytes, reader.read<std::uint64_t>("string length"));
    } else if (bytes == 0) {
        return fail(ErrorCode::BadFormat, reader.label() + ": metadata " + inQuotes(key) + ": type " +
                                              std::to_string(type) + ", expected 0 to 12");
    }
    BDQ_TRY(value.bytes, reader.take(bytes, key));
    return value;
}

Status readVersion(ByteReader& reader, GgufHeader& header) {
    BDQ_TRY(const std::uint32_t magic, reader.read<std::uint32_t>("magic"));
    if (magic != kMagic)
        return fail(ErrorCode::BadFormat,
                    reader.label() + ": not a GGUF file: it does not start with 'GGUF'");
    BDQ_TRY(header.version, reader.read<std::uint32_t>("version"));
    if (header.version == 2 || header.version == 3) return {};
    const bool swapped = header.version != 0 && (header.version & 0xffff) == 0;
    return fail(ErrorCode::Unsupported, reader.label() +
                                            (swapped ? ": big-endian GGUF file"
                                                     : ": GGUF version " + std::to_string(header.version)) +
                                            ", this version reads little-endian files of versions 2 and 3");
}

Status readMetadata(ByteReader& reader, std::uint64_t count, GgufHeader& header) {
    BDQ_CHECK(reader.requireItems(count, kMinPairBytes, "metadata entries"));
    header.metadata.reserve(static_cast<std::size_t>(count));
    for (std::uint64_t i = 0; i < count; ++i) {
        BDQ_TRY(const std::string_view key, readString(reader, "metadata key"));
        BDQ_TRY(const GgufValue value, readValue(reader, key));
        if (!header.byKey.emplace(key, header.metadata.size()).second)
            return fail(ErrorCode::BadFormat,
                        reader.label() + ": metadata key " + inQuotes(key) + " appears twice");
        header.metadata.emplace_back(key, value);
    }
    return {};
}

Result<std::vector<std::int64_t>> readShape(ByteReader& reader, const std::string& name) {
    BDQ_TRY(const std::uint32_t dims, reader.read<std::uint32_t>("number of dimensions"));
    if (dims > kMaxDims)
        return fail(ErrorCode::BadFormat, name + ": " + std::to_string(dims) + " dimensions, expected 0 to " +
                                              std::to_string(kMaxDims));
    std::vector<std::int64_t> shape(dims);
    for (std::uint32_t i = 0; i < dims; ++i) {
        BDQ_TRY(const std::uint64_t extent, reader.read<std::uint64_t>("extent"));
        if (extent > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
            return fail(ErrorCode::BadFormat,
                        name + ": extent " + std::to_string(extent) + ", expected 0 to 2^63 - 1");
        shape[dims - 1 - i] = static_cast<std::int64_t>(extent);
    }
    return shape;
}

Result<std::uint64_t> dataBytes(const std::vector<std::int64_t>& shape, const GgmlType& type,
                                const std::string& name) {
    const auto elements = checkedElements(shape);
    if (!elements) return fail(ErrorCode::BadFormat, name + ": the product of its extents exceeds 2^63 - 1");
    if (!shape.empty() && shape.back() % type.layout.values != 0)
        return fail(ErrorCode::BadFormat, name + ": rows of " + std::to_string(shape.back()) +
                                              " values are no multiple of the " +
                                              std::to_string(type.layout.values) + " values in a block of " +
                                              std::string(type.name));
    const auto blocks = static_cast<std::uint64_t>(*elements) / type.layout.values;
    const auto bytes = checkedProduct(blocks, type.layout.bytes);
    if (!bytes) return fail(ErrorCode::BadFormat, name + ": its size in bytes exceeds 2^64 - 1");
    return *bytes;
}

/// One row of the table; the offset is still relative to the data section.
Result<GgufTensor> readTensor(ByteReader& reader) {
    GgufTensor tensor;
    BDQ_TRY(tensor.name, readString(reader, "tensor name"));
    const std::string name = reader.label() + ": tensor " + inQuotes(tensor.name);
    BDQ_TRY(tensor.shape, readShape(reader, name));
    BDQ_TRY(const std::uint32_t id, reader.read<std::uint32_t>("tensor type"));
    BDQ_TRY(tensor.offsetBytes, reader.read<std::uint64_t>("tensor offset"));
    const auto type = ggmlType(id);
    tensor.type = type ? type->type : TensorType::Other;
    tensor.typeName = type ? std::string(type->name) : kUnknownType + std::to_string(id);
    if (type) {
        BDQ_TRY(tensor.sizeBytes, dataBytes(tensor.shape, *type, name));
    } else if (!checkedElements(tensor.shape)) {
        return fail(ErrorCode::BadFormat, name + ": the product of its extents exceeds 2^63 - 1");
    }
    return tensor;
}

Result<std::uint64_t> alignmentOf(const GgufHeader& header, const std::string& label) {
    const GgufValue* value = header.find("general.alignment");
    if (value == nullptr) return kDefaultAlignment;
    const auto alignment = value->asUnsigned();
    if (!alignment || !std::has_single_bit(*alignment) || *alignment > (1u << 20))
        return fail(ErrorCode::BadFormat, label + ": general.alignment is not a power of two up to 2^20");
    return *alignment;
}

/// A type that is not known has the bytes up to the next tensor.
void sizeUnknownTypes(const std::vector<GgufTensor*>& order, std::uint64_t end) {
    for (std::size_t i = 0; i < order.size(); ++i)
        if (order[i]->typeName.starts_with(kUnknownType))
            order[i]->sizeBytes =
                (i + 1 < order.size() ? order[i + 1]->offsetBytes : end) - order[i]->offsetBytes;
}

/// Turns offsets into positions in the file and checks that tensors lie inside it, aligned, one after the
/// other.
Status placeTensors(GgufHeader& header, std::uint64_t fileBytes, const std::string& label) {
    BDQ_TRY(const std::uint64_t alignment, alignmentOf(header, label));
    const std::uint64_t dataStart = (header.headerBytes + alignment - 1) / alignment * alignment;
    const std::uint64_t available = fileBytes > dataStart ? fileBytes - dataStart : 0;
    std::vector<GgufTensor*> order;
    order.reserve(header.tensors.size());
    for (GgufTensor& tensor : header.tensors) {
        const std::string name = label + ": tensor " + inQuotes(tensor.name);
        if (tensor.offsetBytes % alignment != 0)
            return fail(ErrorCode::BadFormat, name + ": offset " + std::to_string(tensor.offsetBytes) +
                                                  " is not aligned to " + std::to_string(alignment));
        if (tensor.offsetBytes > available || tensor.sizeBytes > available - tensor.offsetBytes)
            return fail(ErrorCode::BadFormat, name + ": " + std::to_string(tensor.sizeBytes) +
                                                  " bytes at offset " + std::to_string(tensor.offsetBytes) +
                                                  ", but only " + std::to_string(available) +
                                                  " bytes of data in the file");
        tensor.offsetBytes += dataStart;
        order.push_back(&tensor);
    }
    std::sort(order.begin(), order.end(), [](const GgufTensor* a, const GgufTensor* b) {
        return std::pair(a->offsetBytes, a->sizeBytes) < std::pair(b->offsetBytes, b->sizeBytes);
    });
    sizeUnknownTypes(order, std::max(fileBytes, dataStart));
    for (std::size_t i = 1; i < order.size(); ++i)
        if (order[i - 1]->offsetBytes + order[i - 1]->sizeBytes > order[i]->offsetBytes)
            return fail(ErrorCode::BadFormat, label + ": tensors " + inQuotes(order[i - 1]->name) + " and " +
                                                  inQuotes(order[i]->name) + " overlap");
    return {};
}

Status readTensors(ByteReader& reader, std::uint64_t count, GgufHeader& header) {
    BDQ_CHECK(reader.requireItems(count, kMinTensorBytes, "tensors"));
    header.tensors.reserve(static_cast<std::size_t>(count));
    std::unordered_map<std::string_view, std::size_t> names;
    for (std::uint64_t i = 0; i < count; ++i) {
        BDQ_TRY(GgufTensor tensor, readTensor(reader));
        if (!names.emplace(tensor.name, i).second)
            return fail(ErrorCode::BadFormat,
                        reader.label() + ": tensor " + inQuotes(tensor.name) + " appears twice");
        header.tensors.push_back(std::move(tensor));
    }
    return {};
}

} // namespace

std::optional<double> GgufValue::asNumber() const {
    return type == GgufType::Bool ? std::nullopt : loadNumber(type, bytes);
}

std::optional<std::uint64_t> GgufValue::asUnsigned() const {
    switch (type) {
    case GgufType::U64:
        return loadAs<std::uint64_t>(bytes);
    case GgufType::I64: {
        const auto value = loadAs<std::int64_t>(bytes);
        return value < 0 ? std::nullopt : std::optional(static_cast<std::uint64_t>(value));
    }
    case GgufType::U8:
    case GgufType::I8:
    case GgufType::U16:
    case GgufType::I16:
    case GgufType::U32:
    case GgufType::I32: {
        const auto value = loadNumber(type, bytes);
        return *value < 0 ? std::nullopt : std::optional(static_cast<std::uint64_t>(*value));
    }
    default:
        return std::nullopt;
    }
}

std::optional<std::string_view> GgufValue::asString() const {
    if (type != GgufType::String) return std::nullopt;
    return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

std::optional<bool> GgufValue::asBool() const {
    if (type != GgufType::Bool) return std::nullopt;
    return loadAs<std::uint8_t>(bytes) != 0;
}

std::vector<std::string_view> GgufValue::strings() const {
    std::vector<std::string_view> result;
    if (type != GgufType::Array || elementType != GgufType::String) return result;
    result.reserve(static_cast<std::size_t>(count));
    const char* next = reinterpret_cast<const char*>(bytes.data());
    for (std::uint64_t i = 0; i < count; ++i) {
        std::uint64_t length = 0;
        std::memcpy(&length, next, sizeof(length));
        result.emplace_back(next + sizeof(length), static_cast<std::size_t>(length));
        next += sizeof(length) + length;
    }
    return result;
}

std::vector<double> GgufValue::numbers() const {
    std::vector<double> result;
    const auto width = static_cast<std::size_t>(scalarBytes(elementType));
    if (type != GgufType::Array || width == 0) return result;
    result.reserve(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < count; ++i)
        result.push_back(*loadNumber(elementType, bytes.subspan(i * width, width)));
    return result;
}

const GgufValue* GgufHeader::find(std::string_view key) const {
    const auto found = byKey.find(key);
    return found == byKey.end() ? nullptr : &metadata[found->second].second;
}

Result<GgufHeader> parseGguf(std::span<const std::byte> bytes, const std::string& label) {
    ByteReader reader(bytes, label);
    GgufHeader header;
    BDQ_CHECK(readVersion(reader, header));
    BDQ_TRY(const std::uint64_t tensorCount, reader.read<std::uint64_t>("tensor count"));
    BDQ_TRY(const std::uint64_t pairCount, reader.read<std::uint64_t>("metadata count"));
    BDQ_CHECK(readMetadata(reader, pairCount, header));
    BDQ_CHECK(readTensors(reader, tensorCount, header));
    header.headerBytes = reader.position();
    BDQ_CHECK(placeTensors(header, bytes.size(), label));
    return header;
}

} // namespace bdq::io
