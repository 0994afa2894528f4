// Reading of model files: GGUF v2/v3, safetensors, Hugging Face folders. Memory-mapped; only headers are
// parsed when a model is opened, tensors are decoded one at a time on demand.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/api/model_index.h"
#include "engine/api/result.h"

namespace bdq::io {

/// An open model file or folder. Thread-safe for reading; keeps its files mapped until destroyed.
class ModelReader {
public:
    /// Opens a .gguf file, a .safetensors file with config.json beside it, a *.safetensors.index.json, or a
    /// folder that holds them. Errors: NotFound, BadFormat (truncated, hostile counts, overlaps, duplicates
    /// ...), Unsupported (architecture or tensor type), all naming the file and object.
    static Result<ModelReader> open(const std::string& path);
    ModelReader(ModelReader&&) noexcept;
    ModelReader& operator=(ModelReader&&) noexcept;
    ~ModelReader();

    [[nodiscard]] const ModelIndex& index() const;

    /// Tensor by its canonical Hugging Face name ("model.layers.3.self_attn.q_proj.weight",
    /// "model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"), whatever the file calls it; null
    /// when the model has none.
    [[nodiscard]] const TensorEntry* find(const std::string& canonicalName) const;

    /// Decodes one tensor to fp32, row-major, with q/k rows of GGUF files already back in Hugging Face's
    /// half-split order. `out` must have entry.elements() values. Errors: BadFormat, Unsupported.
    Status read(const TensorEntry& entry, std::span<float> out) const;

    /// Tokenizer of the model: from GGUF metadata, tokenizer.json or tokenizer.model. See tokenizer.h.
    struct TokenizerSource;
    [[nodiscard]] const TokenizerSource& tokenizerSource() const;

    /// Hash over header bytes and file sizes: tells two models apart without reading their data.
    [[nodiscard]] const std::string& fingerprint() const;

private:
    struct Impl;
    explicit ModelReader(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> m_impl;
};

} // namespace bdq::io
