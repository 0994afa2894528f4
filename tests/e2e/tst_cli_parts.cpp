// Parts of the command line that need no process of their own.
#include <algorithm>
#include <array>
#include <cmath>
#include <thread>
#include <utility>

#include <gtest/gtest.h>
#include <unistd.h>

#include "engine/cli/command_reader.h"
#include "engine/cli/event_log.h"
#include "engine/cli/progress.h"
#include "engine/cli/request_queue.h"
#include "engine/cli/summaries.h"
#include "engine/cli/text.h"
#include "tests/e2e/e2e_support.h"

namespace bdq::cli {
namespace {

using namespace std::chrono_literals;

TEST(Text, numbers) {
    EXPECT_EQ(formatCount(0), "0");
    EXPECT_EQ(formatCount(999), "999");
    EXPECT_EQ(formatCount(1000), "1,000");
    EXPECT_EQ(formatCount(134515008), "134,515,008");
    EXPECT_EQ(formatCount(-1000), "-1,000");
    EXPECT_EQ(formatCount(-100), "-100");
    EXPECT_EQ(formatBytes(999), "999 bytes");
    EXPECT_EQ(formatBytes(98362432), "98.4 MB");
    EXPECT_EQ(formatBytes(999999999), "1.0 GB");
    EXPECT_EQ(formatDuration(-3), "0 s");
    EXPECT_EQ(formatDuration(59.6), "1:00");
    EXPECT_EQ(formatDuration(133), "2:13");
    EXPECT_EQ(formatDuration(3723), "1:02:03");
    EXPECT_EQ(formatNumber(24.1449, 2), "24.14");
    EXPECT_EQ(formatNumber(std::nan(""), 2), "-");
    EXPECT_EQ(formatNumber(INFINITY, 1), "inf");
}

TEST(Text, tablesAlignNumbersToTheRight) {
    TextTable table({"site", "dB"});
    table.add({"qkv", "7.5"});
    table.add({"gate_up", "-12.25"});
    EXPECT_EQ(table.render(""), "site         dB\n"
                                "qkv         7.5\n"
                                "gate_up  -12.25\n");
}

TEST(Text, longLinesAreWrappedAtBlanks) {
    EXPECT_EQ(wrapLines("  one two three four\nfive", 12), "  one two\n    three\n    four\nfive\n");
    EXPECT_EQ(wrapLines("unbreakable_word", 4), "unbreakable_word\n");
}

TEST(RequestQueueTest, aNewerRequestReplacesThoseOfItsSite) {
    RequestQueue queue;
    SiteRequest request{1, {0, Site::Qkv}, TransformKind::None, {}, WeightRounding::Rtn};
    EXPECT_TRUE(queue.push(request).empty());
    request.id = 2;
    request.key.layer = 1;
    EXPECT_TRUE(queue.push(request).empty());
    request.id = 3;
    request.key.layer = 0;
    EXPECT_EQ(queue.push(request), std::vector<std::int64_t>{1});
    EXPECT_EQ(queue.pop(0ms)->id, 2);
    EXPECT_EQ(queue.pop(0ms)->id, 3);
    EXPECT_FALSE(queue.pop(1ms).has_value());
}

class EventLogTest : public e2e::E2eTest {};

TEST_F(EventLogTest, appendsAfterALineThatWasCutOff) {
    e2e::writeFile(path("events.jsonl"), "{\"seq\":0}\n{\"seq\":1,\"ty");
    {
        Result<EventLog> log = EventLog::open(m_folder, true);
        ASSERT_TRUE(log.has_value());
        EXPECT_TRUE(log->write(WarningEvent{"one"}).has_value());
    }
    const std::vector<e2e::Json> lines = e2e::parseLines(e2e::readFile(path("events.jsonl")));
    ASSERT_EQ(lines.size(), 3u);
    EXPECT_EQ(lines[2]["message"], "one");
    ASSERT_TRUE(EventLog::open(m_folder, false).has_value());
    EXPECT_EQ(e2e::readFile(path("events.jsonl")), "");
}

TEST_F(EventLogTest, namesTheFileThatCannotBeWritten) {
    const Result<EventLog> log = EventLog::open(m_folder / "absent", false);
    ASSERT_FALSE(log.has_value());
    EXPECT_EQ(log.error().code, ErrorCode::Io);
    EXPECT_NE(log.error().message.find(path("absent/events.jsonl")), std::string::npos);
    std::filesystem::create_symlink("/dev/full", m_folder / "events.jsonl");
    Result<EventLog> full = EventLog::open(m_folder, false);
    ASSERT_TRUE(full.has_value());
    const Status written = full->write(WarningEvent{"one"});
    ASSERT_FALSE(written.has_value());
    EXPECT_EQ(written.error().code, ErrorCode::DiskFull);
    EXPECT_TRUE(full->write(WarningEvent{"two"}).has_value()) << "reported once";
}

/// A pipe with a CommandReader at its end.
class CommandReaderTest : public ::testing::Test {
protected:
    void SetUp() override { ASSERT_EQ(::pipe(m_ends.data()), 0); }
    void TearDown() override {
        closeWriter();
        ::close(m_ends[0]);
    }
    void send(const std::string& bytes) { ASSERT_TRUE(writeAll(m_ends[1], bytes, "pipe").has_value()); }
    void closeWriter() {
        if (m_ends[1] >= 0) ::close(std::exchange(m_ends[1], -1));
    }
    static bool never() { return false; }
    static std::optional<Error> waitForReason(CommandReader& reader) {
        for (int i = 0; i < 500; ++i) {
            if (std::optional<Error> reason = reader.stopReason()) return reason;
            std::this_thread::sleep_for(10ms);
        }
        return std::nullopt;
    }

    std::array<int, 2> m_ends{};
};

TEST_F(CommandReaderTest, takesALineInPieces) {
    std::vector<std::int64_t> requests;
    EvalSpec spec;
    spec.modelPath = "m";
    spec.evaluation.textPath = "t";
    {
        CommandReader reader(m_ends[0],
                             [&requests](const SiteRequest& request) { requests.push_back(request.id); });
        const std::string line = encodeCommand(StartCommand{spec}) + "\n";
        send(line.substr(0, 10));
        std::this_thread::sleep_for(20ms);
        send(line.substr(10));
        const Result<JobSpec> found = reader.waitForStart(never);
        ASSERT_TRUE(found.has_value());
        EXPECT_EQ(std::get<EvalSpec>(*found).modelPath, "m");
        EXPECT_FALSE(reader.stopReason().has_value());
        send(encodeCommand(RequestCommand{{7, {0, Site::O}, TransformKind::None, {}, WeightRounding::Rtn}}) +
             "\n");
        send(encodeCommand(CancelCommand{}) + "\n");
        EXPECT_EQ(waitForReason(reader)->code, ErrorCode::Cancelled);
        EXPECT_EQ(reader.sinceEnd().count(), 0);
    }
    EXPECT_EQ(requests, std::vector<std::int64_t>{7});
}

TEST_F(CommandReaderTest, endOfThePipeIsACancel) {
    CommandReader reader(m_ends[0], [](const SiteRequest&) {});
    closeWriter();
    const Result<JobSpec> found = reader.waitForStart(never);
    ASSERT_FALSE(found.has_value());
    EXPECT_EQ(found.error().code, ErrorCode::Cancelled);
}

TEST_F(CommandReaderTest, aLineWithoutEndIsRefused) {
    CommandReader reader(m_ends[0], [](const SiteRequest&) {});
    send(std::string(kMaxLineBytes + 1, 'x'));
    const Result<JobSpec> found = reader.waitForStart(never);
    ASSERT_FALSE(found.has_value());
    EXPECT_EQ(found.error().code, ErrorCode::Protocol);
}

TEST(Summaries, runOfPeopleNamesBothPerplexities) {
    RunResult run;
    run.model.name = "tiny";
    run.model.layers = 30;
    run.spec.layers = {0, 1, 2, 3, 4, 5};
    run.quantizedLayerBits = 4.19;
    run.warnings = {"something to know"};
    run.spec.plan.base = *parseScheme("W4A4KV4");
    EvalResult eval;
    eval.perplexity = 24.1449;
    eval.windows = 4;
    eval.sequenceLength = 2048;
    eval.text = "text.txt";
    eval.tokens = 304978;
    eval.nllError = 0.01;
    run.full = eval;
    eval.perplexity = 36.98;
    run.quantized = eval;
    run.averageWeightBits = 13.64;
    run.perLayer.push_back({{3, Site::Down}, "W4A4KV4", 12.5, 0.25, 0.5, 0.125, 0, 0});
    const std::string text = describeRun(run);
    for (const char* word :
         {"24.14 +- 0.24 -> 36.98 +- 0.37 (8,192 tokens, 6 of 30 layers", "4 windows of 2048", "304,978",
          "no BOS", "13.64 bit (4.19 in the 6 quantized layers of 30)", "down", "12.50", "0.125",
          "Note: something to know"})
        EXPECT_NE(text.find(word), std::string::npos) << word << "\n" << text;
}

TEST(Summaries, aSiteWithoutAValueIsNotTheWorst) {
    RunResult run;
    run.spec.plan.base = *parseScheme("W4A4KV4");
    const double none = std::numeric_limits<double>::quiet_NaN();
    for (int layer = 0; layer < 14; ++layer)
        run.perLayer.push_back({{layer, Site::Down},
                                "W4A4KV4",
                                layer % 2 == 0 ? none : 20.0 - layer,
                                0,
                                none,
                                none,
                                none,
                                none});
    const std::string text = describeRun(run);
    EXPECT_LT(text.find("    13  down"), text.find("     1  down")) << text;
    EXPECT_LT(text.find("     1  down"), text.find("     0  down")) << text;
    EXPECT_EQ(text.find("nan"), std::string::npos) << text;
}

TEST(Numbers, perplexitiesHaveFourDigits) {
    for (const auto& [value, text] : {std::pair{24.1454, "24.15"},
                                      {1.00004, "1.000"},
                                      {9.99961, "10.000"},
                                      {123.456, "123.5"},
                                      {1239.4, "1239"},
                                      {27466.3, "27470"},
                                      {3.2e7, "3.2e+07"}})
        EXPECT_EQ(formatPerplexity(value), text);
    EXPECT_EQ(formatPerplexity(0.5312, 2), "0.53");
    EXPECT_EQ(formatPerplexity(0.01234, 2), "0.012");
    EXPECT_EQ(formatPerplexity(std::numeric_limits<double>::quiet_NaN()), "-");
}

TEST(Progress, linesAreRareAndNameLayers) {
    ::testing::internal::CaptureStderr();
    {
        ProgressDisplay display(ProgressDisplay::Style::Lines);
        for (int layer = 0; layer < 3; ++layer) {
            display.take(StageEvent{"layer " + std::to_string(layer), layer, 100});
            for (int i = 0; i < 50; ++i)
                display.take(ProgressEvent{layer + i / 50.0, 3, "layers", 90});
        }
        display.take(WarningEvent{"careful"});
        display.take(FinishedEvent{"{}"});
    }
    const std::string text = ::testing::internal::GetCapturedStderr();
    EXPECT_NE(text.find("bdq: layer 2"), std::string::npos) << text;
    EXPECT_NE(text.find("bdq: warning: careful"), std::string::npos) << text;
    // One line a layer and the warning; progress within two seconds adds none.
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 4) << text;
}

TEST(Progress, theBarStaysOnItsLineAndCleansUp) {
    ::testing::internal::CaptureStderr();
    {
        ProgressDisplay display(ProgressDisplay::Style::Bar);
        display.take(StageEvent{"layer 0", 0, 100});
        display.take(ProgressEvent{1, 4, "layers", 75});
        display.take(FinishedEvent{"{}"});
    }
    const std::string text = ::testing::internal::GetCapturedStderr();
    EXPECT_NE(text.find("[......"), std::string::npos) << text;
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
    const std::string clear = "\r\033[K";
    EXPECT_EQ(text.substr(text.size() - clear.size()), clear);
}

} // namespace
} // namespace bdq::cli
