// A job whose worker goes on by itself: what it says is read from the event log in its folder, a cancel is a
// file there.
#pragma once

#include <QByteArray>
#include <QTimer>

#include <optional>

#include "app/job_channel.h"
#include "app/line_splitter.h"
#include "app/process_mark.h"

namespace bdq {

/// Looks once a second; a long log is read in pieces, so that nothing here takes long.
class JobFollower : public JobChannel {
    Q_OBJECT
public:
    /// `worker` is the process that works in `folder`.
    JobFollower(const QString& folder, ProcessMark worker, QObject* parent = nullptr);

    void start();
    void cancel() override;
    void detach() override {}
    [[nodiscard]] qint64 processId() const override { return m_worker.id; }
    void setPauseMs(int pauseMs) { m_pause.setInterval(pauseMs); }

private:
    void look();
    /// False when there was nothing new.
    bool readSome();
    void readLog();
    void take(const QByteArray& line);
    void end();

    QString m_folder;
    ProcessMark m_worker;
    QTimer m_pause;
    LineSplitter m_lines{kMaxLineBytes};
    qint64 m_offset = 0;
    qint64 m_logOffset = 0;
    std::optional<JobOutcome> m_outcome; ///< of the newest attempt in the log
};

} // namespace bdq
