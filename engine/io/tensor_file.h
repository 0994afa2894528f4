// Our own safetensors files: small sets of named arrays (site details, layer checkpoints).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
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

/// Writes a safetensors file atomically; adds the metadata entry "format": "pt" unless there is one. Errors:
/// Io, DiskFull, Internal when bytes and shape disagree or a name cannot be stored.
Status writeTensorFile(const std::filesystem::path& path, const TensorFile& file);
/// Reads a whole safetensors file, with every check of design/formats.md 1. Errors: NotFound, Io, BadFormat,
/// Unsupported (a dtype that HostTensor lacks).
Result<TensorFile> readTensorFile(const std::filesystem::path& path);
/// The same from memory; `label` names the source in messages.
Result<TensorFile> parseTensorFile(std::span<const std::byte> bytes, const std::string& label);

/// SiteDetail <-> file. Arrays are named "<transform id>.histogram_activation", "site.kurtosis_activation"
/// and so on; empty ones are not stored and come back empty. Every array that is not empty must have the
/// length its comment in site_analysis.h states: Internal when writing, BadFormat when reading.
Status writeSiteDetail(const std::filesystem::path& path, const SiteDetail& detail);
Result<SiteDetail> readSiteDetail(const std::filesystem::path& path);
TensorFile encodeSiteDetail(const SiteDetail& detail);
Result<SiteDetail> decodeSiteDetail(const TensorFile& file, const std::string& label);

} // namespace bdq::io
