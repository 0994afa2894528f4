#include <set>

#include "engine/api/atomic_file.h"
#include "engine/io/byte_reader.h"
#include "engine/io/json_guard.h"
#include "engine/io/model_config.h"
#include "engine/io/open_model.h"
#include "engine/io/safetensors.h"

namespace bdq::io {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxConfigBytes = 16u << 20;
constexpr std::size_t kMaxIndexBytes = 256u << 20;

/// Token id from config.json: a number, or the first of a list.
std::optional<std::int32_t> tokenId(const nlohmann::json& document, const char* key) {
    const nlohmann::json* value = member(document, key);
    if (value != nullptr && value->is_array() && !value->empty()) value = &value->front();
    if (value == nullptr || !value->is_number_unsigned() || value->get<std::uint64_t>() > INT32_MAX)
        return std::nullopt;
    return value->get<std::int32_t>();
}

Status addFile(OpenModel& model, const fs::path& path, Sha256& hash) {
    const std::string label = path.filename().string();
    BDQ_TRY(MappedFile file, MappedFile::open(path));
    BDQ_TRY(const SafetensorsHeader header, parseSafetensors(file.bytes(), label));
    hash.update(file.bytes().first(static_cast<std::size_t>(header.headerBytes)));
    const std::uint64_t size = file.bytes().size();
    hash.update(std::as_bytes(std::span(&size, 1)));
    const int number = static_cast<int>(model.files.size());
    model.index.files.push_back(path.string());
    model.files.push_back(std::move(file));
    for (const SafetensorsTensor& tensor : header.tensors)
        BDQ_CHECK(addTensor(
            model, {tensor.name, tensor.type, tensor.shape, number, tensor.offsetBytes, tensor.sizeBytes},
            tensor.dtype));
    return {};
}

} // namespace

Result<std::vector<fs::path>> filesOfIndex(const fs::path& indexFile) {
    const std::string label = indexFile.filename().string();
    BDQ_TRY(const std::string text, readTextFile(indexFile, kMaxIndexBytes));
    BDQ_TRY(const nlohmann::json document, parseJson(text, label));
    const nlohmann::json* map = member(document, "weight_map");
    if (map == nullptr || !map->is_object() || map->empty())
        return fail(ErrorCode::BadFormat, label + ": 'weight_map' is missing, empty or no object");
    std::set<std::string> names;
    for (const auto& [tensor, file] : map->items()) {
        const std::string name = file.is_string() ? file.get<std::string>() : std::string();
        // A plain file name: an index must not reach outside its folder.
        if (name.empty() || fs::path(name).filename() != name || name == "." || name == "..")
            return fail(ErrorCode::BadFormat, label + ": file of tensor " + inQuotes(tensor) + " is " +
                                                  inQuotes(name) + ", expected a file name");
        names.insert(name);
    }
    std::vector<fs::path> files;
    for (const std::string& name : names)
        files.push_back(indexFile.parent_path() / name);
    return files;
}

Result<OpenModel> openSafetensors(const fs::path& folder, const std::vector<fs::path>& weightFiles) {
    OpenModel model;
    model.index.format = "safetensors";
    const fs::path configPath = folder / "config.json";
    BDQ_TRY(const std::string configText, readTextFile(configPath, kMaxConfigBytes));
    BDQ_TRY(model.index.config, configFromJson(configText, "config.json"));
    BDQ_TRY(const nlohmann::json document, parseJson(configText, "config.json"));
    model.tokenizer.bosId = tokenId(document, "bos_token_id");
    model.tokenizer.eosId = tokenId(document, "eos_token_id");
    Sha256 hash;
    hash.update(std::as_bytes(std::span(configText.data(), configText.size())));
    for (const fs::path& path : weightFiles)
        BDQ_CHECK(addFile(model, path, hash));
    model.fingerprint = hash.finishHex();
    const fs::path named = fs::absolute(folder).lexically_normal();
    model.index.config.name = (named.has_filename() ? named : named.parent_path()).filename().string();
    model.tokenizer.label = model.index.config.name;
    std::error_code ignored;
    if (const fs::path file = folder / "tokenizer.json"; fs::exists(file, ignored))
        model.tokenizer.tokenizerJson = file.string();
    if (const fs::path file = folder / "tokenizer.model"; fs::exists(file, ignored))
        model.tokenizer.sentencePieceModel = file.string();
    if (fs::exists(folder / "vocab.json", ignored) && fs::exists(folder / "merges.txt", ignored)) {
        model.tokenizer.vocabularyJson = (folder / "vocab.json").string();
        model.tokenizer.mergesText = (folder / "merges.txt").string();
    }
    model.tokenizer.folder = folder.string();
    model.tokenizer.modelType = model.index.config.architecture;
    BDQ_CHECK(finishModel(model, model.tokenizer.label));
    return model;
}

} // namespace bdq::io
