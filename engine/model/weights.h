// Loads one block at a time from a model file, so that only one block's weights need be resident in fp32.
#pragma once

#include <memory>
#include <unordered_set>

#include <ATen/core/Tensor.h>

#include "engine/api/model_shape.h"
#include "engine/api/result.h"
#include "engine/io/model_reader.h"
#include "engine/model/block.h"

namespace bdq {

/// An open model whose tensors are decoded on demand. Checks at opening that the architecture can be computed
/// and that every tensor is there with the right shape.
class ModelWeights {
public:
    /// Architectures: io::kComputedArchitectures, each with biases where the file has them. Errors: the
    /// reader's, its checkComputable's; Unsupported (architecture, RoPE scaling other than linear and llama3,
    /// a tensor that the network computed here would ignore), NotFound (missing tensor), ShapeMismatch.
    static Result<ModelWeights> open(const std::string& path);

    [[nodiscard]] const io::ModelReader& reader() const { return *m_reader; }
    [[nodiscard]] const ModelConfig& config() const { return m_reader->index().config; }
    [[nodiscard]] const std::string& path() const { return m_reader->index().path; }

    Result<BlockWeights> block(int layer, c10::Device device) const;
    /// All of a block but its linear weights (norm gains, biases, window), which stay undefined and unread.
    Result<BlockWeights> norms(int layer, c10::Device device) const;
    /// [vocab, hidden]
    Result<at::Tensor> embedding(c10::Device device) const;
    /// [hidden]
    Result<at::Tensor> finalNorm(c10::Device device) const;
    /// [vocab, hidden]; the embedding when tied.
    Result<at::Tensor> head(c10::Device device) const;

    /// Names of the linear layers of a site, without ".weight", e.g. "model.layers.0.self_attn.q_proj".
    static std::vector<std::string> linearNames(SiteKey key);

private:
    explicit ModelWeights(io::ModelReader reader);
    Result<at::Tensor> tensor(const std::string& name, const std::vector<std::int64_t>& shape,
                              c10::Device device) const;
    [[nodiscard]] Status check(const std::string& name, const std::vector<std::int64_t>& shape) const;
    [[nodiscard]] Status checkAll() const;
    [[nodiscard]] Status checkBlock(int layer) const;
    [[nodiscard]] bool hasBias(Site site) const;
    [[nodiscard]] bool hasHeadNorms() const;
    [[nodiscard]] std::unordered_set<std::string> namesOfNetwork() const;
    [[nodiscard]] Status checkNothingIgnored() const;
    Result<at::Tensor> stacked(SiteKey key, c10::Device device) const;
    Result<at::Tensor> stackedBias(SiteKey key, c10::Device device) const;

    std::shared_ptr<io::ModelReader> m_reader;
};

} // namespace bdq
