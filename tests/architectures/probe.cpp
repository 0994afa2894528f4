// What check_architectures.py compares with Hugging Face's own code: logits and token ids of a model.
//
//   architecture_probe logits MODEL IDS OUT   logits of every position, all tokens at once
//   architecture_probe cached MODEL IDS OUT   the same, one token at a time through the key/value cache
//   architecture_probe tokens MODEL TEXTS OUT ids of texts, nothing around them
//   architecture_probe framed MODEL TEXTS OUT the same with what the tokenizer puts around a text
//
// IDS and TEXTS are files, ids separated by spaces, texts by the byte 0x1D; OUT gets raw fp32 [tokens,
// vocab], or ids, one line a text.
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include "engine/api/atomic_file.h"
#include "engine/io/tokenizer.h"
#include "engine/model/weights.h"

namespace bdq {
namespace {

constexpr std::size_t kMaxInputBytes = 1 << 20;

struct Network {
    std::vector<BlockWeights> blocks;
    at::Tensor embedding, norm, head;
};

Result<Network> load(const ModelWeights& weights) {
    Network network;
    for (int layer = 0; layer < weights.config().layers; ++layer) {
        BDQ_TRY(BlockWeights block, weights.block(layer, at::kCPU));
        network.blocks.push_back(std::move(block));
    }
    BDQ_TRY(network.embedding, weights.embedding(at::kCPU));
    BDQ_TRY(network.norm, weights.finalNorm(at::kCPU));
    BDQ_TRY(network.head, weights.head(at::kCPU));
    return network;
}

/// [1, tokens, hidden] through all blocks, `step` tokens at a time; with a cache unless all come at once.
at::Tensor throughBlocks(const Network& network, const ModelConfig& config, at::Tensor x, std::int64_t step) {
    const std::int64_t tokens = x.size(1);
    const Rope rope = Rope::create(config, tokens, at::kCPU);
    const std::vector<std::int64_t> shape{1, config.kvHeads, tokens, config.headDim};
    BlockHooks none;
    for (const BlockWeights& block : network.blocks) {
        KvCache cache{at::empty(shape), at::empty(shape), 0};
        std::vector<at::Tensor> parts;
        for (std::int64_t position = 0; position < tokens; position += step)
            parts.push_back(forwardBlock(config, block, rope.slice(position, step),
                                         x.narrow(1, position, step), none,
                                         step < tokens ? &cache : nullptr));
        x = at::cat(parts, 1);
    }
    return x;
}

Result<std::string> logits(const std::string& path, const std::string& input, bool cached) {
    const c10::InferenceMode guard;
    BDQ_TRY(const ModelWeights weights, ModelWeights::open(path));
    BDQ_TRY(const Network network, load(weights));
    std::vector<std::int64_t> ids;
    std::istringstream stream(input);
    for (std::int64_t id = 0; stream >> id;)
        ids.push_back(id);
    const at::Tensor x = at::embedding(network.embedding, at::tensor(ids, at::kLong).unsqueeze(0));
    const ModelConfig& config = weights.config();
    const at::Tensor hidden = throughBlocks(network, config, x, cached ? 1 : x.size(1));
    const at::Tensor result =
        at::linear(rmsNorm(hidden, network.norm, config.normEpsilon), network.head).contiguous();
    return std::string(static_cast<const char*>(result.const_data_ptr()), result.nbytes());
}

Result<std::string> tokens(const std::string& path, const std::string& input, BosMode bos) {
    constexpr char kSeparator = '\x1d';
    BDQ_TRY(const io::ModelReader reader, io::ModelReader::open(path));
    BDQ_TRY(const io::Tokenizer tokenizer, io::Tokenizer::create(reader));
    std::string result;
    for (std::size_t begin = 0, end = 0; end != std::string::npos; begin = end + 1) {
        end = input.find(kSeparator, begin);
        BDQ_TRY(const std::vector<std::int32_t> ids, tokenizer.encode(input.substr(begin, end - begin), bos));
        result += begin == 0 ? "" : "\n";
        for (const std::int32_t id : ids)
            result += std::to_string(id) + " ";
    }
    return result;
}

Status run(const std::string& mode, const std::string& model, const std::string& in, const std::string& out) {
    BDQ_TRY(const std::string input, readTextFile(in, kMaxInputBytes));
    BDQ_TRY(const std::string result, mode == "tokens"   ? tokens(model, input, BosMode::Off)
                                      : mode == "framed" ? tokens(model, input, BosMode::Auto)
                                                         : logits(model, input, mode == "cached"));
    return writeFileAtomically(out, result);
}

} // namespace
} // namespace bdq

int main(int argc, char** argv) {
    if (argc != 5) {
        std::cerr << "usage: architecture_probe logits|cached|tokens|framed MODEL INPUT OUT\n";
        return 2;
    }
    const bdq::Status status = bdq::run(argv[1], argv[2], argv[3], argv[4]);
    if (status) return 0;
    std::cerr << status.error().text() << '\n';
    return 1;
}
