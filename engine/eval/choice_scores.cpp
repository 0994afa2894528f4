#include "engine/eval/choice_scores.h"

#include <algorithm>
#include <numeric>

#include <ATen/ATen.h>

#include "engine/eval/model_ends.h"
#include "engine/eval/token_loss.h"
#include "engine/model/torch_guard.h"

namespace bdq {
namespace {

// Padded tokens of a batch: as many as a window of perplexity, on a GPU as a batch of windows.
constexpr std::int64_t kCpuBatchTokens = 2048;
constexpr std::int64_t kDeviceBatchTokens = 16384;
// Rows whose logits are computed at once.
constexpr std::size_t kCpuRows = 2048;
constexpr std::size_t kDeviceRows = 8192;

/// Inputs that go through a layer together.
struct Batch {
    std::vector<std::size_t> inputs; ///< longest first
    std::int64_t length = 0;         ///< of the longest
    at::Tensor hidden;               ///< [inputs, length, hidden]
    [[nodiscard]] std::int64_t tokens() const { return static_cast<std::int64_t>(inputs.size()) * length; }
};

/// Rows of a batch whose predictions count: targets[i] after row rows[i], for request owners[i].
struct Predictions {
    std::vector<std::int64_t> rows;
    std::vector<std::int64_t> targets;
    std::vector<std::size_t> owners;
};

class Scoring {
public:
    Scoring(const ModelWeights& weights, LayerSource& layers, const ChoiceRequests& requests,
            const ComputeDevice& device, const JobContext& context,
            const std::function<void(double, double)>& progress)
        : m_weights(weights), m_layers(layers), m_requests(requests), m_device(device), m_context(context),
          m_progress(progress), m_scores(requests.requests.size(), 0.0) {}

    Result<std::vector<double>> run();

private:
    void makeBatches();
    Status runGroup(std::span<Batch> group);
    [[nodiscard]] at::Tensor embedded(const Batch& batch) const;
    [[nodiscard]] Predictions predictionsOf(const Batch& batch) const;
    Status score(const Batch& batch);

    const ModelWeights& m_weights;
    LayerSource& m_layers;
    const ChoiceRequests& m_requests;
    ComputeDevice m_device;
    const JobContext& m_context;
    const std::function<void(double, double)>& m_progress;
    std::vector<Batch> m_batches;
    std::vector<std::vector<std::size_t>> m_requestsOf; ///< by input
    ModelEnds m_ends;
    Rope m_rope;
    std::vector<double> m_scores;
    double m_done = 0;
    double m_total = 0;
};

void Scoring::makeBatches() {
    std::vector<std::size_t> order(m_requests.inputs.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
        return m_requests.inputs[a].size() > m_requests.inputs[b].size();
    });
    const std::int64_t most = m_device.isCuda() ? kDeviceBatchTokens : kCpuBatchTokens;
    for (const std::size_t input : order) {
        if (m_batches.empty() || m_batches.back().tokens() + m_batches.back().length > most)
            m_batches.push_back({{}, static_cast<std::int64_t>(m_requests.inputs[input].size()), {}});
        m_batches.back().inputs.push_back(input);
    }
    for (const Batch& batch : m_batches)
        m_total += static_cast<double>(batch.tokens()) * m_weights.config().layers;
    m_requestsOf.resize(m_requests.inputs.size());
    for (std::size_t i = 0; i < m_requests.requests.size(); ++i)
        m_requestsOf[m_requests.requests[i].input].push_back(i);
}

// What stands right of an input's end is never looked at by it: attention is causal, all else is row by row.
at::Tensor Scoring::embedded(const Batch& batch) const {
    const auto count = static_cast<std::int64_t>(batch.inputs.size());
    at::Tensor ids = at::zeros({count, batch.length}, at::kLong);
    for (std::int64_t row = 0; row < count; ++row) {
        const std::vector<std::int32_t>& input =
            m_requests.inputs[batch.inputs[static_cast<std::size_t>(row)]];
        std::ranges::copy(input, ids[row].data_ptr<std::int64_t>());
    }
    return at::embedding(m_ends.embedding, ids.to(m_device.device));
}

Predictions Scoring::predictionsOf(const Batch& batch) const {
    Predictions all;
    for (std::size_t row = 0; row < batch.inputs.size(); ++row)
        for (const std::size_t owner : m_requestsOf[batch.inputs[row]]) {
            const ChoiceRequest& request = m_requests.requests[owner];
            for (std::size_t i = 0; i < request.targets.size(); ++i) {
                all.rows.push_back(static_cast<std::int64_t>(row) * batch.length + request.first +
                                   static_cast<std::int64_t>(i));
                all.targets.push_back(request.targets[i]);
                all.owners.push_back(owner);
            }
        }
    return all;
}

Status Scoring::score(const Batch& batch) {
    const Predictions all = predictionsOf(batch);
    const at::Tensor states = batch.hidden.flatten(0, 1);
    const std::size_t most = m_device.isCuda() ? kDeviceRows : kCpuRows;
    for (std::size_t first = 0; first < all.rows.size(); first += most) {
        BDQ_CHECK(m_context.checkCancelled());
        const std::size_t count = std::min(most, all.rows.size() - first);
        const auto part = [&](const std::vector<std::int64_t>& list) {
            return at::tensor(at::ArrayRef<std::int64_t>(list).slice(first, count), at::kLong)
                .to(m_device.device);
        };
        const at::Tensor rows = m_ends.finalNorm(states.index_select(0, part(all.rows)));
        const at::Tensor losses = tokenLosses(rows, m_ends.head, part(all.targets)).cpu();
        const double* loss = losses.const_data_ptr<double>();
        for (std::size_t i = 0; i < count; ++i)
            m_scores[all.owners[first + i]] -= loss[i];
    }
    return {};
}

Status Scoring::runGroup(std::span<Batch> group) {
    for (Batch& batch : group)
        batch.hidden = embedded(batch);
    for (int layer = 0; layer < m_weights.config().layers; ++layer) {
        BDQ_TRY(const std::unique_ptr<Layer> block, m_layers.load(layer));
        for (Batch& batch : group) {
            BDQ_CHECK(m_context.checkCancelled());
            batch.hidden = block->forward(batch.hidden, m_rope.slice(0, batch.length));
            m_done += static_cast<double>(batch.tokens());
            m_progress(m_done, m_total);
        }
    }
    for (Batch& batch : group) {
        BDQ_CHECK(score(batch));
        batch.hidden = at::Tensor();
    }
    return {};
}

Result<std::vector<double>> Scoring::run() {
    const c10::InferenceMode guard;
    makeBatches();
    if (m_batches.empty()) return m_scores;
    BDQ_TRY(m_ends, ModelEnds::load(m_weights, m_device));
    m_rope = Rope::create(m_weights.config(), m_batches.front().length, m_device.device);
    const double mostTokens =
        residentHiddenBytes(m_device) / (4.0 * static_cast<double>(m_weights.config().hiddenSize));
    for (std::size_t first = 0; first < m_batches.size();) {
        std::size_t end = first;
        double tokens = 0;
        while (end < m_batches.size() &&
               (end == first || tokens + static_cast<double>(m_batches[end].tokens()) <= mostTokens))
            tokens += static_cast<double>(m_batches[end++].tokens());
        BDQ_CHECK(runGroup(std::span(m_batches).subspan(first, end - first)));
        first = end;
    }
    return std::move(m_scores);
}

} // namespace

Result<std::vector<double>> scoreChoices(const ModelWeights& weights, LayerSource& layers,
                                         const ChoiceRequests& requests, const ComputeDevice& device,
                                         const JobContext& context,
                                         const std::function<void(double, double)>& progress) {
    return torchGuard([&] { return Scoring(weights, layers, requests, device, context, progress).run(); });
}

} // namespace bdq
