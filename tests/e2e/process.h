// Child processes for tests: what they print, how they end.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <sys/types.h>

namespace bdq::e2e {

struct ProcessResult {
    int exitCode = -1; ///< -1 when it was ended by a signal
    int signal = 0;
    bool timedOut = false; ///< killed by us because it took too long
    std::string out;
    std::string err;
};

/// A running child. The destructor kills it.
class Process {
public:
    /// Starts arguments[0] with the environment of the test plus `environment`; an empty value removes a
    /// variable.
    explicit Process(const std::vector<std::string>& arguments,
                     const std::map<std::string, std::string>& environment = {});
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    ~Process();

    void write(const std::string& bytes);
    void closeInput();
    /// Stops listening to the child's stdout, as a reader that went away.
    void closeOutput();
    void signal(int number);
    /// True when stdout so far satisfies `predicate` within `patience`; false also when the child ends
    /// without.
    bool waitForOut(const std::function<bool(const std::string&)>& predicate,
                    std::chrono::seconds patience = std::chrono::seconds(60));
    /// Waits for the end; kills it after `patience`.
    ProcessResult wait(std::chrono::seconds patience = std::chrono::seconds(100));

private:
    void collect(int fd, std::string& text);
    bool reap(bool block);

    pid_t m_pid = -1;
    int m_in = -1;
    int m_out = -1;
    int m_err = -1;
    int m_status = 0;
    bool m_reaped = false;
    int m_openStreams = 2;
    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::string m_outText;
    std::string m_errText;
    std::thread m_outReader;
    std::thread m_errReader;
};

/// Starts, closes stdin, waits.
ProcessResult runProcess(const std::vector<std::string>& arguments,
                         const std::map<std::string, std::string>& environment = {},
                         std::chrono::seconds patience = std::chrono::seconds(100));

} // namespace bdq::e2e
