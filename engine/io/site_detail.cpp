// SiteDetail as a set of named arrays and text entries. Encoder and decoder walk over the same list of
// fields.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>

#include "engine/io/byte_reader.h"
#include "engine/io/tensor_file.h"

namespace bdq::io {
namespace {

constexpr const char* kSchema = "1";
constexpr std::size_t kBitWidths = 7; // 2..8
constexpr const char* kPermutation = ".permutation";
constexpr const char* kSecondBlockSize = ".second_block_size";
constexpr std::int64_t kMaxInFeatures = std::int64_t{1} << 24;

/// A field of T (SiteDetail or TransformDetail) that is an array.
template <class T> struct ArrayField {
    const char* name;
    std::vector<float> T::*values;
};

constexpr ArrayField<SiteDetail> kSiteArrays[] = {
    {"kurtosis_activation", &SiteDetail::kurtosisActivation},
    {"kurtosis_weight", &SiteDetail::kurtosisWeight},
    {"token_min", &SiteDetail::tokenMin},
    {"token_max", &SiteDetail::tokenMax},
    {"kept_inputs", &SiteDetail::keptInputs},
    {"kept_weights", &SiteDetail::keptWeights},
};
constexpr ArrayField<TransformDetail> kTransformArrays[] = {
    {"channel_rms_activation", &TransformDetail::channelRmsActivation},
    {"channel_absmax_activation", &TransformDetail::channelAbsmaxActivation},
    {"channel_rms_weight", &TransformDetail::channelRmsWeight},
    {"channel_absmax_weight", &TransformDetail::channelAbsmaxWeight},
    {"noise_activation", &TransformDetail::noiseActivation},
    {"noise_weight", &TransformDetail::noiseWeight},
    {"diagonal", &TransformDetail::diagonal},
    {"blocks", &TransformDetail::blocks},
    {"inverse_blocks", &TransformDetail::inverseBlocks},
    {"kronecker_left", &TransformDetail::kroneckerLeft},
    {"kronecker_right", &TransformDetail::kroneckerRight},
    {"second_blocks", &TransformDetail::secondBlocks},
};
struct HistogramField {
    const char* name;
    LogHistogram TransformDetail::*histogram;
};
constexpr HistogramField kHistograms[] = {
    {"histogram_activation", &TransformDetail::histogramActivation},
    {"histogram_weight", &TransformDetail::histogramWeight},
};

/// Entries of all diagonal blocks of an n x n matrix with blocks of k, the last one smaller when k does not
/// divide n.
std::size_t blockEntries(std::size_t n, std::size_t k) {
    return k == 0 ? 0 : n / k * k * k + (n % k) * (n % k);
}

/// k of k * k numbers; 0 when it is no square number.
std::size_t orderOf(const std::vector<float>& square) {
    const auto k = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(square.size()))));
    return k * k == square.size() ? k : 0;
}

/// Required length of an array that is not empty; nothing = any.
std::optional<std::size_t> expectedLength(const SiteDetail& detail, std::vector<float> SiteDetail::*field) {
    const auto n = static_cast<std::size_t>(detail.inFeatures);
    if (field == &SiteDetail::keptInputs) return static_cast<std::size_t>(detail.keptTokens) * n;
    if (field == &SiteDetail::keptWeights) return static_cast<std::size_t>(detail.keptTokens);
    if (field == &SiteDetail::tokenMax) return detail.tokenMin.size();
    if (field == &SiteDetail::tokenMin) return std::nullopt;
    return n;
}
std::optional<std::size_t> expectedLength(std::size_t n, const TransformDetail& detail,
                                          std::vector<float> TransformDetail::*field) {
    if (field == &TransformDetail::noiseActivation || field == &TransformDetail::noiseWeight)
        return kBitWidths * n;
    if (field == &TransformDetail::blocks || field == &TransformDetail::inverseBlocks)
        return blockEntries(n, static_cast<std::size_t>(detail.blockSize));
    if (field == &TransformDetail::kroneckerLeft || field == &TransformDetail::kroneckerRight)
        return std::nullopt; // checkKronecker
    if (field == &TransformDetail::secondBlocks)
        return blockEntries(n, static_cast<std::size_t>(detail.secondBlockSize));
    return n;
}

/// An array of `size` values; an empty one is left out.
Status checkLength(std::size_t size, std::optional<std::size_t> expected, ErrorCode code,
                   const std::string& object) {
    if (size == 0 || !expected || size == *expected) return {};
    return fail(code,
                object + " holds " + std::to_string(size) + " values, expected " + std::to_string(*expected));
}

/// Both factors or neither, square, of orders whose product is n.
Status checkKronecker(const TransformDetail& detail, std::size_t n, ErrorCode code,
                      const std::string& object) {
    const std::size_t left = orderOf(detail.kroneckerLeft);
    const std::size_t right = orderOf(detail.kroneckerRight);
    if (detail.kroneckerLeft.empty() && detail.kroneckerRight.empty()) return {};
    if (left != 0 && right != 0 && n % left == 0 && n / left == right && detail.blocks.empty()) return {};
    return fail(code, object + ": arrays 'kronecker_left' and 'kronecker_right' hold " +
                          std::to_string(detail.kroneckerLeft.size()) + " and " +
                          std::to_string(detail.kroneckerRight.size()) + " values beside " +
                          std::to_string(detail.blocks.size()) +
                          " of 'blocks', expected a^2 and b^2 with a b = " + std::to_string(n) +
                          " and no blocks");
}

/// Relations between the arrays, and the ranges of the numbers they depend on.
Status checkDetail(const SiteDetail& detail, ErrorCode code, const std::string& label) {
    if (detail.inFeatures < 1 || detail.inFeatures > kMaxInFeatures || detail.keptTokens < 0 ||
        detail.keptTokens > kMaxInFeatures)
        return fail(code, label + ": in_features " + std::to_string(detail.inFeatures) + " or kept_tokens " +
                              std::to_string(detail.keptTokens) + " out of range");
    for (const auto& field : kSiteArrays)
        BDQ_CHECK(checkLength((detail.*field.values).size(), expectedLength(detail, field.values), code,
                              label + ": array 'site." + field.name + "'"));
    const auto n = static_cast<std::size_t>(detail.inFeatures);
    for (const auto& [kind, transform] : detail.transforms) {
        const std::string id(transformInfo(kind).id);
        for (const int size : {transform.blockSize, transform.secondBlockSize})
            if (size < 0 || size > detail.inFeatures)
                return fail(code, label + ": block size " + std::to_string(size) + " of " + id +
                                      ", expected 0 to " + std::to_string(detail.inFeatures));
        BDQ_CHECK(checkLength(transform.permutation.size(), n, code,
                              label + ": array '" + id + kPermutation + "'"));
        for (const auto& field : kTransformArrays)
            BDQ_CHECK(checkLength((transform.*field.values).size(),
                                  expectedLength(n, transform, field.values), code,
                                  label + ": array '" + id + "." + field.name + "'"));
        BDQ_CHECK(checkKronecker(transform, n, code, label + ": " + id));
    }
    return {};
}

template <class T> HostTensor hostTensor(HostTensor::Type type, const T* values, std::size_t count) {
    HostTensor tensor{type, {static_cast<std::int64_t>(count)}, std::vector<std::byte>(count * sizeof(T))};
    std::memcpy(tensor.bytes.data(), values, tensor.bytes.size());
    return tensor;
}

template <class T> void addArrays(TensorFile& file, const std::string& prefix, const T& owner, auto& fields) {
    for (const auto& field : fields) {
        const std::vector<float>& values = owner.*field.values;
        if (!values.empty())
            file.tensors.emplace(prefix + field.name,
                                 hostTensor(HostTensor::Type::F32, values.data(), values.size()));
    }
}

/// Fills the arrays that the file has.
template <class T>
Status takeArrays(const TensorFile& file, const std::string& prefix, const std::string& label, T& owner,
                  auto& fields) {
    for (const auto& field : fields) {
        const auto found = file.tensors.find(prefix + field.name);
        if (found == file.tensors.end()) continue;
        if (found->second.type != HostTensor::Type::F32)
            return fail(ErrorCode::BadFormat,
                        label + ": array '" + prefix + field.name + "' is not of dtype F32");
        std::vector<float>& values = owner.*field.values;
        values.resize(found->second.bytes.size() / sizeof(float));
        if (!values.empty())
            std::memcpy(values.data(), found->second.bytes.data(), found->second.bytes.size());
    }
    return {};
}

Status takeHistograms(const TensorFile& file, const std::string& prefix, const std::string& label,
                      TransformDetail& transform) {
    for (const HistogramField& field : kHistograms) {
        auto& counts = (transform.*field.histogram).counts;
        const auto found = file.tensors.find(prefix + field.name);
        if (found == file.tensors.end() || found->second.type != HostTensor::Type::I64 ||
            found->second.bytes.size() != sizeof(counts))
            return fail(ErrorCode::BadFormat, label + ": array '" + prefix + field.name +
                                                  "' is missing or not I64 of " +
                                                  std::to_string(counts.size()) + " bins");
        std::memcpy(counts.data(), found->second.bytes.data(), sizeof(counts));
    }
    return {};
}

template <class T>
Result<T> numberOf(const TensorFile& file, const std::string& key, const std::string& label) {
    const auto found = file.metadata.find(key);
    const std::string text = found == file.metadata.end() ? "" : found->second;
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || text.empty())
        return fail(ErrorCode::BadFormat,
                    label + ": metadata '" + key + "' is " + inQuotes(text) + ", expected an integer");
    return value;
}

void addPermutation(TensorFile& file, const std::string& id, const TransformDetail& transform) {
    const std::vector<std::int32_t>& channels = transform.permutation;
    if (!channels.empty())
        file.tensors.emplace(id + kPermutation,
                             hostTensor(HostTensor::Type::I32, channels.data(), channels.size()));
    if (transform.secondBlockSize != 0)
        file.metadata[id + kSecondBlockSize] = std::to_string(transform.secondBlockSize);
}

/// Files without second blocks do not name their size.
Status takePermutation(const TensorFile& file, const std::string& id, const std::string& label,
                       TransformDetail& transform) {
    if (file.metadata.count(id + kSecondBlockSize) != 0) {
        BDQ_TRY(transform.secondBlockSize, numberOf<int>(file, id + kSecondBlockSize, label));
    }
    const auto found = file.tensors.find(id + kPermutation);
    if (found == file.tensors.end()) return {};
    if (found->second.type != HostTensor::Type::I32)
        return fail(ErrorCode::BadFormat, label + ": array '" + id + kPermutation + "' is not of dtype I32");
    transform.permutation.resize(found->second.bytes.size() / sizeof(std::int32_t));
    if (!transform.permutation.empty())
        std::memcpy(transform.permutation.data(), found->second.bytes.data(), found->second.bytes.size());
    return {};
}

Status takeTransform(const TensorFile& file, std::string_view id, const std::string& label,
                     SiteDetail& detail) {
    const auto kind = transformFromName(id);
    if (!kind) return fail(ErrorCode::BadFormat, label + ": unknown transform " + inQuotes(id));
    const std::string prefix = std::string(id) + ".";
    TransformDetail& transform = detail.transforms[*kind];
    BDQ_TRY(transform.blockSize, numberOf<int>(file, prefix + "block_size", label));
    BDQ_TRY(const int hadamard, numberOf<int>(file, prefix + "hadamard", label));
    transform.hadamard = hadamard != 0;
    BDQ_CHECK(takeHistograms(file, prefix, label, transform));
    BDQ_CHECK(takePermutation(file, std::string(id), label, transform));
    return takeArrays(file, prefix, label, transform, kTransformArrays);
}

} // namespace

TensorFile encodeSiteDetail(const SiteDetail& detail) {
    TensorFile file;
    std::string transforms;
    addArrays(file, "site.", detail, kSiteArrays);
    for (const auto& [kind, transform] : detail.transforms) {
        const std::string id(transformInfo(kind).id);
        transforms += transforms.empty() ? id : "," + id;
        file.metadata[id + ".block_size"] = std::to_string(transform.blockSize);
        file.metadata[id + ".hadamard"] = std::to_string(transform.hadamard ? 1 : 0);
        for (const HistogramField& field : kHistograms) {
            const auto& counts = (transform.*field.histogram).counts;
            file.tensors.emplace(id + "." + field.name,
                                 hostTensor(HostTensor::Type::I64, counts.data(), counts.size()));
        }
        addArrays(file, id + ".", transform, kTransformArrays);
        addPermutation(file, id, transform);
    }
    file.metadata["bdq.site_detail"] = std::string(kSchema);
    file.metadata["layer"] = std::to_string(detail.key.layer);
    file.metadata["site"] = std::string(siteName(detail.key.site));
    file.metadata["in_features"] = std::to_string(detail.inFeatures);
    file.metadata["kept_tokens"] = std::to_string(detail.keptTokens);
    file.metadata["hadamard_seed"] = std::to_string(detail.hadamardSeed);
    file.metadata["transforms"] = transforms;
    return file;
}

Result<SiteDetail> decodeSiteDetail(const TensorFile& file, const std::string& label) {
    const auto entry = [&](const std::string& key) {
        const auto found = file.metadata.find(key);
        return found == file.metadata.end() ? std::string() : found->second;
    };
    if (entry("bdq.site_detail") != kSchema)
        return fail(ErrorCode::BadFormat, label + ": is no site detail of schema " + kSchema + ", found " +
                                              inQuotes(entry("bdq.site_detail")));
    SiteDetail detail;
    BDQ_TRY(detail.key.layer, numberOf<int>(file, "layer", label));
    const auto site = siteFromName(entry("site"));
    if (!site) return fail(ErrorCode::BadFormat, label + ": unknown site " + inQuotes(entry("site")));
    detail.key.site = *site;
    BDQ_TRY(detail.inFeatures, numberOf<std::int64_t>(file, "in_features", label));
    BDQ_TRY(detail.keptTokens, numberOf<std::int64_t>(file, "kept_tokens", label));
    BDQ_TRY(detail.hadamardSeed, numberOf<std::uint64_t>(file, "hadamard_seed", label));
    BDQ_CHECK(takeArrays(file, "site.", label, detail, kSiteArrays));
    const std::string transforms = entry("transforms");
    for (std::size_t begin = 0; begin < transforms.size();) {
        const std::size_t end = std::min(transforms.find(',', begin), transforms.size());
        BDQ_CHECK(
            takeTransform(file, std::string_view(transforms).substr(begin, end - begin), label, detail));
        begin = end + 1;
    }
    BDQ_CHECK(checkDetail(detail, ErrorCode::BadFormat, label));
    return detail;
}

Status writeSiteDetail(const std::filesystem::path& path, const SiteDetail& detail) {
    BDQ_CHECK(checkDetail(detail, ErrorCode::Internal, path.filename().string()));
    return writeTensorFile(path, encodeSiteDetail(detail));
}

Result<SiteDetail> readSiteDetail(const std::filesystem::path& path) {
    BDQ_TRY(const TensorFile file, readTensorFile(path));
    return decodeSiteDetail(file, path.filename().string());
}

} // namespace bdq::io
