#include "engine/pipeline/folder_lock.h"

#include <csignal>
#include <fstream>
#include <optional>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bdq {
namespace {

namespace fs = std::filesystem;

class FolderLockTest : public ::testing::Test {
protected:
    void SetUp() override {
        m_folder = fs::path(::testing::TempDir()) / ("bdq-lock-" + std::to_string(::getpid()));
        fs::create_directories(m_folder);
    }
    void TearDown() override { fs::remove_all(m_folder); }

    fs::path m_folder;
};

TEST_F(FolderLockTest, TheSecondIsRefusedWithTheFolderAndTheProcess) {
    std::optional<FolderLock> first = FolderLock::take(m_folder).value();
    const Result<FolderLock> second = FolderLock::take(m_folder);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::InvalidSpec);
    for (const std::string& part : {m_folder.string(), "process " + std::to_string(::getpid())})
        EXPECT_NE(second.error().message.find(part), std::string::npos) << second.error().message;
    EXPECT_TRUE(fs::exists(m_folder / "lock")) << "the refused job must not give the folder away";
    EXPECT_FALSE(FolderLock::take(m_folder));
    first.reset();
    EXPECT_TRUE(fs::is_empty(m_folder)) << "nothing is left behind";
    EXPECT_TRUE(FolderLock::take(m_folder));
}

TEST_F(FolderLockTest, WhatAKilledProcessLeavesBehindStopsNobody) {
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        const Result<FolderLock> lock = FolderLock::take(m_folder);
        const char answer = lock ? 'y' : 'n';
        if (::write(ready[1], &answer, 1) != 1) ::_exit(1);
        while (true)
            ::pause();
    }
    char answer = '?';
    ASSERT_EQ(::read(ready[0], &answer, 1), 1);
    EXPECT_EQ(answer, 'y');
    const Result<FolderLock> refused = FolderLock::take(m_folder);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find(std::to_string(child)), std::string::npos)
        << refused.error().message;
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    EXPECT_TRUE(fs::exists(m_folder / "lock"));
    EXPECT_TRUE(FolderLock::take(m_folder));
    ::close(ready[0]);
    ::close(ready[1]);
}

TEST_F(FolderLockTest, ALockThatWasMovedIsStillOne) {
    FolderLock first = FolderLock::take(m_folder).value();
    FolderLock second = std::move(first);
    EXPECT_FALSE(FolderLock::take(m_folder));
    fs::create_directories(m_folder / "other");
    second = FolderLock::take(m_folder / "other").value();
    EXPECT_TRUE(FolderLock::take(m_folder));
}

TEST_F(FolderLockTest, AFolderThatIsNotThereIsAnError) {
    const Result<FolderLock> lock = FolderLock::take(m_folder / "absent");
    ASSERT_FALSE(lock);
    EXPECT_EQ(lock.error().code, ErrorCode::Io);
}

} // namespace
} // namespace bdq
