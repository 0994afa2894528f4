// Names a process beyond the life of its parent: a number that is given to another process later does not
// match.
#pragma once

#include <cstdint>
#include <string>

namespace bdq {

struct ProcessMark {
    std::int64_t id = 0;      ///< 0 = none
    std::string startedTicks; ///< start in clock ticks since boot, from /proc; empty where there is none

    /// The mark of a running process; its ticks are empty when it is gone or there is no /proc.
    static ProcessMark of(std::int64_t id);
    /// The worker that has claimed a job's folder, whoever started it: from the file "lock" that it keeps
    /// there. Nothing is locked to find out: a job that is about to start must not be refused for it.
    static ProcessMark holderOf(const std::string& folder);
    /// The very process still runs.
    [[nodiscard]] bool alive() const;
};

} // namespace bdq
