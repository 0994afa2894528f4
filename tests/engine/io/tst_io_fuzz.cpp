// Deterministic mutations of good files: whatever the bytes are, the parsers answer with a result or an
// error. Memory faults show under the asan preset.
#include <functional>

#include "engine/io/model_config.h"
#include "engine/io/safetensors.h"
#include "engine/io/sentencepiece_proto.h"
#include "engine/io/tensor_file.h"
#include "engine/io/text_encoder.h"
#include "engine/io/tokenizer_config.h"
#include "tests/engine/io/io_test_data.h"

using namespace bdq;
using namespace bdq::io;
using namespace bdq::io::test;

namespace {

/// One to four changes: bit flips, bytes and 64-bit numbers that are near limits, removed, doubled or cut-off
/// parts.
std::string mutate(std::string bytes, std::mt19937_64& random) {
    constexpr std::uint64_t kNumbers[] = {
        0, 1, 31, 32, 127, 128, 255, 1ull << 31, 1ull << 32, 1ull << 61, 1ull << 63, ~0ull, ~0ull - 7};
    const auto below = [&](std::size_t limit) {
        return static_cast<std::size_t>(random() % std::max<std::size_t>(limit, 1));
    };
    for (std::size_t changes = 1 + below(4); changes > 0 && !bytes.empty(); --changes) {
        const std::size_t place = below(bytes.size());
        switch (random() % 6) {
        case 0:
            bytes[place] = static_cast<char>(bytes[place] ^ (1 << below(8)));
            break;
        case 1:
            bytes[place] = static_cast<char>(random());
            break;
        case 2: {
            const std::string number = raw(kNumbers[below(std::size(kNumbers))]);
            bytes.replace(place, std::min<std::size_t>(8, bytes.size() - place), number);
            break;
        }
        case 3:
            bytes.erase(place, 1 + below(16));
            break;
        case 4:
            bytes.insert(place, bytes.substr(below(bytes.size()), 1 + below(32)));
            break;
        default:
            bytes.resize(place);
        }
    }
    return bytes;
}

/// Runs `parse` on mutations; it returns whether the input was accepted. Both outcomes must occur, else the
/// mutations test nothing.
void fuzz(const std::string& good, int rounds, std::uint64_t seed,
          const std::function<bool(const std::string&)>& parse) {
    ASSERT_TRUE(parse(good));
    std::mt19937_64 random(seed);
    int accepted = 0;
    for (int round = 0; round < rounds; ++round) {
        // A heap buffer of the exact size, so that a read past the end is seen.
        const std::string bytes = mutate(good, random);
        accepted += parse(bytes) ? 1 : 0;
    }
    EXPECT_GT(accepted, 0);
    EXPECT_LT(accepted, rounds);
}

std::string goodGguf() {
    GgufBuilder file;
    file.text("general.architecture", "llama");
    file.u32("llama.block_count", 1);
    file.u32("llama.embedding_length", 8);
    file.u32("llama.feed_forward_length", 8);
    file.u32("llama.attention.head_count", 2);
    file.f32("llama.attention.layer_norm_rms_epsilon", 1e-5f);
    file.text("tokenizer.ggml.model", "gpt2");
    file.texts("tokenizer.ggml.tokens", {"a", "b", "ab", "<s>"});
    file.numbers<std::int32_t>("tokenizer.ggml.token_type", GgufType::I32, {1, 1, 1, 3});
    file.numbers<float>("tokenizer.ggml.scores", GgufType::F32, {0, -1, -2, 0});
    file.texts("tokenizer.ggml.merges", {"a b"});
    file.tensor("token_embd.weight", {8, 3}, 0, std::string(96, 'x'));
    file.tensor("q", {32, 2}, 3, std::string(40, 'y'));
    return file.bytes();
}

bool acceptsGguf(const std::string& bytes) {
    const auto header = parseGguf(asBytes(bytes), "fuzz");
    if (!header) return false;
    // What opening a model does next must be as safe.
    const GgufPart part{&*header, asBytes(bytes)};
    const ConfigReading reading = configFromGguf(std::span(&part, 1), "fuzz");
    const auto bpe = bpeFromGguf(*header, "fuzz");
    const auto pieces = sentencePieceFromGguf(*header, "fuzz");
    if (pieces) {
        EXPECT_GT((*pieces)->vocabSize(), 0);
    }
    if (bpe) {
        if (const auto ids = (*bpe)->encode("abab")) {
            EXPECT_LE(ids->size(), 4u);
        }
    }
    for (const GgufTensor& tensor : header->tensors)
        EXPECT_LE(tensor.offsetBytes + tensor.sizeBytes, bytes.size());
    return !reading.refusal && bpe.has_value();
}

} // namespace

TEST(IoFuzz, gguf) {
    fuzz(goodGguf(), 8000, 1, acceptsGguf);
}

TEST(IoFuzz, safetensors) {
    const std::string good = safetensorsBytes(
        R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"b":{"dtype":"I64","shape":[],"data_offsets":[16,24]}})",
        std::string(24, 'd'));
    fuzz(good, 8000, 2, [](const std::string& bytes) {
        const auto file = parseTensorFile(asBytes(bytes), "fuzz");
        if (!file) return false;
        for (const auto& [name, tensor] : file->tensors)
            EXPECT_LE(tensor.bytes.size(), bytes.size());
        return true;
    });
}

TEST(IoFuzz, tokenizerJson) {
    const std::string good =
        R"({"added_tokens":[{"id":3,"content":"<s>"}],"normalizer":null,"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"\\p{N}{1,3}| ?[^\\s\\p{N}]+|\\s+"},"behavior":"Isolated","invert":false},{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]},"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":[["a","b"]]}})";
    fuzz(good, 4000, 3, [](const std::string& bytes) {
        const auto encoder = bpeFromJson(bytes, {}, "fuzz");
        if (!encoder) return false;
        const auto ids = (*encoder)->encode("abba");
        if (ids) {
            EXPECT_LE(ids->size(), 4u);
        }
        return true;
    });
}

TEST(IoFuzz, configJson) {
    const std::string good =
        R"({"model_type":"llama","hidden_size":64,"intermediate_size":96,"num_hidden_layers":2,"num_attention_heads":4,"vocab_size":100,"rope_scaling":{"rope_type":"llama3","factor":8,"low_freq_factor":1,"high_freq_factor":4,"original_max_position_embeddings":64}})";
    fuzz(good, 3000, 4, [](const std::string& bytes) {
        const auto config = configFromJson(bytes, "fuzz");
        if (!config || config->refusal) return false;
        EXPECT_GT(config->config.heads, 0);
        return true;
    });
}

// Everything that a tokenizer.json can ask for, on texts that touch each part of it.
TEST(IoFuzz, tokenizerJsonWithAllParts) {
    const std::string good =
        R"({"added_tokens":[{"id":5,"content":"<s>","special":true,"lstrip":true},{"id":6,"content":"ab","single_word":true,"normalized":true,"rstrip":true}],)"
        R"("normalizer":{"type":"Sequence","normalizers":[{"type":"NFKC"},{"type":"Lowercase"},{"type":"Strip","strip_left":true,"strip_right":true},{"type":"Replace","pattern":{"Regex":"b*"},"content":"b"},{"type":"Prepend","prepend":"_"},{"type":"Replace","pattern":{"String":" "},"content":"_"}]},)"
        R"("pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Metaspace","replacement":"_","prepend_scheme":"first","split":true},{"type":"Split","pattern":{"String":"-"},"behavior":"MergedWithNext","invert":false},{"type":"Digits","individual_digits":true}]},)"
        R"("post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>"}},{"Sequence":{"id":"A"}}],"special_tokens":{"<s>":{"id":"<s>","ids":[5],"tokens":["<s>"]}}},)"
        R"("model":{"type":"BPE","unk_token":"_","fuse_unk":true,"byte_fallback":true,"vocab":{"a":0,"b":1,"aa":2,"_":3,"<0xC3>":4},"merges":["a a"]}})";
    fuzz(good, 4000, 5, [](const std::string& bytes) {
        const auto encoder = bpeFromJson(bytes, {}, "fuzz");
        if (!encoder) return false;
        for (const char* text : {"", "AAb <s> 12-a ab", "\u00e9\u0301 <s><s>  "})
            if (const auto ids = (*encoder)->encode(text)) {
                EXPECT_LE(ids->size(), 100'000u);
            }
        return true;
    });
}

TEST(IoFuzz, vocabularyAndMerges) {
    fuzz("#version: 0.2\na b\nab a\n", 2000, 6, [](const std::string& merges) {
        const auto encoder = bpeFromFiles(R"({"a":0,"b":1,"ab":2,"aba":3})", merges, {}, "fuzz");
        return encoder && (*encoder)->encode("abab").has_value();
    });
    fuzz(R"({"a":0,"b":1,"ab":2,"aba":3})", 2000, 7, [](const std::string& vocabulary) {
        const auto encoder = bpeFromFiles(vocabulary, "a b\nab a\n", {}, "fuzz");
        return encoder && (*encoder)->encode("abab").has_value();
    });
}

TEST(IoFuzz, sentencePieceModel) {
    const std::string piece = "\x0a\x0c\x0a\x03"
                              "abc\x15" +
                              raw(0.5f) + "\x18\x04";
    std::mt19937_64 random(8);
    std::size_t pieces = 0;
    for (int round = 0; round < 4000; ++round)
        pieces += piecesOfModel(mutate(piece + piece, random)).size();
    EXPECT_GT(pieces, 0u);
    ASSERT_EQ(piecesOfModel(piece).size(), 1u);
    EXPECT_EQ(piecesOfModel(piece)[0].text, "abc");
    EXPECT_EQ(piecesOfModel(piece)[0].type, 4);
}
