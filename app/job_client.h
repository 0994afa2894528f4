// One job in its own process: starts `bdq worker`, speaks the worker protocol, and says exactly once how the
// job ended.
#pragma once

#include <QObject>
#include <QProcess>
#include <QTimer>

#include <memory>
#include <optional>

#include "app/job_channel.h"
#include "app/line_splitter.h"
#include "app/log_ring.h"

namespace bdq {

/// States: idle -> running -> (cancelling) -> idle. Nothing here blocks but detach(); destroying a running
/// client kills its worker.
class JobClient : public JobChannel {
    Q_OBJECT
public:
    /// Time until a worker that ignores `cancel` gets terminate(), and then kill() (design/style.md 6.3).
    struct Patience {
        int terminateMs = 3000;
        int killMs = 2000;
    };

    explicit JobClient(QString workerPath, QObject* parent = nullptr);
    ~JobClient() override;

    /// Starts a worker with this job. Errors: InvalidSpec from validate(), or when a job is still running.
    Status start(const JobSpec& spec);
    /// Resident mode: false when no job is running.
    bool sendRequest(const SiteRequest& request);
    /// Escalates to terminate() and kill().
    void cancel() override;
    /// Waits at most a second for the worker's pipe. The log so far is in the job's folder, where the worker
    /// goes on with it.
    void detach() override;
    [[nodiscard]] qint64 processId() const override { return m_process->processId(); }
    /// Closes the worker's input: it finishes on its own, as when the window is gone.
    void closeInput();

    void setPatience(Patience patience) { m_patience = patience; }
    void setWorkerPath(const QString& path) { m_workerPath = path; }
    /// Last part of what the worker wrote to stderr.
    [[nodiscard]] const QByteArray& log() const { return m_log.text(); }

private:
    void makeProcess();
    void readOutput();
    void readLog();
    void handleLine(const QByteArray& line);
    void failProtocol(const QString& what);
    void escalate();
    void processFinished(int exitCode, QProcess::ExitStatus status);
    [[nodiscard]] JobOutcome classify(int exitCode, QProcess::ExitStatus status) const;
    [[nodiscard]] QString withLogTail(const QString& message) const;
    void end(const JobOutcome& outcome);
    void saveLog() const;
    [[nodiscard]] std::string logFile() const;

    QString m_workerPath;
    std::unique_ptr<QProcess> m_process;
    QTimer m_escalation;
    Patience m_patience;
    LineSplitter m_lines{kMaxLineBytes};
    LogRing m_log;
    QString m_outDir;
    std::optional<JobOutcome> m_outcome;
    std::optional<Error> m_protocolError;
    bool m_stoppedByUs = false;
};

} // namespace bdq
