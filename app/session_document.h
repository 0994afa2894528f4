// name.bdqsession: which model, analysis and runs belong together, and the plan that is being edited.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "app/plan_state.h"
#include "engine/api/result.h"

namespace bdq {

inline constexpr int kSessionSchema = 1;
/// A session file is small; a larger one is not a session.
inline constexpr std::size_t kMaxSessionBytes = 16 << 20;

/// What tells that a model file is still the one the session was made with.
struct ModelStamp {
    std::uint64_t sizeBytes = 0;
    std::int64_t modifiedUnixSeconds = 0;
    std::string fingerprint; ///< of the header, io::ModelReader::fingerprint()
};

/// Paths are absolute here and relative to the session file on disk.
struct SessionDocument {
    std::string modelPath;
    ModelStamp stamp;
    std::string analysisDir; ///< empty = none
    std::vector<std::string> runDirs;
    PlanState state;
    std::string notes;
};

/// `folder` is the folder of the session file.
std::string encodeSession(const SessionDocument& document, const std::filesystem::path& folder);
/// Errors: BadFormat naming file and key; Unsupported for a newer schema, naming both versions.
Result<SessionDocument> decodeSession(std::string_view json, const std::string& label,
                                      const std::filesystem::path& folder);

Status saveSession(const SessionDocument& document, const std::filesystem::path& path);
Result<SessionDocument> loadSession(const std::filesystem::path& path);

} // namespace bdq
