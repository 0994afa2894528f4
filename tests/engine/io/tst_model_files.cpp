// Which files make a model, what it is called, what of it is bad input, and what tells two models apart.
#include <cmath>
#include <fstream>

#include <sys/stat.h>

#include "engine/io/model_reader.h"
#include "tests/engine/io/tiny_files.h"

using namespace bdq;
using namespace bdq::io;
using namespace bdq::io::test;

TEST(ModelFiles, aFileIsWhatItsBytesSay) {
    const TemporaryFolder folder;
    EXPECT_TRUE(ModelReader::open(folder.write("sha256-4d7a21", tinyGguf().bytes())));
    EXPECT_TRUE(ModelReader::open(folder.write("wrong.safetensors", tinyGguf().bytes())));
    const std::string tensors = oneTensor("a", "F32", "[2]", rawAll(ramp(2)));
    const auto blob = ModelReader::open(folder.write("blob", tensors));
    ASSERT_TRUE(blob) << blob.error().text();
    EXPECT_EQ(blob->index().format, "safetensors");
    EXPECT_EQ(blob->index().config.name, "blob");
    const struct {
        const char* bytes;
        ErrorCode code;
        const char* reason;
    } others[] = {
        {"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 49\n", ErrorCode::BadFormat,
         "Git LFS"},
        {"PK\x03\x04 and more", ErrorCode::Unsupported, "PyTorch"},
        {"\x80\x02}q\x01(more", ErrorCode::Unsupported, "PyTorch"},
        {"<!DOCTYPE html><html>", ErrorCode::BadFormat, "HTML"},
        {"tjgg\x03 and more", ErrorCode::Unsupported, "GGML"},
    };
    for (const auto& row : others)
        for (const char* name : {"m.safetensors", "m.gguf", "m.bin"}) {
            const auto refused = ModelReader::open(folder.write(name, row.bytes));
            ASSERT_FALSE(refused) << row.reason;
            EXPECT_EQ(refused.error().code, row.code) << refused.error().message;
            EXPECT_NE(refused.error().message.find(row.reason), std::string::npos) << refused.error().message;
        }
    const auto pipe = folder.path() / "pipe.gguf";
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    EXPECT_EQ(ModelReader::open(pipe.string()).error().code, ErrorCode::Io) << "not waited for";
}

TEST(ModelFiles, whichFilesMakeAModel) {
    const TemporaryFolder folder;
    (void)folder.write("config.json", config(true));
    (void)folder.write("pytorch_model.bin", "PK\x03\x04");
    const auto bin = ModelReader::open(folder.path().string());
    ASSERT_FALSE(bin);
    EXPECT_EQ(bin.error().code, ErrorCode::Unsupported);
    EXPECT_NE(bin.error().message.find("pytorch_model.bin"), std::string::npos) << bin.error().message;
    const std::string one = oneTensor("a", "F32", "[2]", rawAll(ramp(2)));
    (void)folder.write("x-00001-of-00002.safetensors", one);
    (void)folder.write("x-00002-of-00002.safetensors", oneTensor("b", "F32", "[2]", rawAll(ramp(2))));
    const auto set = ModelReader::open(folder.path().string());
    ASSERT_TRUE(set) << "a complete set without its index: " << set.error().text();
    EXPECT_EQ(set->index().tensors.size(), 2u);
    (void)folder.write("model.safetensors.index.json", R"({"weight_map":{"a":"absent.safetensors"}})");
    (void)folder.write("model.safetensors", one);
    const auto single = ModelReader::open(folder.path().string());
    ASSERT_TRUE(single) << "the one file comes before a stale index: " << single.error().text();
    EXPECT_EQ(single->index().files.size(), 1u);
}

TEST(ModelFiles, quantizedCheckpointsAreListedOnly) {
    const TemporaryFolder folder;
    (void)folder.write("config.json", config(true));
    (void)folder.write("model.safetensors", oneTensor("a.qweight", "I32", "[2]", rawAll(ramp(2))));
    const auto model = ModelReader::open(folder.path().string());
    ASSERT_TRUE(model) << model.error().text();
    EXPECT_EQ(model->checkComputable().error().code, ErrorCode::Unsupported);
    EXPECT_NE(model->checkComputable().error().message.find("already quantized"), std::string::npos);
}

TEST(ModelFiles, huggingFaceCache) {
    const TemporaryFolder folder;
    const auto repository = folder.path() / "models--Org--Tiny-1B";
    for (const char* commit : {"0123", "4567"}) {
        std::filesystem::create_directories(repository / "snapshots" / commit);
        std::ofstream(repository / "snapshots" / commit / "config.json") << config(true);
        std::ofstream(repository / "snapshots" / commit / "model.safetensors")
            << oneTensor(std::string("of.") + commit, "F32", "[2]", rawAll(ramp(2)));
    }
    std::filesystem::create_directories(repository / "refs");
    const auto ambiguous = ModelReader::open(repository.string());
    ASSERT_FALSE(ambiguous);
    EXPECT_EQ(ambiguous.error().code, ErrorCode::NotFound);
    std::ofstream(repository / "refs" / "main") << "4567\n";
    for (const auto& path : {repository, repository / "snapshots" / "4567",
                             repository / "snapshots" / "4567" / "model.safetensors"}) {
        const auto model = ModelReader::open(path.string());
        ASSERT_TRUE(model) << model.error().text();
        EXPECT_EQ(model->index().config.name, "Tiny-1B");
        EXPECT_EQ(model->index().tensors.front().name, "of.4567");
    }
}

TEST(ModelFiles, namesThatSayNothingGiveWayToTheFile) {
    const TemporaryFolder folder;
    for (const char* name : {"", "hf", "0123456789abcdef0123456789abcdef01234567"}) {
        GgufBuilder file = tinyGguf();
        file.text("general.name", name);
        EXPECT_EQ(ModelReader::open(folder.write("my.gguf", file.bytes()))->index().config.name, "my")
            << name;
    }
    GgufBuilder file = tinyGguf();
    file.text("general.name", "Tiny 1B");
    EXPECT_EQ(ModelReader::open(folder.write("my.gguf", file.bytes()))->index().config.name, "Tiny 1B");
}

TEST(ModelFiles, nanAndInfinityAreBadInput) {
    const TemporaryFolder folder;
    for (const float value : {std::nanf(""), HUGE_VALF, -HUGE_VALF}) {
        std::vector<float> values = ramp(12);
        values[7] = value;
        const std::string file =
            folder.write("m.safetensors", oneTensor("w", "F32", "[3,4]", rawAll(values)));
        const auto model = ModelReader::open(file);
        ASSERT_TRUE(model);
        const auto status = model->read(*model->find("w"), values);
        ASSERT_FALSE(status);
        EXPECT_EQ(status.error().code, ErrorCode::BadFormat);
        EXPECT_NE(status.error().message.find("'w': value [1, 3] is"), std::string::npos)
            << status.error().message;
    }
}

TEST(ModelFiles, fingerprintIsThatOfTheContent) {
    const TemporaryFolder folder;
    (void)folder.write("config.json", config(true));
    const auto fingerprint = [&](const std::vector<float>& values) {
        const std::string shape = "[" + std::to_string(values.size()) + "]";
        const std::string file =
            folder.write("model.safetensors", oneTensor("w", "F32", shape, rawAll(values)));
        return ModelReader::open(file)->fingerprint();
    };
    std::vector<float> small = ramp(64);
    const std::string first = fingerprint(small);
    small[40] = -1;
    EXPECT_NE(fingerprint(small), first) << "every byte of a small tensor counts";
    std::vector<float> large(100'000, 1.0f);
    const std::string before = fingerprint(large);
    EXPECT_EQ(fingerprint(large), before);
    for (float& value : large)
        value *= 1.001f;
    EXPECT_NE(fingerprint(large), before) << "a fine-tune";
    // One file and the same model in two, whatever the order of its tensors.
    GgufBuilder whole = tinyGguf();
    whole.tensor("output.weight", {8, 3}, 0, rawAll(ramp(24)));
    (void)folder.write("m-00002-of-00002.gguf", tinyGguf().bytes());
    GgufBuilder none;
    none.tensor("output.weight", {8, 3}, 0, rawAll(ramp(24)));
    const auto split = ModelReader::open(folder.write("m-00001-of-00002.gguf", none.bytes()));
    ASSERT_TRUE(split) << split.error().text();
    EXPECT_EQ(split->fingerprint(), ModelReader::open(folder.write("w.gguf", whole.bytes()))->fingerprint());
}
