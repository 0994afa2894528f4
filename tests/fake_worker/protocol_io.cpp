#include "tests/fake_worker/protocol_io.h"

#include <chrono>
#include <cstdio>
#include <iostream>

namespace bdq::fake {

CommandReader::CommandReader() {
    std::thread([this] { read(); }).detach();
}

void CommandReader::read() {
    std::string line;
    while (std::getline(std::cin, line))
        take(line);
    const std::lock_guard lock(m_mutex);
    m_ended = true;
    m_changed.notify_all();
}

void CommandReader::take(const std::string& line) {
    Result<JobCommand> command = decodeCommand(line);
    const std::lock_guard lock(m_mutex);
    if (!command)
        std::cerr << "fake_worker: " << command.error().text() << '\n';
    else if (auto* start = std::get_if<StartCommand>(&*command))
        m_spec = start->spec;
    else if (auto* request = std::get_if<RequestCommand>(&*command))
        m_requests.push_back(request->request);
    else
        m_cancelled = true;
    m_changed.notify_all();
}

std::optional<JobSpec> CommandReader::waitForStart() {
    std::unique_lock lock(m_mutex);
    m_changed.wait(lock, [this] { return m_spec || m_cancelled || m_ended; });
    return m_spec;
}

std::optional<SiteRequest> CommandReader::waitForRequest() {
    std::unique_lock lock(m_mutex);
    m_changed.wait(lock, [this] { return !m_requests.empty() || m_cancelled || m_ended; });
    if (m_requests.empty()) return std::nullopt;
    SiteRequest request = m_requests.front();
    m_requests.pop_front();
    return request;
}

bool CommandReader::cancelledWithin(int milliseconds) {
    std::unique_lock lock(m_mutex);
    return m_changed.wait_for(lock, std::chrono::milliseconds(milliseconds),
                              [this] { return m_cancelled || m_ended; });
}

void CommandReader::waitForEnd(int seconds) {
    std::unique_lock lock(m_mutex);
    m_changed.wait_for(lock, std::chrono::seconds(seconds), [this] { return m_ended; });
}

void EventWriter::write(const JobEvent& event) {
    writeRaw(encodeEvent(event, m_seq++) + '\n');
}

void EventWriter::writeRaw(const std::string& bytes) {
    std::fwrite(bytes.data(), 1, bytes.size(), stdout);
    std::fflush(stdout);
}

} // namespace bdq::fake
