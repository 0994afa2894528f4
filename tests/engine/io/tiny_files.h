// Model files of a few tensors.
#pragma once

#include <string>
#include <vector>

#include "tests/engine/io/io_test_data.h"

namespace bdq::io::test {

template <class T> std::string rawAll(const std::vector<T>& values) {
    std::string bytes;
    for (const T value : values)
        bytes += raw(value);
    return bytes;
}

inline std::vector<float> ramp(std::size_t count) {
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i)
        values[i] = static_cast<float>(i);
    return values;
}

/// One block, hidden 8, 2 heads of 4, 1 key/value head. Row r of q holds r in all its columns, as the file
/// orders them.
inline GgufBuilder tinyGguf() {
    GgufBuilder file;
    file.text("general.architecture", "llama");
    file.u32("llama.block_count", 1);
    file.u32("llama.embedding_length", 8);
    file.u32("llama.feed_forward_length", 8);
    file.u32("llama.attention.head_count", 2);
    file.u32("llama.attention.head_count_kv", 1);
    file.f32("llama.attention.layer_norm_rms_epsilon", 1e-5f);
    file.tensor("token_embd.weight", {8, 3}, 0, rawAll(ramp(24)));
    std::vector<float> rows(64);
    for (std::size_t i = 0; i < rows.size(); ++i)
        rows[i] = static_cast<float>(i / 8);
    file.tensor("blk.0.attn_q.weight", {8, 8}, 0, rawAll(rows));
    file.tensor("blk.0.attn_k.bias", {4}, 0, rawAll(ramp(4)));
    file.tensor("blk.0.attn_v.weight", {8, 4}, 0, rawAll(ramp(32)));
    return file;
}

inline constexpr const char* kTinyConfig =
    R"({"model_type":"llama","hidden_size":4,"intermediate_size":8,"num_hidden_layers":1,"num_attention_heads":2,)"
    R"("vocab_size":3,"tie_word_embeddings":TIED,"bos_token_id":1,"eos_token_id":[2,5]})";

inline std::string config(bool tied) {
    std::string text = kTinyConfig;
    return text.replace(text.find("TIED"), 4, tied ? "true" : "false");
}

inline std::string oneTensor(const std::string& name, const std::string& dtype, const std::string& shape,
                             const std::string& data) {
    return safetensorsBytes("{\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape +
                                ",\"data_offsets\":[0," + std::to_string(data.size()) + "]}}",
                            data);
}

} // namespace bdq::io::test
