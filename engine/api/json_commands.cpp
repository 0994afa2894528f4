// Commands to the worker and the resident mode's answers as JSON.
#include "engine/api/job_event.h"
#include "engine/api/json_codec.h"

namespace bdq {
namespace json {
namespace {

constexpr std::int64_t kMaxCount = std::int64_t{1}
                                   << 53; // exact in a double, as other readers of JSON hold it

Json toJson(const StartCommand& command) {
    return Json{{"type", "start"}, {"spec", specToJson(command.spec)}};
}

Json toJson(const RequestCommand& command) {
    const SiteRequest& request = command.request;
    Json out{{"type", "request"}, {"id", request.id}};
    out.update(keyToJson(request.key));
    out["transform"] = transformInfo(request.transform).id;
    out["scheme"] = formatScheme(request.scheme);
    out["weights"] = roundingName(request.rounding);
    return out;
}

Json toJson(const CancelCommand&) {
    return Json{{"type", "cancel"}};
}

Json toJson(const DetachCommand&) {
    return Json{{"type", "detach"}};
}

SiteRequest readRequest(Reader& in) {
    SiteRequest request;
    request.id = in.integer<std::int64_t>("id", 0, kMaxCount);
    request.key = readKey(in);
    request.transform = readTransform(in, "transform");
    request.scheme = readScheme(in, "scheme");
    request.rounding = in.choice<WeightRounding>("weights", roundingFromName, "rtn, mse, output-mse or gptq");
    return request;
}

JobCommand readCommand(Reader& in) {
    const std::string type = in.text("type");
    if (type == "start") return StartCommand{readSpec(in.object("spec"))};
    if (type == "request") return RequestCommand{readRequest(in)};
    if (type == "cancel") return CancelCommand{};
    if (type == "detach") return DetachCommand{};
    in.refuse("type", "\"" + type.substr(0, 100) + "\"", "start, request, cancel or detach");
    return CancelCommand{};
}

} // namespace
} // namespace json

std::string encodeCommand(const JobCommand& command) {
    return json::dump(std::visit([](const auto& value) { return json::toJson(value); }, command));
}

Result<JobCommand> decodeCommand(std::string_view line) {
    const std::string label = "command";
    BDQ_TRY(const json::Json document, json::parseObject(line, label, ErrorCode::Protocol, kMaxLineBytes));
    json::ReadState state{label, ErrorCode::Protocol, {}};
    json::Reader reader(document, state);
    JobCommand command = json::readCommand(reader);
    BDQ_CHECK(reader.status());
    return command;
}

std::string encodeAnswer(const SiteAnswer& answer) {
    json::Json out{{"id", answer.id}};
    out.update(json::keyToJson(answer.key));
    out["transform"] = transformInfo(answer.transform).id;
    out["scheme"] = answer.scheme;
    out["sqnr_db"] = answer.sqnrDb;
    out["tokens"] = answer.tokens;
    out["seconds"] = answer.seconds;
    return json::dump(out);
}

Result<SiteAnswer> decodeAnswer(std::string_view text) {
    const std::string label = "answer";
    BDQ_TRY(const json::Json document, json::parseObject(text, label, ErrorCode::Protocol, kMaxLineBytes));
    json::ReadState state{label, ErrorCode::Protocol, {}};
    json::Reader reader(document, state);
    SiteAnswer answer;
    answer.id = reader.integer<std::int64_t>("id", 0, json::kMaxCount);
    answer.key = json::readKey(reader);
    answer.transform = json::readTransform(reader, "transform");
    answer.scheme = reader.text("scheme");
    answer.sqnrDb = reader.number("sqnr_db");
    answer.tokens = reader.integer<std::int64_t>("tokens", 0, json::kMaxCount);
    answer.seconds = reader.number("seconds");
    BDQ_CHECK(reader.status());
    return answer;
}

} // namespace bdq
