#include "app/process_mark.h"

#include <fstream>
#include <sstream>

#include <csignal>

#include <sys/types.h>

namespace bdq {

namespace {

constexpr int kStartField = 22; // proc(5), /proc/PID/stat: starttime
constexpr int kStateField = 3;

/// The field of /proc/ID/stat; empty when it cannot be read.
std::string statField(std::int64_t id, int wanted) {
    std::ifstream file("/proc/" + std::to_string(id) + "/stat");
    std::string line;
    if (!std::getline(file, line)) return {};
    // Field 2 is the program's name in brackets and may hold anything.
    const std::size_t end = line.rfind(')');
    if (end == std::string::npos) return {};
    std::istringstream rest(line.substr(end + 1));
    std::string field;
    for (int number = kStateField; number <= wanted; ++number)
        if (!(rest >> field)) return {};
    return field;
}

} // namespace

ProcessMark ProcessMark::of(std::int64_t id) {
    return id > 0 ? ProcessMark{id, statField(id, kStartField)} : ProcessMark{};
}

ProcessMark ProcessMark::holderOf(const std::string& folder) {
    std::int64_t id = 0;
    if (!(std::ifstream(folder + "/lock") >> id) || id <= 0) return {};
    // A killed job leaves its file, and its number may be another program's by now.
    std::string name;
    std::getline(std::ifstream("/proc/" + std::to_string(id) + "/comm"), name);
    return name.starts_with("bdq") ? of(id) : ProcessMark{};
}

bool ProcessMark::alive() const {
    if (id <= 0) return false;
    if (startedTicks.empty()) return ::kill(static_cast<pid_t>(id), 0) == 0;
    // A zombie works no more: only its parent has not asked for its end yet.
    return statField(id, kStartField) == startedTicks && statField(id, kStateField) != "Z";
}

} // namespace bdq
