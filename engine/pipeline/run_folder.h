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

namespace bdq {

class RunFolder {
public:
    /// A fresh folder, or with spec.resume one that holds a run of the same spec, model and version.
    /// Errors: Io; InvalidSpec when the folder already holds a run and resume is not asked for, or when a
    /// part differs (named with both values), or when there is nothing to resume.
    static Result<RunFolder> open(const RunSpec& spec, const std::string& modelFingerprint);

    /// Tokens of an earlier attempt, if the folder has them.
    [[nodiscard]] Result<std::optional<CalibrationTokens>> tokens() const;
    Status saveTokens(const CalibrationTokens& tokens);

    [[nodiscard]] std::filesystem::path layerPath(int layer) const;
    [[nodiscard]] bool hasLayer(int layer) const { return std::filesystem::exists(layerPath(layer)); }
    [[nodiscard]] const std::filesystem::path& path() const { return m_path; }
    [[nodiscard]] std::filesystem::path analysisPath() const { return m_path / "analysis"; }

private:
    explicit RunFolder(std::filesystem::path path) : m_path(std::move(path)) {}

    std::filesystem::path m_path;
};

} // namespace bdq
