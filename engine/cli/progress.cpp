#include "engine/cli/progress.h"

#include <algorithm>
#include <cmath>
#include <iostream>

#include <sys/ioctl.h>
#include <unistd.h>

#include "engine/cli/log.h"
#include "engine/cli/text.h"

namespace bdq::cli {
namespace {

constexpr std::chrono::milliseconds kBarInterval{100};
constexpr std::chrono::seconds kLineInterval{2};
constexpr int kBarCells = 24;

std::size_t terminalColumns() {
    winsize size{};
    return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

double shareDone(const ProgressEvent& progress) {
    return progress.total > 0 ? std::clamp(progress.done / progress.total, 0.0, 1.0) : 0.0;
}

} // namespace

ProgressDisplay::Style ProgressDisplay::styleOfStderr() {
    return ::isatty(STDERR_FILENO) == 1 ? Style::Bar : Style::Lines;
}

ProgressDisplay::~ProgressDisplay() {
    clearBar();
}

void ProgressDisplay::take(const JobEvent& event) {
    if (auto* stage = std::get_if<StageEvent>(&event)) {
        const bool newLayer = stage->layer != m_stage.layer;
        m_stage = *stage;
        show(newLayer);
    } else if (auto* progress = std::get_if<ProgressEvent>(&event)) {
        m_progress = *progress;
        show(false);
    } else if (auto* warning = std::get_if<WarningEvent>(&event)) {
        clearBar();
        logWarning(warning->message);
    } else if (isTerminal(event))
        clearBar();
}

void ProgressDisplay::show(bool newLayer) {
    const Clock::time_point now = Clock::now();
    const auto waited = now - m_shownAt;
    if (m_style == Style::Lines) {
        const std::string line = description();
        if ((!newLayer && waited < kLineInterval) || line == m_shownLine) return;
        std::cerr << "bdq: " + line + "\n" << std::flush;
        m_shownLine = line;
    } else {
        if (m_barShown && waited < kBarInterval) return;
        const auto cells = static_cast<int>(std::lround(shareDone(m_progress) * kBarCells));
        std::string line = "[" + std::string(static_cast<std::size_t>(cells), '#') +
                           std::string(static_cast<std::size_t>(kBarCells - cells), '.') + "] " +
                           description();
        line.resize(std::min(line.size(), terminalColumns() - 1));
        std::cerr << "\r\033[K" + line << std::flush;
        m_barShown = true;
    }
    m_shownAt = now;
}

void ProgressDisplay::clearBar() {
    if (m_barShown) std::cerr << "\r\033[K" << std::flush;
    m_barShown = false;
}

std::string ProgressDisplay::description() const {
    std::string text = m_stage.name.empty() ? "working" : m_stage.name;
    if (m_stage.layer >= 0 && text.find("layer") == std::string::npos)
        text += ", layer " + std::to_string(m_stage.layer);
    if (m_progress.total > 0)
        text += ": " + formatCount(std::llround(m_progress.done)) + "/" +
                formatCount(std::llround(m_progress.total)) + " " + m_progress.unit + ", " +
                formatNumber(std::floor(100 * shareDone(m_progress)), 0) + " %";
    const double secondsLeft = m_progress.total > 0 ? m_progress.secondsLeft : m_stage.secondsLeft;
    if (secondsLeft > 0) text += ", " + formatDuration(secondsLeft) + " left";
    return text;
}

} // namespace bdq::cli
