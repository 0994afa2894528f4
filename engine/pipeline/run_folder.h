// The folder of a run: spec.json (exact job), tokens.safetensors (calibration tokens), manifest.txt (what the
// layers depend on), layers/*.safetensors, analysis/ (before and after, analysis format), run.json at the
// end.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/api/results.h"
#include "engine/calibration/token_source.h"
#include "engine/pipeline/folder_lock.h"

namespace bdq {

class RunFolder {
public:
    /// A fresh folder, or with spec.resume one that holds a run of the same spec, model and version. No other
    /// job can open it while this object lives. Errors: Io; InvalidSpec when another job works in it, when it
    /// already holds a run and resume is not asked for, when a part differs (named with both values), or when
    /// there is nothing to resume.
    static Result<RunFolder> open(const RunSpec& spec, const std::string& modelFingerprint);

    /// Tokens of an earlier attempt, if the folder has them.
    [[nodiscard]] Result<std::optional<CalibrationTokens>> tokens() const;
    Status saveTokens(const CalibrationTokens& tokens);
    /// Whether each token has a row in the model's embedding: the file may be anybody's. Errors: BadFormat.
    [[nodiscard]] Status checkTokens(const CalibrationTokens& tokens, const ModelConfig& model) const;

    [[nodiscard]] std::filesystem::path layerPath(int layer) const;
    [[nodiscard]] bool hasLayer(int layer) const { return std::filesystem::exists(layerPath(layer)); }
    [[nodiscard]] const std::filesystem::path& path() const { return m_path; }
    [[nodiscard]] std::filesystem::path analysisPath() const { return m_path / "analysis"; }

private:
    RunFolder(std::filesystem::path path, FolderLock lock)
        : m_path(std::move(path)), m_lock(std::move(lock)) {}

    std::filesystem::path m_path;
    FolderLock m_lock;
};

} // namespace bdq
