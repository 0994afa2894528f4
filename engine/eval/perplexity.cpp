#include "engine/eval/perplexity.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <numeric>

#include <ATen/ATen.h>

#include "engine/eval/logit_comparison.h"
#include "engine/eval/model_ends.h"
#include "engine/eval/token_loss.h"
#include "engine/model/torch_guard.h"

namespace bdq {
namespace {

/// Means of single windows, summed.
struct WindowSums {
    double loss = 0;
    double fullLoss = 0;
    double divergence = 0;
    double agreement = 0;
};

class Evaluation {
public:
    Evaluation(const ModelWeights& weights, const MeasuredLayers& measured, const ComputeDevice& device,
               const JobContext& context, const std::function<void(double, double)>& progress)
        : m_weights(weights), m_measured(measured), m_device(device), m_context(context),
          m_progress(progress) {}

    Result<PerplexityResult> run(std::span<const std::int32_t> tokens, std::int64_t length, int windows);

private:
    using Batches = std::vector<at::Tensor>;
    Result<Batches> finalStates(LayerSource& layers, const at::Tensor& ids);
    Status runGroup(const at::Tensor& ids, int firstWindow);
    Status addWindow(const at::Tensor& hidden, const at::Tensor& full, const at::Tensor& ids, int window);
    [[nodiscard]] int groupSize(std::int64_t length) const;
    [[nodiscard]] std::int64_t batch() const { return m_device.isCuda() ? 8 : 1; }
    [[nodiscard]] int models() const { return m_measured.full == nullptr ? 1 : 2; }
    [[nodiscard]] PerplexityResult result(std::int64_t length, int windows) const;

    const ModelWeights& m_weights;
    MeasuredLayers m_measured;
    ComputeDevice m_device;
    const JobContext& m_context;
    const std::function<void(double, double)>& m_progress;
    ModelEnds m_ends;
    Rope m_rope;
    WindowSums m_sums;
    std::vector<double> m_windowLosses;
    double m_done = 0;
    double m_total = 0;
};

int Evaluation::groupSize(std::int64_t length) const {
    const double bytes = 4.0 * static_cast<double>(length * m_weights.config().hiddenSize) * models();
    return std::max(1, static_cast<int>(residentHiddenBytes(m_device) / bytes));
}

// `full` is undefined without a model to compare with.
Status Evaluation::addWindow(const at::Tensor& hidden, const at::Tensor& full, const at::Tensor& ids,
                             int window) {
    const std::int64_t predicted = ids.size(0) - 1;
    const at::Tensor targets = ids.narrow(0, 1, predicted);
    const at::Tensor normed = m_ends.finalNorm(hidden).narrow(0, 0, predicted);
    WindowSums sums;
    if (full.defined()) {
        const LogitComparison compared =
            compareLogits(m_ends.finalNorm(full).narrow(0, 0, predicted), normed, m_ends.head, targets);
        sums = {compared.quantizedLoss.mean().item<double>(), compared.fullLoss.mean().item<double>(),
                compared.divergence.mean().item<double>(),
                compared.agree.to(at::kDouble).mean().item<double>()};
    } else {
        sums.loss = tokenLosses(normed, m_ends.head, targets).mean().item<double>();
    }
    if (!std::isfinite(sums.loss) || !std::isfinite(sums.fullLoss) || !std::isfinite(sums.divergence))
        return fail(ErrorCode::NonFinite, m_weights.path() + ": the loss of window " +
                                              std::to_string(window) + " is not a finite number");
    m_windowLosses.push_back(sums.loss);
    m_sums.loss += sums.loss;
    m_sums.fullLoss += sums.fullLoss;
    m_sums.divergence += sums.divergence;
    m_sums.agreement += sums.agreement;
    return {};
}

Result<Evaluation::Batches> Evaluation::finalStates(LayerSource& layers, const at::Tensor& ids) {
    const std::int64_t count = ids.size(0);
    Batches hidden;
    for (std::int64_t first = 0; first < count; first += batch())
        hidden.push_back(
            at::embedding(m_ends.embedding, ids.narrow(0, first, std::min(batch(), count - first))));
    for (int layer = 0; layer < m_weights.config().layers; ++layer) {
        BDQ_TRY(const std::unique_ptr<Layer> block, layers.load(layer));
        for (at::Tensor& states : hidden) {
            BDQ_CHECK(m_context.checkCancelled());
            states = block->forward(states, m_rope);
            m_done += static_cast<double>(states.size(0));
            m_progress(m_done, m_total);
        }
    }
    return hidden;
}

Status Evaluation::runGroup(const at::Tensor& ids, int firstWindow) {
    Batches full;
    if (m_measured.full != nullptr) {
        BDQ_TRY(full, finalStates(*m_measured.full, ids));
    }
    BDQ_TRY(const Batches hidden, finalStates(m_measured.layers, ids));
    for (std::int64_t window = 0; window < ids.size(0); ++window) {
        BDQ_CHECK(m_context.checkCancelled());
        const auto index = static_cast<std::size_t>(window / batch());
        BDQ_CHECK(addWindow(hidden[index][window % batch()],
                            full.empty() ? at::Tensor() : full[index][window % batch()], ids[window],
                            firstWindow + static_cast<int>(window)));
    }
    return {};
}

PerplexityResult Evaluation::result(std::int64_t length, int windows) const {
    PerplexityResult result;
    result.windows = windows;
    result.nll = m_sums.loss / windows;
    result.nllError = standardError(m_windowLosses);
    result.perplexity = std::exp(result.nll);
    if (m_measured.full != nullptr)
        result.comparison = ModelComparison{m_sums.divergence / windows, m_sums.agreement / windows,
                                            m_sums.fullLoss / windows, std::exp(m_sums.fullLoss / windows)};
    const double count = static_cast<double>(windows) * static_cast<double>(length);
    const ModelConfig& config = m_weights.config();
    result.flops = config.layers * blockFlops(config, count, static_cast<double>(length)) +
                   2 * count * static_cast<double>(config.hiddenSize * config.vocabSize);
    return result;
}

Result<PerplexityResult> Evaluation::run(std::span<const std::int32_t> tokens, std::int64_t length,
                                         int windows) {
    const c10::InferenceMode guard;
    BDQ_TRY(m_ends, ModelEnds::load(m_weights, m_device));
    m_rope = Rope::create(m_weights.config(), length, m_device.device);
    // The span outlives this call, and from_blob only reads it.
    const at::Tensor ids =
        at::from_blob(const_cast<std::int32_t*>(tokens.data()), {windows, length}, at::kInt) // NOLINT
            .to(m_device.device, at::kLong);
    m_total = static_cast<double>(windows) * m_weights.config().layers * models();
    const auto start = std::chrono::steady_clock::now();
    const int group = groupSize(length);
    for (int first = 0; first < windows; first += group)
        BDQ_CHECK(runGroup(ids.narrow(0, first, std::min(group, windows - first)), first));
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    PerplexityResult measured = result(length, windows);
    measured.seconds = elapsed.count();
    return measured;
}

} // namespace

double standardError(std::span<const double> values) {
    const auto count = static_cast<double>(values.size());
    if (values.size() < 2) return std::numeric_limits<double>::quiet_NaN();
    const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
    double squares = 0;
    for (const double value : values)
        squares += (value - mean) * (value - mean);
    return std::sqrt(squares / (count - 1) / count);
}

int windowCount(std::size_t tokens, const PerplexityOptions& options) {
    const int windows = static_cast<int>(tokens / static_cast<std::size_t>(options.windowLength));
    return options.maxWindows > 0 ? std::min(windows, options.maxWindows) : windows;
}

Result<PerplexityResult> perplexity(const ModelWeights& weights, const MeasuredLayers& measured,
                                    std::span<const std::int32_t> tokens, const PerplexityOptions& options,
                                    const ComputeDevice& device, const JobContext& context,
                                    const std::function<void(double, double)>& progress) {
    const int windows = windowCount(tokens.size(), options);
    if (windows == 0)
        return fail(ErrorCode::MissingCalibration, "the text has " + std::to_string(tokens.size()) +
                                                       " tokens, perplexity needs at least one window of " +
                                                       std::to_string(options.windowLength));
    return torchGuard([&] {
        return Evaluation(weights, measured, device, context, progress)
            .run(tokens, options.windowLength, windows);
    });
}

} // namespace bdq
