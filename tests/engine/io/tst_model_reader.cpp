#include "engine/io/model_reader.h"

#include <cmath>

#include "engine/io/tokenizer.h"
#include "engine/io/tokenizer_source.h"
#include "tests/engine/io/tiny_files.h"

using namespace bdq;
using namespace bdq::io;
using namespace bdq::io::test;

namespace {

std::vector<float> readTensor(const ModelReader& model, const std::string& name) {
    const TensorEntry* entry = model.find(name);
    if (entry == nullptr) {
        ADD_FAILURE() << name << " is missing";
        return {};
    }
    std::vector<float> values(static_cast<std::size_t>(entry->elements()));
    const auto status = model.read(*entry, values);
    EXPECT_TRUE(status) << status.error().text();
    return values;
}

} // namespace

TEST(ModelReader, ggufRowsComeBackInHalfSplitOrder) {
    const TemporaryFolder folder;
    const auto model = ModelReader::open(folder.write("tiny.gguf", tinyGguf().bytes()));
    ASSERT_TRUE(model) << model.error().text();
    const std::vector<float> q = readTensor(*model, "model.layers.0.self_attn.q_proj.weight");
    // The converter stores head rows [0 2 1 3 | 4 6 5 7] of the original; undone: file rows 0 2 1 3 | 4 6
    // 5 7.
    const std::vector<float> expected{0, 2, 1, 3, 4, 6, 5, 7};
    for (std::size_t row = 0; row < 8; ++row)
        for (std::size_t column = 0; column < 8; ++column)
            EXPECT_EQ(q[8 * row + column], expected[row]) << row;
    EXPECT_EQ(readTensor(*model, "model.layers.0.self_attn.k_proj.bias"), (std::vector<float>{0, 2, 1, 3}));
    EXPECT_EQ(readTensor(*model, "model.layers.0.self_attn.v_proj.weight"), ramp(32));
}

TEST(ModelReader, biasesAndHeadNormsOfQwenAreFoundUnpermuted) {
    const TemporaryFolder folder;
    GgufBuilder file;
    file.text("general.architecture", "qwen2");
    file.u32("qwen2.attention.head_count", 2);
    file.u32("qwen2.attention.head_count_kv", 1);
    file.u32("qwen2.embedding_length", 8);
    file.u32("qwen2.block_count", 1);
    file.u32("qwen2.feed_forward_length", 16);
    file.f32("qwen2.attention.layer_norm_rms_epsilon", 1e-6f);
    file.tensor("blk.0.attn_q.bias", {8}, 0, rawAll(ramp(8)));
    file.tensor("blk.0.attn_k.bias", {4}, 0, rawAll(ramp(4)));
    file.tensor("blk.0.attn_v.bias", {4}, 0, rawAll(ramp(4)));
    file.tensor("blk.0.attn_q_norm.weight", {4}, 0, rawAll(ramp(4)));
    file.tensor("blk.0.attn_k_norm.weight", {4}, 0, rawAll(ramp(4)));
    const auto model = ModelReader::open(folder.write("qwen.gguf", file.bytes()));
    ASSERT_TRUE(model) << model.error().text();
    EXPECT_FALSE(model->index().config.permutedQk);
    EXPECT_EQ(readTensor(*model, "model.layers.0.self_attn.q_proj.bias"), ramp(8));
    for (const char* part : {"k_proj.bias", "v_proj.bias", "q_norm.weight", "k_norm.weight"})
        EXPECT_EQ(readTensor(*model, std::string("model.layers.0.self_attn.") + part), ramp(4)) << part;
}

TEST(ModelReader, tiedHeadIsTheEmbedding) {
    const TemporaryFolder folder;
    const auto model = ModelReader::open(folder.write("tiny.gguf", tinyGguf().bytes()));
    ASSERT_TRUE(model) << model.error().text();
    EXPECT_TRUE(model->index().config.tiedEmbedding);
    EXPECT_EQ(model->find("lm_head.weight"), model->find("model.embed_tokens.weight"));
    EXPECT_EQ(model->find("model.norm.weight"), nullptr);
    EXPECT_EQ(model->index().parameters, 24 + 64 + 4 + 32);
    EXPECT_EQ(model->index().format, "gguf");
    EXPECT_EQ(model->index().config.name, "tiny");
    EXPECT_EQ(model->index().config.vocabSize, 3);
    GgufBuilder untied = tinyGguf();
    untied.tensor("output.weight", {8, 3}, 0, rawAll(ramp(24)));
    const auto other = ModelReader::open(folder.write("untied.gguf", untied.bytes()));
    ASSERT_TRUE(other) << other.error().text();
    EXPECT_FALSE(other->index().config.tiedEmbedding);
    EXPECT_NE(other->find("lm_head.weight"), other->find("model.embed_tokens.weight"));
    EXPECT_EQ(other->index().parameters, 124 + 24);
    EXPECT_NE(other->fingerprint(), model->fingerprint());
    EXPECT_EQ(other->fingerprint().size(), 64u);
}

TEST(ModelReader, undecodableTensorsAreListedAndRefusedByName) {
    const TemporaryFolder folder;
    GgufBuilder file = tinyGguf();
    file.tensor("blk.0.ffn_up.weight", {256}, 23, std::string(136, '\0'));
    const auto model = ModelReader::open(folder.write("iq.gguf", file.bytes()));
    ASSERT_TRUE(model) << model.error().text();
    std::vector<float> values(256);
    const auto status = model->read(*model->find("model.layers.0.mlp.up_proj.weight"), values);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::Unsupported);
    for (const char* part : {"iq.gguf", "blk.0.ffn_up.weight", "IQ4_XS"})
        EXPECT_NE(status.error().message.find(part), std::string::npos) << status.error().message;
}

TEST(ModelReader, refusesWrongTargets) {
    const TemporaryFolder folder;
    const auto model = ModelReader::open(folder.write("tiny.gguf", tinyGguf().bytes()));
    ASSERT_TRUE(model);
    std::vector<float> values(25);
    TensorEntry entry = *model->find("model.embed_tokens.weight");
    EXPECT_FALSE(model->read(entry, values));
    values.resize(24);
    EXPECT_TRUE(model->read(entry, values));
    entry.offsetBytes = 1ull << 60;
    EXPECT_FALSE(model->read(entry, values));
    entry.file = 3;
    EXPECT_FALSE(model->read(entry, values));
}

TEST(ModelReader, shardedGguf) {
    const TemporaryFolder folder;
    GgufBuilder second;
    second.tensor("output.weight", {8, 3}, 0, rawAll(ramp(24)));
    const std::string first = folder.write("m-00001-of-00002.gguf", tinyGguf().bytes());
    const std::string path = folder.write("m-00002-of-00002.gguf", second.bytes());
    for (const std::string& opened : {path, first, folder.path().string()}) {
        const auto model = ModelReader::open(opened);
        ASSERT_TRUE(model) << model.error().text();
        EXPECT_EQ(model->index().files.size(), 2u);
        EXPECT_EQ(readTensor(*model, "lm_head.weight"), ramp(24));
        EXPECT_EQ(model->find("lm_head.weight")->file, 1);
    }
    second.u32("split.no", 0);
    EXPECT_EQ(ModelReader::open(folder.write("m-00002-of-00002.gguf", second.bytes())).error().code,
              ErrorCode::BadFormat);
    EXPECT_EQ(ModelReader::open(folder.write("m-00002-of-00002.gguf", tinyGguf().bytes())).error().code,
              ErrorCode::BadFormat)
        << "the same tensors twice";
    std::filesystem::remove(path);
    const auto missing = ModelReader::open(first);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ErrorCode::NotFound);
    EXPECT_NE(missing.error().message.find("m-00002-of-00002.gguf"), std::string::npos);
}

TEST(ModelReader, safetensorsFolder) {
    const TemporaryFolder folder;
    const std::string file = folder.write(
        "model.safetensors", oneTensor("model.embed_tokens.weight", "F32", "[3,4]", rawAll(ramp(12))));
    const auto noConfig = ModelReader::open(folder.path().string());
    ASSERT_TRUE(noConfig) << "listed all the same";
    EXPECT_EQ(noConfig->index().tensors.size(), 1u);
    const auto refused = noConfig->checkComputable();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::NotFound);
    EXPECT_NE(refused.error().message.find("config.json"), std::string::npos);
    (void)folder.write("config.json", config(true));
    for (const std::string& path : {file, folder.path().string(), folder.path().string() + "/"}) {
        const auto model = ModelReader::open(path);
        ASSERT_TRUE(model) << model.error().text();
        EXPECT_EQ(model->index().format, "safetensors");
        EXPECT_EQ(model->index().config.headDim, 2);
        EXPECT_EQ(model->index().config.name, folder.path().filename().string());
        EXPECT_EQ(readTensor(*model, "lm_head.weight"), ramp(12));
        EXPECT_EQ(model->index().parameters, 12);
        EXPECT_EQ(model->tokenizerSource().eosId, 2);
        EXPECT_EQ(Tokenizer::create(*model).error().code, ErrorCode::NotFound);
    }
    std::filesystem::copy(sourceDir() / "tests/data/golden/small_tokenizer.json",
                          folder.path() / "tokenizer.json");
    const auto tokenizer = Tokenizer::create(ModelReader::open(file).value());
    ASSERT_TRUE(tokenizer) << tokenizer.error().text();
    EXPECT_EQ(tokenizer->bosId(), 1);
    EXPECT_EQ(tokenizer->vocabSize(), 400);
}

TEST(ModelReader, tiedHeadThatIsStoredCountsOnce) {
    const TemporaryFolder folder;
    (void)folder.write(
        "model.safetensors",
        safetensorsBytes(R"({"model.embed_tokens.weight":{"dtype":"I8","shape":[3,4],"data_offsets":[0,12]},)"
                         R"("lm_head.weight":{"dtype":"I8","shape":[3,4],"data_offsets":[12,24]}})",
                         std::string(12, 1) + std::string(12, 2)));
    (void)folder.write("config.json", config(true));
    const auto tied = ModelReader::open(folder.path().string());
    ASSERT_TRUE(tied) << tied.error().text();
    EXPECT_EQ(tied->index().parameters, 12);
    EXPECT_EQ(readTensor(*tied, "lm_head.weight").front(), 1.0f);
    (void)folder.write("config.json", config(false));
    const auto untied = ModelReader::open(folder.path().string());
    ASSERT_TRUE(untied);
    EXPECT_EQ(untied->index().parameters, 24);
    EXPECT_EQ(readTensor(*untied, "lm_head.weight").front(), 2.0f);
    EXPECT_FALSE(untied->index().config.tiedEmbedding);
}

TEST(ModelReader, shardedSafetensors) {
    const TemporaryFolder folder;
    (void)folder.write("config.json", config(false));
    (void)folder.write(
        "model-00001-of-00002.safetensors",
        oneTensor("model.embed_tokens.weight", "F16", "[1,2]", raw<std::uint32_t>(0xbc003c00)));
    (void)folder.write("model-00002-of-00002.safetensors",
                       oneTensor("lm_head.weight", "BF16", "[1,2]", raw<std::uint32_t>(0x4000bf80)));
    const std::string index = folder.write(
        "model.safetensors.index.json",
        R"({"weight_map":{"lm_head.weight":"model-00002-of-00002.safetensors","model.embed_tokens.weight":"model-00001-of-00002.safetensors"}})");
    for (const std::string& path : {index, folder.path().string()}) {
        const auto model = ModelReader::open(path);
        ASSERT_TRUE(model) << model.error().text();
        EXPECT_EQ(readTensor(*model, "model.embed_tokens.weight"), (std::vector<float>{1, -1}));
        EXPECT_EQ(readTensor(*model, "lm_head.weight"), (std::vector<float>{-1, 2}));
    }
    const std::pair<const char*, ErrorCode> hostile[] = {
        {R"({"weight_map":{"a":"../../etc/passwd"}})", ErrorCode::BadFormat},
        {R"({"weight_map":{"a":"/etc/passwd"}})", ErrorCode::BadFormat},
        {R"({"weight_map":{"a":".."}})", ErrorCode::BadFormat},
        {R"({"weight_map":{"a":""}})", ErrorCode::BadFormat},
        {R"({"weight_map":{"a":7}})", ErrorCode::BadFormat},
        {R"({"weight_map":{}})", ErrorCode::BadFormat},
        {R"({})", ErrorCode::BadFormat},
        {R"({"weight_map":{"a":"absent.safetensors"}})", ErrorCode::NotFound}};
    for (const auto& [text, code] : hostile) {
        (void)folder.write("model.safetensors.index.json", text);
        const auto refused = ModelReader::open(folder.path().string());
        ASSERT_FALSE(refused) << text;
        EXPECT_EQ(refused.error().code, code) << text << ": " << refused.error().message;
    }
}

TEST(ModelReader, pathsThatAreNoModels) {
    const TemporaryFolder folder;
    EXPECT_EQ(ModelReader::open((folder.path() / "absent.gguf").string()).error().code, ErrorCode::NotFound);
    EXPECT_EQ(ModelReader::open("").error().code, ErrorCode::NotFound);
    EXPECT_EQ(ModelReader::open(folder.path().string()).error().code, ErrorCode::NotFound);
    EXPECT_EQ(ModelReader::open(folder.write("model.bin", "x")).error().code, ErrorCode::Unsupported);
    EXPECT_EQ(ModelReader::open(folder.write("empty.gguf", "")).error().code, ErrorCode::BadFormat);
    EXPECT_EQ(ModelReader::open(folder.write("x-00001-of-00000.gguf", "")).error().code,
              ErrorCode::BadFormat);
    GgufBuilder heads = tinyGguf();
    heads.u32("llama.attention.key_length", 3);
    const auto odd = ModelReader::open(folder.write("odd.gguf", heads.bytes()));
    ASSERT_TRUE(odd) << odd.error().text();
    EXPECT_EQ(odd->checkComputable().error().code, ErrorCode::BadFormat);
}

TEST(ModelReader, demoModel) {
    BDQ_NEED_FILE(demoModel());
    const auto model = ModelReader::open(demoModel());
    ASSERT_TRUE(model) << model.error().text();
    const ModelIndex& index = model->index();
    EXPECT_EQ(index.parameters, 134515008);
    EXPECT_EQ(index.tensors.size(), 272u);
    EXPECT_EQ(index.config.layers, 30);
    EXPECT_EQ(index.config.hiddenSize, 576);
    EXPECT_EQ(index.config.kvHeads, 3);
    EXPECT_EQ(index.config.headDim, 64);
    EXPECT_EQ(index.config.vocabSize, 49152);
    EXPECT_EQ(index.config.ropeTheta, 100000.0);
    EXPECT_EQ(index.config.ropeScaling, "");
    EXPECT_TRUE(index.config.tiedEmbedding);
    for (const TensorEntry& tensor : index.tensors) {
        std::vector<float> values(static_cast<std::size_t>(tensor.elements()));
        ASSERT_TRUE(model->read(tensor, values)) << tensor.name;
        double energy = 0;
        for (const float value : values)
            energy += static_cast<double>(value) * static_cast<double>(value);
        ASSERT_TRUE(std::isfinite(energy) && energy > 0) << tensor.name;
    }
}
