// Opens what people open: models, analysis folders, run folders and sessions. Pure functions for the thread
// pool.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/session_document.h"
#include "engine/api/model_index.h"
#include "engine/api/results.h"
#include "engine/api/sensitivity.h"

namespace bdq {

/// Header of a model.
struct LoadedModel {
    ModelIndex index;
    ModelStamp stamp;
};

struct LoadedAnalysis {
    std::string dir;
    std::shared_ptr<const AnalysisResult> result;
    std::shared_ptr<const SensitivityResult> sensitivity; ///< null = not measured, or not readable
    std::string problem;                                  ///< why the sensitivity is not readable
};

/// A run folder. An interrupted run has no run.json: its rows come from events.jsonl, its status is
/// "interrupted", and starting it again with `resume` continues it.
struct LoadedRun {
    std::string dir;
    std::shared_ptr<const RunResult> result;
    bool interrupted = false;
};

/// All that one path brings.
struct LoadedContent {
    std::string path; ///< absolute
    std::optional<SessionDocument> session;
    std::optional<LoadedModel> model;
    std::optional<LoadedAnalysis> analysis;
    std::vector<LoadedRun> runs;       ///< the last one is the one to show
    std::vector<std::string> problems; ///< parts that could not be opened, beside those that could
};

/// Errors: of the part that `path` names; problems of parts it refers to go to `problems`.
Result<LoadedContent> loadContent(const std::string& path);

/// Where the program may keep analyses of this model from earlier: the newest readable one under `folder`.
std::optional<LoadedAnalysis> newestAnalysis(const std::string& folder, const std::string& modelPath);

Result<LoadedModel> loadModel(const std::string& path);
Result<LoadedAnalysis> loadAnalysis(const std::string& dir);
Result<LoadedRun> loadRun(const std::string& dir);

} // namespace bdq
