#include "tests/e2e/tiny_model.h"

#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <random>
#include <vector>

#include <nlohmann/json.hpp>

#include "engine/api/atomic_file.h"
#include "engine/io/tensor_file.h"

namespace bdq::e2e {
namespace {

void orDie(const Status& status) {
    if (status) return;
    std::cerr << "tiny model: " << status.error().text() << '\n';
    std::exit(1);
}

/// Normal values whose every 16th input channel is larger: outliers, as real models have them.
class TensorMaker {
public:
    explicit TensorMaker(std::uint64_t seed) : m_generator(seed) {}

    io::HostTensor matrix(std::int64_t rows, std::int64_t columns, double deviation) {
        io::HostTensor tensor{io::HostTensor::Type::F32, {rows, columns}, {}};
        std::normal_distribution<float> normal(0.0f, static_cast<float>(deviation));
        fill(tensor, rows * columns, [&](std::int64_t) { return normal(m_generator); });
        return tensor;
    }

    io::HostTensor norm(std::int64_t size) {
        io::HostTensor tensor{io::HostTensor::Type::F32, {size}, {}};
        fill(tensor, size, [](std::int64_t i) { return i % 16 == 5 ? 6.0f : 1.0f; });
        return tensor;
    }

private:
    template <class Maker> static void fill(io::HostTensor& tensor, std::int64_t count, Maker make) {
        std::vector<float> values(static_cast<std::size_t>(count));
        for (std::int64_t i = 0; i < count; ++i)
            values[static_cast<std::size_t>(i)] = make(i);
        tensor.bytes.resize(values.size() * sizeof(float));
        std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
    }

    std::mt19937_64 m_generator;
};

io::TensorFile tinyWeights(const TinyModelOptions& options) {
    TensorMaker make(options.seed);
    io::TensorFile file;
    file.metadata["format"] = "pt";
    const std::int64_t hidden = options.hiddenSize;
    const std::int64_t inner = options.intermediateSize;
    const std::int64_t kv = hidden / options.heads * options.kvHeads;
    const double scale = 1.0 / std::sqrt(static_cast<double>(hidden));
    file.tensors["model.embed_tokens.weight"] = make.matrix(kTinyVocabSize, hidden, 0.1);
    for (int layer = 0; layer < options.layers; ++layer) {
        const std::string prefix = "model.layers." + std::to_string(layer) + ".";
        file.tensors[prefix + "input_layernorm.weight"] = make.norm(hidden);
        file.tensors[prefix + "self_attn.q_proj.weight"] = make.matrix(hidden, hidden, scale);
        file.tensors[prefix + "self_attn.k_proj.weight"] = make.matrix(kv, hidden, scale);
        file.tensors[prefix + "self_attn.v_proj.weight"] = make.matrix(kv, hidden, scale);
        file.tensors[prefix + "self_attn.o_proj.weight"] = make.matrix(hidden, hidden, scale);
        file.tensors[prefix + "post_attention_layernorm.weight"] = make.norm(hidden);
        file.tensors[prefix + "mlp.gate_proj.weight"] = make.matrix(inner, hidden, scale);
        file.tensors[prefix + "mlp.up_proj.weight"] = make.matrix(inner, hidden, scale);
        file.tensors[prefix + "mlp.down_proj.weight"] = make.matrix(hidden, inner, scale);
    }
    file.tensors["model.norm.weight"] = make.norm(hidden);
    return file;
}

std::string tinyConfig(const TinyModelOptions& options) {
    nlohmann::ordered_json config;
    config["architectures"] = {"LlamaForCausalLM"};
    config["model_type"] = "llama";
    config["hidden_act"] = "silu";
    config["hidden_size"] = options.hiddenSize;
    config["intermediate_size"] = options.intermediateSize;
    config["num_hidden_layers"] = options.layers;
    config["num_attention_heads"] = options.heads;
    config["num_key_value_heads"] = options.kvHeads;
    config["max_position_embeddings"] = 512;
    config["rms_norm_eps"] = 1e-5;
    config["rope_theta"] = 10000.0;
    config["tie_word_embeddings"] = true;
    config["vocab_size"] = kTinyVocabSize;
    config["bos_token_id"] = kTinyVocabSize - 2;
    config["eos_token_id"] = kTinyVocabSize - 1;
    config["torch_dtype"] = "float32";
    return config.dump(2);
}

std::string utf8(unsigned code) {
    if (code < 0x80) return std::string(1, static_cast<char>(code));
    return {static_cast<char>(0xC0u | (code >> 6)), static_cast<char>(0x80u | (code & 0x3Fu))};
}

/// GPT-2's printable stand-in of every byte: printable Latin-1 stays, the others follow from U+0100 in order.
std::array<std::string, 256> byteLetters() {
    std::array<std::string, 256> letters;
    unsigned next = 0x100;
    for (unsigned byte = 0; byte < 256; ++byte) {
        const bool printable = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD);
        letters[byte] = utf8(printable ? byte : next++);
    }
    return letters;
}

std::string tinyTokenizer() {
    using Json = nlohmann::ordered_json;
    const std::array<std::string, 256> letters = byteLetters();
    Json vocabulary = Json::object();
    for (std::size_t byte = 0; byte < letters.size(); ++byte)
        vocabulary[letters[byte]] = byte;
    Json merges = Json::array();
    const std::string space = letters[' '];
    const std::vector<std::pair<std::string, std::string>> pairs{
        {"t", "h"},     {space, "a"}, {"h", "e"}, {"i", "n"}, {"r", "e"},   {"th", "e"},
        {space, "the"}, {"a", "t"},   {"o", "n"}, {"e", "r"}, {space, "s"}, {"in", "g"}};
    for (const auto& [left, right] : pairs) {
        merges.push_back(left + " " + right);
        const std::size_t id = vocabulary.size();
        vocabulary[left + right] = id;
    }
    Json tokenizer;
    tokenizer["version"] = "1.0";
    tokenizer["added_tokens"] = {{{"id", kTinyVocabSize - 2},
                                  {"content", "<s>"},
                                  {"special", true},
                                  {"normalized", false},
                                  {"single_word", false},
                                  {"lstrip", false},
                                  {"rstrip", false}},
                                 {{"id", kTinyVocabSize - 1},
                                  {"content", "</s>"},
                                  {"special", true},
                                  {"normalized", false},
                                  {"single_word", false},
                                  {"lstrip", false},
                                  {"rstrip", false}}};
    tokenizer["normalizer"] = nullptr;
    tokenizer["pre_tokenizer"] = {
        {"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}};
    tokenizer["post_processor"] = nullptr;
    tokenizer["decoder"] = {{"type", "ByteLevel"}};
    tokenizer["model"] = {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", merges}};
    return tokenizer.dump(1);
}

} // namespace

void writeTinyModel(const std::filesystem::path& folder, const TinyModelOptions& options) {
    std::filesystem::create_directories(folder);
    orDie(writeFileAtomically(folder / "config.json", tinyConfig(options)));
    orDie(io::writeTensorFile(folder / "model.safetensors", tinyWeights(options)));
    if (options.withTokenizer) orDie(writeFileAtomically(folder / "tokenizer.json", tinyTokenizer()));
}

std::string sampleText(int words) {
    constexpr std::array kWords{"the",   "river", "in",     "winter", "carries", "less",
                                "water", "than",  "one",    "would",  "think",   "and",
                                "there", "are",   "stones", "under",  "it",      "shining"};
    std::mt19937 generator(7);
    std::string text;
    for (int i = 0; i < words; ++i)
        text += std::string(kWords[generator() % kWords.size()]) + (i % 12 == 11 ? ".\n" : " ");
    return text;
}

} // namespace bdq::e2e
