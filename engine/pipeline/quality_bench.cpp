#include "engine/pipeline/quality_bench.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <optional>

#include <ATen/ATen.h>
#include <c10/core/CachingDeviceAllocator.h>

#include "engine/api/atomic_file.h"
#include "engine/api/results.h"
#include "engine/api/version.h"
#include "engine/io/model_reader.h"
#include "engine/io/sha256.h"
#include "engine/model/torch_guard.h"
#include "engine/pipeline/folder_lock.h"
#include "engine/pipeline/job_support.h"
#include "engine/pipeline/jobs.h"
#include "engine/pipeline/quality_table.h"
#include "engine/pipeline/run_folder.h"

namespace bdq {
namespace {

namespace fs = std::filesystem;
using Json = QualityTable::Json;

constexpr std::size_t kMaxResultBytes = std::size_t{256} << 20;

Result<std::string> fileHash(const std::string& path) {
    if (!fs::is_regular_file(path)) return fail(ErrorCode::NotFound, path + ": found no file, expected text");
    std::ifstream file(path, std::ios::binary);
    io::Sha256 hash;
    std::array<char, 1 << 16> buffer{};
    while (file) {
        file.read(buffer.data(), buffer.size());
        hash.update(std::as_bytes(std::span(buffer.data(), static_cast<std::size_t>(file.gcount()))));
    }
    if (!file.eof()) return fail(ErrorCode::Io, path + ": cannot be read");
    return hash.finishHex();
}

std::string hashOf(const Json& value) {
    const std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
    return io::sha256Hex(std::as_bytes(std::span(text.data(), text.size())));
}

/// From here on the peaks are those of what follows. Without it every row would show the largest row before
/// it. False when the system does not let us: then the host's peak means nothing.
bool resetPeakMemory(const ComputeDevice& device) {
    releaseFreedMemory();
    if (device.isCuda()) {
        at::empty({1},
                  at::TensorOptions().device(device.device)); // the allocator exists from the first tensor on
        c10::DeviceAllocator* allocator = c10::getDeviceAllocator(c10::kCUDA);
        allocator->emptyCache();
        allocator->resetPeakStats(device.device.index());
    }
    std::ofstream file("/proc/self/clear_refs");
    file << 5 << std::flush; // proc(5): resets VmHWM
    return file.good();
}

std::string nameOf(const RunSpec& spec) {
    return fs::path(spec.outDir).filename().string();
}

std::string titleOf(const RunSpec& spec) {
    return std::string(methodInfo(spec.method).id) + ":" + std::string(presetName(spec.preset)) + " " +
           formatScheme(spec.plan.base) + " seed " + std::to_string(spec.seed);
}

/// What a row is called and what it was made with.
Json beginRow(const RunSpec& spec, const std::string& fingerprint, const std::string& status) {
    const TrainingRecipe recipe = effectiveRecipe(spec);
    return Json{{"name", nameOf(spec)},
                {"fingerprint", fingerprint},
                {"status", status},
                {"method", methodInfo(spec.method).id},
                {"preset", presetName(spec.preset)},
                {"scheme", formatScheme(spec.plan.base)},
                {"seed", spec.seed},
                {"samples", spec.calibration.sequences},
                {"seq_len", spec.calibration.sequenceLength},
                {"epochs", recipe.epochs},
                {"e2e_steps", recipe.endToEndSteps},
                {"rounding", roundingName(effectiveRounding(spec))}};
}

Json recipeJson(const TrainingRecipe& recipe) {
    return Json{{"epochs", recipe.epochs},
                {"batch", recipe.batch},
                {"rate", recipe.rate},
                {"clipping_rate", recipe.clippingRate},
                {"weight_decay", recipe.weightDecay},
                {"learn_clipping", recipe.learnClipping},
                {"quantized_inputs", recipe.quantizedInputs},
                {"e2e_steps", recipe.endToEndSteps},
                {"e2e_rate", recipe.endToEndRate},
                {"e2e_clipping_rate", recipe.endToEndClippingRate},
                {"learn_rounding", recipe.learnRounding},
                {"rounding_rate", recipe.roundingRate},
                {"e2e_rounding_rate", recipe.endToEndRoundingRate},
                {"autocast", recipe.autocast},
                {"loss", logitLossName(recipe.loss)}};
}

void addFigures(Json& row, const Json& eval) {
    for (const char* key : {"perplexity", "perplexity_stderr", "perplexity_full", "kl", "top1_agreement",
                            "nll", "nll_stderr", "windows"})
        if (eval.contains(key)) row[key] = eval[key];
    if (row.contains("perplexity") && row.contains("perplexity_full") && row["perplexity"].is_number())
        row["gap"] = row["perplexity"].get<double>() - row["perplexity_full"].get<double>();
    if (eval.contains("tasks")) row["tasks"] = eval["tasks"];
}

class QualityBench {
public:
    QualityBench(const QualitySpec& spec, std::stop_token stop, const JobContext::Sink& sink)
        : m_spec(spec), m_stop(std::move(stop)), m_sink(sink), m_runs(qualityRuns(spec)) {}

    Result<QualityReport> run();

private:
    Status prepare();
    Result<Json> settings() const;
    [[nodiscard]] std::string fingerprintOf(const RunSpec& spec) const;
    [[nodiscard]] bool finished(const RunSpec& spec) const;
    Status checkUnchanged(const RunSpec& spec) const;
    Status measureFull();
    Status measure(const RunSpec& spec, const std::string& part);
    Result<Json> measuredRow(RunSpec spec, JobContext& context) const;
    Result<RunResult> quantized(const RunSpec& spec, JobContext& context) const;
    [[nodiscard]] JobContext contextOf(const std::string& part) const;

    const QualitySpec& m_spec;
    std::stop_token m_stop;
    const JobContext::Sink& m_sink;
    std::vector<RunSpec> m_runs;
    std::optional<FolderLock> m_lock;
    ComputeDevice m_device;
    std::string m_modelName;
    std::string m_modelFingerprint;
    std::string m_calibrationHash; ///< or "self"
    Json m_settings;
    std::optional<QualityTable> m_table;
};

/// A context whose stages and warnings begin with `part`.
JobContext QualityBench::contextOf(const std::string& part) const {
    return JobContext(m_stop, [this, part](const JobEvent& event) {
        if (const auto* stage = std::get_if<StageEvent>(&event))
            m_sink(StageEvent{part + ": " + stage->name, stage->layer, stage->secondsLeft});
        else if (const auto* warning = std::get_if<WarningEvent>(&event))
            m_sink(WarningEvent{part + ": " + warning->message});
        else
            m_sink(event);
    });
}

// What all rows of a table share. Files count by what is in them, not by where they are: a table may be
// continued on another machine.
Result<Json> QualityBench::settings() const {
    Json out{
        {"model", m_spec.modelPath}, {"model_name", m_modelName}, {"model_fingerprint", m_modelFingerprint}};
    if (!m_spec.evaluation.textPath.empty()) {
        out["text"] = fs::path(m_spec.evaluation.textPath).filename().string();
        BDQ_TRY(out["text_sha256"], fileHash(m_spec.evaluation.textPath));
        out["eval_seq_len"] = m_spec.evaluation.sequenceLength;
        out["max_windows"] = m_spec.evaluation.maxWindows;
    }
    out["bos"] = bosModeName(m_spec.evaluation.bos); // of both texts and the tasks
    out["tasks"] = Json::array();
    for (const std::string& task : m_spec.tasks) {
        BDQ_TRY(const std::string hash, fileHash(task));
        out["tasks"].push_back({{"file", fs::path(task).filename().string()}, {"sha256", hash}});
    }
    out["limit"] = m_spec.taskLimit;
    return out;
}

std::string QualityBench::fingerprintOf(const RunSpec& spec) const {
    Json all = m_settings;
    all.erase("model");
    all["row"] = beginRow(spec, {}, {});
    all["recipe"] = recipeJson(effectiveRecipe(spec));
    all["calibration"] = m_calibrationHash;
    all["version"] = version();
    return hashOf(all);
}

bool QualityBench::finished(const RunSpec& spec) const {
    const Json* row = m_table->find(nameOf(spec));
    return row != nullptr && (*row)["status"] == "finished" && (*row)["fingerprint"] == fingerprintOf(spec);
}

/// A finished row is not replaced by one that was made otherwise unless its run was removed.
Status QualityBench::checkUnchanged(const RunSpec& spec) const {
    const Json* row = m_table->find(nameOf(spec));
    if (row == nullptr || (*row)["status"] != "finished" || finished(spec) || !fs::exists(spec.outDir))
        return {};
    return fail(ErrorCode::InvalidSpec,
                m_spec.outDir + ": row " + nameOf(spec) +
                    " was measured with other settings; expected the same, another folder "
                    "(--out), or that " +
                    spec.outDir + " is removed to measure it again");
}

Status QualityBench::prepare() {
    BDQ_CHECK(validateQuality(m_spec));
    BDQ_TRY(m_device, openDevice(m_spec.device));
    BDQ_TRY(const io::ModelReader model, io::ModelReader::open(m_spec.modelPath));
    m_modelName = model.index().config.name;
    m_modelFingerprint = model.fingerprint();
    m_calibrationHash = m_spec.calibration.source;
    if (m_calibrationHash != "self") {
        BDQ_TRY(m_calibrationHash, fileHash(m_spec.calibration.source));
    }
    BDQ_TRY(m_settings, settings());
    BDQ_CHECK(prepareFolder(fs::path(m_spec.outDir) / "runs"));
    BDQ_TRY(m_lock, FolderLock::take(m_spec.outDir));
    BDQ_TRY(m_table, QualityTable::open(m_spec.outDir, m_settings));
    for (const RunSpec& spec : m_runs)
        BDQ_CHECK(checkUnchanged(spec));
    m_table->setStatus("incomplete");
    return {};
}

Status QualityBench::measureFull() {
    if (m_table->hasFull()) return {};
    JobContext context = contextOf("full model");
    resetPeakMemory(m_device);
    BDQ_TRY(const EvalResult result, evaluate(qualityEvaluation(m_spec, {}), context));
    Json full = Json::parse(encodeEval(result));
    full.erase("schema");
    full.erase("run");
    m_table->setFull(std::move(full));
    return m_table->save();
}

/// The run as it lies finished in its folder, or made now.
Result<RunResult> QualityBench::quantized(const RunSpec& spec, JobContext& context) const {
    const fs::path file = fs::path(spec.outDir) / "run.json";
    if (!spec.resume || !fs::exists(file)) return bdq::run(spec, context);
    BDQ_TRY(const RunFolder same,
            RunFolder::open(spec, m_modelFingerprint)); // refuses a run of something else
    BDQ_TRY(const std::string json, readTextFile(file, kMaxResultBytes));
    return decodeRun(json, file.string());
}

Result<Json> QualityBench::measuredRow(RunSpec spec, JobContext& context) const {
    const bool ownPeak = resetPeakMemory(m_device);
    spec.resume = fs::exists(fs::path(spec.outDir) / "manifest.txt");
    BDQ_TRY(const RunResult run, quantized(spec, context));
    BDQ_TRY(const EvalResult eval, evaluate(qualityEvaluation(m_spec, spec.outDir), context));
    Json row = beginRow(spec, fingerprintOf(spec), "finished");
    addFigures(row, Json::parse(encodeEval(eval)));
    const Provenance& made = run.provenance;
    row["average_weight_bits"] = run.averageWeightBits;
    row["resumed"] = run.spec.resume;
    row["run_seconds"] = made.seconds;
    row["eval_seconds"] = eval.provenance.seconds;
    row["peak_host_bytes"] = ownPeak ? Json(made.peakHostBytes) : Json();
    row["peak_device_bytes"] = made.peakDeviceBytes;
    row["version"] = made.version;
    row["torch"] = made.torch;
    row["device"] = made.device;
    row["device_name"] = made.deviceName;
    row["threads"] = made.threads;
    row["started_utc"] = made.startedUtc;
    row["run"] = "runs/" + nameOf(spec);
    return row;
}

Status QualityBench::measure(const RunSpec& spec, const std::string& part) {
    JobContext context = contextOf(part + ", " + titleOf(spec));
    BDQ_CHECK(context.checkCancelled());
    Result<Json> row = torchGuard([&] { return measuredRow(spec, context); });
    if (row) {
        m_table->put(std::move(*row));
    } else if (row.error().code == ErrorCode::Cancelled) {
        return passOn(std::move(row).error());
    } else {
        context.warning("failed: " + row.error().text());
        Json failed = beginRow(spec, fingerprintOf(spec), "failed");
        failed["error_code"] = errorCodeName(row.error().code);
        failed["error"] = row.error().text();
        m_table->put(std::move(failed));
    }
    return m_table->save();
}

Result<QualityReport> QualityBench::run() {
    BDQ_CHECK(prepare());
    BDQ_CHECK(measureFull());
    const std::string total = std::to_string(m_runs.size());
    for (std::size_t i = 0; i < m_runs.size(); ++i)
        if (!finished(m_runs[i]))
            BDQ_CHECK(measure(m_runs[i], "row " + std::to_string(i + 1) + " of " + total));
    QualityReport report;
    for (const RunSpec& spec : m_runs)
        report.failedRows += finished(spec) ? 0 : 1;
    m_table->setStatus(report.failedRows == 0 ? "finished" : "failed");
    BDQ_CHECK(m_table->save());
    report.json = m_table->json();
    report.markdown = m_table->markdown();
    return report;
}

} // namespace

Result<QualityReport> qualityBench(const QualitySpec& spec, const std::stop_token& stop,
                                   const JobContext::Sink& sink) {
    return torchGuard([&] { return QualityBench(spec, stop, sink).run(); });
}

} // namespace bdq
