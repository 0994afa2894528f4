// Where the events of one job come from and what can be asked of it: a worker of this window (JobClient), or
// one that was started by an earlier window and goes on by itself (JobFollower).
#pragma once

#include <QObject>

#include <variant>

#include "engine/api/job_event.h"

namespace bdq {

/// How a job ended. Cancelled is not an error in user interfaces.
using JobOutcome = std::variant<FinishedEvent, FailedEvent, CancelledEvent>;

class JobChannel : public QObject {
    Q_OBJECT
public:
    enum class State { Idle, Running, Cancelling };
    using QObject::QObject;

    /// Asks the worker to stop. Does nothing when idle or already cancelling.
    virtual void cancel() = 0;
    /// Lets the worker go on without this window; ended() will not come. Does nothing when it does so anyway.
    virtual void detach() = 0;
    [[nodiscard]] virtual qint64 processId() const = 0;
    [[nodiscard]] State state() const { return m_state; }

signals:
    /// Every event that is not terminal.
    void eventReceived(const bdq::JobEvent& event);
    void logReceived(const QString& text);
    void stateChanged(bdq::JobChannel::State state);
    /// Once per job; state() is Idle again.
    void ended(const bdq::JobOutcome& outcome);

protected:
    void setState(State state) {
        if (m_state == state) return;
        m_state = state;
        emit stateChanged(state);
    }

private:
    State m_state = State::Idle;
};

} // namespace bdq
