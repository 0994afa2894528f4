#include "engine/io/tensor_names.h"

#include <algorithm>
#include <array>
#include <utility>

namespace bdq::io {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

constexpr std::array kGlobal{Pair{"token_embd", "model.embed_tokens"}, Pair{"output_norm", "model.norm"},
                             Pair{"output", "lm_head"}};
constexpr std::array kBlock{
    Pair{"attn_norm", "input_layernorm"},    Pair{"attn_q", "self_attn.q_proj"},
    Pair{"attn_k", "self_attn.k_proj"},      Pair{"attn_v", "self_attn.v_proj"},
    Pair{"attn_output", "self_attn.o_proj"}, Pair{"attn_q_norm", "self_attn.q_norm"},
    Pair{"attn_k_norm", "self_attn.k_norm"}, Pair{"ffn_norm", "post_attention_layernorm"},
    Pair{"ffn_gate", "mlp.gate_proj"},       Pair{"ffn_up", "mlp.up_proj"},
    Pair{"ffn_down", "mlp.down_proj"}};

template <class Table> std::string_view lookUp(const Table& table, std::string_view name) {
    const auto found =
        std::find_if(table.begin(), table.end(), [&](const Pair& row) { return row.first == name; });
    return found == table.end() ? std::string_view{} : found->second;
}

bool isNumber(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

} // namespace

std::string canonicalTensorName(std::string_view fileName) {
    for (const std::string_view bare : {"layers.", "embed_tokens.", "norm."})
        if (fileName.starts_with(bare)) return "model." + std::string(fileName);
    const std::size_t dot = fileName.rfind('.');
    if (dot == std::string_view::npos) return std::string(fileName);
    const std::string_view stem = fileName.substr(0, dot);
    const std::string suffix(fileName.substr(dot));
    if (const std::string_view global = lookUp(kGlobal, stem); !global.empty())
        return std::string(global) + suffix;
    if (!stem.starts_with("blk.")) return std::string(fileName);
    const std::size_t second = stem.find('.', 4);
    if (second == std::string_view::npos || !isNumber(stem.substr(4, second - 4)))
        return std::string(fileName);
    const std::string_view part = lookUp(kBlock, stem.substr(second + 1));
    if (part.empty()) return std::string(fileName);
    return "model.layers." + std::string(stem.substr(4, second - 4)) + "." + std::string(part) + suffix;
}

bool isTableTensor(std::string_view fileName) {
    return fileName.starts_with("rope_freqs") || fileName.starts_with("rope_factors") ||
           fileName.ends_with("rotary_emb.inv_freq");
}

} // namespace bdq::io
