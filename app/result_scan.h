// Finds the analyses and runs of one model in folders, whoever made them and wherever they lie. Pure
// functions for the thread pool.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/job_note.h"

namespace bdq {

/// A folder to look into.
struct ResultPlace {
    std::string folder;
    int depth = 1; ///< 0 = only the folder itself, 1 = the folders in it, too, ...
};

/// The model whose results are wanted.
struct ModelMark {
    std::string fingerprint; ///< of the weights; empty = unknown
    std::string path;        ///< results that do not name the weights are recognised by it
};

/// One result folder, read as far as a list needs it.
struct FoundResult {
    std::string folder;
    JobNote note; ///< made up from what is there when the folder has none: number 0
    bool noted = false;
    bool alive = false; ///< its worker is working
    bool resumable = false;
    std::string device;
    std::optional<double> perplexityFull;
    std::optional<double> perplexity;
    std::int64_t perplexityTokens = 0; ///< tokens that the perplexities were measured on
    int layers = 0;                    ///< of the model; 0 = unknown
};

/// Results of the model in these places and beside the model, oldest first. What cannot be read is left out:
/// other programs' folders are looked into, too.
std::vector<FoundResult> findResults(const std::vector<ResultPlace>& places, const ModelMark& model);

/// The folder that `missing` is now: of those with its name the one whose path ends most like it.
std::optional<std::string> findMoved(const std::vector<FoundResult>& results, const std::string& missing);

} // namespace bdq
