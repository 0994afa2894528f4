#include "app/job_note.h"

#include <QJsonDocument>
#include <QJsonObject>

#include <filesystem>

#include "engine/api/atomic_file.h"

namespace bdq {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxNoteBytes = 16 << 20; // the plan of a run is the larger part

QString text(const std::string& value) {
    return QString::fromStdString(value);
}

tl::unexpected<Error> bad(const std::string& label, const std::string& what) {
    return fail(ErrorCode::BadFormat, label + ": " + what);
}

} // namespace

std::string encodeJobNote(const JobNote& note) {
    // Times are written as text: a JSON number is exact only up to 2^53.
    const QJsonObject root{
        {"schema", kJobNoteSchema},
        {"number", note.number},
        {"model_fingerprint", text(note.fingerprint)},
        {"spec", QJsonDocument::fromJson(QByteArray::fromStdString(encodeSpec(note.spec))).object()},
        {"state", jobStateName(note.state)},
        {"error", text(note.error)},
        {"created_unix_ms", QString::number(note.createdUnixMs)},
        {"seconds", note.seconds},
        {"process", QString::number(note.worker.id)},
        {"process_started", text(note.worker.startedTicks)},
    };
    return QJsonDocument(root).toJson(QJsonDocument::Indented).toStdString();
}

Result<JobNote> decodeJobNote(std::string_view json, const std::string& label) {
    const QJsonDocument document =
        QJsonDocument::fromJson(QByteArray(json.data(), static_cast<qsizetype>(json.size())));
    const QJsonObject root = document.object();
    if (!root["schema"].isDouble() || !root["spec"].isObject())
        return bad(label, "\"schema\" or \"spec\" is missing: not the note of a job");
    if (root["schema"].toInt() > kJobNoteSchema)
        return fail(ErrorCode::Unsupported, label + ": schema " + std::to_string(root["schema"].toInt()) +
                                                " is newer than this program's schema " +
                                                std::to_string(kJobNoteSchema));
    const std::optional<JobState> state = jobStateFromName(root["state"].toString());
    if (!state)
        return bad(label, "unknown \"state\" \"" + root["state"].toString().toStdString() +
                              "\"; expected queued, running, finished, failed or cancelled");
    JobNote note;
    const QByteArray spec = QJsonDocument(root["spec"].toObject()).toJson(QJsonDocument::Compact);
    auto decoded = decodeSpec(spec.toStdString());
    if (!decoded) return passOn(decoded.error(), label);
    note.spec = std::move(*decoded);
    note.number = root["number"].toInt();
    note.fingerprint = root["model_fingerprint"].toString().toStdString();
    note.state = *state;
    note.error = root["error"].toString().toStdString();
    note.createdUnixMs = root["created_unix_ms"].toString().toLongLong();
    note.seconds = root["seconds"].toDouble();
    note.worker = {root["process"].toString().toLongLong(), root["process_started"].toString().toStdString()};
    return note;
}

Status saveJobNote(const std::string& folder, const JobNote& note) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) return fail(ErrorCode::Io, folder + ": cannot create the folder: " + error.message());
    return writeFileAtomically(fs::path(folder) / kJobNoteName, encodeJobNote(note));
}

Result<JobNote> loadJobNote(const std::string& folder) {
    const fs::path path = fs::path(folder) / kJobNoteName;
    BDQ_TRY(const std::string json, readTextFile(path, kMaxNoteBytes));
    return decodeJobNote(json, path.string());
}

} // namespace bdq
