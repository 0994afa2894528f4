#include "engine/calibration/generate.h"

#include <limits>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "engine/model/block.h"
#include "engine/model/torch_guard.h"

namespace bdq {
namespace {

class Generator {
public:
    Generator(const ModelWeights& weights, const GenerationOptions& options, const ComputeDevice& device)
        : m_weights(weights), m_options(options), m_device(device),
          m_random(at::detail::createCPUGenerator(options.seed)) {}

    Result<at::Tensor> run(JobContext& context);

private:
    Status load();
    at::Tensor firstTokens();
    at::Tensor nextTokens(const at::Tensor& ids, std::int64_t position);
    at::Tensor choose(at::Tensor logits, std::int64_t position);

    const ModelWeights& m_weights;
    const GenerationOptions& m_options;
    ComputeDevice m_device;
    at::Generator m_random;
    std::vector<BlockWeights> m_blocks;
    std::vector<KvCache> m_caches;
    at::Tensor m_embedding;
    at::Tensor m_head;
    at::Tensor m_norm;
    Rope m_rope;
};

Status Generator::load() {
    const ModelConfig& config = m_weights.config();
    BDQ_TRY(m_embedding, m_weights.embedding(m_device.device));
    BDQ_TRY(m_head, m_weights.head(m_device.device));
    BDQ_TRY(m_norm, m_weights.finalNorm(m_device.device));
    m_rope = Rope::create(config, m_options.length, m_device.device);
    for (int layer = 0; layer < config.layers; ++layer) {
        BDQ_TRY(BlockWeights block, m_weights.block(layer, m_device.device));
        m_blocks.push_back(std::move(block));
        const std::vector<std::int64_t> shape{m_options.sequences, config.kvHeads, m_options.length,
                                              config.headDim};
        const auto options = at::TensorOptions().dtype(at::kFloat).device(m_device.device);
        m_caches.push_back({at::empty(shape, options), at::empty(shape, options), 0});
    }
    return {};
}

at::Tensor Generator::firstTokens() {
    if (m_options.bosId) return at::full({m_options.sequences, 1}, *m_options.bosId, at::kLong);
    return at::randint(m_weights.config().vocabSize, {m_options.sequences, 1}, m_random, at::kLong);
}

at::Tensor Generator::choose(at::Tensor logits, std::int64_t position) {
    for (const auto& banned : {m_options.bosId, m_options.eosId})
        if (banned) logits.select(1, *banned).fill_(-std::numeric_limits<float>::infinity());
    // After BOS every sequence would go the same way: the first real token is drawn from the vocabulary
    // instead.
    if (position == 0 && m_options.bosId)
        return at::randint(m_weights.config().vocabSize, {m_options.sequences, 1}, m_random, at::kLong);
    if (position < m_options.greedyTokens) return logits.argmax(-1, true);
    return at::multinomial(at::softmax(logits, -1), 1, false, m_random);
}

at::Tensor Generator::nextTokens(const at::Tensor& ids, std::int64_t position) {
    BlockHooks none;
    const ModelConfig& config = m_weights.config();
    at::Tensor x = at::embedding(m_embedding, ids.to(m_device.device));
    const Rope rope = m_rope.slice(position, 1);
    for (std::size_t layer = 0; layer < m_blocks.size(); ++layer)
        x = forwardBlock(config, m_blocks[layer], rope, x, none, &m_caches[layer]);
    const at::Tensor logits = at::linear(rmsNorm(x.select(1, 0), m_norm, config.normEpsilon), m_head);
    return choose(logits.to(at::kCPU).clone(), position);
}

Result<at::Tensor> Generator::run(JobContext& context) {
    const c10::InferenceMode guard;
    BDQ_CHECK(load());
    std::vector<at::Tensor> columns{firstTokens()};
    for (std::int64_t position = 0; position + 1 < m_options.length; ++position) {
        BDQ_CHECK(context.checkCancelled());
        columns.push_back(nextTokens(columns.back(), position));
        context.preparation(static_cast<double>(position + 2), m_options.length, "tokens");
    }
    return at::cat(columns, 1);
}

} // namespace

Result<at::Tensor> generateTokens(const ModelWeights& weights, const GenerationOptions& options,
                                  const ComputeDevice& device, JobContext& context) {
    context.stage("generating calibration text");
    return torchGuard([&] { return Generator(weights, options, device).run(context); });
}

} // namespace bdq
