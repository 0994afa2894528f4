#include <algorithm>
#include <chrono>
#include <functional>
#include <vector>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include "engine/calibration/histogram.h"
#include "engine/calibration/input_statistics.h"
#include "engine/eval/perplexity.h"
#include "engine/model/device_memory.h"
#include "engine/model/torch_guard.h"
#include "engine/pipeline/bench_training.h"
#include "engine/pipeline/jobs.h"
#include "engine/quant/affine.h"
#include "engine/quant/gptq.h"
#include "engine/quant/rounding_errors.h"
#include "engine/transform/build_transform.h"

namespace bdq {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kRepeats = 5;
constexpr std::int64_t kMatmulSize = 4096;
constexpr std::int64_t kTokens = 2048;
constexpr int kEvalWindows = 4;
constexpr int kEvalRounds = 5;

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

/// Times the parts of the engine in one process, so that ratios hold on a machine whose speed drifts.
class Bench {
public:
    Bench(const BenchSpec& spec, JobContext& context) : m_spec(spec), m_context(context) {}
    Result<std::string> run();

private:
    [[nodiscard]] bool wanted(std::string_view part) const {
        if (m_spec.parts.empty()) return part != "e2e"; // minutes on a CPU
        return std::find(m_spec.parts.begin(), m_spec.parts.end(), part) != m_spec.parts.end();
    }
    [[nodiscard]] Status checkParts() const;
    double medianSeconds(const std::function<void()>& work) const;
    double matmulRate() const;
    Status benchEval(const ModelWeights& weights);
    Status benchKernels(const ModelWeights& weights);
    Status benchTraining(const ModelWeights& weights);

    const BenchSpec& m_spec;
    JobContext& m_context;
    ComputeDevice m_device;
    Json m_report;
};

double Bench::medianSeconds(const std::function<void()>& work) const {
    work();
    synchronize(m_device);
    std::vector<double> seconds;
    for (int i = 0; i < kRepeats; ++i) {
        const auto start = std::chrono::steady_clock::now();
        work();
        synchronize(m_device);
        seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    return median(seconds);
}

double Bench::matmulRate() const {
    const auto options = at::TensorOptions().dtype(at::kFloat).device(m_device.device);
    const at::Tensor a = at::randn({kMatmulSize, kMatmulSize}, options);
    const at::Tensor b = at::randn({kMatmulSize, kMatmulSize}, options);
    const double flops = 2.0 * static_cast<double>(kMatmulSize * kMatmulSize * kMatmulSize);
    return flops / medianSeconds([&] { at::matmul(a, b); });
}

Status Bench::benchEval(const ModelWeights& weights) {
    m_context.stage("perplexity against matmul");
    std::vector<std::int32_t> tokens(static_cast<std::size_t>(kEvalWindows * kTokens));
    for (std::size_t i = 0; i < tokens.size(); ++i)
        tokens[i] =
            static_cast<std::int32_t>((i * 7919) % static_cast<std::size_t>(weights.config().vocabSize));
    // Matmul and forward in turn: the machine's speed drifts, ratios of neighbours do not.
    std::vector<double> shares;
    Json rounds = Json::array();
    for (int round = 0; round < kEvalRounds; ++round) {
        BDQ_CHECK(m_context.checkCancelled());
        const double before = matmulRate();
        FullPrecisionLayers layers(weights, m_device);
        BDQ_TRY(const PerplexityResult result, perplexity(weights, layers, tokens, {kTokens, 0}, m_device,
                                                          m_context, [](double, double) {}));
        const double matmul = (before + matmulRate()) / 2;
        const double rate = result.flops / result.seconds;
        shares.push_back(rate / matmul);
        rounds.push_back({{"seconds", result.seconds},
                          {"flops_per_second", rate},
                          {"matmul_flops_per_second", matmul},
                          {"share_of_matmul", rate / matmul}});
    }
    m_report["eval"] = {{"windows", kEvalWindows},
                        {"window_length", kTokens},
                        {"share_of_matmul", median(shares)},
                        {"rounds", rounds}};
    return {};
}

Status Bench::benchKernels(const ModelWeights& weights) {
    m_context.stage("statistics, transforms and quantizers");
    BDQ_TRY(const BlockWeights block, weights.block(0, m_device.device));
    const at::Tensor& weight = block.at(Site::Down);
    const std::int64_t n = weight.size(1);
    const at::Tensor x =
        at::randn({kTokens, n}, at::TensorOptions().dtype(at::kFloat).device(m_device.device));
    InputStatistics statistics({.secondMoment = true, .sample = true});
    statistics.add(x);
    const auto record = [&](const std::string& name, const std::function<void()>& work) {
        m_report["kernels"][name] = 1e3 * medianSeconds(work);
    };
    record("input_statistics_ms", [&] { InputStatistics().add(x); });
    record("histogram_ms", [&] {
        LogHistogram histogram;
        addToHistogram(histogram, x);
    });
    record("fake_quantize_4_bits_ms", [&] { quant::fakeQuantize(x, {4, true, 0}); });
    record("rounding_errors_2_to_8_bits_ms", [&] { quant::roundingErrors(x, true); });
    for (const TransformInfo& info : closedFormTransforms()) {
        std::vector<std::string> notes;
        BDQ_TRY(const transform::SiteTransform built,
                transform::buildTransform(info.kind, statistics.moments(), weight, 1, notes));
        const transform::SiteTransform onDevice = built.to(m_device.device);
        record("apply_" + std::string(info.id) + "_ms", [&] { (void)onDevice.applyToActivations(x); });
    }
    SecondMoment moment;
    moment.add(x);
    record("round_mse_ms", [&] { (void)quant::roundWeights(weight, {4, true, 0}, WeightRounding::Mse); });
    record("gptq_ms", [&] { (void)quant::gptq(weight, moment.mean(), {4, true, 0}); });
    m_report["kernels"]["shape"] = {{"tokens", kTokens}, {"in", n}, {"out", weight.size(0)}};
    return {};
}

Status Bench::checkParts() const {
    std::string known;
    for (const std::string_view part : kBenchParts)
        known += (known.empty() ? "" : ", ") + std::string(part);
    for (const std::string& part : m_spec.parts)
        if (std::find(kBenchParts.begin(), kBenchParts.end(), part) == kBenchParts.end())
            return fail(ErrorCode::InvalidSpec, "parts: found \"" + part + "\", expected " + known);
    return {};
}

Status Bench::benchTraining(const ModelWeights& weights) {
    TrainingBench training(weights, m_spec, m_device, m_context, [this] { return matmulRate(); });
    BDQ_CHECK(training.prepare());
    if (wanted("train")) {
        BDQ_TRY(m_report["train"], training.block());
    }
    if (wanted("e2e")) {
        BDQ_TRY(m_report["e2e"], training.endToEnd());
    }
    return {};
}

Result<std::string> Bench::run() {
    BDQ_CHECK(checkParts());
    const bool blocks = wanted("train");
    const bool endToEnd = wanted("e2e");
    if (blocks || endToEnd) BDQ_CHECK(TrainingBench::check(m_spec, blocks, endToEnd));
    BDQ_TRY(m_device, openDevice(m_spec.device));
    m_report = {{"schema", kResultSchema},      {"model", m_spec.modelPath},   {"device", m_device.id},
                {"device_name", m_device.name}, {"threads", m_device.threads}, {"torch", torchVersion()}};
    const auto start = std::chrono::steady_clock::now();
    BDQ_TRY(const ModelWeights weights, ModelWeights::open(m_spec.modelPath));
    m_report["open_seconds"] =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    {
        const c10::InferenceMode guard; // not for the training
        if (wanted("eval")) BDQ_CHECK(benchEval(weights));
        BDQ_CHECK(m_context.checkCancelled());
        if (wanted("kernels")) BDQ_CHECK(benchKernels(weights));
    }
    if (blocks || endToEnd) BDQ_CHECK(benchTraining(weights));
    m_report["peak_host_bytes"] = peakHostBytes();
    m_report["peak_device_bytes"] = peakDeviceBytes(m_device.device);
    return m_report.dump();
}

} // namespace

Result<std::string> bench(const BenchSpec& spec, JobContext& context) {
    return torchGuard([&] { return Bench(spec, context).run(); });
}

} // namespace bdq
