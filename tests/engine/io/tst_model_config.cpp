#include "engine/io/model_config.h"

#include <cmath>
#include <functional>

#include <nlohmann/json.hpp>

#include "tests/engine/io/io_test_data.h"

using namespace bdq;
using namespace bdq::io;
using namespace bdq::io::test;

namespace {

nlohmann::json llama() {
    return {{"model_type", "llama"},       {"hidden_size", 64},
            {"intermediate_size", 96},     {"num_hidden_layers", 2},
            {"num_attention_heads", 4},    {"num_key_value_heads", 2},
            {"vocab_size", 100},           {"max_position_embeddings", 512},
            {"rms_norm_eps", 1e-6},        {"rope_theta", 5e5},
            {"tie_word_embeddings", true}, {"hidden_act", "silu"}};
}

/// The numbers, or why the model cannot be computed.
Result<ModelConfig> computable(Result<ConfigReading> reading) {
    if (!reading) return passOn(reading.error());
    if (reading->refusal) return passOn(*reading->refusal);
    return reading->config;
}

Result<ModelConfig> changed(const std::function<void(nlohmann::json&)>& change) {
    nlohmann::json document = llama();
    change(document);
    return computable(configFromJson(document.dump(), "config.json"));
}

/// What is listed of a config.json, whether or not it can be computed.
ModelConfig listed(std::string_view text) {
    const auto reading = configFromJson(text, "config.json");
    EXPECT_TRUE(reading) << reading.error().text();
    return reading->config;
}

GgufBuilder ggufConfig(const char* without = "") {
    GgufBuilder file;
    file.text("general.architecture", "llama");
    const std::pair<const char*, std::uint32_t> numbers[] = {{"llama.block_count", 2},
                                                             {"llama.embedding_length", 64},
                                                             {"llama.feed_forward_length", 96},
                                                             {"llama.attention.head_count", 4},
                                                             {"llama.attention.head_count_kv", 2},
                                                             {"llama.context_length", 512},
                                                             {"llama.vocab_size", 100}};
    for (const auto& [key, value] : numbers)
        if (std::string_view(key) != without) file.u32(key, value);
    if (std::string_view("llama.attention.layer_norm_rms_epsilon") != without)
        file.f32("llama.attention.layer_norm_rms_epsilon", 1e-5f);
    return file;
}

Result<ModelConfig> fromGguf(const GgufBuilder& file) {
    const std::string bytes = file.bytes();
    const GgufHeader header = parseGguf(asBytes(bytes), "m.gguf").value();
    const GgufPart part{&header, asBytes(bytes)};
    return computable(configFromGguf(std::span(&part, 1), "m.gguf"));
}

} // namespace

TEST(ModelConfig, readsConfigJson) {
    const auto config = changed([](nlohmann::json&) {});
    ASSERT_TRUE(config) << config.error().text();
    EXPECT_EQ(config->architecture, "llama");
    EXPECT_EQ(config->layers, 2);
    EXPECT_EQ(config->hiddenSize, 64);
    EXPECT_EQ(config->intermediateSize, 96);
    EXPECT_EQ(config->heads, 4);
    EXPECT_EQ(config->kvHeads, 2);
    EXPECT_EQ(config->headDim, 16);
    EXPECT_EQ(config->vocabSize, 100);
    EXPECT_EQ(config->contextLength, 512);
    EXPECT_EQ(config->ropeTheta, 5e5);
    EXPECT_EQ(config->normEpsilon, 1e-6);
    EXPECT_TRUE(config->tiedEmbedding);
    EXPECT_FALSE(config->permutedQk);
    EXPECT_EQ(config->ropeScaling, "");
}

TEST(ModelConfig, variantsOfConfigJson) {
    EXPECT_EQ(changed([](auto& d) { d["head_dim"] = 32; })->headDim, 32);
    EXPECT_EQ(changed([](auto& d) { d.erase("num_key_value_heads"); })->kvHeads, 4);
    EXPECT_EQ(changed([](auto& d) { d["num_key_value_heads"] = nullptr; })->kvHeads, 4);
    EXPECT_EQ(changed([](auto& d) {
                  d["rope_parameters"] = {{"rope_type", "default"}, {"rope_theta", 7e4}};
              })->ropeTheta,
              7e4);
    EXPECT_EQ(changed([](auto& d) { d["model_type"] = "qwen3"; })->architecture, "qwen3");
    EXPECT_EQ(changed([](auto& d) { d["model_type"] = "qwen3"; })->headDim, 128);
    EXPECT_EQ(changed([](auto& d) { d.erase("rms_norm_eps"); })->normEpsilon, 1e-6);
}

TEST(ModelConfig, windowsOfConfigJson) {
    const auto mistral = changed([](auto& d) {
        d.update({{"model_type", "mistral"}, {"sliding_window", 128}});
    });
    EXPECT_EQ(mistral->architecture, "mistral");
    EXPECT_EQ(mistral->contextLength, 512);
    EXPECT_EQ(mistral->slidingWindow, 128);
    EXPECT_EQ(mistral->firstSlidingLayer, 0);
    EXPECT_EQ(changed([](auto& d) {
                  d.update({{"model_type", "mistral"}, {"sliding_window", nullptr}});
              })->slidingWindow,
              0);
    const nlohmann::json qwen{{"model_type", "qwen2"}, {"sliding_window", 64}, {"max_window_layers", 1}};
    EXPECT_EQ(changed([&](auto& d) { d.update(qwen); })->slidingWindow, 0) << "use_sliding_window is false";
    const auto used = changed([&](auto& d) {
        d.update(qwen);
        d["use_sliding_window"] = true;
    });
    EXPECT_EQ(used->slidingWindow, 64);
    EXPECT_EQ(used->firstSlidingLayer, 1);
    const auto withTypes = [&](nlohmann::json types) {
        return changed([&](auto& d) {
            d.update(qwen);
            d["use_sliding_window"] = true;
            d["layer_types"] = types;
        });
    };
    EXPECT_EQ(withTypes({"sliding_attention", "sliding_attention"})->firstSlidingLayer, 0);
    EXPECT_EQ(withTypes({"full_attention", "full_attention"})->firstSlidingLayer, 2);
    EXPECT_EQ(withTypes({"sliding_attention", "full_attention"})->architecture, "qwen2-mixed-attention");
}

nlohmann::json llama31Scaling() {
    return {{"rope_type", "llama3"},
            {"factor", 8.0},
            {"low_freq_factor", 1.0},
            {"high_freq_factor", 4.0},
            {"original_max_position_embeddings", 64}};
}

TEST(ModelConfig, ropeScalingOfConfigJson) {
    const auto linear = changed([](auto& d) { d["rope_scaling"] = {{"type", "linear"}, {"factor", 2}}; });
    EXPECT_EQ(linear->ropeScaling, "linear factor 2.0");
    EXPECT_EQ(linear->ropeDivisors, std::vector<double>(8, 2.0));
    for (const char* key : {"rope_scaling", "rope_parameters"}) {
        const auto llama3 = changed([&](auto& d) { d[key] = llama31Scaling(); });
        ASSERT_TRUE(llama3) << llama3.error().text();
        EXPECT_EQ(llama3->ropeScaling, "llama3 factor 8.0");
        ASSERT_EQ(llama3->ropeDivisors.size(), 8u);
        // Theta 5e5, 64 tokens: 10.2 turns of pair 0, 1.98 of pair 1 (wavelength 2 pi 5e5^(1/8) = 32.4),
        // below 1 of the others.
        EXPECT_EQ(llama3->ropeDivisors[0], 1.0);
        const double turns = 64 / (2 * 3.14159265358979324 * std::pow(5e5, 0.125));
        const double kept = (turns - 1) / 3;
        EXPECT_NEAR(llama3->ropeDivisors[1], 1 / (kept + (1 - kept) / 8), 1e-12);
        EXPECT_EQ(llama3->ropeDivisors[2], 8.0);
        EXPECT_EQ(llama3->ropeDivisors[7], 8.0);
    }
    const auto top = changed([](auto& d) { // the original context beside the scaling, as some files have it
        d["rope_scaling"] = llama31Scaling();
        d["rope_scaling"].erase("original_max_position_embeddings");
        d["original_max_position_embeddings"] = 64;
    });
    EXPECT_EQ(top->ropeDivisors,
              changed([](auto& d) { d["rope_scaling"] = llama31Scaling(); })->ropeDivisors);
    for (const char* kind : {"yarn", "dynamic", "longrope"}) {
        const auto other = changed([&](auto& d) { d["rope_scaling"] = {{"type", kind}, {"factor", 4.0}}; });
        EXPECT_EQ(other->ropeScaling, std::string(kind) + " factor 4.0");
        EXPECT_TRUE(other->ropeDivisors.empty()) << "listed, not computed";
    }
    const auto partial = changed([](auto& d) {
        d["partial_rotary_factor"] = 0.5;
        d["rope_scaling"] = {{"type", "linear"}, {"factor", 2}};
    });
    EXPECT_EQ(partial->ropeScaling, "partial 0.5");
    EXPECT_TRUE(partial->ropeDivisors.empty());
}

TEST(ModelConfig, refusesBadConfigJson) {
    const struct {
        std::function<void(nlohmann::json&)> change;
        const char* reason;
        ErrorCode code = ErrorCode::BadFormat;
    } cases[] = {
        {[](auto& d) { d = 3; }, "no JSON object"},
        {[](auto& d) { d.erase("hidden_size"); }, "'hidden_size' is missing"},
        {[](auto& d) { d.erase("model_type"); }, "'model_type' is missing"},
        {[](auto& d) { d["hidden_size"] = 0; }, "'hidden_size'"},
        {[](auto& d) { d["hidden_size"] = -64; }, "'hidden_size'"},
        {[](auto& d) { d["hidden_size"] = 64.0; }, "'hidden_size'"},
        {[](auto& d) { d["num_attention_heads"] = 1ull << 31; }, "'num_attention_heads'"},
        {[](auto& d) { d["vocab_size"] = "many"; }, "'vocab_size'"},
        {[](auto& d) { d["rms_norm_eps"] = 0; }, "'rms_norm_eps'"},
        {[](auto& d) { d["tie_word_embeddings"] = "yes"; }, "'tie_word_embeddings'"},
        {[](auto& d) { d["hidden_act"] = "gelu"; }, "'gelu'", ErrorCode::Unsupported},
        {[](auto& d) {
             d["rope_scaling"] = llama31Scaling();
             d["rope_scaling"].erase("low_freq_factor");
         },
         "'low_freq_factor' is missing"},
        {[](auto& d) {
             d["rope_scaling"] = llama31Scaling();
             d["rope_scaling"]["low_freq_factor"] = 4.0;
         },
         "is not below 'high_freq_factor'"},
        {[](auto& d) {
             d["rope_scaling"] = llama31Scaling();
             d["head_dim"] = 1 << 30;
         },
         "head size 1073741824 with RoPE scaling"},
    };
    for (const auto& row : cases) {
        const auto config = changed(row.change);
        ASSERT_FALSE(config) << row.reason;
        EXPECT_EQ(config.error().code, row.code);
        EXPECT_NE(config.error().message.find(row.reason), std::string::npos) << config.error().message;
    }
}

TEST(ModelConfig, swishIsSilu) {
    EXPECT_TRUE(changed([](auto& d) { d["hidden_act"] = "swish"; }));
}

TEST(ModelConfig, otherFamiliesAreListed) {
    const ModelConfig gpt2 = listed(R"({"model_type":"gpt2","n_layer":12,"n_embd":768,"n_head":12,)"
                                    R"("vocab_size":50257,"n_positions":1024})");
    EXPECT_EQ(gpt2.architecture, "gpt2");
    EXPECT_EQ(gpt2.layers, 12);
    EXPECT_EQ(gpt2.hiddenSize, 768);
    EXPECT_EQ(gpt2.headDim, 64);
    EXPECT_EQ(gpt2.contextLength, 1024);
    EXPECT_EQ(gpt2.intermediateSize, 0) << "not said";
    EXPECT_EQ(gpt2.ropeTheta, 0) << "not said";
    const ModelConfig vision = listed(
        R"({"model_type":"llava","vision_config":{"hidden_size":1024},"text_config":{"model_type":"llama",)"
        R"("hidden_size":4096,"num_hidden_layers":32,"intermediate_size":11008,"rope_theta":5e5}})");
    EXPECT_EQ(vision.architecture, "llava");
    EXPECT_EQ(vision.hiddenSize, 4096);
    EXPECT_EQ(vision.ropeTheta, 5e5);
    EXPECT_EQ(vision.heads, 0);
    const ModelConfig omni = listed(R"({"model_type":"qwen2_5_omni","thinker_config":{"text_config":)"
                                    R"({"num_hidden_layers":28}}})");
    EXPECT_EQ(omni.layers, 28);
    const ModelConfig python = listed(R"({"model_type":"mamba2","num_hidden_layers":24,"a":[0.0, Infinity],)"
                                      R"("b":-Infinity,"c":NaN,"d":"NaN \" Infinity"})");
    EXPECT_EQ(python.layers, 24);
    EXPECT_EQ(listed(R"({"architectures":["MixModel"],"hidden_size":"big"})").architecture, "MixModel");
    EXPECT_EQ(listed(R"({"model_type":"gemma3n","intermediate_size":[8,16],"head_dim":[4,4]})").headDim, 4);
    EXPECT_EQ(listed(R"({"model_type":"llama"})").hiddenSize, 0) << "also what would be computed";
}

TEST(ModelConfig, quantizedCheckpointsAreRefused) {
    for (const char* key : {"quantization_config", "compression_config"}) {
        const auto refused = changed([&](auto& d) { d[key] = {{"quant_method", "awq"}, {"bits", 4}}; });
        ASSERT_FALSE(refused) << key;
        EXPECT_EQ(refused.error().code, ErrorCode::Unsupported);
        EXPECT_NE(refused.error().message.find("already quantized"), std::string::npos);
        EXPECT_NE(refused.error().message.find("awq"), std::string::npos) << refused.error().message;
    }
    EXPECT_FALSE(changed([](auto& d) { d["quantization"] = {{"group_size", 64}, {"bits", 4}}; })) << "MLX";
    EXPECT_TRUE(changed([](auto& d) { d["quantization_config"] = nullptr; }));
}

// The parts of a split model: the first with metadata alone, tensors behind it.
TEST(ModelConfig, readsTensorsOfWhicheverPart) {
    GgufBuilder first = ggufConfig("llama.vocab_size");
    GgufBuilder second;
    second.tensor("token_embd.weight", {64, 3}, 0, std::string(64 * 3 * 4, '\0'));
    std::string table;
    for (int i = 0; i < 8; ++i)
        table += raw(2.f);
    GgufBuilder third;
    third.tensor("rope_freqs.weight", {8}, 0, table);
    const std::string bytes[] = {first.bytes(), second.bytes(), third.bytes()};
    std::vector<GgufHeader> headers;
    for (const std::string& text : bytes)
        headers.push_back(parseGguf(asBytes(text), "m.gguf").value());
    std::vector<GgufPart> parts;
    for (std::size_t i = 0; i < headers.size(); ++i)
        parts.push_back({&headers[i], asBytes(bytes[i])});
    const auto config = computable(configFromGguf(parts, "m.gguf"));
    ASSERT_TRUE(config) << config.error().text();
    EXPECT_EQ(config->vocabSize, 3);
    EXPECT_EQ(config->ropeDivisors, std::vector<double>(8, 2.0));
}

TEST(ModelConfig, otherGgufFilesAreListed) {
    GgufBuilder byLayer;
    byLayer.text("general.architecture", "lfm2");
    byLayer.u32("lfm2.block_count", 2);
    byLayer.numbers<std::int32_t>("lfm2.attention.head_count_kv", GgufType::I32, {0, 2});
    const std::string bytes = byLayer.bytes();
    const GgufHeader header = parseGguf(asBytes(bytes), "m").value();
    const GgufPart part{&header, asBytes(bytes)};
    const ConfigReading reading = configFromGguf(std::span(&part, 1), "m");
    EXPECT_EQ(reading.config.layers, 2);
    EXPECT_EQ(reading.config.kvHeads, 0);
    GgufBuilder adapter = ggufConfig();
    adapter.text("general.type", "adapter");
    EXPECT_EQ(fromGguf(adapter).error().code, ErrorCode::Unsupported);
    EXPECT_NE(fromGguf(adapter).error().message.find("'adapter'"), std::string::npos);
    GgufBuilder whole = ggufConfig();
    whole.text("general.type", "model");
    EXPECT_TRUE(fromGguf(whole));
}

TEST(ModelConfig, readsGgufMetadata) {
    GgufBuilder file = ggufConfig();
    file.f32("llama.rope.freq_base", 5e5f);
    file.text("general.name", "Tiny");
    const auto config = fromGguf(file);
    ASSERT_TRUE(config) << config.error().text();
    EXPECT_EQ(config->name, "Tiny");
    EXPECT_EQ(config->headDim, 16);
    EXPECT_EQ(config->kvHeads, 2);
    EXPECT_EQ(config->ropeTheta, 5e5);
    EXPECT_TRUE(config->permutedQk);
    EXPECT_EQ(config->ropeScaling, "");
}

TEST(ModelConfig, variantsOfGguf) {
    GgufBuilder linear = ggufConfig();
    linear.text("llama.rope.scaling.type", "linear");
    linear.f32("llama.rope.scaling.factor", 4.0f);
    EXPECT_EQ(fromGguf(linear)->ropeScaling, "linear factor 4");
    EXPECT_EQ(fromGguf(linear)->ropeDivisors, std::vector<double>(8, 4.0));
    std::string table;
    for (const float divisor : {1.f, 1.f, 1.f, 2.f, 4.f, 8.f, 8.f, 8.f})
        table += raw(divisor);
    GgufBuilder frequencies = ggufConfig();
    frequencies.tensor("rope_freqs.weight", {8}, 0, table);
    EXPECT_EQ(fromGguf(frequencies)->ropeScaling, "llama3 (rope_freqs.weight)");
    EXPECT_EQ(fromGguf(frequencies)->ropeDivisors, (std::vector<double>{1, 1, 1, 2, 4, 8, 8, 8}));
    GgufBuilder yarn = ggufConfig();
    yarn.text("llama.rope.scaling.type", "yarn");
    yarn.f32("llama.rope.scaling.factor", 4.0f);
    EXPECT_EQ(fromGguf(yarn)->ropeScaling, "yarn factor 4");
    EXPECT_TRUE(fromGguf(yarn)->ropeDivisors.empty());
    GgufBuilder windowed = ggufConfig();
    windowed.u32("llama.attention.sliding_window", 128);
    EXPECT_EQ(fromGguf(windowed)->slidingWindow, 128);
    GgufBuilder partial = ggufConfig();
    partial.u32("llama.rope.dimension_count", 8);
    EXPECT_EQ(fromGguf(partial)->ropeScaling, "partial 8 of 16");
    GgufBuilder whole = ggufConfig();
    whole.u32("llama.rope.dimension_count", 16);
    EXPECT_EQ(fromGguf(whole)->ropeScaling, "");
    GgufBuilder experts = ggufConfig();
    experts.u32("llama.expert_count", 8);
    EXPECT_EQ(fromGguf(experts)->architecture, "llama-moe");
    GgufBuilder uniform = ggufConfig("llama.attention.head_count");
    uniform.numbers<std::uint32_t>("llama.attention.head_count", GgufType::U32, {4, 4});
    EXPECT_EQ(fromGguf(uniform)->heads, 4);
    GgufBuilder other;
    other.text("general.architecture", "mamba");
    const auto config = fromGguf(other);
    ASSERT_TRUE(config) << "info works for every architecture";
    EXPECT_FALSE(config->permutedQk);
}

TEST(ModelConfig, refusesBadGguf) {
    for (const char* key : {"llama.block_count", "llama.embedding_length", "llama.feed_forward_length",
                            "llama.attention.head_count", "llama.attention.layer_norm_rms_epsilon"}) {
        const auto config = fromGguf(ggufConfig(key));
        ASSERT_FALSE(config) << key;
        EXPECT_EQ(config.error().code, ErrorCode::BadFormat);
        EXPECT_NE(config.error().message.find(key), std::string::npos) << config.error().message;
    }
    GgufBuilder differing = ggufConfig("llama.attention.head_count");
    differing.numbers<std::uint32_t>("llama.attention.head_count", GgufType::U32, {4, 8});
    EXPECT_EQ(fromGguf(differing).error().code, ErrorCode::Unsupported);
    GgufBuilder zero = ggufConfig("llama.block_count");
    zero.u32("llama.block_count", 0);
    EXPECT_EQ(fromGguf(zero).error().code, ErrorCode::BadFormat);
    GgufBuilder text = ggufConfig("llama.block_count");
    text.text("llama.block_count", "2");
    EXPECT_EQ(fromGguf(text).error().code, ErrorCode::BadFormat);
    EXPECT_EQ(fromGguf(GgufBuilder{}).error().code, ErrorCode::Unsupported);
    GgufBuilder shortTable = ggufConfig();
    shortTable.tensor("rope_freqs.weight", {2}, 0, raw(1.f) + raw(2.f));
    EXPECT_NE(fromGguf(shortTable).error().message.find("is no list of 8 F32 values"), std::string::npos);
    GgufBuilder negative = ggufConfig();
    negative.tensor("rope_freqs.weight", {8}, 0, std::string(28, '\0') + raw(-1.f));
    EXPECT_NE(fromGguf(negative).error().message.find("value 0 is not a positive number"), std::string::npos);
}
