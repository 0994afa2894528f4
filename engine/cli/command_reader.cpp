#include "engine/cli/command_reader.h"

#include <array>
#include <cerrno>

#include <poll.h>
#include <unistd.h>

namespace bdq::cli {
namespace {

constexpr std::chrono::milliseconds kPollInterval{100};

} // namespace

CommandReader::CommandReader(int fd, RequestSink onRequest)
    : m_fd(fd), m_onRequest(std::move(onRequest)),
      m_thread([this](const std::stop_token& stop) { read(stop); }) {}

Result<JobSpec> CommandReader::waitForStart(const std::function<bool()>& stopped) {
    std::unique_lock lock(m_mutex);
    while (!m_changed.wait_for(lock, kPollInterval, [this] { return m_spec || m_stopReason; }))
        if (stopped()) return fail(ErrorCode::Cancelled, "cancelled before it started");
    if (m_spec) return *m_spec;
    return tl::unexpected<Error>(*m_stopReason);
}

std::optional<Error> CommandReader::stopReason() {
    const std::lock_guard lock(m_mutex);
    return m_stopReason;
}

bool CommandReader::detached() {
    const std::lock_guard lock(m_mutex);
    return m_detached;
}

std::chrono::steady_clock::duration CommandReader::sinceEnd() {
    const std::lock_guard lock(m_mutex);
    return m_endedAt ? std::chrono::steady_clock::now() - *m_endedAt
                     : std::chrono::steady_clock::duration::zero();
}

void CommandReader::read(const std::stop_token& stop) {
    std::array<char, 4096> buffer{};
    while (!stop.stop_requested()) {
        pollfd waiting{m_fd, POLLIN, 0};
        const int ready = ::poll(&waiting, 1, static_cast<int>(kPollInterval.count()));
        if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
        const ssize_t count = ready < 0 ? -1 : ::read(m_fd, buffer.data(), buffer.size());
        if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (count <= 0) {
            if (detached()) return;
            stopWith(ErrorCode::Cancelled, "the program that started this worker is gone");
            const std::lock_guard lock(m_mutex);
            m_endedAt = std::chrono::steady_clock::now();
            return;
        }
        if (!takeBytes({buffer.data(), static_cast<std::size_t>(count)})) return;
    }
}

bool CommandReader::takeBytes(std::string_view bytes) {
    for (const char c : bytes) {
        if (c == '\n') {
            takeLine(m_line);
            m_line.clear();
        } else if (m_line.size() >= kMaxLineBytes) {
            stopWith(ErrorCode::Protocol, "command: found more than " + std::to_string(kMaxLineBytes) +
                                              " bytes without a line break");
            return false;
        } else
            m_line += c;
    }
    return true;
}

void CommandReader::takeLine(const std::string& line) {
    if (line.empty()) return;
    const Result<JobCommand> command = decodeCommand(line);
    if (!command) {
        stopWith(ErrorCode::Protocol, command.error().text());
    } else if (auto* start = std::get_if<StartCommand>(&*command)) {
        std::unique_lock lock(m_mutex);
        if (!m_spec) {
            m_spec = start->spec;
            m_changed.notify_all();
            return;
        }
        lock.unlock();
        stopWith(ErrorCode::Protocol, "command: found a second start, expected one job a process");
    } else if (auto* request = std::get_if<RequestCommand>(&*command)) {
        m_onRequest(request->request);
    } else if (std::holds_alternative<DetachCommand>(*command)) {
        const std::lock_guard lock(m_mutex);
        m_detached = m_spec && !std::holds_alternative<InspectSpec>(*m_spec);
    } else {
        stopWith(ErrorCode::Cancelled, "cancelled on request");
    }
}

void CommandReader::stopWith(ErrorCode code, const std::string& message) {
    const std::lock_guard lock(m_mutex);
    if (!m_stopReason) m_stopReason = Error{code, message, {}};
    m_changed.notify_all();
}

} // namespace bdq::cli
