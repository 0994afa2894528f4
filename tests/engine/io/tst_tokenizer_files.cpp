// Tokenizers as folders and GGUF files have them: added tokens, what stands around a text, odd vocabularies.
#include <fstream>

#include <nlohmann/json.hpp>

#include "engine/io/tokenizer.h"
#include "tests/engine/io/tiny_files.h"

using namespace bdq;
using namespace bdq::io;
using namespace bdq::io::test;

namespace {

using Ids = std::vector<std::int32_t>;

/// A folder with a model of 300 rows and the files given.
class TokenizerFolder {
public:
    void write(const std::string& name, const nlohmann::json& document) { writeText(name, document.dump()); }
    void writeText(const std::string& name, const std::string& text) { (void)m_folder.write(name, text); }
    Result<Tokenizer> open(int rows = 300) const {
        (void)m_folder.write("config.json", config(true));
        const std::string shape = "[" + std::to_string(rows) + ",1]";
        const std::string file =
            m_folder.write("model.safetensors",
                           oneTensor("model.embed_tokens.weight", "I8", shape, std::string(rows, '\1')));
        return Tokenizer::create(ModelReader::open(file).value());
    }

private:
    TemporaryFolder m_folder;
};

nlohmann::json letters() {
    return {{"a", 0}, {"b", 1}, {"ab", 2}, {"\u0120", 3}, {"\u0120a", 4}, {"c", 5}, {"<|endoftext|>", 6}};
}

GgufBuilder byteLevelGguf() {
    GgufBuilder file = tinyGguf();
    file.text("tokenizer.ggml.model", "gpt2");
    file.text("tokenizer.ggml.pre", "qwen2");
    file.texts("tokenizer.ggml.tokens", {"a", "<b>", "<bos>"});
    file.numbers<std::int32_t>("tokenizer.ggml.token_type", GgufType::I32, {1, 4, 3});
    file.texts("tokenizer.ggml.merges", {});
    return file;
}

Ids encoded(const GgufBuilder& file, std::string_view text, BosMode bos) {
    const TemporaryFolder folder;
    const auto tokenizer = Tokenizer::create(ModelReader::open(folder.write("m.gguf", file.bytes())).value());
    EXPECT_TRUE(tokenizer) << tokenizer.error().text();
    const auto ids = tokenizer->encode(text, bos);
    EXPECT_TRUE(ids) << ids.error().text();
    return ids.value_or(Ids{});
}

/// SentencePiece pieces with scores by rank; bytes 3 to 258.
struct Pieces {
    std::vector<std::string> texts{"<unk>", "<s>", "</s>"};
    std::vector<std::int32_t> types{2, 3, 3};
    bool withTypes = true;

    Pieces() {
        constexpr const char* kDigits = "0123456789ABCDEF";
        for (int byte = 0; byte < 256; ++byte)
            add(std::string("<0x") + kDigits[byte / 16] + kDigits[byte % 16] + ">", 6);
        for (const char* text : {"\u2581", "h", "i", "hi", "\u2581hi"})
            add(text, 1);
    }
    void add(std::string text, std::int32_t type) {
        texts.push_back(std::move(text));
        types.push_back(type);
    }
    [[nodiscard]] GgufBuilder file() const {
        GgufBuilder file;
        file.text("general.architecture", "test");
        file.text("tokenizer.ggml.model", "llama");
        file.texts("tokenizer.ggml.tokens", texts);
        if (withTypes) file.numbers("tokenizer.ggml.token_type", GgufType::I32, types);
        std::vector<float> scores(texts.size());
        for (std::size_t i = 0; i < scores.size(); ++i)
            scores[i] = static_cast<float>(i);
        file.numbers("tokenizer.ggml.scores", GgufType::F32, scores);
        return file;
    }
};

} // namespace

TEST(TokenizerFiles, addedTokensAndBosOfGguf) {
    GgufBuilder file = byteLevelGguf();
    EXPECT_EQ(encoded(file, "a<b>a<bos>", BosMode::Auto), (Ids{0, 1, 0, 2})) << "the file asks for no BOS";
    file.u32("tokenizer.ggml.bos_token_id", 2);
    EXPECT_EQ(encoded(file, "a", BosMode::Auto), (Ids{0}));
    EXPECT_EQ(encoded(file, "a", BosMode::On), (Ids{2, 0}));
    file.scalar<std::uint8_t>("tokenizer.ggml.add_bos_token", GgufType::Bool, 1);
    EXPECT_EQ(encoded(file, "a", BosMode::Auto), (Ids{2, 0}));
    EXPECT_EQ(encoded(file, "a", BosMode::On), (Ids{2, 0})) << "one, not two";
    EXPECT_EQ(encoded(file, "a", BosMode::Off), (Ids{0}));
    file.u32("tokenizer.ggml.eos_token_id", 1);
    file.scalar<std::uint8_t>("tokenizer.ggml.add_eos_token", GgufType::Bool, 1);
    EXPECT_EQ(encoded(file, "a", BosMode::Auto), (Ids{2, 0, 1}));
}

TEST(TokenizerFiles, bosWithoutATokenIsRefused) {
    const TemporaryFolder folder;
    const auto model = ModelReader::open(folder.write("m.gguf", byteLevelGguf().bytes()));
    const auto tokenizer = Tokenizer::create(*model);
    ASSERT_TRUE(tokenizer) << tokenizer.error().text();
    EXPECT_FALSE(tokenizer->addsBos());
    const auto ids = tokenizer->encode("a", BosMode::On);
    ASSERT_FALSE(ids);
    EXPECT_EQ(ids.error().code, ErrorCode::Unsupported);
    EXPECT_NE(ids.error().message.find("m.gguf"), std::string::npos) << ids.error().message;
}

TEST(TokenizerFiles, idsWithoutARowOfTheEmbeddingAreBadInput) {
    TokenizerFolder folder;
    folder.write("vocab.json", letters());
    folder.writeText("merges.txt", "a b\n");
    const auto tokenizer = folder.open(5);
    ASSERT_TRUE(tokenizer) << tokenizer.error().text();
    EXPECT_TRUE(tokenizer->encode("ab a"));
    const auto ids = tokenizer->encode("c");
    ASSERT_FALSE(ids);
    EXPECT_EQ(ids.error().code, ErrorCode::BadFormat);
    for (const char* part : {"token id 5", "5 rows"})
        EXPECT_NE(ids.error().message.find(part), std::string::npos) << ids.error().message;
    EXPECT_TRUE(checkTokenIds(Ids{0, 4}, 5, "x"));
    EXPECT_FALSE(checkTokenIds(Ids{-1}, 5, "x"));
}

TEST(TokenizerFiles, vocabularyAndMergesWithWhatStandsBeside) {
    TokenizerFolder folder;
    folder.write("vocab.json", letters());
    folder.writeText("merges.txt", "#version: 0.2\r\na b\r\n\u0120 a\r\n");
    EXPECT_EQ(folder.open()->encode("ab a<|endoftext|>").value(), (Ids{2, 4, 6})) << "GPT-2's own token";
    folder.write("added_tokens.json", {{"<x>", 7}});
    folder.write(
        "tokenizer_config.json",
        {{"tokenizer_class", "GPT2Tokenizer"},
         {"add_bos_token", true},
         {"bos_token", {{"content", "<x>"}}},
         {"model_max_length", 1e30},
         {"added_tokens_decoder", {{"8", {{"content", "<y>"}, {"lstrip", true}, {"special", true}}}}}});
    const auto tokenizer = folder.open();
    ASSERT_TRUE(tokenizer) << tokenizer.error().text();
    EXPECT_EQ(tokenizer->encode("a<x>b  <y>a", BosMode::Off).value(), (Ids{0, 7, 1, 8, 0}));
    EXPECT_TRUE(tokenizer->addsBos());
    EXPECT_EQ(tokenizer->encode("a", BosMode::Auto).value(), (Ids{7, 0}));
    folder.write("tokenizer_config.json", {{"tokenizer_class", "WhisperTokenizer"}});
    EXPECT_EQ(folder.open().error().code, ErrorCode::Unsupported);
}

TEST(TokenizerFiles, classesOfLlamaDecideOnBosThemselves) {
    TokenizerFolder folder;
    folder.write("tokenizer.json", {{"added_tokens", nlohmann::json::array()},
                                    {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}}},
                                    {"model", {{"type", "BPE"}, {"vocab", letters()}, {"merges", {"a b"}}}}});
    EXPECT_EQ(folder.open()->encode("a", BosMode::Auto).value(), (Ids{0}));
    folder.write("tokenizer_config.json", {{"tokenizer_class", "LlamaTokenizerFast"}, {"bos_token", "c"}});
    EXPECT_EQ(folder.open()->encode("a", BosMode::Auto).value(), (Ids{5, 0}));
    folder.write("tokenizer_config.json", {{"tokenizer_class", "LlamaTokenizerFast"},
                                           {"bos_token", "c"},
                                           {"eos_token", "b"},
                                           {"add_bos_token", false},
                                           {"add_eos_token", true}});
    EXPECT_EQ(folder.open()->encode("a", BosMode::Auto).value(), (Ids{0, 1}));
}

TEST(TokenizerFiles, oddSentencePieceVocabularies) {
    const Ids expected{263, 3 + 10};
    EXPECT_EQ(encoded(Pieces().file(), "hi\n", BosMode::Auto), expected);
    Pieces control;
    control.types[0] = 3;
    EXPECT_EQ(encoded(control.file(), "hi\n", BosMode::Auto), expected) << "<unk> is typed control";
    Pieces untyped;
    untyped.withTypes = false;
    EXPECT_EQ(encoded(untyped.file(), "hi\n", BosMode::Auto), expected);
    EXPECT_EQ(encoded(untyped.file(), "<s>hi", BosMode::Auto), (Ids{1, 263}));
    Pieces repeated;
    repeated.add("\u2581hi", 1);
    EXPECT_EQ(encoded(repeated.file(), "hi", BosMode::Auto), (Ids{264})) << "the last counts";
    Pieces own;
    own.add("<tool>", 4);
    own.add("", 1);
    EXPECT_EQ(encoded(own.file(), "hi<tool>hi", BosMode::Auto), (Ids{263, 264, 263}));
    EXPECT_EQ(encoded(Pieces().file(), std::string_view("hi\0i", 4), BosMode::Auto), (Ids{263, 3, 261}));
    Pieces noBytes;
    noBytes.texts[10] = "other";
    EXPECT_EQ(encoded(noBytes.file(), "hi\n", BosMode::Auto), (Ids{263, 0})) << "unknown, not a byte";
}
