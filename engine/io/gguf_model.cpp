#include <regex>

#include "engine/io/byte_reader.h"
#include "engine/io/gguf.h"
#include "engine/io/model_config.h"
#include "engine/io/open_model.h"

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

} // namespace

Result<OpenModel> openGguf(const fs::path& path) {
    OpenModel model;
    model.index.format = "gguf";
    Sha256 hash;
    const std::vector<fs::path> paths = shardPaths(path);
    for (std::size_t i = 0; i < paths.size(); ++i) {
        const std::string label = paths[i].filename().string();
        BDQ_TRY(MappedFile file, MappedFile::open(paths[i]));
        BDQ_TRY(GgufHeader header, parseGguf(file.bytes(), label));
        BDQ_CHECK(checkShard(header, i, paths.size(), label));
        hash.update(file.bytes().first(static_cast<std::size_t>(header.headerBytes)));
        const std::uint64_t size = file.bytes().size();
        hash.update(std::as_bytes(std::span(&size, 1)));
        if (i == 0) {
            BDQ_TRY(model.index.config, configFromGguf(header, file.bytes(), label));
        }
        model.index.files.push_back(paths[i].string());
        model.files.push_back(std::move(file));
        BDQ_CHECK(addShard(model, header, i));
        if (i == 0) model.tokenizer.gguf = std::move(header);
    }
    model.tokenizer.label = paths.front().filename().string();
    model.fingerprint = hash.finishHex();
    if (model.index.config.name.empty()) model.index.config.name = path.stem().string();
    const GgufValue* total = model.tokenizer.gguf->find("split.tensors.count");
    if (total != nullptr && total->asUnsigned().value_or(0) != model.index.tensors.size())
        return fail(ErrorCode::BadFormat, model.tokenizer.label +
                                              ": split.tensors.count disagrees with the " +
                                              std::to_string(model.index.tensors.size()) + " tensors found");
    BDQ_CHECK(finishModel(model, model.tokenizer.label));
    return model;
}

} // namespace bdq::io
