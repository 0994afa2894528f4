#include "engine/io/tensor_file.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <nlohmann/json.hpp>

#include "engine/api/atomic_file.h"
#include "engine/io/byte_reader.h"
#include "engine/io/mapped_file.h"
#include "engine/io/safetensors.h"
#include "engine/io/utf8.h"

namespace bdq::io {
namespace {

struct TypeRow {
    HostTensor::Type host;
    TensorType stored;
    std::size_t bytes;
};

// In the order in which the reference writer stores them: descending alignment (design/formats.md 1).
constexpr std::array kTypes{
    TypeRow{HostTensor::Type::I64, TensorType::I64, 8}, TypeRow{HostTensor::Type::F64, TensorType::F64, 8},
    TypeRow{HostTensor::Type::F32, TensorType::F32, 4}, TypeRow{HostTensor::Type::I32, TensorType::I32, 4},
    TypeRow{HostTensor::Type::I16, TensorType::I16, 2}, TypeRow{HostTensor::Type::I8, TensorType::I8, 1},
    TypeRow{HostTensor::Type::U8, TensorType::U8, 1},
};

const TypeRow& rowOf(HostTensor::Type type) {
    return *std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeRow& row) { return row.host == type; });
}

Status checkTensor(const std::string& name, const HostTensor& tensor, const std::string& label) {
    const std::string object = label + ": tensor " + inQuotes(name);
    if (name == "__metadata__" || invalidUtf8At(name) != std::string::npos)
        return fail(ErrorCode::Internal, object + ": this name cannot be stored");
    const auto elements = checkedElements(tensor.shape);
    const auto bytes = elements ? checkedProduct(static_cast<std::uint64_t>(*elements), itemSize(tensor.type))
                                : std::nullopt;
    if (!bytes || *bytes != tensor.bytes.size())
        return fail(ErrorCode::Internal, object + ": holds " + std::to_string(tensor.bytes.size()) +
                                             " bytes, which disagrees with its shape");
    return {};
}

using Named = std::pair<const std::string, HostTensor>;

std::string headerText(const TensorFile& file, const std::vector<const Named*>& order) {
    nlohmann::json header = nlohmann::json::object();
    header["__metadata__"] = file.metadata;
    header["__metadata__"].emplace("format", "pt");
    std::uint64_t begin = 0;
    for (const Named* entry : order) {
        const std::uint64_t end = begin + entry->second.bytes.size();
        header[entry->first] = {{"dtype", safetensorsName(rowOf(entry->second.type).stored)},
                                {"shape", entry->second.shape},
                                {"data_offsets", {begin, end}}};
        begin = end;
    }
    std::string text = header.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    // The data then starts at a multiple of 8.
    text.append((8 - text.size() % 8) % 8, ' ');
    return text;
}

} // namespace

std::size_t itemSize(HostTensor::Type type) {
    return rowOf(type).bytes;
}

Status writeTensorFile(const std::filesystem::path& path, const TensorFile& file) {
    std::vector<const Named*> order;
    for (const Named& entry : file.tensors) {
        BDQ_CHECK(checkTensor(entry.first, entry.second, path.filename().string()));
        order.push_back(&entry);
    }
    // The map is sorted by name already.
    std::stable_sort(order.begin(), order.end(), [](const Named* a, const Named* b) {
        return &rowOf(a->second.type) < &rowOf(b->second.type);
    });
    const std::string header = headerText(file, order);
    const std::uint64_t length = header.size();
    BDQ_TRY(AtomicFile output, AtomicFile::create(path));
    BDQ_CHECK(output.write(std::as_bytes(std::span(&length, 1))));
    BDQ_CHECK(output.write(header));
    for (const Named* entry : order)
        BDQ_CHECK(output.write(entry->second.bytes));
    return output.commit();
}

Result<TensorFile> parseTensorFile(std::span<const std::byte> bytes, const std::string& label) {
    BDQ_TRY(SafetensorsHeader header, parseSafetensors(bytes, label));
    TensorFile file;
    file.metadata = std::move(header.metadata);
    for (SafetensorsTensor& tensor : header.tensors) {
        const auto* row = std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeRow& candidate) {
            return candidate.stored == tensor.type;
        });
        if (row == kTypes.end())
            return fail(ErrorCode::Unsupported, label + ": tensor " + inQuotes(tensor.name) + ": dtype " +
                                                    tensor.dtype + ", expected F32, F64 or an integer type");
        const auto data = bytes.subspan(static_cast<std::size_t>(tensor.offsetBytes),
                                        static_cast<std::size_t>(tensor.sizeBytes));
        file.tensors.emplace(std::move(tensor.name),
                             HostTensor{row->host, std::move(tensor.shape), {data.begin(), data.end()}});
    }
    return file;
}

Result<TensorFile> readTensorFile(const std::filesystem::path& path) {
    BDQ_TRY(const MappedFile file, MappedFile::open(path));
    return parseTensorFile(file.bytes(), path.filename().string());
}

} // namespace bdq::io
