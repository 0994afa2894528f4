// Tensor names: GGUF's and Hugging Face's names of the same tensors.
#pragma once

#include <string>
#include <string_view>

namespace bdq::io {

/// Canonical (Hugging Face) name of a tensor: "blk.3.attn_q.weight" ->
/// "model.layers.3.self_attn.q_proj.weight"; names of bare models get their "model." back. Names that neither
/// side knows come back unchanged.
std::string canonicalTensorName(std::string_view fileName);

/// True for tensors that are tables, not trained parameters (RoPE frequencies).
bool isTableTensor(std::string_view fileName);

} // namespace bdq::io
