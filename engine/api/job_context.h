// What every stage of a job gets: where to report, and when to stop.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "engine/api/job_event.h"

namespace bdq {

/// Progress and cancellation of one job. Not thread-safe: one pipeline thread uses it; the sink may hand
/// events on.
class JobContext {
public:
    using Sink = std::function<void(const JobEvent&)>;

    JobContext() = default;
    JobContext(std::stop_token stop, Sink sink) : m_stop(std::move(stop)), m_sink(std::move(sink)) {}

    void emit(const JobEvent& event) const {
        if (m_sink) m_sink(event);
    }
    /// Announces a stage. `layer` = -1 when it is not about one layer.
    void stage(std::string name, int layer = -1);
    /// Whole-job progress; throttled to 10 events a second except the first and the last. The time left is
    /// estimated from the time since the first call with a smaller `done`.
    void progress(double done, double total, const std::string& unit);
    /// Progress of a preparation whose share of the job is not known yet: throttled like progress(), no time
    /// left.
    void preparation(double done, double total, const std::string& unit);
    /// Says it and remembers it for the result.
    void warning(std::string message) {
        m_warnings.push_back(message);
        emit(WarningEvent{std::move(message)});
    }
    /// All warnings so far, in their order.
    [[nodiscard]] const std::vector<std::string>& warnings() const { return m_warnings; }

    [[nodiscard]] bool cancelled() const { return m_stop.stop_requested(); }
    /// Cancelled error when the user asked to stop.
    [[nodiscard]] Status checkCancelled() const {
        if (cancelled()) return fail(ErrorCode::Cancelled, "cancelled on request");
        return {};
    }

private:
    using Clock = std::chrono::steady_clock;
    std::stop_token m_stop;
    Sink m_sink;
    std::vector<std::string> m_warnings;
    Clock::time_point m_firstProgress{};
    Clock::time_point m_lastProgress{};
    double m_firstDone = -1;
    double m_secondsLeft = -1;
};

} // namespace bdq
