#include "engine/api/job_context.h"

#include <thread>

#include <gtest/gtest.h>

namespace bdq {
namespace {

struct Recorded {
    std::vector<JobEvent> events;
    std::stop_source stop;
    JobContext context{stop.get_token(), [this](const JobEvent& event) { events.push_back(event); }};

    std::vector<ProgressEvent> progress() const {
        std::vector<ProgressEvent> found;
        for (const JobEvent& event : events)
            if (const auto* value = std::get_if<ProgressEvent>(&event)) found.push_back(*value);
        return found;
    }
};

TEST(JobContext, ThrottlesAllButTheFirstAndTheLast) {
    Recorded recorded;
    constexpr int kSteps = 1000;
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i <= kSteps; ++i)
        recorded.context.progress(i, kSteps, "layers");
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const std::vector<ProgressEvent> sent = recorded.progress();
    ASSERT_GE(sent.size(), 2U);
    EXPECT_LE(static_cast<double>(sent.size()), 2 + seconds * 10);
    EXPECT_EQ(sent.front().done, 0);
    EXPECT_LT(sent.front().secondsLeft, 0);
    EXPECT_EQ(sent.back().done, kSteps);
    EXPECT_EQ(sent.back().secondsLeft, 0);
    EXPECT_EQ(sent.back().unit, "layers");
}

TEST(JobContext, EstimatesTheTimeLeftFromTheRate) {
    Recorded recorded;
    recorded.context.progress(10, 40, "layers");
    const auto start = std::chrono::steady_clock::now();
    std::this_thread::sleep_for(std::chrono::milliseconds(120));
    recorded.context.progress(20, 40, "layers");
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const std::vector<ProgressEvent> sent = recorded.progress();
    ASSERT_EQ(sent.size(), 2U);
    // Ten took at least the sleep and at most what we measured around it; twenty are left.
    EXPECT_GE(sent[1].secondsLeft, 2 * 0.12);
    EXPECT_LE(sent[1].secondsLeft, 2 * (seconds + 0.05));
    recorded.context.stage("layer 2", 2);
    const auto& stage = std::get<StageEvent>(recorded.events.back());
    EXPECT_EQ(stage.layer, 2);
    EXPECT_EQ(stage.secondsLeft, sent[1].secondsLeft);
}

TEST(JobContext, StartsAgainWhenTheWorkStartsAgain) {
    Recorded recorded;
    recorded.context.progress(5, 10, "layers");
    recorded.context.progress(0, 3, "windows");
    const std::vector<ProgressEvent> sent = recorded.progress();
    ASSERT_EQ(sent.size(), 2U);
    EXPECT_LT(sent[1].secondsLeft, 0);
}

TEST(JobContext, PreparationHasNoTimeLeftAndIsThrottled) {
    Recorded recorded;
    for (int token = 1; token <= 1000; ++token)
        recorded.context.preparation(token, 1000, "tokens");
    recorded.context.progress(1, 4, "layers");
    const std::vector<ProgressEvent> sent = recorded.progress();
    ASSERT_GE(sent.size(), 3U);
    EXPECT_LT(sent.size(), 100U) << "1000 tokens in a few milliseconds";
    EXPECT_EQ(sent[sent.size() - 2].done, 1000);
    for (const ProgressEvent& event : sent)
        EXPECT_LT(event.secondsLeft, 0) << "the job's estimate starts with its own progress";
}

TEST(JobContext, CancelIsAnError) {
    Recorded recorded;
    EXPECT_TRUE(recorded.context.checkCancelled());
    recorded.stop.request_stop();
    ASSERT_FALSE(recorded.context.checkCancelled());
    EXPECT_EQ(recorded.context.checkCancelled().error().code, ErrorCode::Cancelled);
}

TEST(JobContext, WorksWithoutASink) {
    JobContext context;
    context.stage("calibrating");
    context.progress(1, 1, "layers");
    context.warning("nobody listens");
    EXPECT_FALSE(context.cancelled());
}

} // namespace
} // namespace bdq
