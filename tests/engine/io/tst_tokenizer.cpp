#include "engine/io/tokenizer.h"

#include <functional>

#include <nlohmann/json.hpp>

#include "engine/io/text_encoder.h"
#include "engine/io/tokenizer_config.h"
#include "engine/io/tokenizer_source.h"
#include "tests/engine/io/io_test_data.h"

using namespace bdq;
using namespace bdq::io;
using namespace bdq::io::test;

namespace {

using Ids = std::vector<std::int32_t>;

nlohmann::json golden() {
    return nlohmann::json::parse(readAll(sourceDir() / "tests/data/golden/tokenizers.json"));
}

/// The demo model's vocabulary with another pre-tokenizer.
Result<std::unique_ptr<TextEncoder>> withPretokenizer(const ModelReader& model, std::string_view name) {
    GgufHeader header = *model.tokenizerSource().gguf;
    header.metadata[header.byKey.at("tokenizer.ggml.pre")].second.bytes = asBytes(name);
    return bpeFromGguf(header, "demo");
}

/// A SentencePiece vocabulary as GGUF files of LLaMA 2 hold it: special, byte and BPE pieces with scores by
/// rank.
GgufBuilder sentencePieceFile() {
    std::vector<std::string> pieces{"<unk>", "<s>", "</s>"};
    std::vector<std::int32_t> types{2, 3, 3};
    for (int byte = 0; byte < 256; ++byte) {
        constexpr const char* kDigits = "0123456789ABCDEF";
        pieces.push_back(std::string("<0x") + kDigits[byte / 16] + kDigits[byte % 16] + ">");
        types.push_back(6);
    }
    for (const char* piece :
         {"\u2581h", "el", "lo", "\u2581hel", "\u2581hello", "\u2581", "h", "e", "l", "o", "w"}) {
        pieces.emplace_back(piece);
        types.push_back(1);
    }
    std::vector<float> scores(pieces.size(), 0.0f);
    for (std::size_t i = 259; i < pieces.size(); ++i)
        scores[i] = -static_cast<float>(i - 259);
    GgufBuilder file;
    file.text("general.architecture", "test");
    file.text("tokenizer.ggml.model", "llama");
    file.texts("tokenizer.ggml.tokens", pieces);
    file.numbers("tokenizer.ggml.scores", GgufType::F32, scores);
    file.numbers("tokenizer.ggml.token_type", GgufType::I32, types);
    file.u32("tokenizer.ggml.bos_token_id", 1);
    file.u32("tokenizer.ggml.eos_token_id", 2);
    return file;
}

Result<std::unique_ptr<TextEncoder>> changedJson(const std::function<void(nlohmann::json&)>& change) {
    auto document = nlohmann::json::parse(readAll(sourceDir() / "tests/data/golden/small_tokenizer.json"));
    change(document);
    return bpeFromJson(document.dump(), {}, "tokenizer.json");
}

} // namespace

TEST(Tokenizer, countsOfTheDemoModel) {
    BDQ_NEED_FILE(demoModel());
    const auto model = ModelReader::open(demoModel());
    ASSERT_TRUE(model) << model.error().text();
    const auto tokenizer = Tokenizer::create(*model);
    ASSERT_TRUE(tokenizer) << tokenizer.error().text();
    EXPECT_EQ(tokenizer->vocabSize(), 49152);
    EXPECT_EQ(tokenizer->bosId(), 1);
    EXPECT_EQ(tokenizer->eosId(), 2);
    const struct {
        const char* file;
        std::size_t tokens;
    } texts[] = {{"wikitext2-test.txt", 304978}, {"wikitext2-calibration.txt", 357009}};
    for (const auto& row : texts) {
        const auto path = sourceDir() / "../shared/data" / row.file;
        BDQ_NEED_FILE(path);
        const std::string text = readAll(path);
        const auto ids = tokenizer->encode(text);
        ASSERT_TRUE(ids) << ids.error().text();
        EXPECT_EQ(ids->size(), row.tokens) << row.file;
        EXPECT_TRUE(tokenizer->decode(*ids) == text) << row.file << " does not survive the round trip";
    }
}

TEST(Tokenizer, hardTextAgreesWithTheGoldenFile) {
    BDQ_NEED_FILE(demoModel());
    const auto model = ModelReader::open(demoModel());
    ASSERT_TRUE(model) << model.error().text();
    const auto data = golden();
    for (const char* name : {"gpt-2", "smollm", "llama-bpe", "qwen2"}) {
        const auto encoder = withPretokenizer(*model, name);
        ASSERT_TRUE(encoder) << encoder.error().text();
        for (const auto& row : data["cases"]) {
            const auto text = row["text"].get<std::string>();
            const auto ids = (*encoder)->encode(text);
            ASSERT_TRUE(ids) << ids.error().text();
            EXPECT_EQ(*ids, row["ids"][name].get<Ids>()) << name << ": " << row["text"];
            EXPECT_EQ((*encoder)->decode(*ids), text);
        }
    }
}

TEST(Tokenizer, tokenizerJsonAgreesWithTheGoldenFile) {
    const auto encoder = changedJson([](nlohmann::json&) {});
    ASSERT_TRUE(encoder) << encoder.error().text();
    EXPECT_EQ((*encoder)->vocabSize(), 400);
    const auto data = golden();
    for (const auto& row : data["cases"]) {
        const auto ids = (*encoder)->encode(row["text"].get<std::string>());
        ASSERT_TRUE(ids) << ids.error().text();
        EXPECT_EQ(*ids, row["ids"]["small_tokenizer.json"].get<Ids>()) << row["text"];
    }
    EXPECT_GT(data["cases"].size(), 30u);
}

TEST(Tokenizer, mergesAsTextAreTheSameAsPairs) {
    const auto pairs = changedJson([](nlohmann::json&) {});
    const auto texts = changedJson([](nlohmann::json& document) {
        for (auto& merge : document["model"]["merges"])
            merge = merge[0].get<std::string>() + " " + merge[1].get<std::string>();
    });
    ASSERT_TRUE(pairs);
    ASSERT_TRUE(texts) << texts.error().text();
    const std::string text = "the quick brown dogs quantize 12345 activations";
    EXPECT_EQ((*pairs)->encode(text).value(), (*texts)->encode(text).value());
}

TEST(Tokenizer, specialTokensWrittenInATextAreTokens) {
    const auto encoder = changedJson([](nlohmann::json&) {});
    ASSERT_TRUE(encoder);
    EXPECT_EQ((*encoder)->encode("<|begin|>").value(), (Ids{0}));
    EXPECT_EQ((*encoder)->decode(Ids{0}), "<|begin|>");
    EXPECT_EQ((*encoder)->decode(Ids{-1, 400, 1 << 30}), "") << "ids outside of the vocabulary give nothing";
}

TEST(Tokenizer, textIsNormalised) {
    const auto encoder = changedJson([](nlohmann::json& document) {
        document["normalizer"] = {{"type", "NFC"}};
    });
    ASSERT_TRUE(encoder) << encoder.error().text();
    for (const auto& [text, composed] : {std::pair("cafe\u0301", "caf\u00e9"), std::pair("\u212b", "\u00c5"),
                                         std::pair("\u1100\u1161", "\uac00")}) {
        EXPECT_EQ((*encoder)->encode(text).value(), (*encoder)->encode(composed).value()) << composed;
        EXPECT_EQ((*encoder)->decode((*encoder)->encode(text).value()), composed);
    }
}

TEST(Tokenizer, refusesWhatItDoesNotKnow) {
    const struct {
        const char* name;
        std::function<void(nlohmann::json&)> change;
        ErrorCode code;
        const char* reason;
    } cases[] = {
        {"no model", [](auto& d) { d.erase("model"); }, ErrorCode::BadFormat, "'model' is missing"},
        {"unigram", [](auto& d) { d["model"]["type"] = "Unigram"; }, ErrorCode::Unsupported, "'Unigram'"},
        {"dropout", [](auto& d) { d["model"]["dropout"] = 0.1; }, ErrorCode::Unsupported, "dropout"},
        {"suffix", [](auto& d) { d["model"]["end_of_word_suffix"] = "</w>"; }, ErrorCode::Unsupported,
         "end_of_word"},
        {"normalizer",
         [](auto& d) {
             d["normalizer"] = {{"type", "Precompiled"}};
         },
         ErrorCode::Unsupported, "'Precompiled'"},
        {"other pre-tokenizer",
         [](auto& d) {
             d["pre_tokenizer"] = {{"type", "UnicodeScripts"}};
         },
         ErrorCode::Unsupported, "'UnicodeScripts'"},
        {"bad pattern", [](auto& d) { d["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = "(("; },
         ErrorCode::Unsupported, "pattern"},
        {"no vocabulary", [](auto& d) { d["model"].erase("vocab"); }, ErrorCode::BadFormat, "model.vocab"},
        {"empty vocabulary",
         [](auto& d) {
             d["model"]["vocab"] = nlohmann::json::object();
             d["added_tokens"].clear();
         },
         ErrorCode::BadFormat, "0 tokens"},
        {"huge id", [](auto& d) { d["model"]["vocab"]["a"] = 1ull << 40; }, ErrorCode::BadFormat,
         "no integer below"},
        {"negative id", [](auto& d) { d["model"]["vocab"]["a"] = -1; }, ErrorCode::BadFormat,
         "no integer below"},
        {"same id", [](auto& d) { d["model"]["vocab"]["a"] = 99; }, ErrorCode::BadFormat, "the same id"},
        {"no merges", [](auto& d) { d["model"].erase("merges"); }, ErrorCode::BadFormat, "model.merges"},
        {"merge of one", [](auto& d) { d["model"]["merges"][3] = "x"; }, ErrorCode::BadFormat, "merge 3"},
        {"merge of a stranger", [](auto& d) { d["model"]["merges"][3] = "qqq zzz"; }, ErrorCode::BadFormat,
         "not in the vocabulary"},
    };
    for (const auto& row : cases) {
        const auto encoder = changedJson(row.change);
        ASSERT_FALSE(encoder) << row.name;
        EXPECT_EQ(encoder.error().code, row.code) << row.name << ": " << encoder.error().message;
        EXPECT_NE(encoder.error().message.find(row.reason), std::string::npos)
            << row.name << ": " << encoder.error().message;
    }
}

TEST(Tokenizer, invalidUtf8IsAnError) {
    const TemporaryFolder folder;
    const auto model = ModelReader::open(folder.write("spm.gguf", sentencePieceFile().bytes()));
    ASSERT_TRUE(model) << model.error().text();
    const auto tokenizer = Tokenizer::create(*model);
    ASSERT_TRUE(tokenizer) << tokenizer.error().text();
    for (const char* text :
         {"ok \xff", "ok \xc3", "ok \xc0\x80", "ok \xed\xa0\x80", "ok \xf4\x90\x80\x80", "ok \x80"}) {
        const auto ids = tokenizer->encode(text);
        ASSERT_FALSE(ids) << text;
        EXPECT_EQ(ids.error().code, ErrorCode::BadFormat);
        EXPECT_NE(ids.error().message.find("byte 3"), std::string::npos) << ids.error().message;
    }
}

// Expected pieces by hand: merges by score (rank), bytes where no piece fits, and the dummy space in front.
TEST(Tokenizer, sentencePieceFromGguf) {
    const TemporaryFolder folder;
    const auto model = ModelReader::open(folder.write("spm.gguf", sentencePieceFile().bytes()));
    ASSERT_TRUE(model) << model.error().text();
    const auto tokenizer = Tokenizer::create(*model);
    ASSERT_TRUE(tokenizer) << tokenizer.error().text();
    EXPECT_EQ(tokenizer->vocabSize(), 270);
    EXPECT_EQ(tokenizer->bosId(), 1);
    // "_helo": _h (rank 0), el (1), _hel (3). "_hello": _h, el, lo (2), _hel, _hello (4).
    EXPECT_EQ(tokenizer->encode("helo").value(), (Ids{262, 268}));
    EXPECT_EQ(tokenizer->encode("hello").value(), (Ids{263}));
    EXPECT_EQ(tokenizer->encode("lo").value(), (Ids{264, 261}));
    EXPECT_EQ(tokenizer->encode("w\n").value(), (Ids{264, 269, 3 + 10}));
    EXPECT_EQ(tokenizer->encode("  w").value(), (Ids{264, 264, 264, 269})) << "spaces are kept";
    EXPECT_EQ(tokenizer->decode(Ids{262, 268}), "helo");
}

TEST(Tokenizer, sentencePieceHostile) {
    const struct {
        const char* name;
        std::function<void(GgufBuilder&)> fill;
        const char* reason;
    } cases[] = {
        {"no tokens", [](GgufBuilder& f) { f.numbers<float>("tokenizer.ggml.scores", GgufType::F32, {0}); },
         "missing"},
        {"lengths",
         [](GgufBuilder& f) {
             f.texts("tokenizer.ggml.tokens", {"a", "b"});
             f.numbers<float>("tokenizer.ggml.scores", GgufType::F32, {0});
             f.numbers<std::int32_t>("tokenizer.ggml.token_type", GgufType::I32, {1, 1});
         },
         "1 scores"},
        {"bad kind",
         [](GgufBuilder& f) {
             f.texts("tokenizer.ggml.tokens", {"a"});
             f.numbers<float>("tokenizer.ggml.scores", GgufType::F32, {0});
             f.numbers<std::int32_t>("tokenizer.ggml.token_type", GgufType::I32, {77});
         },
         "token type"},
    };
    for (const auto& row : cases) {
        GgufBuilder file;
        row.fill(file);
        const std::string bytes = file.bytes();
        const auto header = parseGguf(asBytes(bytes), "f");
        ASSERT_TRUE(header);
        const auto encoder = sentencePieceFromGguf(*header, "f");
        ASSERT_FALSE(encoder) << row.name;
        EXPECT_EQ(encoder.error().code, ErrorCode::BadFormat);
        EXPECT_NE(encoder.error().message.find(row.reason), std::string::npos) << encoder.error().message;
    }
    const auto garbage = sentencePieceFromModel("no protocol buffer", {}, "tokenizer.model");
    ASSERT_FALSE(garbage);
    EXPECT_EQ(garbage.error().code, ErrorCode::BadFormat);
}

TEST(Tokenizer, modelsWithoutOne) {
    const TemporaryFolder folder;
    GgufBuilder none;
    none.text("general.architecture", "test");
    const auto model = ModelReader::open(folder.write("none.gguf", none.bytes()));
    ASSERT_TRUE(model) << model.error().text();
    EXPECT_EQ(Tokenizer::create(*model).error().code, ErrorCode::NotFound);
    none.text("tokenizer.ggml.model", "bert");
    const auto other = ModelReader::open(folder.write("other.gguf", none.bytes()));
    EXPECT_EQ(Tokenizer::create(*other).error().code, ErrorCode::Unsupported);
}
