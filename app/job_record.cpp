#include "app/job_record.h"

#include <QDir>

#include <array>

#include "engine/api/sensitivity.h"

namespace bdq {

namespace {

struct StateName {
    JobState state;
    const char* name;
};
constexpr std::array<StateName, 5> kStateNames{{{JobState::Queued, "queued"},
                                                {JobState::Running, "running"},
                                                {JobState::Finished, "finished"},
                                                {JobState::Failed, "failed"},
                                                {JobState::Cancelled, "cancelled"}}};

} // namespace

QString jobStateName(JobState state) {
    if (state == JobState::Cancelling) state = JobState::Running;
    for (const StateName& entry : kStateNames)
        if (entry.state == state) return QString::fromLatin1(entry.name);
    return {};
}

std::optional<JobState> jobStateFromName(const QString& name) {
    for (const StateName& entry : kStateNames)
        if (name == QLatin1String(entry.name)) return entry.state;
    return std::nullopt;
}

QString jobFolder(const JobSpec& spec) {
    if (const auto* analyze = std::get_if<AnalyzeSpec>(&spec)) return QString::fromStdString(analyze->outDir);
    if (const auto* run = std::get_if<RunSpec>(&spec)) return QString::fromStdString(run->outDir);
    if (const auto* sensitivity = std::get_if<SensitivitySpec>(&spec))
        return QDir(QString::fromStdString(sensitivity->analysisDir))
            .filePath(QLatin1String(kSensitivityFolderName));
    return {};
}

std::string jobModelPath(const JobSpec& spec) {
    if (const auto* analyze = std::get_if<AnalyzeSpec>(&spec)) return analyze->modelPath;
    if (const auto* run = std::get_if<RunSpec>(&spec)) return run->modelPath;
    if (const auto* sensitivity = std::get_if<SensitivitySpec>(&spec)) return sensitivity->modelPath;
    return {};
}

} // namespace bdq
