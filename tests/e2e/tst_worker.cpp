// `bdq worker`: the protocol of design/style.md 6 with a real engine behind it.
#include <csignal>

#include "engine/api/job_event.h"
#include "tests/e2e/e2e_support.h"

namespace bdq::e2e {
namespace {

using namespace std::chrono_literals;

class Worker : public E2eTest {
protected:
    static std::vector<std::string> command() { return {program("bdq"), "worker"}; }

    static bool hasEvent(const std::string& out, const std::string& type) {
        return out.find("\"type\":\"" + type + "\"") != std::string::npos;
    }
    static auto seen(const std::string& type) {
        return [type](const std::string& out) { return hasEvent(out, type); };
    }

    /// Decodes everything; fails on anything that is no event, on gaps in seq, and unless exactly one
    /// terminal event ends it.
    static std::vector<JobEvent> decoded(const std::string& out) {
        std::vector<JobEvent> events;
        std::istringstream stream(out);
        std::string line;
        int terminals = 0;
        while (std::getline(stream, line)) {
            const Result<SequencedEvent> event = decodeEvent(line);
            EXPECT_TRUE(event.has_value()) << line;
            if (!event) continue;
            EXPECT_EQ(event->seq, events.size());
            terminals += isTerminal(event->event) ? 1 : 0;
            events.push_back(event->event);
        }
        EXPECT_EQ(terminals, 1) << out;
        EXPECT_TRUE(!events.empty() && isTerminal(events.back())) << out;
        EXPECT_TRUE(!events.empty() && std::holds_alternative<HelloEvent>(events.front())) << out;
        return events;
    }

    static std::string line(const JobCommand& command) { return encodeCommand(command) + "\n"; }

    [[nodiscard]] RunSpec smallRun(const std::string& out) const {
        RunSpec spec;
        spec.modelPath = model();
        spec.outDir = path(out);
        spec.plan.base = *parseScheme("W4A4KV4");
        spec.calibration = {text(), 4, 64};
        spec.device = {"cpu", 1};
        return spec;
    }
    [[nodiscard]] RunSpec longRun(const std::string& out) const {
        RunSpec spec = smallRun(out);
        spec.calibration = {"self", 4096, 512};
        return spec;
    }
    /// An analysis in `out`, and what is to be measured on it.
    [[nodiscard]] SensitivitySpec smallSensitivity(const std::string& out) const {
        const ProcessResult analyzed = bdq(std::vector<std::string>{"analyze", model(), "--out", path(out),
                                                                    "--transforms", "none,hadamard"} +
                                           smallCalibration());
        EXPECT_EQ(analyzed.exitCode, 0) << analyzed.err;
        SensitivitySpec spec;
        spec.analysisDir = path(out);
        spec.text = {text(), 2, 64};
        spec.device = {"cpu", 1};
        return spec;
    }
    static ErrorCode failureOf(const std::vector<JobEvent>& events) {
        auto* failed = std::get_if<FailedEvent>(&events.back());
        return failed != nullptr ? failed->error.code : ErrorCode::Internal;
    }
};

TEST_F(Worker, runsOneJobAndSaysSo) {
    Process worker(command());
    ASSERT_TRUE(worker.waitForOut(seen("hello")));
    worker.write(line(StartCommand{smallRun("r")}));
    ASSERT_TRUE(worker.waitForOut(seen("finished")));
    const ProcessResult result = worker.wait();
    EXPECT_EQ(result.exitCode, 0) << result.err;
    const std::vector<JobEvent> events = decoded(result.out);
    auto* hello = std::get_if<HelloEvent>(&events.front());
    ASSERT_NE(hello, nullptr);
    EXPECT_EQ(hello->devices.front().id, "cpu");
    ASSERT_GT(events.size(), 1u);
    EXPECT_TRUE(std::holds_alternative<AcceptedEvent>(events[1]));
    for (const char* type : {"stage", "progress", "row", "checkpoint", "artifact"})
        EXPECT_TRUE(hasEvent(result.out, type)) << type;
    auto* finished = std::get_if<FinishedEvent>(&events.back());
    ASSERT_NE(finished, nullptr);
    EXPECT_EQ(parse(finished->summaryJson)["status"], "finished");
    // The folder tells the same story.
    const std::vector<Json> logged = parseLines(readFile(path("r/events.jsonl")));
    ASSERT_EQ(logged.size(), events.size());
    EXPECT_EQ(logged.back()["type"], "finished");
}

TEST_F(Worker, evaluatesAndReports) {
    EvalSpec spec;
    spec.modelPath = model();
    spec.evaluation = {text(), 64, 1};
    spec.device = {"cpu", 1};
    Process worker(command());
    worker.write(line(StartCommand{spec}));
    ASSERT_TRUE(worker.waitForOut(seen("finished")));
    const std::vector<JobEvent> events = decoded(worker.wait().out);
    auto* finished = std::get_if<FinishedEvent>(&events.back());
    ASSERT_NE(finished, nullptr);
    EXPECT_GT(parse(finished->summaryJson)["perplexity"].get<double>(), 1.0);
}

TEST_F(Worker, measuresTheSensitivity) {
    const SensitivitySpec spec = smallSensitivity("a");
    const std::string analysisLog = readFile(path("a/events.jsonl"));
    Process worker(command());
    worker.write(line(StartCommand{spec}));
    ASSERT_TRUE(worker.waitForOut(seen("finished")));
    const ProcessResult result = worker.wait();
    EXPECT_EQ(result.exitCode, 0) << result.err;
    const std::vector<JobEvent> events = decoded(result.out);
    auto* accepted = std::get_if<AcceptedEvent>(&events.at(1));
    ASSERT_NE(accepted, nullptr);
    EXPECT_EQ(accepted->job, "sensitivity");
    EXPECT_EQ(accepted->layers, 2);
    ProgressEvent last;
    std::size_t stages = 0;
    for (const JobEvent& event : events) {
        if (auto* progress = std::get_if<ProgressEvent>(&event)) last = *progress;
        stages += std::holds_alternative<StageEvent>(event) ? 1 : 0;
    }
    EXPECT_GE(stages, 3u); // two layers and the comparison
    EXPECT_GT(last.total, 0);
    EXPECT_EQ(last.done, last.total);
    EXPECT_EQ(last.secondsLeft, 0);
    auto* finished = std::get_if<FinishedEvent>(&events.back());
    ASSERT_NE(finished, nullptr);
    EXPECT_EQ(parse(finished->summaryJson),
              parse(R"({"schema": 1, "job": "sensitivity", "file": "sensitivity.json"})"));
    const Json measured = parse(readFile(path("a/sensitivity.json")));
    EXPECT_EQ(measured["rows"].size(), 2u * 4u * 4u);
    EXPECT_EQ(measured["provenance"]["command"], commandLine(spec));
    // The log in the folder stays that of the analysis; the measurement has its own.
    EXPECT_EQ(readFile(path("a/events.jsonl")), analysisLog);
    EXPECT_EQ(parseLines(readFile(path("a/sensitivity/events.jsonl"))).back()["type"], "finished");
}

TEST_F(Worker, aCancelledSensitivityLeavesNothing) {
    SensitivitySpec spec = smallSensitivity("a");
    spec.text = {text(), 64, 512};
    Process worker(command());
    worker.write(line(StartCommand{spec}));
    ASSERT_TRUE(worker.waitForOut(seen("accepted")));
    worker.write(line(CancelCommand{}));
    const ProcessResult result = worker.wait(60s);
    EXPECT_EQ(result.exitCode, 0) << result.err;
    EXPECT_TRUE(std::holds_alternative<CancelledEvent>(decoded(result.out).back()));
    EXPECT_FALSE(std::filesystem::exists(path("a/sensitivity.json")));
}

TEST_F(Worker, aSensitivityOfNoAnalysisOrTextFails) {
    SensitivitySpec spec;
    spec.analysisDir = path("nowhere");
    for (const std::string& source : {path("absent.txt"), text()}) {
        spec.text.source = source;
        Process worker(command());
        worker.write(line(StartCommand{spec}));
        ASSERT_TRUE(worker.waitForOut(seen("failed")));
        EXPECT_EQ(failureOf(decoded(worker.wait(60s).out)), ErrorCode::NotFound) << source;
    }
    EXPECT_FALSE(std::filesystem::exists(path("nowhere")));
}

TEST_F(Worker, cancelsOnRequest) {
    Process worker(command());
    worker.write(line(StartCommand{longRun("r")}));
    ASSERT_TRUE(worker.waitForOut(seen("accepted")));
    worker.write(line(CancelCommand{}));
    const ProcessResult result = worker.wait(60s);
    EXPECT_EQ(result.exitCode, 0) << result.err;
    EXPECT_TRUE(std::holds_alternative<CancelledEvent>(decoded(result.out).back()));
}

TEST_F(Worker, cancelBeforeStart) {
    Process worker(command());
    worker.write(line(CancelCommand{}));
    const ProcessResult result = worker.wait(60s);
    EXPECT_EQ(result.exitCode, 0);
    EXPECT_TRUE(std::holds_alternative<CancelledEvent>(decoded(result.out).back()));
}

TEST_F(Worker, endsWithItsParent) {
    Process worker(command());
    worker.write(line(StartCommand{longRun("r")}));
    ASSERT_TRUE(worker.waitForOut(seen("accepted")));
    worker.closeInput();
    const ProcessResult result = worker.wait(60s);
    EXPECT_FALSE(result.timedOut);
    EXPECT_EQ(result.exitCode, 0) << result.err;
    EXPECT_TRUE(std::holds_alternative<CancelledEvent>(decoded(result.out).back()));
    EXPECT_EQ(parseLines(readFile(path("r/events.jsonl"))).back()["type"], "cancelled");
}

TEST_F(Worker, aDetachedJobOutlivesItsParent) {
    Process worker(command());
    worker.write(line(StartCommand{longRun("r")}));
    ASSERT_TRUE(worker.waitForOut(seen("accepted")));
    worker.write(line(DetachCommand{}));
    worker.closeInput();
    worker.closeOutput();
    const std::filesystem::path log = path("r/worker.log");
    ASSERT_TRUE(waitFor([&] { return std::filesystem::exists(log) && !readFile(log).empty(); }));
    // Alive: memory is said every second. Without the command it would have ended by then.
    const std::string before = readFile(path("r/events.jsonl"));
    ASSERT_TRUE(waitFor([&] { return readFile(path("r/events.jsonl")).size() > before.size(); }));
    EXPECT_FALSE(hasEvent(readFile(path("r/events.jsonl")), "cancelled"));
    writeFile(path("r/cancel"), "");
    const ProcessResult result = worker.wait(60s);
    EXPECT_FALSE(result.timedOut);
    EXPECT_EQ(result.exitCode, 0);
    EXPECT_EQ(parseLines(readFile(path("r/events.jsonl"))).back()["type"], "cancelled");
    EXPECT_FALSE(std::filesystem::exists(path("r/cancel")));
}

TEST_F(Worker, neverStarted) {
    const ProcessResult result = runProcess(command());
    EXPECT_EQ(result.exitCode, 0);
    EXPECT_TRUE(std::holds_alternative<CancelledEvent>(decoded(result.out).back()));
}

TEST_F(Worker, survivesAReaderThatWentAway) {
    Process worker(command());
    worker.write(line(StartCommand{longRun("r")}));
    ASSERT_TRUE(worker.waitForOut(seen("accepted")));
    worker.closeOutput();
    const ProcessResult result = worker.wait(60s);
    EXPECT_FALSE(result.timedOut);
    EXPECT_EQ(result.signal, 0) << "SIGPIPE must not end it";
    EXPECT_EQ(result.exitCode, 2);
}

TEST_F(Worker, terminateCancels) {
    Process worker(command());
    worker.write(line(StartCommand{longRun("r")}));
    ASSERT_TRUE(worker.waitForOut(seen("accepted")));
    worker.signal(SIGTERM);
    const ProcessResult result = worker.wait(60s);
    EXPECT_EQ(result.exitCode, 0);
    EXPECT_TRUE(std::holds_alternative<CancelledEvent>(decoded(result.out).back()));
}

TEST_F(Worker, refusesWhatIsNoCommand) {
    for (const std::string& bytes :
         {std::string("this is no command\n"), std::string("{\"type\":\"start\"}\n"),
          std::string("{\"type\":\"dance\"}\n"), std::string(kMaxLineBytes + 10, '{')}) {
        Process worker(command());
        worker.write(bytes);
        const ProcessResult result = worker.wait(60s);
        EXPECT_EQ(result.exitCode, 0) << result.err;
        EXPECT_EQ(failureOf(decoded(result.out)), ErrorCode::Protocol) << bytes.substr(0, 40);
    }
}

TEST_F(Worker, refusesASecondJob) {
    Process worker(command());
    worker.write(line(StartCommand{longRun("r")}) + line(StartCommand{longRun("r2")}));
    const ProcessResult result = worker.wait(60s);
    EXPECT_EQ(failureOf(decoded(result.out)), ErrorCode::Protocol);
    EXPECT_FALSE(std::filesystem::exists(path("r2")));
}

TEST_F(Worker, failsWithTheEnginesReason) {
    RunSpec spec = smallRun("r");
    spec.modelPath = path("absent.gguf");
    Process worker(command());
    worker.write(line(StartCommand{spec}));
    ASSERT_TRUE(worker.waitForOut(seen("failed")));
    const ProcessResult result = worker.wait(60s);
    EXPECT_EQ(result.exitCode, 0);
    EXPECT_EQ(failureOf(decoded(result.out)), ErrorCode::NotFound);
}

TEST_F(Worker, measuresSitesWhileItLives) {
    ASSERT_EQ(bdq(std::vector<std::string>{"analyze", model(), "--out", path("a"), "--transforms",
                                           "none,hadamard"} +
                  smallCalibration())
                  .exitCode,
              0);
    Process worker(command());
    worker.write(line(StartCommand{InspectSpec{model(), path("a"), {"cpu", 1}}}));
    ASSERT_TRUE(worker.waitForOut(seen("stage")));
    SiteRequest request{
        11, {1, Site::Down}, TransformKind::Hadamard, *parseScheme("W8A8"), WeightRounding::Rtn};
    worker.write(line(RequestCommand{request}));
    ASSERT_TRUE(worker.waitForOut(seen("row")));
    request.id = 12;
    request.key.layer = 7;
    worker.write(line(RequestCommand{request}));
    ASSERT_TRUE(worker.waitForOut(seen("request_failed")));
    worker.write(line(CancelCommand{}));
    const ProcessResult result = worker.wait(60s);
    EXPECT_EQ(result.exitCode, 0) << result.err;
    const std::vector<JobEvent> events = decoded(result.out);
    EXPECT_TRUE(std::holds_alternative<CancelledEvent>(events.back()));
    for (const JobEvent& event : events) {
        if (auto* row = std::get_if<RowEvent>(&event)) {
            const Result<SiteAnswer> answer = decodeAnswer(row->json);
            ASSERT_TRUE(answer.has_value());
            EXPECT_EQ(answer->id, 11);
            EXPECT_EQ(answer->scheme, "W8A8");
            EXPECT_GT(answer->sqnrDb, 20.0);
        } else if (auto* failed = std::get_if<RequestFailedEvent>(&event)) {
            EXPECT_EQ(failed->id, 12);
        }
    }
}

TEST_F(Worker, answersEveryRequestOfAFlood) {
    ASSERT_EQ(bdq(std::vector<std::string>{"analyze", model(), "--out", path("a"), "--transforms", "none"} +
                  smallCalibration())
                  .exitCode,
              0);
    Process worker(command());
    // Sent before the model is open, so that all but the last of a site are outdated when their turn comes.
    std::string lines = line(StartCommand{InspectSpec{model(), path("a"), {"cpu", 1}}});
    SiteRequest request{0, {0, Site::Qkv}, TransformKind::None, *parseScheme("W4A4"), WeightRounding::Rtn};
    for (int id = 0; id < 50; ++id) {
        request.id = id;
        request.key.layer = id % 2;
        lines += line(RequestCommand{request});
    }
    worker.write(lines);
    const auto answered = [](const std::string& out) {
        std::size_t count = 0;
        for (const char* type : {"\"request_failed\"", "\"site_answer\""})
            for (std::size_t at = out.find(type); at != std::string::npos; at = out.find(type, at + 1))
                ++count;
        return count >= 50;
    };
    ASSERT_TRUE(worker.waitForOut(answered));
    worker.closeInput();
    const ProcessResult result = worker.wait(60s);
    std::map<std::int64_t, std::string> fate;
    for (const JobEvent& event : decoded(result.out)) {
        if (auto* row = std::get_if<RowEvent>(&event))
            fate[decodeAnswer(row->json)->id] = "answered";
        else if (auto* failed = std::get_if<RequestFailedEvent>(&event)) {
            EXPECT_EQ(failed->error.code, ErrorCode::Cancelled);
            fate[failed->id] = "replaced";
        }
    }
    EXPECT_EQ(fate.size(), 50u);
    EXPECT_EQ(fate[48], "answered");
    EXPECT_EQ(fate[49], "answered");
}

} // namespace
} // namespace bdq::e2e
