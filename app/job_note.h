// job.json in a job's folder: what the window knows about the job and its worker does not write. By it a job
// is found again by another window, also one that never ran or whose worker still works.
#pragma once

#include <cstdint>
#include <string>

#include "app/job_record.h"
#include "app/process_mark.h"

namespace bdq {

inline constexpr const char* kJobNoteName = "job.json";
inline constexpr int kJobNoteSchema = 1;

struct JobNote {
    int number = 0;          ///< "#3"; 0 = none
    std::string fingerprint; ///< of the model, io::ModelReader::fingerprint(); empty = unknown
    JobSpec spec;
    JobState state = JobState::Queued;
    std::string error; ///< when failed
    std::int64_t createdUnixMs = 0;
    double seconds = 0; ///< running time when it ended
    ProcessMark worker; ///< while it runs
};

std::string encodeJobNote(const JobNote& note);
/// Errors: BadFormat naming `label` and key, Unsupported for a newer schema.
Result<JobNote> decodeJobNote(std::string_view json, const std::string& label);

/// Of a job's folder, which is made when it is missing. Errors: Io, DiskFull.
Status saveJobNote(const std::string& folder, const JobNote& note);
/// Errors: NotFound, Io, BadFormat.
Result<JobNote> loadJobNote(const std::string& folder);

} // namespace bdq
