#include "engine/io/model_reader.h"

#include <algorithm>
#include <filesystem>

#include "engine/io/byte_reader.h"
#include "engine/io/open_model.h"
#include "engine/io/tensor_blocks.h"

namespace bdq::io {
namespace {

namespace fs = std::filesystem;

Result<std::vector<fs::path>> filesWithExtension(const fs::path& folder, const std::string& extension) {
    std::vector<fs::path> files;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
        if (entry->path().extension() == extension) files.push_back(entry->path());
    if (error) return fail(ErrorCode::Io, folder.string() + ": cannot list the folder: " + error.message());
    std::sort(files.begin(), files.end());
    return files;
}

Result<OpenModel> openFolder(const fs::path& folder) {
    std::error_code ignored;
    const fs::path indexFile = folder / "model.safetensors.index.json";
    if (fs::exists(indexFile, ignored)) {
        BDQ_TRY(const auto shards, filesOfIndex(indexFile));
        return openSafetensors(folder, shards);
    }
    BDQ_TRY(const auto weights, filesWithExtension(folder, ".safetensors"));
    if (const fs::path single = folder / "model.safetensors"; fs::exists(single, ignored))
        return openSafetensors(folder, {single});
    if (weights.size() == 1) return openSafetensors(folder, weights);
    BDQ_TRY(const auto ggufs, filesWithExtension(folder, ".gguf"));
    const bool shards = ggufs.size() > 1 && ggufs.front().string().find("-00001-of-") != std::string::npos;
    if (ggufs.size() == 1 || shards) return openGguf(ggufs.front());
    const std::string found =
        std::to_string(weights.size()) + " .safetensors and " + std::to_string(ggufs.size()) + " .gguf files";
    return fail(ErrorCode::NotFound,
                folder.string() + ": no model in this folder: found " + found +
                    ", expected model.safetensors, model.safetensors.index.json or one .gguf model");
}

Result<OpenModel> openPath(const fs::path& path) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (!fs::exists(status)) return fail(ErrorCode::NotFound, path.string() + ": no such file or folder");
    if (fs::is_directory(status)) return openFolder(path);
    const std::string name = path.filename().string();
    if (name.ends_with(".gguf")) return openGguf(path);
    if (name.ends_with(".safetensors")) return openSafetensors(path.parent_path(), {path});
    if (name.ends_with(".safetensors.index.json")) {
        BDQ_TRY(const auto shards, filesOfIndex(path));
        return openSafetensors(path.parent_path(), shards);
    }
    return fail(ErrorCode::Unsupported,
                path.string() +
                    ": expected a .gguf or .safetensors file, a .safetensors.index.json or a folder");
}

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

} // namespace

struct ModelReader::Impl {
    OpenModel model;
};

ModelReader::ModelReader(std::unique_ptr<Impl> impl) : m_impl(std::move(impl)) {}
ModelReader::ModelReader(ModelReader&&) noexcept = default;
ModelReader& ModelReader::operator=(ModelReader&&) noexcept = default;
ModelReader::~ModelReader() = default;

Result<ModelReader> ModelReader::open(const std::string& path) {
    BDQ_TRY(OpenModel model, openPath(path));
    model.index.path = path;
    return ModelReader(std::make_unique<Impl>(Impl{std::move(model)}));
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
    if (heads > 0) return decodePermuted(entry, source, out, heads, label);
    return decodeBlocks(entry.type, source, out, label);
}

const ModelReader::TokenizerSource& ModelReader::tokenizerSource() const {
    return m_impl->model.tokenizer;
}

const std::string& ModelReader::fingerprint() const {
    return m_impl->model.fingerprint;
}

} // namespace bdq::io
