// Our own safetensors files: small sets of named arrays (site details, layer checkpoints).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "engine/api/result.h"
#include "engine/api/site_analysis.h"

namespace bdq::io {

/// One array in host memory. `bytes` has product(shape) * itemsize bytes, row-major.
struct HostTensor {
    enum class Type { F32, F64, I8, U8, I16, I32, I64 };
    Type type = Type::F32;
    std::vector<std::int64_t> shape;
    std::vector<std::byte> bytes;
};
std::size_t itemSize(HostTensor::Type type);

struct TensorFile {
    std::map<std::string, HostTensor> tensors;
    std::map<std::string, std::string> metadata;
};

/// Writes a safetensors file atomically. Errors: Io, DiskFull, Internal when bytes and shape disagree.
Status writeTensorFile(const std::filesystem::path& path, const TensorFile& file);
/// Reads a whole safetensors file, with every check of design/formats.md 1. Errors: NotFound, BadFormat,
/// Unsupported.
Result<TensorFile> readTensorFile(const std::filesystem::path& path);

/// SiteDetail <-> file. Names: "<transform id>.histogram_activation", "channel.kurtosis_activation",
/// "token.min", ...
Status writeSiteDetail(const std::filesystem::path& path, const SiteDetail& detail);
Result<SiteDetail> readSiteDetail(const std::filesystem::path& path);

} // namespace bdq::io
