#include "engine/eval/perplexity.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include <ATen/ATen.h>

#include "engine/eval/token_loss.h"
#include "engine/model/torch_guard.h"

namespace bdq {
namespace {

// Hidden states that may be resident at once; more windows are done in groups, each of which reloads the
// layers.
constexpr double kCpuHiddenBytes = 1e9;
constexpr double kDeviceHiddenBytes = 8e9;
class Evaluation {
public:
    Evaluation(const ModelWeights& weights, LayerSource& layers, const ComputeDevice& device,
               const JobContext& context, const std::function<void(double, double)>& progress)
        : m_weights(weights), m_layers(layers), m_device(device), m_context(context), m_progress(progress) {}

    Result<PerplexityResult> run(std::span<const std::int32_t> tokens, std::int64_t length, int windows);

private:
    Status prepare(std::int64_t length);
    Status runGroup(const at::Tensor& ids, int firstWindow);
    Status addLoss(const at::Tensor& hidden, const at::Tensor& ids, int window);
    [[nodiscard]] int groupSize(std::int64_t length) const;

    const ModelWeights& m_weights;
    LayerSource& m_layers;
    ComputeDevice m_device;
    const JobContext& m_context;
    const std::function<void(double, double)>& m_progress;
    at::Tensor m_embedding;
    at::Tensor m_head;
    at::Tensor m_norm;
    Rope m_rope;
    double m_lossSum = 0;
    double m_done = 0;
    double m_total = 0;
};

int Evaluation::groupSize(std::int64_t length) const {
    const double bytes = 4.0 * static_cast<double>(length * m_weights.config().hiddenSize);
    return std::max(1, static_cast<int>((m_device.isCuda() ? kDeviceHiddenBytes : kCpuHiddenBytes) / bytes));
}

Status Evaluation::prepare(std::int64_t length) {
    BDQ_TRY(m_embedding, m_weights.embedding(m_device.device));
    if (m_weights.config().tiedEmbedding) {
        m_head = m_embedding;
    } else {
        BDQ_TRY(m_head, m_weights.head(m_device.device));
    }
    BDQ_TRY(m_norm, m_weights.finalNorm(m_device.device));
    m_rope = Rope::create(m_weights.config(), length, m_device.device);
    return {};
}

Status Evaluation::addLoss(const at::Tensor& hidden, const at::Tensor& ids, int window) {
    const at::Tensor normed = rmsNorm(hidden, m_norm, m_weights.config().normEpsilon);
    const std::int64_t predicted = ids.size(0) - 1;
    const double loss = tokenLosses(normed.narrow(0, 0, predicted), m_head, ids.narrow(0, 1, predicted))
                            .mean()
                            .item<double>();
    if (!std::isfinite(loss))
        return fail(ErrorCode::NonFinite, m_weights.path() + ": the loss of window " +
                                              std::to_string(window) + " is not a finite number");
    m_lossSum += loss;
    return {};
}

Status Evaluation::runGroup(const at::Tensor& ids, int firstWindow) {
    const std::int64_t count = ids.size(0);
    const std::int64_t batch = m_device.isCuda() ? 8 : 1;
    std::vector<at::Tensor> hidden;
    for (std::int64_t first = 0; first < count; first += batch)
        hidden.push_back(at::embedding(m_embedding, ids.narrow(0, first, std::min(batch, count - first))));
    for (int layer = 0; layer < m_weights.config().layers; ++layer) {
        BDQ_TRY(const std::unique_ptr<Layer> block, m_layers.load(layer));
        for (at::Tensor& states : hidden) {
            BDQ_CHECK(m_context.checkCancelled());
            states = block->forward(states, m_rope);
            m_done += static_cast<double>(states.size(0));
            m_progress(m_done, m_total);
        }
    }
    for (std::int64_t window = 0; window < count; ++window) {
        BDQ_CHECK(m_context.checkCancelled());
        BDQ_CHECK(addLoss(hidden[static_cast<std::size_t>(window / batch)][window % batch], ids[window],
                          firstWindow + static_cast<int>(window)));
    }
    return {};
}

Result<PerplexityResult> Evaluation::run(std::span<const std::int32_t> tokens, std::int64_t length,
                                         int windows) {
    const c10::InferenceMode guard;
    BDQ_CHECK(prepare(length));
    // The span outlives this call, and from_blob only reads it.
    const at::Tensor ids =
        at::from_blob(const_cast<std::int32_t*>(tokens.data()), {windows, length}, at::kInt) // NOLINT
            .to(m_device.device, at::kLong);
    m_total = static_cast<double>(windows) * m_weights.config().layers;
    const auto start = std::chrono::steady_clock::now();
    const int group = groupSize(length);
    for (int first = 0; first < windows; first += group)
        BDQ_CHECK(runGroup(ids.narrow(0, first, std::min(group, windows - first)), first));
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;

    PerplexityResult result;
    result.windows = windows;
    result.nll = m_lossSum / windows;
    result.perplexity = std::exp(result.nll);
    result.seconds = elapsed.count();
    const double count = static_cast<double>(windows) * static_cast<double>(length);
    const ModelConfig& config = m_weights.config();
    result.flops = config.layers * blockFlops(config, count, static_cast<double>(length)) +
                   2 * count * static_cast<double>(config.hiddenSize * config.vocabSize);
    return result;
}

} // namespace

Result<PerplexityResult> perplexity(const ModelWeights& weights, LayerSource& layers,
                                    std::span<const std::int32_t> tokens, const PerplexityOptions& options,
                                    const ComputeDevice& device, const JobContext& context,
                                    const std::function<void(double, double)>& progress) {
    const std::size_t length = static_cast<std::size_t>(options.windowLength);
    int windows = static_cast<int>(tokens.size() / length);
    if (windows == 0)
        return fail(ErrorCode::MissingCalibration, "the text has " + std::to_string(tokens.size()) +
                                                       " tokens, perplexity needs at least one window of " +
                                                       std::to_string(length));
    if (options.maxWindows > 0) windows = std::min(windows, options.maxWindows);
    return torchGuard([&] {
        return Evaluation(weights, layers, device, context, progress)
            .run(tokens, options.windowLength, windows);
    });
}

} // namespace bdq
