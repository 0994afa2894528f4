#include "engine/api/atomic_file.h"

#include <csignal>
#include <filesystem>
#include <fstream>

#include <sys/resource.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace bdq {
namespace {

namespace fs = std::filesystem;

class AtomicFileTest : public testing::Test {
protected:
    AtomicFileTest() : folder(fs::temp_directory_path() / ("bdq-atomic-" + std::to_string(::getpid()))) {
        fs::create_directories(folder);
    }
    ~AtomicFileTest() override { fs::remove_all(folder); }
    [[nodiscard]] std::size_t filesInFolder() const {
        return static_cast<std::size_t>(
            std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
    }
    fs::path folder;
};

TEST_F(AtomicFileTest, AppearsWholeOnCommit) {
    const fs::path target = folder / "a.json";
    Result<AtomicFile> file = AtomicFile::create(target);
    ASSERT_TRUE(file) << file.error().text();
    ASSERT_TRUE(file->write("one "));
    ASSERT_TRUE(file->write("two"));
    EXPECT_FALSE(fs::exists(target));
    ASSERT_TRUE(file->commit());
    EXPECT_EQ(readTextFile(target, 100).value(), "one two");
    EXPECT_EQ(filesInFolder(), 1U);
    EXPECT_FALSE(file->commit());
    EXPECT_FALSE(file->write("more"));
}

TEST_F(AtomicFileTest, WithoutCommitTheOldFileStays) {
    const fs::path target = folder / "a.json";
    ASSERT_TRUE(writeFileAtomically(target, "old"));
    {
        Result<AtomicFile> file = AtomicFile::create(target);
        ASSERT_TRUE(file);
        ASSERT_TRUE(file->write("new"));
        EXPECT_EQ(filesInFolder(), 2U);
    }
    EXPECT_EQ(readTextFile(target, 100).value(), "old");
    EXPECT_EQ(filesInFolder(), 1U);
    ASSERT_TRUE(writeFileAtomically(target, "new"));
    EXPECT_EQ(readTextFile(target, 100).value(), "new");
}

TEST_F(AtomicFileTest, MovesKeepOneOwner) {
    Result<AtomicFile> first = AtomicFile::create(folder / "first");
    Result<AtomicFile> second = AtomicFile::create(folder / "second");
    ASSERT_TRUE(first && second);
    ASSERT_TRUE(second->write("2"));
    *first = std::move(*second); // discards the first
    EXPECT_EQ(filesInFolder(), 1U);
    AtomicFile third(std::move(*first));
    ASSERT_TRUE(third.commit());
    EXPECT_EQ(readTextFile(folder / "second", 10).value(), "2");
    EXPECT_EQ(filesInFolder(), 1U);
}

TEST_F(AtomicFileTest, NamesTheFileThatCannotBeCreated) {
    const fs::path missing = folder / "none" / "a.json";
    const Status status = writeFileAtomically(missing, "x");
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::Io);
    EXPECT_NE(status.error().message.find(missing.string()), std::string::npos) << status.error().message;
    EXPECT_NE(status.error().message.find("No such file"), std::string::npos) << status.error().message;
    // /proc refuses new files even to root.
    EXPECT_FALSE(writeFileAtomically("/proc/bdq-test", "x"));
    const Status onFolder = writeFileAtomically(folder, "x");
    ASSERT_FALSE(onFolder);
    EXPECT_NE(onFolder.error().message.find("folder"), std::string::npos) << onFolder.error().message;
}

TEST_F(AtomicFileTest, ARefusedWriteLeavesNothing) {
    struct rlimit old {};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
    auto* oldHandler = std::signal(SIGXFSZ, SIG_IGN);
    struct rlimit small = old;
    small.rlim_cur = 1000;
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    const fs::path target = folder / "big";
    const Status status = writeFileAtomically(target, std::string(5000, 'x'));
    ::setrlimit(RLIMIT_FSIZE, &old);
    std::signal(SIGXFSZ, oldHandler);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::Io);
    EXPECT_NE(status.error().message.find("too large"), std::string::npos) << status.error().message;
    EXPECT_EQ(filesInFolder(), 0U);
}

TEST_F(AtomicFileTest, ReadingIsBounded) {
    const fs::path path = folder / "t";
    ASSERT_TRUE(writeFileAtomically(path, std::string(600000, 'y')));
    EXPECT_EQ(readTextFile(path, 600000).value().size(), 600000U);
    const Result<std::string> refused = readTextFile(path, 599999);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::BadFormat);
    // Never ends; must not take memory without bound.
    EXPECT_EQ(readTextFile("/dev/zero", 1 << 20).error().message,
              "/dev/zero: found a device, expected a file");
    EXPECT_EQ(readTextFile(folder / "none", 10).error().code, ErrorCode::NotFound);
    EXPECT_EQ(readTextFile(folder, 10).error().code, ErrorCode::Io);
}

} // namespace
} // namespace bdq
