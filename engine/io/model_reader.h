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
    /// Opens a GGUF or safetensors file (by its bytes, not its name), a *.safetensors.index.json, a folder
    /// that holds one of them (model.safetensors before an index), or a repository's folder in Hugging Face's
    /// cache. What is opened can be listed; checkComputable says whether more can be done with it. Errors:
    /// NotFound, BadFormat (truncated, hostile counts, overlaps, duplicates, a Git LFS pointer ...),
    /// Unsupported (another format), all naming the file and object.
    static Result<ModelReader> open(const std::string& path);
    ModelReader(ModelReader&&) noexcept;
    ModelReader& operator=(ModelReader&&) noexcept;
    ~ModelReader();

    /// What is known from headers alone; numbers that the files do not say are 0.
    [[nodiscard]] const ModelIndex& index() const;

    /// Whether the files say all that computing needs. Errors: what is missing or wrong in the configuration
    /// (BadFormat, NotFound), a checkpoint that is quantized already or holds no whole model (Unsupported).
    [[nodiscard]] Status checkComputable() const;

    /// Tensor by its canonical Hugging Face name ("model.layers.3.self_attn.q_proj.weight",
    /// "model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"), whatever the file calls it; null
    /// when the model has none.
    [[nodiscard]] const TensorEntry* find(const std::string& canonicalName) const;

    /// Decodes one tensor to fp32, row-major, with q/k rows of GGUF files already back in Hugging Face's
    /// half-split order. `out` must have entry.elements() values. Errors: BadFormat (also a value that is NaN
    /// or infinite), Unsupported.
    Status read(const TensorEntry& entry, std::span<float> out) const;

    /// Tokenizer of the model: from GGUF metadata, tokenizer.json or tokenizer.model. See tokenizer.h.
    struct TokenizerSource;
    [[nodiscard]] const TokenizerSource& tokenizerSource() const;

    /// Tells models apart by their content: SHA-256 over config.json or the GGUF metadata (without what
    /// concerns splitting) and, for every tensor in the order of names, its name, type, shape and bytes: all
    /// of them up to 32 KiB, else 8 blocks of 4 KiB from the first to the last with equal gaps. A fine-tune
    /// changes it, a change of single weights may not. The same for one file and for the same model in
    /// several. Computed on the first call (a tenth of a second); thread-safe.
    [[nodiscard]] const std::string& fingerprint() const;

private:
    struct Impl;
    explicit ModelReader(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> m_impl;
};

} // namespace bdq::io
