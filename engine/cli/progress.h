// Progress of a job on stderr: a bar on a terminal, plain lines otherwise.
#pragma once

#include <chrono>
#include <string>

#include "engine/api/job_event.h"

namespace bdq::cli {

/// Takes the events of one job, one at a time.
class ProgressDisplay {
public:
    enum class Style { Bar, Lines };
    /// Bar when stderr is a terminal.
    static Style styleOfStderr();

    explicit ProgressDisplay(Style style) : m_style(style) {}
    ProgressDisplay(const ProgressDisplay&) = delete;
    ProgressDisplay& operator=(const ProgressDisplay&) = delete;
    /// Leaves the cursor on an empty line.
    ~ProgressDisplay();

    void take(const JobEvent& event);

private:
    using Clock = std::chrono::steady_clock;
    void show(bool newLayer);
    void clearBar();
    [[nodiscard]] std::string description() const;

    Style m_style;
    StageEvent m_stage;
    ProgressEvent m_progress;
    bool m_barShown = false;
    Clock::time_point m_shownAt{};
    std::string m_shownLine;
};

} // namespace bdq::cli
