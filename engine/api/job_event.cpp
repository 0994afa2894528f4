#include "engine/api/job_event.h"

#include "engine/api/json_codec.h"

namespace bdq {
namespace json {
namespace {

constexpr std::int64_t kMaxCount = std::int64_t{1}
                                   << 53; // exact in a double, as other readers of JSON hold it
constexpr int kMaxLayerNumber = 1 << 20;
/// Keeps every line far below kMaxLineBytes; JSON escapes take at most six times the room.
constexpr std::size_t kMaxMessageBytes = std::size_t{1} << 16;

std::string shortened(const std::string& text) {
    return text.size() <= kMaxMessageBytes ? text : text.substr(0, kMaxMessageBytes) + "...";
}

Json errorToJson(const Error& error) {
    return Json{{"code", errorCodeName(error.code)},
                {"message", shortened(error.message)},
                {"context", shortened(error.context)}};
}

Error readError(Reader in) {
    return {errorCodeFromName(in.text("code")), in.text("message"), in.text("context", std::string())};
}

/// JSON text becomes a nested object. Text that is none stays a string, which the reader at the other end
/// refuses.
Json nested(const std::string& text) {
    Result<Json> value = parseObject(text, "payload", ErrorCode::Internal);
    return value ? std::move(*value) : Json(shortened(text));
}

Json toJson(const HelloEvent& event) {
    Json devices = Json::array();
    for (const DeviceInfo& device : event.devices)
        devices.push_back({{"id", device.id}, {"name", device.name}, {"memory_bytes", device.memoryBytes}});
    return Json{{"type", "hello"},
                {"protocol", event.protocol},
                {"build", event.build},
                {"torch", event.torch},
                {"devices", std::move(devices)}};
}
Json toJson(const AcceptedEvent& event) {
    return Json{{"type", "accepted"},
                {"job", event.job},
                {"device", event.device},
                {"out", event.outDir},
                {"layers", event.layers}};
}
Json toJson(const StageEvent& event) {
    return Json{
        {"type", "stage"}, {"name", event.name}, {"layer", event.layer}, {"seconds_left", event.secondsLeft}};
}
Json toJson(const ProgressEvent& event) {
    return Json{{"type", "progress"},
                {"done", event.done},
                {"total", event.total},
                {"unit", event.unit},
                {"seconds_left", event.secondsLeft}};
}
Json toJson(const RowEvent& event) {
    return Json{{"type", "row"}, {"kind", event.kind}, {"row", nested(event.json)}};
}
Json toJson(const ArtifactEvent& event) {
    return Json{{"type", "artifact"}, {"path", event.path}, {"bytes", event.bytes}};
}
Json toJson(const WarningEvent& event) {
    return Json{{"type", "warning"}, {"message", shortened(event.message)}};
}
Json toJson(const CheckpointEvent& event) {
    return Json{{"type", "checkpoint"}, {"layer", event.layer}};
}
Json toJson(const MemoryEvent& event) {
    return Json{{"type", "memory"}, {"host_bytes", event.hostBytes}, {"device_bytes", event.deviceBytes}};
}
Json toJson(const RequestFailedEvent& event) {
    return Json{{"type", "request_failed"}, {"id", event.id}, {"error", errorToJson(event.error)}};
}
Json toJson(const FinishedEvent& event) {
    return Json{{"type", "finished"}, {"summary", nested(event.summaryJson)}};
}
Json toJson(const FailedEvent& event) {
    return Json{{"type", "failed"}, {"error", errorToJson(event.error)}};
}
Json toJson(const CancelledEvent&) {
    return Json{{"type", "cancelled"}};
}

std::string lineOf(Json body, std::uint64_t seq) {
    Json line{{"seq", seq}};
    line.update(std::move(body));
    return dump(line);
}

HelloEvent readHello(Reader& in) {
    HelloEvent event;
    event.protocol = in.integer("protocol", 1, std::numeric_limits<int>::max());
    if (in.ok() && event.protocol != kProtocolVersion)
        in.refuse("protocol", std::to_string(event.protocol), "version " + std::to_string(kProtocolVersion));
    event.build = in.text("build");
    event.torch = in.text("torch");
    for (Reader& device : in.objects("devices"))
        event.devices.push_back(
            {device.text("id"), device.text("name"), device.unsignedNumber("memory_bytes")});
    return event;
}

int readLayer(Reader& in) {
    return in.integer("layer", -1, kMaxLayerNumber);
}

std::string readNested(Reader& in, std::string_view key, const Json& document) {
    in.object(key);
    return in.ok() ? dump(document[std::string(key)]) : std::string();
}

JobEvent readEvent(Reader& in, const Json& document) {
    const std::string type = in.text("type");
    if (type == "hello") return readHello(in);
    if (type == "accepted")
        return AcceptedEvent{in.text("job"), in.text("device"), in.text("out"),
                             in.integer("layers", 0, kMaxLayerNumber)};
    if (type == "stage") return StageEvent{in.text("name"), readLayer(in), in.number("seconds_left", -1)};
    if (type == "progress")
        return ProgressEvent{in.number("done"), in.number("total"), in.text("unit"),
                             in.number("seconds_left", -1)};
    if (type == "row") return RowEvent{in.text("kind"), readNested(in, "row", document)};
    if (type == "artifact") return ArtifactEvent{in.text("path"), in.unsignedNumber("bytes")};
    if (type == "warning") return WarningEvent{in.text("message")};
    if (type == "checkpoint") return CheckpointEvent{readLayer(in)};
    if (type == "memory")
        return MemoryEvent{in.unsignedNumber("host_bytes"), in.unsignedNumber("device_bytes")};
    if (type == "request_failed")
        return RequestFailedEvent{in.integer<std::int64_t>("id", 0, kMaxCount),
                                  readError(in.object("error"))};
    if (type == "finished") return FinishedEvent{readNested(in, "summary", document)};
    if (type == "failed") return FailedEvent{readError(in.object("error"))};
    if (type == "cancelled") return CancelledEvent{};
    in.refuse("type", "\"" + type.substr(0, 100) + "\"", "the name of an event");
    return CancelledEvent{};
}

} // namespace
} // namespace json

bool isTerminal(const JobEvent& event) {
    return std::holds_alternative<FinishedEvent>(event) || std::holds_alternative<FailedEvent>(event) ||
           std::holds_alternative<CancelledEvent>(event);
}

std::string encodeEvent(const JobEvent& event, std::uint64_t seq) {
    json::Json body = std::visit([](const auto& value) { return json::toJson(value); }, event);
    std::string line = json::lineOf(body, seq);
    if (line.size() <= kMaxLineBytes) return line;
    // The other end refuses long lines: results that large are files in the run folder anyway.
    const std::size_t bytes = line.size();
    if (std::holds_alternative<FinishedEvent>(event))
        return json::lineOf({{"type", "finished"}, {"summary", {{"omitted_bytes", bytes}}}}, seq);
    return json::lineOf(
        json::toJson(WarningEvent{"a message of " + std::to_string(bytes) + " bytes (" +
                                  body["type"].get<std::string>() + ") was left out: it exceeds " +
                                  std::to_string(kMaxLineBytes)}),
        seq);
}

Result<SequencedEvent> decodeEvent(std::string_view line) {
    constexpr std::size_t kShown = 80;
    const std::string label =
        "worker message \"" + std::string(line.substr(0, kShown)) + (line.size() > kShown ? "...\"" : "\"");
    BDQ_TRY(const json::Json document, json::parseObject(line, label, ErrorCode::Protocol, kMaxLineBytes));
    json::ReadState state{label, ErrorCode::Protocol, {}};
    json::Reader reader(document, state);
    SequencedEvent result;
    result.seq = reader.unsignedNumber("seq");
    result.event = json::readEvent(reader, document);
    BDQ_CHECK(reader.status());
    return result;
}

} // namespace bdq
