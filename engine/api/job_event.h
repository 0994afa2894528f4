// Worker protocol, version 1: JSON lines (design/style.md 6). The only codec, used at both ends of the pipe
// and for the events.jsonl of a run folder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/api/job_spec.h"
#include "engine/api/result.h"

namespace bdq {

inline constexpr int kProtocolVersion = 1;
/// A longer line is a protocol error.
inline constexpr std::size_t kMaxLineBytes = 1 << 20;
/// In a job's folder: every event of its worker, line by line.
inline constexpr const char* kEventLogName = "events.jsonl";
/// A file of this name in a job's folder cancels the job; the job removes it.
inline constexpr const char* kCancelFileName = "cancel";

struct DeviceInfo {
    std::string id;   ///< "cpu", "cuda:0"
    std::string name; ///< for people
    std::uint64_t memoryBytes = 0;
};

// From the worker.
struct HelloEvent {
    int protocol = kProtocolVersion;
    std::string build; ///< version of bdq
    std::string torch; ///< version of libtorch
    std::vector<DeviceInfo> devices;
};
struct AcceptedEvent {
    std::string job;
    std::string device; ///< the device that "auto" became
    std::string outDir;
    int layers = 0; ///< how many layers will be worked on
};
struct StageEvent {
    std::string name;        ///< e.g. "calibrating", "layer 3", "evaluating"
    int layer = -1;          ///< -1 = not about one layer
    double secondsLeft = -1; ///< estimate for the whole job; < 0 = unknown
};
struct ProgressEvent {
    double done = 0;
    double total = 0;
    std::string unit;        ///< "layers", "windows", "tokens"
    double secondsLeft = -1; ///< estimate for the whole job; < 0 = unknown
};
/// One finished (layer, site), as JSON text of the job's row type: the run's per_layer row, the analysis'
/// site entry (without arrays), or the resident mode's answer.
struct RowEvent {
    std::string kind; ///< "run_site", "analysis_site", "site_answer", "eval_window"
    std::string json;
};
struct ArtifactEvent {
    std::string path; ///< relative to outDir
    std::uint64_t bytes = 0;
};
struct WarningEvent {
    std::string message;
};
struct CheckpointEvent {
    int layer = -1;
};
struct MemoryEvent {
    std::uint64_t hostBytes = 0;
    std::uint64_t deviceBytes = 0;
};
/// Resident mode: one request could not be answered; the worker lives on.
struct RequestFailedEvent {
    std::int64_t id = 0;
    Error error;
};
// Terminal events: exactly one per job.
struct FinishedEvent {
    std::string summaryJson; ///< run.json, eval result, ... as JSON text
};
struct FailedEvent {
    Error error;
};
struct CancelledEvent {};

using JobEvent = std::variant<HelloEvent, AcceptedEvent, StageEvent, ProgressEvent, RowEvent, ArtifactEvent,
                              WarningEvent, CheckpointEvent, MemoryEvent, RequestFailedEvent, FinishedEvent,
                              FailedEvent, CancelledEvent>;

bool isTerminal(const JobEvent& event);

/// One line without the newline. `seq` counts from 0 within one worker.
std::string encodeEvent(const JobEvent& event, std::uint64_t seq);
struct SequencedEvent {
    std::uint64_t seq = 0;
    JobEvent event;
};
/// Errors: Protocol, naming the beginning of the line and what is wrong with it.
Result<SequencedEvent> decodeEvent(std::string_view line);

// To the worker.
struct StartCommand {
    JobSpec spec;
};
struct RequestCommand {
    SiteRequest request;
};
struct CancelCommand {};
/// The other end is about to go and the job is to go on without it: from now on its events are only in the
/// events.jsonl of its folder, its log is worker.log there, and the cancel file stops it.
struct DetachCommand {};
using JobCommand = std::variant<StartCommand, RequestCommand, CancelCommand, DetachCommand>;
std::string encodeCommand(const JobCommand& command);
Result<JobCommand> decodeCommand(std::string_view line);

std::string encodeAnswer(const SiteAnswer& answer);
Result<SiteAnswer> decodeAnswer(std::string_view json);

} // namespace bdq
