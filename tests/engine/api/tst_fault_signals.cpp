#include "engine/api/fault_signals.h"

#include <csignal>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

namespace bdq {
namespace {

/// Reads a mapped file after it became shorter.
void readBeyondTheEnd() {
    handleFaultSignals("bdq");
    const std::string path = ::testing::TempDir() + "bdq-shrinks";
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
    constexpr std::size_t kBytes = 1 << 16;
    if (fd < 0 || ::ftruncate(fd, kBytes) != 0) return;
    const void* data = ::mmap(nullptr, kBytes, PROT_READ, MAP_PRIVATE, fd, 0);
    ::unlink(path.c_str());
    if (data == MAP_FAILED || ::ftruncate(fd, 0) != 0) return;
    const volatile char* bytes = static_cast<const volatile char*>(data);
    [[maybe_unused]] const char last = bytes[kBytes - 1];
}

TEST(FaultSignals, AMappedFileThatBecameShorterEndsWithWordsAndOurExitCode) {
    EXPECT_EXIT(readBeyondTheEnd(), ::testing::ExitedWithCode(3), "bdq: error: .*shorter.*SIGBUS");
}

TEST(FaultSignals, WritesFailInsteadOfEndingTheProcess) {
    const auto writeNobodyReads = [] {
        handleFaultSignals("bdq");
        int ends[2];
        if (::pipe(ends) != 0) ::_exit(1);
        ::close(ends[0]);
        ::_exit(::write(ends[1], "x", 1) == -1 ? 7 : 1);
    };
    EXPECT_EXIT(writeNobodyReads(), ::testing::ExitedWithCode(7), "");
}

} // namespace
} // namespace bdq
