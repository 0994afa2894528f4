// Private to engine/eval: log sum exp over a vocabulary that is seen block by block.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace bdq {

/// Logits of a block of the vocabulary that are resident at once. 2048 rows x 1024 logits in fp32 are 8 MB:
/// the matmul still runs at full rate, the softmax reads a cache. On a GPU launches cost more than memory.
std::int64_t vocabularyBlock(const at::Tensor& hidden, std::int64_t vocabulary);

/// Running maximum and sum of the online softmax (arXiv 1805.02867) of many rows: the largest logit so far in
/// fp32, the sum in fp64.
class RunningSoftmax {
public:
    RunningSoftmax(std::int64_t rows, const at::TensorOptions& options);
    /// Takes the logits of one more block, fp32 [rows, count], and turns them into exp(logit - maximum).
    /// Returns what sums over earlier blocks must be multiplied by, [rows, 1].
    at::Tensor add(at::Tensor& logits);
    /// sum over the blocks of exp(logit - maximum), fp64 [rows, 1]
    [[nodiscard]] const at::Tensor& sum() const { return m_sum; }
    /// log sum exp, fp64 [rows, 1]
    [[nodiscard]] at::Tensor logSum() const;

private:
    at::Tensor m_maximum;
    at::Tensor m_sum;
};

} // namespace bdq
