#include "app/job_client.h"

#include <QDir>
#include <QThreadPool>

#include <csignal>
#include <string_view>

#include "app/job_record.h"
#include "engine/api/atomic_file.h"

namespace bdq {
namespace {

/// A worker that has said its last word gets this long to exit.
constexpr int kExitMs = 10000;
constexpr int kDetachMs = 1000;

QString signalName(int number) {
    switch (number) {
    case SIGABRT:
        return QStringLiteral("SIGABRT");
    case SIGBUS:
        return QStringLiteral("SIGBUS");
    case SIGFPE:
        return QStringLiteral("SIGFPE");
    case SIGILL:
        return QStringLiteral("SIGILL");
    case SIGKILL:
        return QStringLiteral("SIGKILL");
    case SIGSEGV:
        return QStringLiteral("SIGSEGV");
    case SIGTERM:
        return QStringLiteral("SIGTERM");
    default:
        return QStringLiteral("signal %1").arg(number);
    }
}

FailedEvent failedWith(ErrorCode code, const QString& message) {
    return FailedEvent{Error{code, message.toStdString(), {}}};
}

} // namespace

JobClient::JobClient(QString workerPath, QObject* parent)
    : JobChannel(parent), m_workerPath(std::move(workerPath)) {
    m_escalation.setSingleShot(true);
    connect(&m_escalation, &QTimer::timeout, this, &JobClient::escalate);
    makeProcess();
}

void JobClient::makeProcess() {
    m_process = std::make_unique<QProcess>();
    connect(m_process.get(), &QProcess::readyReadStandardOutput, this, &JobClient::readOutput);
    connect(m_process.get(), &QProcess::readyReadStandardError, this, &JobClient::readLog);
    connect(m_process.get(), &QProcess::finished, this, &JobClient::processFinished);
    // Qt sends no finished() for this one error, and both signals for every other (design/style.md 6.2).
    connect(m_process.get(), &QProcess::errorOccurred, this, [this](QProcess::ProcessError error) {
        if (error == QProcess::FailedToStart)
            end(failedWith(ErrorCode::WorkerCrashed, tr("%1: the worker program cannot be started: %2")
                                                         .arg(m_workerPath, m_process->errorString())));
    });
}

JobClient::~JobClient() {
    m_process->disconnect(this);
    if (m_process->state() != QProcess::NotRunning) {
        m_process->kill();
        m_process->waitForFinished(1000);
    }
}

Status JobClient::start(const JobSpec& spec) {
    if (state() != State::Idle)
        return fail(ErrorCode::InvalidSpec,
                    "a job is still running in this worker; cancel it or wait for its end");
    BDQ_CHECK(validate(spec));
    m_lines.reset();
    m_log.clear();
    m_outcome.reset();
    m_protocolError.reset();
    m_stoppedByUs = false;
    m_outDir = jobFolder(spec);
    setState(State::Running);
    m_process->start(m_workerPath, {QStringLiteral("worker")});
    if (m_process->state() != QProcess::NotRunning)
        m_process->write(QByteArray::fromStdString(encodeCommand(StartCommand{spec})) + '\n');
    return {};
}

bool JobClient::sendRequest(const SiteRequest& request) {
    if (state() != State::Running) return false;
    m_process->write(QByteArray::fromStdString(encodeCommand(RequestCommand{request})) + '\n');
    return true;
}

void JobClient::cancel() {
    if (state() != State::Running || m_outcome) return;
    setState(State::Cancelling);
    m_process->write(QByteArray::fromStdString(encodeCommand(CancelCommand{})) + '\n');
    m_escalation.start(m_patience.terminateMs);
}

void JobClient::detach() {
    if (state() == State::Idle) return;
    m_escalation.stop();
    m_process->disconnect(this);
    if (!m_outDir.isEmpty() && QDir(m_outDir).exists()) {
        // At once: the worker appends to it.
        const Status written = writeFileAtomically(logFile(), m_log.text().toStdString());
        if (!written) qWarning("%s", written.error().text().c_str());
    }
    m_process->write(QByteArray::fromStdString(encodeCommand(DetachCommand{})) + '\n');
    m_process->waitForBytesWritten(kDetachMs);
    m_process->closeWriteChannel();
    // A QProcess kills its process when it is destroyed: this one lives until the program has ended.
    static_cast<void>(m_process.release());
    makeProcess();
    setState(State::Idle);
}

void JobClient::closeInput() {
    m_process->closeWriteChannel();
}

void JobClient::escalate() {
    if (m_process->state() == QProcess::NotRunning) return;
    if (m_stoppedByUs || m_outcome || m_protocolError) {
        m_stoppedByUs = true;
        m_process->kill();
        return;
    }
    m_stoppedByUs = true;
    m_process->terminate();
    m_escalation.start(m_patience.killMs);
}

void JobClient::readOutput() {
    for (const QByteArray& line : m_lines.feed(m_process->readAllStandardOutput()))
        handleLine(line);
    if (m_lines.overflowed())
        failProtocol(tr("a line from the worker is longer than %1 bytes").arg(kMaxLineBytes));
}

void JobClient::readLog() {
    const QByteArray text = m_process->readAllStandardError();
    if (text.isEmpty()) return;
    m_log.append(text);
    emit logReceived(QString::fromUtf8(text));
}

void JobClient::handleLine(const QByteArray& line) {
    if (m_protocolError || m_outcome) return;
    auto decoded = decodeEvent(std::string_view(line.constData(), static_cast<std::size_t>(line.size())));
    if (!decoded) {
        failProtocol(QString::fromStdString(decoded.error().text()));
        return;
    }
    const JobEvent& event = decoded->event;
    if (const auto* hello = std::get_if<HelloEvent>(&event); hello && hello->protocol != kProtocolVersion) {
        failProtocol(tr("%1 speaks worker protocol %2, this window speaks %3")
                         .arg(m_workerPath)
                         .arg(hello->protocol)
                         .arg(kProtocolVersion));
        return;
    }
    if (!isTerminal(event)) {
        emit eventReceived(event);
        return;
    }
    if (const auto* finishedEvent = std::get_if<FinishedEvent>(&event))
        m_outcome = *finishedEvent;
    else if (const auto* failedEvent = std::get_if<FailedEvent>(&event))
        m_outcome = *failedEvent;
    else
        m_outcome = CancelledEvent{};
    m_process->closeWriteChannel();
    m_escalation.start(kExitMs);
}

void JobClient::failProtocol(const QString& what) {
    if (m_protocolError || m_outcome) return;
    m_protocolError = Error{ErrorCode::Protocol, what.toStdString(), {}};
    m_process->kill();
}

void JobClient::processFinished(int exitCode, QProcess::ExitStatus status) {
    readOutput();
    readLog();
    end(classify(exitCode, status));
}

JobOutcome JobClient::classify(int exitCode, QProcess::ExitStatus status) const {
    if (m_protocolError) return FailedEvent{*m_protocolError};
    if (m_outcome) return *m_outcome;
    if (m_stoppedByUs) return CancelledEvent{};
    if (status == QProcess::CrashExit) {
        const QString message = exitCode == SIGKILL
                                    ? tr("the worker was killed (SIGKILL): probably out of host memory")
                                    : tr("the worker crashed (%1)").arg(signalName(exitCode));
        return failedWith(ErrorCode::WorkerCrashed, withLogTail(message));
    }
    QString message =
        tr("the worker ended with exit code %1 and without saying how the job went").arg(exitCode);
    if (!m_lines.rest().isEmpty())
        message += tr(" (its last line was cut off after %1 bytes)").arg(m_lines.rest().size());
    return failedWith(ErrorCode::Protocol, withLogTail(message));
}

QString JobClient::withLogTail(const QString& message) const {
    const QString last = QString::fromUtf8(m_log.lastLine());
    return last.isEmpty() ? message : tr("%1; its last words: %2").arg(message, last);
}

void JobClient::end(const JobOutcome& outcome) {
    if (state() == State::Idle) return;
    m_escalation.stop();
    saveLog();
    setState(State::Idle);
    emit ended(outcome);
}

std::string JobClient::logFile() const {
    return QDir(m_outDir).filePath(QStringLiteral("worker.log")).toStdString();
}

void JobClient::saveLog() const {
    if (m_outDir.isEmpty() || m_log.text().isEmpty() || !QDir(m_outDir).exists()) return;
    const std::string target = logFile();
    // In the pool because an fsync may take longer than the GUI thread may block. A log that cannot be
    // written is not worth a second message beside the job's own.
    QThreadPool::globalInstance()->start([target, text = m_log.text().toStdString()] {
        const Status written = writeFileAtomically(target, text);
        if (!written) qWarning("%s", written.error().text().c_str());
    });
}

} // namespace bdq
