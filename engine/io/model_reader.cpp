#include "engine/io/model_reader.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <mutex>

#include "engine/io/byte_reader.h"
#include "engine/io/open_model.h"
#include "engine/io/tensor_blocks.h"
#include "engine/io/tensor_names.h"

namespace bdq::io {
namespace {

namespace fs = std::filesystem;

/// Heads whose rows a GGUF converter has interleaved; 0 when the tensor is as in Hugging Face files.
std::int64_t permutedHeads(const ModelConfig& config, const std::string& name) {
    if (!config.permutedQk) return 0;
    if (name.ends_with(".attn_q.weight") || name.ends_with(".attn_q.bias")) return config.heads;
    if (name.ends_with(".attn_k.weight") || name.ends_with(".attn_k.bias")) return config.kvHeads;
    return 0;
}

/// Row 2 j + s of a head in the file is row j + s * half in half-split order (s = 0, 1).
Status decodePermuted(const TensorEntry& entry, std::span<const std::byte> source, std::span<float> out,
                      std::int64_t heads, const std::string& label) {
    const std::int64_t rows = entry.shape.front();
    if (rows % (2 * heads) != 0)
        return fail(ErrorCode::BadFormat, label + ": " + std::to_string(rows) + " rows do not split into " +
                                              std::to_string(heads) + " heads of even size");
    const std::int64_t half = rows / heads / 2;
    const auto width = out.size() / static_cast<std::size_t>(rows);
    const auto rowBytes = source.size() / static_cast<std::size_t>(rows);
    for (std::int64_t row = 0; row < rows; ++row) {
        const std::int64_t inHead = row % (2 * half);
        const std::int64_t target = row - inHead + inHead / 2 + inHead % 2 * half;
        BDQ_CHECK(decodeBlocks(entry.type, source.subspan(static_cast<std::size_t>(row) * rowBytes, rowBytes),
                               out.subspan(static_cast<std::size_t>(target) * width, width), label));
    }
    return {};
}

/// NaN or infinity among the values of a tensor: it would spread to every figure.
Status checkFinite(const TensorEntry& entry, std::span<const float> values, const std::string& label) {
    const auto bad =
        std::find_if_not(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
    if (bad == values.end()) return {};
    auto rest = static_cast<std::int64_t>(bad - values.begin());
    std::string place;
    for (auto extent = entry.shape.rbegin(); extent != entry.shape.rend(); ++extent) {
        place = std::to_string(rest % *extent) + (place.empty() ? "" : ", ") + place;
        rest /= *extent;
    }
    const std::string canonical = canonicalTensorName(entry.name);
    return fail(ErrorCode::BadFormat,
                label + (canonical == entry.name ? "" : " (" + canonical + ")") + ": value [" + place +
                    "] is " + (std::isnan(*bad) ? "NaN" : "infinite") + ", expected finite weights");
}

} // namespace

struct ModelReader::Impl {
    OpenModel model;
    std::once_flag fingerprintOnce{};
    std::string fingerprint{};
};

ModelReader::ModelReader(std::unique_ptr<Impl> impl) : m_impl(std::move(impl)) {}
ModelReader::ModelReader(ModelReader&&) noexcept = default;
ModelReader& ModelReader::operator=(ModelReader&&) noexcept = default;
ModelReader::~ModelReader() = default;

Result<ModelReader> ModelReader::open(const std::string& path) {
    BDQ_TRY(OpenModel model, openPath(path));
    model.index.path = path;
    auto impl = std::make_unique<Impl>();
    impl->model = std::move(model);
    return ModelReader(std::move(impl));
}

const ModelIndex& ModelReader::index() const {
    return m_impl->model.index;
}

const TensorEntry* ModelReader::find(const std::string& canonicalName) const {
    const OpenModel& model = m_impl->model;
    const auto found = model.byCanonical.find(canonicalName);
    return found == model.byCanonical.end() ? nullptr : &model.index.tensors[found->second];
}

Status ModelReader::read(const TensorEntry& entry, std::span<float> out) const {
    const OpenModel& model = m_impl->model;
    const auto file = static_cast<std::size_t>(entry.file);
    if (entry.file < 0 || file >= model.files.size())
        return fail(ErrorCode::Internal, "tensor " + inQuotes(entry.name) + " belongs to another model");
    const std::string label =
        fs::path(model.index.files[file]).filename().string() + ": tensor " + inQuotes(entry.name);
    if (entry.type == TensorType::Other) {
        const auto name = model.otherTypeNames.find(entry.name);
        return fail(ErrorCode::Unsupported,
                    label + ": type " + (name == model.otherTypeNames.end() ? "unknown" : name->second) +
                        " cannot be decoded by this version");
    }
    const auto bytes = model.files[file].bytes();
    const auto elements = checkedElements(entry.shape);
    if (entry.offsetBytes > bytes.size() || entry.sizeBytes > bytes.size() - entry.offsetBytes || !elements ||
        static_cast<std::uint64_t>(*elements) != out.size())
        return fail(ErrorCode::Internal, label + ": target holds " + std::to_string(out.size()) +
                                             " values, the tensor has " +
                                             std::to_string(elements.value_or(-1)));
    const auto source =
        bytes.subspan(static_cast<std::size_t>(entry.offsetBytes), static_cast<std::size_t>(entry.sizeBytes));
    const std::int64_t heads = permutedHeads(model.index.config, entry.name);
    if (heads > 0) {
        BDQ_CHECK(decodePermuted(entry, source, out, heads, label));
    } else {
        BDQ_CHECK(decodeBlocks(entry.type, source, out, label));
    }
    return checkFinite(entry, out, label);
}

Status ModelReader::checkComputable() const {
    if (m_impl->model.refusal) return passOn(*m_impl->model.refusal, m_impl->model.index.path);
    return {};
}

const ModelReader::TokenizerSource& ModelReader::tokenizerSource() const {
    return m_impl->model.tokenizer;
}

const std::string& ModelReader::fingerprint() const {
    std::call_once(m_impl->fingerprintOnce, [&] { m_impl->fingerprint = fingerprintOf(m_impl->model); });
    return m_impl->fingerprint;
}

} // namespace bdq::io
