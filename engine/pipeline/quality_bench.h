// Methods x schemes x seeds on one model, each an ordinary run with an evaluation, in one table that grows
// row by row: DIR/quality.json, DIR/quality.md and the run folders DIR/runs/*.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/api/job_context.h"
#include "engine/api/job_spec.h"

namespace bdq {

struct QualityMethod {
    Method method = Method::Bdq;
    Preset preset = Preset::Fast;
    bool operator==(const QualityMethod&) const = default;
};

/// What `bdq bench quality` measures. All rows share text, lengths and tasks of the evaluation, so that one
/// table compares like with like.
struct QualitySpec {
    std::string modelPath;
    std::string outDir;
    std::vector<QualityMethod> methods; ///< >= 1, each once
    std::vector<Scheme> schemes;        ///< >= 1, each once
    std::vector<std::uint64_t> seeds{0};
    CalibrationOptions calibration{"self", 0, 2048}; ///< sequences = 0: every preset's own number
    TrainingOverrides training; ///< epochs, rate, batch: of the methods that train; steps and loss: of those
                                ///< that train end to end
    EvaluationOptions evaluation;     ///< textPath may be empty when there are tasks
    std::vector<std::string> tasks{}; ///< multiple-choice files
    int taskLimit = 0;                ///< only the first items of each task; 0 = all
    DeviceOptions device;
};

struct QualityReport {
    std::string json;     ///< quality.json
    std::string markdown; ///< quality.md
    int failedRows = 0;   ///< of those that were asked for
};

/// The runs in the order of the table: by seed, then scheme, then method. outDir is DIR/runs/
/// METHOD-PRESET-SCHEME-sSEED.
std::vector<RunSpec> qualityRuns(const QualitySpec& spec);
/// The evaluation of a run; of the full model for an empty runDir.
EvalSpec qualityEvaluation(const QualitySpec& spec, const std::string& runDir);
/// Checks every run and the evaluation without opening a file. Errors: InvalidSpec naming the row and the
/// field.
Status validateQuality(const QualitySpec& spec);

/// Measures the full model once, then every row that the table of an earlier call does not hold; an
/// interrupted run is resumed. The files are written after every row. A row that fails is kept with its
/// message and the others go on; a later call tries it again. Stages are announced as "row 2 of 8, bdq:best
/// W4A4 seed 0: ...", progress is the row's own. Errors: InvalidSpec when the table in outDir was measured
/// with another evaluation, or one of its rows with other settings; those of evaluate() for the full model;
/// Cancelled, with the finished rows on disk; Io, DiskFull.
Result<QualityReport> qualityBench(const QualitySpec& spec, const std::stop_token& stop,
                                   const JobContext::Sink& sink);

} // namespace bdq
