#include "tests/fake_worker/protocol_io.h"

#include <chrono>
#include <cstdio>
#include <filesystem>
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
    else if (std::holds_alternative<DetachCommand>(*command))
        m_detached = true;
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
    const auto told = [this] { return m_cancelled || (m_ended && !m_detached); };
    if (m_changed.wait_for(lock, std::chrono::milliseconds(milliseconds), told)) return true;
    std::error_code ignored;
    return !m_cancelFile.empty() && std::filesystem::remove(m_cancelFile, ignored);
}

void CommandReader::waitForEnd(int seconds) {
    std::unique_lock lock(m_mutex);
    m_changed.wait_for(lock, std::chrono::seconds(seconds), [this] { return m_ended; });
}

void EventWriter::openLog(const std::string& folder) {
    if (folder.empty()) return;
    std::error_code ignored;
    std::filesystem::create_directories(folder, ignored);
    m_log.open(std::filesystem::path(folder) / kEventLogName, std::ios::app);
    m_log << encodeEvent(HelloEvent{}, 0) << '\n';
}

void EventWriter::write(const JobEvent& event) {
    const std::string line = encodeEvent(event, m_seq++) + '\n';
    if (m_log.is_open()) m_log << line << std::flush;
    writeRaw(line);
}

void EventWriter::writeRaw(const std::string& bytes) {
    std::fwrite(bytes.data(), 1, bytes.size(), stdout);
    std::fflush(stdout);
}

} // namespace bdq::fake
