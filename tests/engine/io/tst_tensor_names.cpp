#include "engine/io/tensor_names.h"

#include <gtest/gtest.h>

using namespace bdq::io;

TEST(TensorNames, ggufNamesBecomeHuggingFaceNames) {
    const std::pair<const char*, const char*> cases[] = {
        {"token_embd.weight", "model.embed_tokens.weight"},
        {"output_norm.weight", "model.norm.weight"},
        {"output.weight", "lm_head.weight"},
        {"blk.0.attn_norm.weight", "model.layers.0.input_layernorm.weight"},
        {"blk.3.attn_q.weight", "model.layers.3.self_attn.q_proj.weight"},
        {"blk.3.attn_k.bias", "model.layers.3.self_attn.k_proj.bias"},
        {"blk.12.attn_v.weight", "model.layers.12.self_attn.v_proj.weight"},
        {"blk.12.attn_output.weight", "model.layers.12.self_attn.o_proj.weight"},
        {"blk.7.ffn_norm.weight", "model.layers.7.post_attention_layernorm.weight"},
        {"blk.7.ffn_gate.weight", "model.layers.7.mlp.gate_proj.weight"},
        {"blk.7.ffn_up.weight", "model.layers.7.mlp.up_proj.weight"},
        {"blk.7.ffn_down.weight", "model.layers.7.mlp.down_proj.weight"},
        // Qwen2's biases and Qwen3's norms of queries and keys.
        {"blk.5.attn_q.bias", "model.layers.5.self_attn.q_proj.bias"},
        {"blk.5.attn_v.bias", "model.layers.5.self_attn.v_proj.bias"},
        {"blk.5.attn_output.bias", "model.layers.5.self_attn.o_proj.bias"},
        {"blk.5.ffn_gate.bias", "model.layers.5.mlp.gate_proj.bias"},
        {"blk.5.attn_norm.bias", "model.layers.5.input_layernorm.bias"},
        {"output.bias", "lm_head.bias"},
        {"output_norm.bias", "model.norm.bias"},
        {"blk.27.attn_q_norm.weight", "model.layers.27.self_attn.q_norm.weight"},
        {"blk.27.attn_k_norm.weight", "model.layers.27.self_attn.k_norm.weight"},
        {"model.layers.5.self_attn.q_proj.bias", "model.layers.5.self_attn.q_proj.bias"},
        {"model.layers.27.self_attn.k_norm.weight", "model.layers.27.self_attn.k_norm.weight"},
        {"layers.5.self_attn.v_proj.bias", "model.layers.5.self_attn.v_proj.bias"},
        {"layers.27.self_attn.q_norm.weight", "model.layers.27.self_attn.q_norm.weight"},
        {"layers.1.mlp.up_proj.weight", "model.layers.1.mlp.up_proj.weight"},
        {"embed_tokens.weight", "model.embed_tokens.weight"},
        {"norm.weight", "model.norm.weight"},
        // Unknown names stay as they are.
        {"model.layers.1.mlp.up_proj.weight", "model.layers.1.mlp.up_proj.weight"},
        {"blk.7.ffn_gate_exps.weight", "blk.7.ffn_gate_exps.weight"},
        {"blk.x.attn_q.weight", "blk.x.attn_q.weight"},
        {"blk..attn_q.weight", "blk..attn_q.weight"},
        {"blk.", "blk."},
        {"rope_freqs.weight", "rope_freqs.weight"},
        {"", ""}};
    for (const auto& [file, canonical] : cases)
        EXPECT_EQ(canonicalTensorName(file), canonical);
}

TEST(TensorNames, tablesAreNoParameters) {
    EXPECT_TRUE(isTableTensor("rope_freqs.weight"));
    EXPECT_TRUE(isTableTensor("model.layers.0.self_attn.rotary_emb.inv_freq"));
    EXPECT_FALSE(isTableTensor("token_embd.weight"));
}
