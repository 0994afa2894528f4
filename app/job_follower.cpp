#include "app/job_follower.h"

#include <QDir>
#include <QFile>

#include <string_view>

namespace bdq {

namespace {

constexpr int kPauseMs = 1000;
constexpr qint64 kPieceBytes = 256 << 10;

} // namespace

JobFollower::JobFollower(const QString& folder, ProcessMark worker, QObject* parent)
    : JobChannel(parent), m_folder(folder), m_worker(std::move(worker)) {
    m_pause.setSingleShot(true);
    m_pause.setInterval(kPauseMs);
    connect(&m_pause, &QTimer::timeout, this, &JobFollower::look);
}

void JobFollower::start() {
    setState(State::Running);
    QTimer::singleShot(0, this, &JobFollower::look);
}

void JobFollower::cancel() {
    if (state() != State::Running) return;
    QFile file(QDir(m_folder).filePath(QLatin1String(kCancelFileName)));
    if (!file.open(QIODevice::WriteOnly)) {
        emit logReceived(tr("%1 cannot be written: %2").arg(file.fileName(), file.errorString()));
        return;
    }
    setState(State::Cancelling);
}

void JobFollower::look() {
    if (state() == State::Idle) return;
    // Asked before reading: what a process that has ended meanwhile wrote last is read then, too.
    const bool alive = m_worker.alive();
    const bool more = readSome();
    readLog();
    if (more)
        QTimer::singleShot(0, this, &JobFollower::look);
    else if (alive)
        m_pause.start();
    else
        end();
}

bool JobFollower::readSome() {
    QFile file(QDir(m_folder).filePath(QLatin1String(kEventLogName)));
    if (!file.open(QIODevice::ReadOnly)) return false;
    if (file.size() < m_offset) { // begun anew
        m_offset = 0;
        m_lines.reset();
    }
    if (!file.seek(m_offset)) return false;
    const QByteArray piece = file.read(kPieceBytes);
    m_offset += piece.size();
    for (const QByteArray& line : m_lines.feed(piece))
        take(line);
    return !piece.isEmpty();
}

void JobFollower::readLog() {
    QFile file(QDir(m_folder).filePath(QStringLiteral("worker.log")));
    if (!file.open(QIODevice::ReadOnly) || !file.seek(m_logOffset)) return;
    const QByteArray piece = file.read(kPieceBytes);
    m_logOffset += piece.size();
    if (!piece.isEmpty()) emit logReceived(QString::fromUtf8(piece));
}

void JobFollower::take(const QByteArray& line) {
    const auto decoded =
        decodeEvent(std::string_view(line.constData(), static_cast<std::size_t>(line.size())));
    if (!decoded) return; // the end of an attempt that was killed
    const JobEvent& event = decoded->event;
    if (std::holds_alternative<HelloEvent>(event)) m_outcome.reset(); // a further attempt
    if (const auto* finished = std::get_if<FinishedEvent>(&event))
        m_outcome = *finished;
    else if (const auto* failed = std::get_if<FailedEvent>(&event))
        m_outcome = *failed;
    else if (std::holds_alternative<CancelledEvent>(event))
        m_outcome = CancelledEvent{};
    else
        emit eventReceived(event);
}

void JobFollower::end() {
    const JobOutcome outcome = m_outcome.value_or(
        FailedEvent{Error{ErrorCode::WorkerCrashed,
                          tr("the worker (process %1) is gone and has not said how the job went")
                              .arg(m_worker.id)
                              .toStdString(),
                          {}}});
    setState(State::Idle);
    emit ended(outcome);
}

} // namespace bdq
