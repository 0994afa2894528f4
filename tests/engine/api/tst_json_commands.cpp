#include <cmath>

#include <gtest/gtest.h>

#include "engine/api/job_event.h"
#include "tests/engine/api/samples.h"

namespace bdq {
namespace {

SiteRequest request() {
    return {77,
            {4, Site::Down},
            TransformKind::CatBlock128,
            parseScheme("W3g32 A4asym").value(),
            WeightRounding::Mse};
}

TEST(JsonCommands, EveryCommandSurvivesItsLine) {
    for (const JobCommand& command :
         {JobCommand(StartCommand{samples::runSpec()}), JobCommand(StartCommand{samples::inspectSpec()}),
          JobCommand(RequestCommand{request()}), JobCommand(CancelCommand{}), JobCommand(DetachCommand{})}) {
        const std::string line = encodeCommand(command);
        EXPECT_EQ(line.find('\n'), std::string::npos);
        const Result<JobCommand> again = decodeCommand(line);
        ASSERT_TRUE(again) << again.error().text();
        EXPECT_EQ(again->index(), command.index());
        EXPECT_EQ(encodeCommand(*again), line);
    }
    const JobCommand decoded = decodeCommand(encodeCommand(RequestCommand{request()})).value();
    const SiteRequest& again = std::get<RequestCommand>(decoded).request;
    EXPECT_EQ(again.id, 77);
    EXPECT_EQ(again.key, request().key);
    EXPECT_EQ(again.transform, TransformKind::CatBlock128);
    EXPECT_EQ(again.scheme, request().scheme);
    EXPECT_EQ(again.rounding, WeightRounding::Mse);
}

TEST(JsonCommands, RefusesHostileLines) {
    const std::pair<std::string, std::string_view> rows[] = {
        {"", "JSON"},
        {"cancel", "JSON"},
        {R"({"type":"stop"})", "stop"},
        {R"({"type":"start"})", "spec"},
        {R"({"type":"start","spec":{"schema":1,"job":"run"}})", "spec.model"},
        {R"({"type":"request","id":-1})", "id"},
        {R"({"type":"request","id":1,"layer":0,"site":"o","transform":"x","scheme":"W4","weights":"rtn"})",
         "transform"},
        {R"({"type":"request","id":1,"layer":0,"site":"o","transform":"bdq","scheme":"W","weights":"rtn"})",
         "scheme"},
        {R"({"type":"request","id":1,"layer":0,"site":"o","transform":"bdq","scheme":"W4","weights":"x"})",
         "weights"},
        {std::string(kMaxLineBytes + 1, ' '), "at most"},
    };
    for (const auto& [line, named] : rows) {
        const Result<JobCommand> command = decodeCommand(line);
        ASSERT_FALSE(command) << line.substr(0, 100);
        EXPECT_EQ(command.error().code, ErrorCode::Protocol);
        EXPECT_NE(command.error().message.find(named), std::string::npos) << command.error().message;
    }
}

TEST(JsonCommands, AnswersSurvive) {
    SiteAnswer answer{5, {1, Site::O}, TransformKind::Hadamard, "W4A4", 17.125, 512, 0.75};
    const SiteAnswer again = decodeAnswer(encodeAnswer(answer)).value();
    EXPECT_EQ(encodeAnswer(again), encodeAnswer(answer));
    EXPECT_EQ(again.key, answer.key);
    EXPECT_EQ(again.sqnrDb, 17.125);
    answer.sqnrDb = INFINITY; // nothing quantized
    EXPECT_TRUE(std::isnan(decodeAnswer(encodeAnswer(answer)).value().sqnrDb));
    EXPECT_FALSE(decodeAnswer("{}"));
    EXPECT_FALSE(decodeAnswer("[1]"));
}

} // namespace
} // namespace bdq
