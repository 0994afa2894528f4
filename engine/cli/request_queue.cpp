#include "engine/cli/request_queue.h"

namespace bdq::cli {

std::vector<std::int64_t> RequestQueue::push(const SiteRequest& request) {
    std::vector<std::int64_t> replaced;
    const std::lock_guard lock(m_mutex);
    for (const SiteRequest& waiting : m_waiting)
        if (waiting.key == request.key) replaced.push_back(waiting.id);
    std::erase_if(m_waiting, [&request](const SiteRequest& waiting) { return waiting.key == request.key; });
    m_waiting.push_back(request);
    m_arrived.notify_one();
    return replaced;
}

std::optional<SiteRequest> RequestQueue::pop(std::chrono::milliseconds patience) {
    std::unique_lock lock(m_mutex);
    if (!m_arrived.wait_for(lock, patience, [this] { return !m_waiting.empty(); })) return std::nullopt;
    const SiteRequest request = m_waiting.front();
    m_waiting.pop_front();
    return request;
}

} // namespace bdq::cli
