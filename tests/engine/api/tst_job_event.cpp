#include "engine/api/job_event.h"

#include <gtest/gtest.h>

#include "tests/engine/api/samples.h"

namespace bdq {
namespace {

const Error kError{ErrorCode::DiskFull, "a\nb \"c\": no space", "layer 3"};

std::vector<JobEvent> everyEvent() {
    return {
        HelloEvent{kProtocolVersion, "0.1.0", "2.11.0", {{"cpu", "CPU", 123}, {"cuda:0", "GPU", 1ULL << 37}}},
        AcceptedEvent{"run", "cuda:0", "out/run 1", 30},
        StageEvent{"layer 3", 3, 12.5},
        StageEvent{"calibrating"},
        ProgressEvent{3, 30, "layers", 99.25},
        RowEvent{"run_site", encodeRunRow(samples::runRow({1, Site::Down}))},
        RowEvent{"analysis_site", encodeSiteRow(samples::site({1, Site::Down}))},
        ArtifactEvent{"run.json", 1ULL << 50},
        WarningEvent{"short text"},
        CheckpointEvent{7},
        MemoryEvent{1, 2},
        RequestFailedEvent{12, kError},
        FinishedEvent{R"({"schema":1,"perplexity":39.5})"},
        FailedEvent{kError},
        CancelledEvent{}};
}

TEST(JobEvent, EveryEventSurvivesItsLine) {
    std::uint64_t seq = 5;
    for (const JobEvent& event : everyEvent()) {
        const std::string line = encodeEvent(event, ++seq);
        EXPECT_EQ(line.find('\n'), std::string::npos);
        const Result<SequencedEvent> again = decodeEvent(line);
        ASSERT_TRUE(again) << again.error().text();
        EXPECT_EQ(again->seq, seq);
        EXPECT_EQ(again->event.index(), event.index());
        EXPECT_EQ(encodeEvent(again->event, seq), line);
    }
}

TEST(JobEvent, FieldsLandWhereTheyBelong) {
    const auto decoded = [](const JobEvent& event) {
        return decodeEvent(encodeEvent(event, 0)).value().event;
    };
    const std::vector<JobEvent> events = everyEvent();
    const JobEvent hello = decoded(events[0]);
    EXPECT_EQ(std::get<HelloEvent>(hello).devices[1].memoryBytes, 1ULL << 37);
    EXPECT_EQ(std::get<HelloEvent>(hello).torch, "2.11.0");
    const JobEvent accepted = decoded(events[1]);
    EXPECT_EQ(std::get<AcceptedEvent>(accepted).outDir, "out/run 1");
    const JobEvent row = decoded(events[5]);
    EXPECT_EQ(decodeRunRow(std::get<RowEvent>(row).json, "row").value().key, (SiteKey{1, Site::Down}));
    EXPECT_EQ(std::get<RowEvent>(row).json, std::get<RowEvent>(events[5]).json);
    const JobEvent failed = decoded(events[13]);
    EXPECT_EQ(std::get<FailedEvent>(failed).error.code, ErrorCode::DiskFull);
    EXPECT_EQ(std::get<FailedEvent>(failed).error.text(), kError.text());
    const JobEvent progress = decoded(events[4]);
    EXPECT_EQ(std::get<ProgressEvent>(progress).secondsLeft, 99.25);
}

TEST(JobEvent, TerminalEvents) {
    int terminal = 0;
    for (const JobEvent& event : everyEvent())
        terminal += isTerminal(event) ? 1 : 0;
    EXPECT_EQ(terminal, 3);
}

TEST(JobEvent, RefusesWhatIsNotAnEvent) {
    struct Row {
        std::string line;
        std::string_view named;
    };
    const Row rows[] = {
        {"", "JSON"},
        {"torch prints to stdout", "torch prints"},
        {"{}", "seq"},
        {R"({"seq":-1,"type":"cancelled"})", "seq"},
        {R"({"seq":0})", "type"},
        {R"({"seq":0,"type":"dance"})", "dance"},
        {R"({"seq":0,"type":3})", "type"},
        {R"({"seq":0,"type":"hello","protocol":2,"build":"","torch":"","devices":[]})",
         "found 2, expected version 1"},
        {R"({"seq":0,"type":"hello","protocol":1,"build":"","torch":"","devices":[{"id":"cpu"}]})",
         "devices[0].name"},
        {R"({"seq":0,"type":"progress","done":"1","total":2,"unit":""})", "done"},
        {R"({"seq":0,"type":"checkpoint","layer":1e9})", "layer"},
        {R"({"seq":0,"type":"artifact","path":"x","bytes":-1})", "bytes"},
        {R"({"seq":0,"type":"row","kind":"run_site","row":"text"})", "row"},
        {R"({"seq":0,"type":"row","kind":"run_site"})", "row"},
        {R"({"seq":0,"type":"finished","summary":[]})", "summary"},
        {R"({"seq":0,"type":"failed","error":{"code":"io"}})", "error.message"},
        {R"({"seq":0,"type":"failed"})", "error"},
        {R"({"seq":0,"type":"cancelled"} trailing)", "JSON"},
        {R"({"seq":0,"type":"cancel)", "JSON"},
        {std::string(100000, '{'), "nested"},
        {"{\"seq\":0,\"type\":\"warning\",\"message\":\"" + std::string(kMaxLineBytes, 'x') + "\"}",
         "at most"},
    };
    for (const Row& row : rows) {
        const Result<SequencedEvent> event = decodeEvent(row.line);
        ASSERT_FALSE(event) << row.line.substr(0, 200);
        EXPECT_EQ(event.error().code, ErrorCode::Protocol);
        EXPECT_NE(event.error().message.find(row.named), std::string::npos) << row.line.substr(0, 200) << "\n"
                                                                            << event.error().message;
        EXPECT_LT(event.error().message.size(), 1000U);
    }
}

TEST(JobEvent, NeverWritesALineThatIsRefused) {
    const std::string big = "{\"x\":\"" + std::string(2 * kMaxLineBytes, 'x') + "\"}";
    for (const JobEvent& event :
         {JobEvent(FinishedEvent{big}), JobEvent(RowEvent{"analysis_site", big}), JobEvent(WarningEvent{big}),
          JobEvent(FailedEvent{{ErrorCode::Io, big, big}}),
          JobEvent(WarningEvent{std::string(kMaxLineBytes, '\x01')})}) {
        const std::string line = encodeEvent(event, 3);
        EXPECT_LE(line.size(), kMaxLineBytes);
        const Result<SequencedEvent> again = decodeEvent(line);
        ASSERT_TRUE(again) << again.error().text();
        EXPECT_EQ(isTerminal(again->event), isTerminal(event));
    }
}

TEST(JobEvent, InvalidUtf8IsReplacedNotRefused) {
    const Result<SequencedEvent> event = decodeEvent(encodeEvent(WarningEvent{"caf\xe9"}, 0));
    ASSERT_TRUE(event) << event.error().text();
    EXPECT_EQ(std::get<WarningEvent>(event->event).message, "caf\xEF\xBF\xBD");
}

} // namespace
} // namespace bdq
