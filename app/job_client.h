// One job in its own process: starts `bdq worker`, speaks the worker protocol, and says exactly once how the
// job ended.
#pragma once

#include <QObject>
#include <QProcess>
#include <QTimer>

#include <optional>
#include <variant>

#include "app/line_splitter.h"
#include "app/log_ring.h"
#include "engine/api/job_event.h"

namespace bdq {

/// How a job ended. Cancelled is not an error in user interfaces.
using JobOutcome = std::variant<FinishedEvent, FailedEvent, CancelledEvent>;

/// States: idle -> running -> (cancelling) -> idle. Nothing here blocks; destroying a running client kills
/// its worker.
class JobClient : public QObject {
    Q_OBJECT
public:
    enum class State { Idle, Running, Cancelling };
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
    /// Asks the worker to stop; escalates to terminate() and kill(). Does nothing when idle or already
    /// cancelling.
    void cancel();
    /// Closes the worker's input: it finishes on its own, as when the window is gone.
    void closeInput();

    void setPatience(Patience patience) { m_patience = patience; }
    void setWorkerPath(const QString& path) { m_workerPath = path; }
    [[nodiscard]] State state() const { return m_state; }
    /// Last part of what the worker wrote to stderr.
    [[nodiscard]] const QByteArray& log() const { return m_log.text(); }

signals:
    /// Every event that is not terminal.
    void eventReceived(const bdq::JobEvent& event);
    void logReceived(const QString& text);
    void stateChanged(bdq::JobClient::State state);
    /// Once per job; state() is Idle again.
    void ended(const bdq::JobOutcome& outcome);

private:
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
    void setState(State state);

    QString m_workerPath;
    QProcess m_process;
    QTimer m_escalation;
    Patience m_patience;
    LineSplitter m_lines{kMaxLineBytes};
    LogRing m_log;
    State m_state = State::Idle;
    QString m_outDir;
    std::optional<JobOutcome> m_outcome;
    std::optional<Error> m_protocolError;
    bool m_stoppedByUs = false;
};

} // namespace bdq
