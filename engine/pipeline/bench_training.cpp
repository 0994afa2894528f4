#include "engine/pipeline/bench_training.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <optional>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "engine/calibration/token_source.h"
#include "engine/pipeline/layer_trainer.h"
#include "engine/pipeline/run_training.h"
#include "engine/pipeline/tensor_float32.h"

namespace bdq {
namespace {

// Steps over the whole model that are timed, after one to warm up.
constexpr int kEndToEndSteps = 4;
// A forward pass and twice as much for the gradients of activations and weights. Blocks that are computed
// again on the way back, for want of memory, do no more useful work.
constexpr double kBlockPasses = 3;
constexpr double kHeadPasses = 3; // student, teacher and gradient
// Steps of a block that are timed, after one to warm up; in whole epochs.
constexpr int kBlockSteps = 20;
// Sequence of tokens without a text: a prime far from the powers of two that vocabularies are made of.
constexpr std::int64_t kTokenStride = 7919;

/// Times of the steps between calls, with the device's queue empty.
class StepClock {
public:
    explicit StepClock(const ComputeDevice& device) : m_device(device) {}
    void tick() {
        synchronize(m_device);
        const auto now = std::chrono::steady_clock::now();
        if (m_last) m_seconds.push_back(std::chrono::duration<double>(now - *m_last).count());
        m_last = now;
    }
    /// Of all steps but the first, which warms up.
    [[nodiscard]] const std::vector<double>& seconds() const { return m_seconds; }

private:
    const ComputeDevice& m_device;
    std::optional<std::chrono::steady_clock::time_point> m_last;
    std::vector<double> m_seconds;
};

/// A folder for states that nobody reads.
class TemporaryFolder {
public:
    static Result<TemporaryFolder> create() {
        std::error_code error;
        std::string name = (std::filesystem::temp_directory_path(error) / "bdq-bench-XXXXXX").string();
        if (error || ::mkdtemp(name.data()) == nullptr)
            return fail(ErrorCode::Io, name + ": cannot create the folder");
        return TemporaryFolder(name);
    }
    TemporaryFolder(TemporaryFolder&& other) noexcept : m_path(std::move(other.m_path)) {
        other.m_path.clear();
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(TemporaryFolder&&) = delete;
    ~TemporaryFolder() {
        std::error_code error;
        if (!m_path.empty()) std::filesystem::remove_all(m_path, error);
    }
    [[nodiscard]] const std::filesystem::path& path() const { return m_path; }

private:
    explicit TemporaryFolder(std::filesystem::path path) : m_path(std::move(path)) {}
    std::filesystem::path m_path;
};

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

Error trainsNothing(const RunSpec& run, const std::string& what) {
    return {ErrorCode::InvalidSpec,
            "method " + std::string(methodInfo(run.method).id) + ", preset " +
                std::string(presetName(run.preset)) + ": found no training of " + what +
                ", expected a preset that has it",
            {}};
}

RunSpec runSpec(const BenchSpec& bench) {
    RunSpec run;
    run.modelPath = bench.modelPath;
    run.outDir = "."; // checked, not used
    run.plan.base = bench.training.scheme.value_or(parseScheme("W4A4KV4").value());
    run.method = bench.training.method;
    run.preset = bench.training.preset;
    run.training = bench.training.training;
    run.calibration = {bench.training.textPath.empty() ? "self" : bench.training.textPath,
                       bench.training.sequences, bench.training.sequenceLength};
    run.seed = bench.training.seed;
    run.device = bench.device;
    return run;
}

} // namespace

Status TrainingBench::readTokens() {
    const TrainingBenchOptions& wanted = m_spec.training;
    if (!wanted.textPath.empty()) {
        BDQ_TRY(const CalibrationTokens tokens,
                calibrationTokens(m_weights, runSpec(m_spec).calibration, wanted.seed, m_device, m_context));
        m_ids = tokens.ids;
    } else {
        const at::Tensor steps =
            at::arange(std::int64_t{wanted.sequences} * wanted.sequenceLength, at::kLong) * kTokenStride;
        m_ids = steps.remainder(m_weights.config().vocabSize).view({wanted.sequences, wanted.sequenceLength});
    }
    BDQ_TRY(const at::Tensor embedding, m_weights.embedding(m_device.device));
    m_embedded = embedTokens(embedding, m_ids, m_device.isCuda());
    m_ids = m_ids.to(m_device.device);
    return {};
}

Status TrainingBench::check(const BenchSpec& spec, bool blocks, bool endToEnd) {
    const RunSpec run = runSpec(spec);
    BDQ_CHECK(validate(run));
    if (spec.training.losses < 0)
        return fail(ErrorCode::InvalidSpec,
                    "losses: found " + std::to_string(spec.training.losses) + ", expected none (0) or more");
    const TrainingRecipe recipe = effectiveRecipe(run);
    if (blocks && recipe.epochs == 0) return tl::unexpected<Error>(trainsNothing(run, "single blocks"));
    if (endToEnd && !recipe.trainsEndToEnd())
        return tl::unexpected<Error>(trainsNothing(run, "the whole model"));
    return {};
}

Status TrainingBench::prepare() {
    const c10::NoGradGuard guard;
    const RunSpec run = runSpec(m_spec);
    m_recipe = effectiveRecipe(run);
    m_options.plan = run.plan;
    m_options.method = &methodInfo(run.method);
    m_options.start = presetInfo(run.method, run.preset).start;
    m_options.rounding = effectiveRounding(run);
    m_options.seed = run.seed;
    BDQ_CHECK(readTokens());
    m_rope = Rope::create(m_weights.config(), m_ids.size(1), m_device.device);
    return {};
}

TrainingBench::Json TrainingBench::summary(const std::vector<double>& seconds, double flops,
                                           double matmulRate) const {
    const TrainingBenchOptions& wanted = m_spec.training;
    const double step = median(seconds);
    const double tokens = static_cast<double>(m_recipe.batch) * static_cast<double>(m_ids.size(1));
    return Json{{"method", methodInfo(wanted.method).id},
                {"preset", presetName(wanted.preset)},
                {"scheme", formatScheme(m_options.plan.base)},
                {"sequences", m_ids.size(0)},
                {"tokens_per_sequence", m_ids.size(1)},
                {"batch", m_recipe.batch},
                {"autocast", m_recipe.autocast},
                {"tf32", m_device.isCuda()},
                {"steps_timed", seconds.size()},
                {"ms_per_step", 1e3 * step},
                {"tokens_per_second", tokens / step},
                {"flops_per_second", flops / step},
                {"matmul_flops_per_second", matmulRate},
                {"share_of_matmul", flops / step / matmulRate}};
}

// Losses of block 0's steps; times of all but the first. Inputs, targets and closed forms are computed in
// fp32 on `source`.
Result<std::vector<double>> TrainingBench::trainBlock(const TrainingRecipe& recipe,
                                                      const ComputeDevice& source, BlockPlacement placement,
                                                      std::vector<double>& seconds) {
    const c10::NoGradGuard guard;
    const ModelConfig& config = m_weights.config();
    BDQ_TRY(BlockWeights weights, m_weights.block(0, source.device));
    const Rope rope = Rope::create(config, m_ids.size(1), source.device);
    BlockHooks none;
    HiddenStates inputs;
    HiddenStates targets;
    for (const at::Tensor& batch : m_embedded)
        // In batches of the source: sums of another batch differ in their last bit, and so would the start.
        for (const at::Tensor& x : batch.split(source.isCuda() ? batch.size(0) : 1)) {
            inputs.push_back(x.to(source.device));
            targets.push_back(forwardBlock(config, weights, rope, inputs.back(), none));
        }
    const auto placed = [&](const HiddenStates& states) {
        return at::cat(states).to(placement.device, placement.type);
    };
    const LayerTrainer trainer(config, rope, m_options, recipe, source, m_context);
    BDQ_TRY(train::TrainableBlock block, trainer.start(0, std::move(weights), inputs, placement));
    StepClock clock(m_device);
    BDQ_TRY(train::BlockTraining training,
            train::trainBlock(block, {placed(inputs), placed(targets)}, m_rope, recipe, m_context,
                              [&](double) { clock.tick(); }));
    if (training.stoppedNonFinite)
        return fail(ErrorCode::NonFinite, "layer 0: the loss left the finite numbers");
    seconds = clock.seconds();
    return std::move(training.losses);
}

// At least this many steps, in whole epochs.
TrainingRecipe TrainingBench::recipeOf(int steps) const {
    TrainingRecipe recipe = m_recipe;
    const auto perEpoch = (static_cast<int>(m_ids.size(0)) - 1) / recipe.batch + 1;
    recipe.epochs = (steps - 1) / perEpoch + 1;
    return recipe;
}

// In fp64, from one start. In fp32 devices cannot be compared: an input changed in its last bit moves codes
// of the few activations that make most of the loss (2 % after five steps).
Result<std::vector<double>> TrainingBench::exactLosses() {
    TrainingRecipe recipe = recipeOf(m_spec.training.losses);
    recipe.autocast = false;
    const ComputeDevice host{c10::kCPU, "cpu", "", m_device.threads};
    std::vector<double> seconds;
    BDQ_TRY(std::vector<double> losses, trainBlock(recipe, host, {m_device.device, at::kDouble}, seconds));
    losses.resize(static_cast<std::size_t>(m_spec.training.losses));
    return losses;
}

Result<TrainingBench::Json> TrainingBench::block() {
    m_context.stage("training of a block");
    const auto tokens = static_cast<double>(m_recipe.batch * m_ids.size(1));
    const double flops =
        kBlockPasses * blockFlops(m_weights.config(), tokens, static_cast<double>(m_ids.size(1)));
    Json report;
    {
        const TensorFloat32 fast;
        std::vector<double> seconds;
        BDQ_CHECK(trainBlock(recipeOf(kBlockSteps), m_device, {m_device.device}, seconds));
        report = summary(seconds, flops, m_matmulRate());
    }
    if (m_spec.training.losses == 0) return report;
    BDQ_TRY(report["losses_fp64"], exactLosses());
    return report;
}

Result<TrainingBench::Json> TrainingBench::endToEnd() {
    m_context.stage("training end to end");
    const int steps = m_spec.training.training.endToEndSteps.value_or(kEndToEndSteps);
    BDQ_TRY(const TemporaryFolder folder, TemporaryFolder::create());
    std::filesystem::create_directory(folder.path() / "training");
    RunTrainingOptions options{m_options, m_recipe, std::vector<int>(), folder.path()};
    options.recipe.epochs = 0;
    options.recipe.endToEndSteps = std::max(steps, 2);
    options.layers.resize(static_cast<std::size_t>(m_weights.config().layers));
    std::iota(options.layers.begin(), options.layers.end(), 0);
    const TensorFloat32 fast;
    StepClock clock(m_device);
    RunTraining training(m_weights, m_rope, std::move(options), m_device, m_context,
                         [&](double) { clock.tick(); });
    const c10::NoGradGuard guard;
    BDQ_CHECK(training.trainWholeModel(m_ids, m_embedded));
    const ModelConfig& config = m_weights.config();
    const auto tokens = static_cast<double>(m_recipe.batch * m_ids.size(1));
    const double head = 2.0 * tokens * static_cast<double>(config.vocabSize * config.hiddenSize);
    const double flops =
        kBlockPasses * config.layers * blockFlops(config, tokens, static_cast<double>(m_ids.size(1))) +
        kHeadPasses * head;
    return summary(clock.seconds(), flops, m_matmulRate());
}

} // namespace bdq
