// A random model of the LLaMA family that is small enough to go through every command in seconds: a Hugging
// Face folder with config.json, model.safetensors (fp32) and tokenizer.json (byte-level BPE).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace bdq::e2e {

struct TinyModelOptions {
    int layers = 2;
    std::int64_t hiddenSize = 64;
    std::int64_t heads = 4;
    std::int64_t kvHeads = 2;
    std::int64_t intermediateSize = 128;
    std::uint64_t seed = 1;
    bool withTokenizer = true;
};
inline constexpr std::int64_t kTinyVocabSize = 300;

/// Writes the folder; ends the test program when that fails.
void writeTinyModel(const std::filesystem::path& folder, const TinyModelOptions& options = {});

/// Words in an order that is always the same; `words` of them.
std::string sampleText(int words);

} // namespace bdq::e2e
