#include <set>

#include "engine/io/byte_reader.h"
#include "engine/io/json_guard.h"
#include "engine/io/model_config.h"
#include "engine/io/open_model.h"
#include "engine/io/safetensors.h"
#include "engine/io/text_file.h"

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

Status addFile(OpenModel& model, const fs::path& path) {
    const std::string label = path.filename().string();
    BDQ_TRY(MappedFile file, MappedFile::open(path));
    BDQ_CHECK(checkNotAnotherKind(file.bytes(), label));
    BDQ_TRY(const SafetensorsHeader header, parseSafetensors(file.bytes(), label));
    const int number = static_cast<int>(model.files.size());
    model.index.files.push_back(path.string());
    model.files.push_back(std::move(file));
    for (const SafetensorsTensor& tensor : header.tensors)
        BDQ_CHECK(addTensor(
            model, {tensor.name, tensor.type, tensor.shape, number, tensor.offsetBytes, tensor.sizeBytes},
            tensor.dtype));
    return {};
}

/// Numbers and token ids of config.json. Without the file the tensors are listed all the same.
Status readConfig(const fs::path& folder, OpenModel& model) {
    auto text = readModelText(folder / "config.json", kMaxConfigBytes);
    if (!text && text.error().code != ErrorCode::NotFound) return passOn(std::move(text).error());
    if (!text) {
        model.index.config.ropeTheta = model.index.config.normEpsilon = 0;
        model.refusal = std::move(text).error();
        return {};
    }
    BDQ_TRY(ConfigReading reading, configFromJson(*text, "config.json"));
    BDQ_TRY(const nlohmann::json document, parseJson(withoutPythonNumbers(*text), "config.json"));
    model.index.config = std::move(reading.config);
    model.refusal = std::move(reading.refusal);
    model.tokenizer.bosId = tokenId(document, "bos_token_id");
    model.tokenizer.eosId = tokenId(document, "eos_token_id");
    model.configuration = std::move(*text);
    return {};
}

void findTokenizer(const fs::path& folder, ModelReader::TokenizerSource& tokenizer) {
    const auto existing = [&](const char* name) {
        std::error_code ignored;
        return fs::exists(folder / name, ignored) ? (folder / name).string() : std::string();
    };
    tokenizer.tokenizerJson = existing("tokenizer.json");
    tokenizer.sentencePieceModel = existing("tokenizer.model");
    tokenizer.vocabularyJson = existing("vocab.json");
    tokenizer.mergesText = existing("merges.txt");
    if (tokenizer.mergesText.empty()) tokenizer.vocabularyJson.clear();
    tokenizer.folder = folder.string();
}

} // namespace

Result<std::vector<fs::path>> filesOfIndex(const fs::path& indexFile) {
    const std::string label = indexFile.filename().string();
    BDQ_TRY(const std::string text, readModelText(indexFile, kMaxIndexBytes));
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

Result<OpenModel> openSafetensors(const fs::path& folder, const std::vector<fs::path>& weightFiles,
                                  const fs::path& named) {
    OpenModel model;
    model.index.format = "safetensors";
    BDQ_CHECK(readConfig(folder, model));
    for (const fs::path& path : weightFiles)
        BDQ_CHECK(addFile(model, path));
    model.index.config.name = nameOfPath(model.configuration.empty() ? named : folder);
    model.tokenizer.label = model.index.config.name;
    model.tokenizer.modelType = model.index.config.architecture;
    findTokenizer(folder, model.tokenizer);
    finishModel(model, model.tokenizer.label);
    return model;
}

} // namespace bdq::io
