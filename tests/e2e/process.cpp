#include "tests/e2e/process.h"

#include <array>
#include <csignal>
#include <cstdlib>
#include <utility>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bdq::e2e {
namespace {

void closeFd(int& fd) {
    if (fd >= 0) ::close(std::exchange(fd, -1));
}

[[noreturn]] void becomeChild(const std::vector<std::string>& arguments,
                              const std::map<std::string, std::string>& environment) {
    for (const auto& [name, value] : environment) {
        if (value.empty())
            ::unsetenv(name.c_str());
        else
            ::setenv(name.c_str(), value.c_str(), 1);
    }
    std::vector<char*> words;
    for (const std::string& argument : arguments)
        words.push_back(const_cast<char*>(argument.c_str()));
    words.push_back(nullptr);
    ::execv(words.front(), words.data());
    ::_exit(127);
}

} // namespace

Process::Process(const std::vector<std::string>& arguments,
                 const std::map<std::string, std::string>& environment) {
    std::signal(SIGPIPE, SIG_IGN);
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    std::array<int, 2> err{};
    if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0 ||
        ::pipe2(err.data(), O_CLOEXEC) != 0)
        std::abort();
    m_pid = ::fork();
    if (m_pid == 0) {
        ::dup2(in[0], STDIN_FILENO);
        ::dup2(out[1], STDOUT_FILENO);
        ::dup2(err[1], STDERR_FILENO);
        std::signal(SIGPIPE, SIG_DFL);
        becomeChild(arguments, environment);
    }
    ::close(in[0]);
    ::close(out[1]);
    ::close(err[1]);
    m_in = in[1];
    m_out = out[0];
    m_err = err[0];
    m_outReader = std::thread([this] { collect(m_out, m_outText); });
    m_errReader = std::thread([this] { collect(m_err, m_errText); });
}

Process::~Process() {
    if (!m_reaped) {
        ::kill(m_pid, SIGKILL);
        reap(true);
    }
    closeFd(m_in);
    m_outReader.join();
    m_errReader.join();
    closeFd(m_out);
    closeFd(m_err);
}

void Process::collect(int fd, std::string& text) {
    std::array<char, 65536> buffer{};
    while (true) {
        const ssize_t count = ::read(fd, buffer.data(), buffer.size());
        const std::lock_guard lock(m_mutex);
        if (count <= 0) {
            --m_openStreams;
            m_changed.notify_all();
            return;
        }
        text.append(buffer.data(), static_cast<std::size_t>(count));
        m_changed.notify_all();
    }
}

void Process::write(const std::string& bytes) {
    std::string_view left = bytes;
    while (!left.empty()) {
        const ssize_t count = ::write(m_in, left.data(), left.size());
        if (count <= 0) return;
        left.remove_prefix(static_cast<std::size_t>(count));
    }
}

void Process::closeInput() {
    closeFd(m_in);
}

void Process::closeOutput() {
    // The reading thread owns the descriptor's use: let /dev/null take its place, which ends the pipe.
    const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::dup2(null, m_out);
    ::close(null);
}

void Process::signal(int number) {
    ::kill(m_pid, number);
}

bool Process::waitForOut(const std::function<bool(const std::string&)>& predicate,
                         std::chrono::seconds patience) {
    std::unique_lock lock(m_mutex);
    m_changed.wait_for(lock, patience, [&] { return predicate(m_outText) || m_openStreams == 0; });
    return predicate(m_outText);
}

bool Process::reap(bool block) {
    if (!m_reaped) m_reaped = ::waitpid(m_pid, &m_status, block ? 0 : WNOHANG) == m_pid;
    return m_reaped;
}

ProcessResult Process::wait(std::chrono::seconds patience) {
    ProcessResult result;
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!reap(false)) {
        if (std::chrono::steady_clock::now() > deadline) {
            result.timedOut = true;
            ::kill(m_pid, SIGKILL);
            reap(true);
            break;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    std::unique_lock lock(m_mutex);
    m_changed.wait_for(lock, std::chrono::seconds(10), [this] { return m_openStreams == 0; });
    result.out = m_outText;
    result.err = m_errText;
    if (WIFSIGNALED(m_status))
        result.signal = WTERMSIG(m_status);
    else
        result.exitCode = WEXITSTATUS(m_status);
    return result;
}

ProcessResult runProcess(const std::vector<std::string>& arguments,
                         const std::map<std::string, std::string>& environment,
                         std::chrono::seconds patience) {
    Process process(arguments, environment);
    process.closeInput();
    return process.wait(patience);
}

} // namespace bdq::e2e
