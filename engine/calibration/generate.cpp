#include "engine/calibration/generate.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "engine/model/block.h"
#include "engine/model/token_sampler.h"
#include "engine/model/torch_guard.h"

namespace bdq {
namespace {

// Constants, so that a seed gives the same text whatever else the machine does.
constexpr std::int64_t kCpuCacheBytes = std::int64_t{2} << 30;
constexpr std::int64_t kDeviceCacheBytes = std::int64_t{16} << 30;

class Generator {
public:
    Generator(const ModelWeights& weights, const GenerationOptions& options, ComputeDevice device)
        : m_weights(weights), m_options(options), m_device(std::move(device)) {}

    Result<at::Tensor> run(JobContext& context);

private:
    Status load();
    void draw();
    [[nodiscard]] std::int64_t groupSize() const;
    std::vector<KvCache> emptyCaches(std::int64_t sequences) const;
    Result<at::Tensor> group(std::int64_t first, std::int64_t count, JobContext& context) const;
    at::Tensor logits(const at::Tensor& ids, std::int64_t position, std::vector<KvCache>& caches) const;
    at::Tensor choose(const at::Tensor& logits, std::int64_t position, std::int64_t first) const;

    const ModelWeights& m_weights;
    const GenerationOptions& m_options;
    ComputeDevice m_device;
    at::Tensor m_firstTokens; ///< int64 [sequences]
    at::Tensor m_draws;       ///< fp64 [sequences, length]
    std::vector<BlockWeights> m_blocks;
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
    }
    return {};
}

// On the CPU for every device, and all before the first token: a sequence does not depend on its group.
void Generator::draw() {
    at::Generator random = at::detail::createCPUGenerator(m_options.seed);
    m_firstTokens = at::randint(m_weights.config().vocabSize, {m_options.sequences}, random, at::kLong);
    m_draws = at::rand({m_options.sequences, m_options.length}, random, at::kDouble);
    m_firstTokens = m_firstTokens.to(m_device.device);
    m_draws = m_draws.to(m_device.device);
}

std::int64_t Generator::groupSize() const {
    const ModelConfig& config = m_weights.config();
    const std::int64_t bytes = std::int64_t{2} * config.layers * config.kvHeads * m_options.length *
                               config.headDim * static_cast<std::int64_t>(sizeof(float));
    const std::int64_t usual = m_device.isCuda() ? kDeviceCacheBytes : kCpuCacheBytes;
    return std::max<std::int64_t>((m_options.cacheBytes > 0 ? m_options.cacheBytes : usual) / bytes, 1);
}

std::vector<KvCache> Generator::emptyCaches(std::int64_t sequences) const {
    const ModelConfig& config = m_weights.config();
    const std::vector<std::int64_t> shape{sequences, config.kvHeads, m_options.length, config.headDim};
    const auto options = at::TensorOptions().dtype(at::kFloat).device(m_device.device);
    std::vector<KvCache> caches;
    caches.reserve(static_cast<std::size_t>(config.layers));
    for (int layer = 0; layer < config.layers; ++layer)
        caches.push_back({at::empty(shape, options), at::empty(shape, options), 0});
    return caches;
}

at::Tensor Generator::logits(const at::Tensor& ids, std::int64_t position,
                             std::vector<KvCache>& caches) const {
    BlockHooks none;
    const ModelConfig& config = m_weights.config();
    at::Tensor x = at::embedding(m_embedding, ids);
    const Rope rope = m_rope.slice(position, 1);
    for (std::size_t layer = 0; layer < m_blocks.size(); ++layer)
        x = forwardBlock(config, m_blocks[layer], rope, x, none, &caches[layer]);
    return at::linear(rmsNorm(x.select(1, 0), m_norm, config.normEpsilon), m_head);
}

// Of the sequences from `first`: [count, vocabulary] -> [count, 1].
at::Tensor Generator::choose(const at::Tensor& logits, std::int64_t position, std::int64_t first) const {
    const std::int64_t count = logits.size(0);
    for (const auto& banned : {m_options.bosId, m_options.eosId})
        if (banned) logits.select(1, *banned).fill_(-std::numeric_limits<float>::infinity());
    // After BOS every sequence would go the same way: the first real token is drawn from the vocabulary
    // instead.
    if (position == 0 && m_options.bosId) return m_firstTokens.narrow(0, first, count).unsqueeze(1);
    if (position < m_options.greedyTokens) return logits.argmax(-1, true);
    return sampleTokens(logits, m_draws.narrow(0, first, count).narrow(1, position, 1));
}

Result<at::Tensor> Generator::group(std::int64_t first, std::int64_t count, JobContext& context) const {
    std::vector<KvCache> caches = emptyCaches(count);
    at::Tensor start = m_firstTokens.narrow(0, first, count).unsqueeze(1);
    if (m_options.bosId) start = at::full_like(start, *m_options.bosId);
    std::vector<at::Tensor> columns{start};
    const std::int64_t total = std::int64_t{m_options.sequences} * m_options.length;
    for (std::int64_t position = 0; position + 1 < m_options.length; ++position) {
        BDQ_CHECK(context.checkCancelled());
        columns.push_back(choose(logits(columns.back(), position, caches), position, first));
        context.preparation(static_cast<double>(first * m_options.length + count * (position + 2)),
                            static_cast<double>(total), "tokens");
    }
    return at::cat(columns, 1).to(at::kCPU);
}

Result<at::Tensor> Generator::run(JobContext& context) {
    const c10::InferenceMode guard;
    BDQ_CHECK(load());
    draw();
    std::vector<at::Tensor> groups;
    const std::int64_t size = groupSize();
    for (std::int64_t first = 0; first < m_options.sequences; first += size) {
        BDQ_TRY(at::Tensor ids,
                group(first, std::min<std::int64_t>(size, m_options.sequences - first), context));
        groups.push_back(std::move(ids));
    }
    return at::cat(groups);
}

} // namespace

Result<at::Tensor> generateTokens(const ModelWeights& weights, const GenerationOptions& options,
                                  const ComputeDevice& device, JobContext& context) {
    context.stage("generating calibration text");
    return torchGuard([&] { return Generator(weights, options, device).run(context); });
}

} // namespace bdq
