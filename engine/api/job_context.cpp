#include "engine/api/job_context.h"

namespace bdq {
namespace {

constexpr std::chrono::milliseconds kInterval{100};

} // namespace

void JobContext::stage(std::string name, int layer) {
    emit(StageEvent{std::move(name), layer, m_secondsLeft});
}

void JobContext::preparation(double done, double total, const std::string& unit) {
    const Clock::time_point now = Clock::now();
    if (done < total && now - m_lastProgress < kInterval) return;
    m_lastProgress = now;
    emit(ProgressEvent{done, total, unit, -1});
}

void JobContext::progress(double done, double total, const std::string& unit) {
    const Clock::time_point now = Clock::now();
    const bool first = m_firstDone < 0 || done < m_firstDone;
    if (first) {
        m_firstProgress = now;
        m_firstDone = done;
        m_secondsLeft = -1;
    }
    const bool last = done >= total;
    if (!first && !last && now - m_lastProgress < kInterval) return;
    m_lastProgress = now;
    if (done > m_firstDone) {
        const double elapsed = std::chrono::duration<double>(now - m_firstProgress).count();
        m_secondsLeft = last ? 0.0 : elapsed * (total - done) / (done - m_firstDone);
    }
    emit(ProgressEvent{done, total, unit, m_secondsLeft});
}

} // namespace bdq
