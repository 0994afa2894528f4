// What is known about one job, whoever runs it: this window, or a worker that went on without one.
#pragma once

#include <QString>

#include "engine/api/job_spec.h"
#include "engine/api/result.h"

namespace bdq {

enum class JobState { Queued, Running, Cancelling, Finished, Failed, Cancelled };

/// "queued", "running", "finished", "failed", "cancelled"; cancelling is written as running.
QString jobStateName(JobState state);
std::optional<JobState> jobStateFromName(const QString& name);

/// The job's own folder: of a sensitivity one in the folder of its analysis. Empty = it has none.
QString jobFolder(const JobSpec& spec);
/// Path of the model as the job names it; empty for reports.
std::string jobModelPath(const JobSpec& spec);

struct JobRecord {
    int id = 0;
    QString title;
    JobSpec spec;
    JobState state = JobState::Queued;
    QString stage;
    int layer = -1;
    double done = 0;
    double total = 0;
    QString unit;
    double secondsLeft = -1; ///< < 0 = unknown
    double seconds = 0;      ///< running time; final once the job ended
    QString device;          ///< what "auto" became; empty until accepted
    int checkpointLayer = -1;
    bool stopAfterLayer = false; ///< it is cancelled once the layer that it works on is on disk
    bool attached = false; ///< the worker goes on when the window closes: it was started by an earlier one
    qint64 processId = 0;  ///< of the worker; 0 = not running
    Error error;           ///< when failed
    QString summaryJson;   ///< when finished
    [[nodiscard]] bool active() const { return state == JobState::Running || state == JobState::Cancelling; }
    [[nodiscard]] bool over() const { return state >= JobState::Finished; }
    [[nodiscard]] QString folder() const { return jobFolder(spec); }
};

} // namespace bdq
