// Requests of the resident mode on their way from the reading thread to the measuring one.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "engine/api/job_spec.h"

namespace bdq::cli {

/// Thread-safe.
class RequestQueue {
public:
    /// Appends a request. Returns the ids of waiting requests for the same site, which it replaces.
    std::vector<std::int64_t> push(const SiteRequest& request);
    /// The oldest request, or nothing when none comes in time.
    std::optional<SiteRequest> pop(std::chrono::milliseconds patience);

private:
    std::mutex m_mutex;
    std::condition_variable m_arrived;
    std::deque<SiteRequest> m_waiting;
};

} // namespace bdq::cli
