// Opens what people open: models, analysis folders, run folders and sessions. Pure functions for the thread
// pool.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/model_listing.h"
#include "app/result_scan.h"
#include "app/session_document.h"
#include "engine/api/model_index.h"
#include "engine/api/results.h"
#include "engine/api/sensitivity.h"

namespace bdq {

/// Header of a model.
struct LoadedModel {
    ModelIndex index;
    ModelStamp stamp;
    NotComputed notComputed = NotComputed::Nothing;
    Experts experts;
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

/// A part that could not be opened.
struct OpenProblem {
    enum class Missing { Nothing, Model, Result };
    std::string text;
    Missing missing = Missing::Nothing; ///< it may be somewhere else
};

/// Where to look for what belongs to a path.
struct LoadPlaces {
    std::vector<ResultPlace> results;
    bool autosaves = false; ///< whether edits of earlier days are looked for
};

/// All that one path brings.
struct LoadedContent {
    std::string path; ///< absolute
    std::optional<SessionDocument> session;
    std::optional<SessionDocument> earlier; ///< edits of the model without a session
    std::optional<LoadedModel> model;
    std::optional<LoadedAnalysis> analysis;
    std::vector<LoadedRun> runs;       ///< the last one is the one to show
    std::vector<OpenProblem> problems; ///< parts that could not be opened, beside those that could

    /// Of the model whose results these are; empty parts are unknown.
    [[nodiscard]] ModelMark mark() const;
};

/// Errors: of the part that `path` names; problems of parts it refers to go to `problems`. Results of a
/// session that are no longer where it says are looked for by the model's fingerprint.
Result<LoadedContent> loadContent(const std::string& path, const LoadPlaces& places = {});

Result<LoadedModel> loadModel(const std::string& path);
Result<LoadedAnalysis> loadAnalysis(const std::string& dir);
Result<LoadedRun> loadRun(const std::string& dir);

} // namespace bdq
