#include "engine/io/open_model.h"

#include "engine/io/byte_reader.h"
#include "engine/io/tensor_names.h"

namespace bdq::io {
namespace {

constexpr const char* kHead = "lm_head.weight";
constexpr const char* kEmbedding = "model.embed_tokens.weight";

/// Relations between the numbers of a llama model that readers of its weights rely on.
Status checkConfig(const ModelConfig& config, const std::string& label) {
    if (config.heads == 0 || config.kvHeads == 0) return {};
    const std::string object = label + ": model configuration: ";
    if (config.heads % config.kvHeads != 0)
        return fail(ErrorCode::BadFormat, object + std::to_string(config.heads) +
                                              " heads are no multiple of " + std::to_string(config.kvHeads) +
                                              " key/value heads");
    if (config.headDim < 2 || config.headDim % 2 != 0)
        return fail(ErrorCode::BadFormat,
                    object + "head size " + std::to_string(config.headDim) + ", expected an even number");
    return {};
}

} // namespace

Status addTensor(OpenModel& model, TensorEntry entry, std::string_view typeName) {
    if (entry.type == TensorType::Other) model.otherTypeNames.emplace(entry.name, typeName);
    if (!model.byCanonical.emplace(canonicalTensorName(entry.name), model.index.tensors.size()).second)
        return fail(ErrorCode::BadFormat, model.index.files[static_cast<std::size_t>(entry.file)] +
                                              ": tensor " + inQuotes(entry.name) +
                                              " appears twice in the model");
    model.index.tensors.push_back(std::move(entry));
    return {};
}

Status finishModel(OpenModel& model, const std::string& label) {
    ModelIndex& index = model.index;
    const bool stored = model.byCanonical.contains(kHead);
    const auto embedding = model.byCanonical.find(kEmbedding);
    index.config.tiedEmbedding = index.config.tiedEmbedding || !stored;
    for (const TensorEntry& tensor : index.tensors) {
        const bool copyOfEmbedding = index.config.tiedEmbedding && canonicalTensorName(tensor.name) == kHead;
        if (!copyOfEmbedding && !isTableTensor(tensor.name)) index.parameters += tensor.elements();
    }
    if (index.config.tiedEmbedding && embedding != model.byCanonical.end())
        model.byCanonical[kHead] = embedding->second;
    for (const MappedFile& file : model.files)
        index.fileBytes += file.bytes().size();
    return checkConfig(index.config, label);
}

} // namespace bdq::io
