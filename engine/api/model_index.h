// What is in a model file, without its data.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bdq {

/// Element or block type of a stored tensor.
enum class TensorType {
    F32,
    F16,
    BF16,
    F64,
    I8,
    U8,
    I16,
    I32,
    I64,
    Bool,
    F8E4M3,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q2_K,
    Q3_K,
    Q4_K,
    Q5_K,
    Q6_K,
    Other ///< well-formed, but this version cannot decode it (IQ and MXFP4 blocks of GGUF, F8_E5M2 ...)
};
/// "F32", "Q4_1", ...
std::string_view tensorTypeName(TensorType type);

/// One stored tensor.
struct TensorEntry {
    std::string name;
    TensorType type = TensorType::F32;
    std::vector<std::int64_t> shape; ///< outermost first, [out_features, in_features] for linear layers
    int file = 0;                    ///< index into ModelIndex::files
    std::uint64_t offsetBytes = 0;   ///< from the start of the file
    std::uint64_t sizeBytes = 0;
    [[nodiscard]] std::int64_t elements() const {
        std::int64_t product = 1;
        for (std::int64_t extent : shape)
            product *= extent;
        return product;
    }
};

/// Numbers of a decoder-only transformer of the LLaMA family.
struct ModelConfig {
    std::string architecture; ///< "llama", ...
    std::string name;         ///< for people; file name when the file has none
    int layers = 0;
    std::int64_t hiddenSize = 0;
    std::int64_t intermediateSize = 0;
    std::int64_t heads = 0;
    std::int64_t kvHeads = 0;
    std::int64_t headDim = 0;
    std::int64_t vocabSize = 0;
    std::int64_t contextLength = 0;
    double ropeTheta = 10000.0;
    std::string ropeScaling; ///< empty = none; else what the file asks for in words, e.g. "llama3 factor 8"
    /// What `ropeScaling` divides the rotary frequencies by, headDim / 2 numbers; empty = nothing, or a
    /// scaling that is not computed.
    std::vector<double> ropeDivisors;
    std::int64_t slidingWindow = 0; ///< tokens that a token attends to, itself included; 0 = all up to it
    int firstSlidingLayer = 0;      ///< layers before this one attend to all tokens in spite of slidingWindow
    double normEpsilon = 1e-5;
    bool tiedEmbedding = false;
    bool permutedQk = false; ///< q and k rows in GGUF order (pairs interleaved); readers of weights undo it
};

/// Everything known from headers alone.
struct ModelIndex {
    std::string path;               ///< as the user gave it
    std::string format;             ///< "gguf" or "safetensors"
    std::vector<std::string> files; ///< files that hold data
    std::uint64_t fileBytes = 0;    ///< sum over files
    std::int64_t parameters = 0;    ///< elements of all tensors, a tied head counted once
    ModelConfig config;
    std::vector<TensorEntry> tensors;
};

} // namespace bdq
