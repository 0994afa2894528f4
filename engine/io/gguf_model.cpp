#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <regex>

#include "engine/io/byte_reader.h"
#include "engine/io/gguf.h"
#include "engine/io/model_config.h"
#include "engine/io/open_model.h"
#include "engine/io/text_file.h"

namespace bdq::io {
namespace {

namespace fs = std::filesystem;

/// All shards of "name-00002-of-00003.gguf", first to last; other names are one file.
std::vector<fs::path> shardPaths(const fs::path& path) {
    static const std::regex kShard("^(.*)-([0-9]{5})-of-([0-9]{5})\\.gguf$");
    std::smatch match;
    const std::string name = path.filename().string();
    if (!std::regex_match(name, match, kShard) || match[3] == "00000") return {path};
    const unsigned long count = std::stoul(match[3].str());
    std::vector<fs::path> paths;
    for (unsigned long i = 1; i <= count; ++i) {
        std::string number = std::to_string(i);
        number.insert(0, 5 - number.size(), '0');
        paths.push_back(path.parent_path() /
                        (match[1].str() + "-" + number + "-of-" + match[3].str() + ".gguf"));
    }
    return paths;
}

/// A shard that says it belongs to another set, or stands at another place of it.
Status checkShard(const GgufHeader& header, std::size_t number, std::size_t count, const std::string& label) {
    const GgufValue* splitCount = header.find("split.count");
    const std::uint64_t saidCount = splitCount == nullptr ? 0 : splitCount->asUnsigned().value_or(0);
    if (saidCount > 1 && saidCount != count)
        return fail(ErrorCode::BadFormat, label + ": is part of a model of " + std::to_string(saidCount) +
                                              " files (split.count), but its name says " +
                                              std::to_string(count));
    const GgufValue* splitNumber = header.find("split.no");
    if (count > 1 && splitNumber != nullptr && splitNumber->asUnsigned().value_or(number) != number)
        return fail(ErrorCode::BadFormat, label + ": split.no is " +
                                              std::to_string(*splitNumber->asUnsigned()) + ", expected " +
                                              std::to_string(number) + " from its name");
    return {};
}

Status addShard(OpenModel& model, const GgufHeader& header, std::size_t file) {
    for (const GgufTensor& tensor : header.tensors)
        BDQ_CHECK(addTensor(model,
                            {std::string(tensor.name), tensor.type, tensor.shape, static_cast<int>(file),
                             tensor.offsetBytes, tensor.sizeBytes},
                            tensor.typeName));
    return {};
}

/// Whether general.name is more than what a converter makes of a folder's name.
bool saysAName(std::string_view name) {
    const bool hash = name.size() >= 32 && std::all_of(name.begin(), name.end(),
                                                       [](unsigned char c) { return std::isxdigit(c) != 0; });
    constexpr std::array<std::string_view, 8> kEmpty{"", ".", "..", "model", "Model", "hf", "Hf", "unknown"};
    return !hash && std::find(kEmpty.begin(), kEmpty.end(), name) == kEmpty.end();
}

/// Metadata of all parts but what concerns the splitting, in an order of its own: a model in one file and the
/// same in several have the same.
std::string metadataText(const std::vector<GgufHeader>& headers) {
    std::map<std::string_view, std::span<const std::byte>> pairs;
    for (const GgufHeader& header : headers)
        for (const auto& [key, value] : header.metadata)
            if (!key.starts_with("split.")) pairs.emplace(key, value.bytes);
    std::string text;
    for (const auto& [key, bytes] : pairs) {
        text += key;
        text += '\0';
        text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
    return text;
}

/// Files and tensors of all parts; returns their headers.
Result<std::vector<GgufHeader>> openParts(const std::vector<fs::path>& paths, OpenModel& model) {
    std::vector<GgufHeader> headers;
    for (std::size_t i = 0; i < paths.size(); ++i) {
        const std::string label = paths[i].filename().string();
        BDQ_TRY(MappedFile file, MappedFile::open(paths[i]));
        BDQ_CHECK(checkNotAnotherKind(file.bytes(), label));
        BDQ_TRY(GgufHeader header, parseGguf(file.bytes(), label));
        BDQ_CHECK(checkShard(header, i, paths.size(), label));
        model.index.files.push_back(paths[i].string());
        model.files.push_back(std::move(file));
        BDQ_CHECK(addShard(model, header, i));
        headers.push_back(std::move(header));
    }
    return headers;
}

void readConfig(const std::vector<GgufHeader>& headers, const fs::path& path, const std::string& label,
                OpenModel& model) {
    std::vector<GgufPart> parts;
    for (std::size_t i = 0; i < headers.size(); ++i)
        parts.push_back({&headers[i], model.files[i].bytes()});
    ConfigReading reading = configFromGguf(parts, label);
    model.index.config = std::move(reading.config);
    model.refusal = std::move(reading.refusal);
    if (!saysAName(model.index.config.name)) model.index.config.name = nameOfPath(path);
}

} // namespace

Result<OpenModel> openGguf(const fs::path& path) {
    OpenModel model;
    model.index.format = "gguf";
    const std::vector<fs::path> paths = shardPaths(path);
    BDQ_TRY(std::vector<GgufHeader> headers, openParts(paths, model));
    const std::string label = paths.front().filename().string();
    readConfig(headers, path, label, model);
    model.configuration = metadataText(headers);
    std::size_t tokenizerPart = 0;
    for (std::size_t i = 0; i < headers.size(); ++i) {
        const GgufValue* total = headers[i].find("split.tensors.count");
        if (total != nullptr && total->asUnsigned().value_or(0) != model.index.tensors.size())
            return fail(ErrorCode::BadFormat, label + ": split.tensors.count disagrees with the " +
                                                  std::to_string(model.index.tensors.size()) +
                                                  " tensors found");
        if (headers[tokenizerPart].find("tokenizer.ggml.model") == nullptr) tokenizerPart = i;
    }
    model.tokenizer.gguf = std::move(headers[tokenizerPart]);
    model.tokenizer.label = label;
    finishModel(model, label);
    return model;
}

} // namespace bdq::io
