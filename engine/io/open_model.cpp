#include "engine/io/open_model.h"

#include "engine/io/byte_reader.h"
#include "engine/io/tensor_names.h"

namespace bdq::io {
namespace {

constexpr const char* kHead = "lm_head.weight";
constexpr const char* kEmbedding = "model.embed_tokens.weight";

void refuse(OpenModel& model, ErrorCode code, std::string message) {
    if (!model.refusal) model.refusal = Error{code, std::move(message), {}};
}

/// Relations between the numbers of a llama model that readers of its weights rely on.
void checkConfig(OpenModel& model, const std::string& label) {
    const ModelConfig& config = model.index.config;
    if (config.heads == 0 || config.kvHeads == 0) return;
    const std::string object = label + ": model configuration: ";
    if (config.heads % config.kvHeads != 0)
        refuse(model, ErrorCode::BadFormat,
               object + std::to_string(config.heads) + " heads are no multiple of " +
                   std::to_string(config.kvHeads) + " key/value heads");
    if (config.headDim < 2 || config.headDim % 2 != 0)
        refuse(model, ErrorCode::BadFormat,
               object + "head size " + std::to_string(config.headDim) + ", expected an even number");
}

/// Tensors that only checkpoints of other quantizers have, where the configuration does not say so: codes, or
/// scales beside a weight (GPTQ, AWQ, FP8, compressed-tensors, bitsandbytes).
void checkNotQuantized(OpenModel& model, const std::string& label) {
    for (const TensorEntry& tensor : model.index.tensors)
        for (const char* suffix : {".qweight", ".qzeros", ".weight_packed", ".weight_scale",
                                   ".weight_scale_inv", ".weight.absmax", ".SCB", ".input_scale"})
            if (tensor.name.ends_with(suffix))
                refuse(model, ErrorCode::Unsupported,
                       label + ": the checkpoint is already quantized (tensor " + inQuotes(tensor.name) +
                           "); it can be listed but not computed, expected weights of F32, F16 or BF16");
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

void finishModel(OpenModel& model, const std::string& label) {
    ModelIndex& index = model.index;
    const bool stored = model.byCanonical.contains(kHead);
    const auto embedding = model.byCanonical.find(kEmbedding);
    index.config.tiedEmbedding =
        index.config.tiedEmbedding || (!stored && embedding != model.byCanonical.end());
    for (const TensorEntry& tensor : index.tensors) {
        const bool copyOfEmbedding = index.config.tiedEmbedding && canonicalTensorName(tensor.name) == kHead;
        if (!copyOfEmbedding && !isTableTensor(tensor.name)) index.parameters += tensor.elements();
    }
    if (index.config.tiedEmbedding && embedding != model.byCanonical.end())
        model.byCanonical[kHead] = embedding->second;
    for (const MappedFile& file : model.files)
        index.fileBytes += file.bytes().size();
    checkConfig(model, label);
    checkNotQuantized(model, label);
}

} // namespace bdq::io
