#include "engine/calibration/text_file.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>

#include "engine/api/atomic_file.h"
#include "engine/calibration/text_records.h"
#include "engine/io/json_guard.h"
#include "engine/io/utf8.h"

namespace bdq {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxTextBytes = std::size_t{1} << 30;
constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";
constexpr std::string_view kBlank = " \t\r\n";

struct Magic {
    std::string_view bytes;
    std::string_view name;
};
constexpr std::array kMagics{Magic{"PAR1", "a Parquet file"},
                             Magic{"ARROW1", "an Arrow file"},
                             Magic{"\x1F\x8B", "a gzip file"},
                             Magic{"PK\x03\x04", "a zip file (or a document of an office program)"},
                             Magic{"\x28\xB5\x2F\xFD", "a Zstandard file"},
                             Magic{"\xFD"
                                   "7zXZ",
                                   "an xz file"},
                             Magic{"BZh", "a bzip2 file"},
                             Magic{"%PDF-", "a PDF document"},
                             Magic{"GGUF", "a GGUF model"},
                             Magic{"SQLite format 3", "an SQLite file"},
                             Magic{"\xFF\xFE", "text in UTF-16"},
                             Magic{"\xFE\xFF", "text in UTF-16"}};

tl::unexpected<Error> refuse(const std::string& label, const std::string& found,
                             const std::string& expected) {
    return fail(ErrorCode::BadFormat, label + ": found " + found + ", expected " + expected);
}

/// UTF-16 without a mark: every second of the first bytes is 0.
bool looksLikeUtf16(std::string_view bytes) {
    constexpr std::size_t kLook = 64;
    if (bytes.size() < 4) return false;
    std::array<std::size_t, 2> zeros{};
    const std::size_t looked = std::min(kLook, bytes.size() / 2 * 2);
    for (std::size_t i = 0; i < looked; ++i)
        zeros[i % 2] += bytes[i] == '\0' ? 1 : 0;
    const std::size_t most = std::max(zeros[0], zeros[1]);
    return most * 10 >= looked / 2 * 8 && std::min(zeros[0], zeros[1]) * 10 <= looked / 2;
}

/// Errors: BadFormat for everything that is no UTF-8 text.
Status requireText(std::string_view bytes, const std::string& label) {
    const std::string expected = "UTF-8 text or JSON lines";
    for (const Magic& magic : kMagics)
        if (bytes.starts_with(magic.bytes)) return refuse(label, std::string(magic.name), expected);
    if (looksLikeUtf16(bytes)) return refuse(label, "text in UTF-16", expected);
    if (const std::size_t zero = bytes.find('\0'); zero != std::string_view::npos)
        return refuse(label, "a zero byte at byte " + std::to_string(zero) + ": a binary file", expected);
    if (const std::size_t at = io::invalidUtf8At(bytes); at != std::string_view::npos)
        return refuse(label, "no valid UTF-8 at byte " + std::to_string(at), expected);
    return {};
}

std::string endingOf(const std::string& label) {
    std::string ending = std::filesystem::path(label).extension().string();
    std::ranges::transform(ending, ending.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return ending;
}

bool isBlank(std::string_view line) {
    return line.find_first_not_of(kBlank) == std::string_view::npos;
}

/// Takes the first line off; without its end.
std::string_view takeLine(std::string_view& rest) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    return line;
}

std::string_view firstLine(std::string_view text) {
    while (!text.empty())
        if (const std::string_view line = takeLine(text); !isBlank(line)) return line;
    return {};
}

bool isJsonObject(std::string_view line) {
    const std::size_t start = line.find_first_not_of(kBlank);
    if (start == std::string_view::npos || line[start] != '{') return false;
    const Result<json> document = io::parseJson(line, "line");
    return document && document->is_object();
}

Result<FileText> finished(TextRecords& records, const std::string& kind, const std::string& label) {
    if (records.count() == 0)
        return fail(ErrorCode::MissingCalibration,
                    label + ": every text of its " + kind + " is empty, expected some that are not");
    return FileText{std::move(records.text()), records.form(kind), {}};
}

Result<FileText> textOfLines(std::string_view bytes, const std::string& label) {
    TextRecords records;
    for (int number = 1; !bytes.empty(); ++number) {
        const std::string_view line = takeLine(bytes);
        if (isBlank(line)) continue;
        const std::string place = label + ":" + std::to_string(number);
        BDQ_TRY(const json record, io::parseJson(line, place));
        BDQ_CHECK(records.add(record, place));
    }
    return finished(records, "JSON lines", label);
}

/// Nothing when the text is no JSON document.
Result<std::optional<FileText>> textOfDocument(std::string_view bytes, const std::string& label) {
    const char first = bytes[bytes.find_first_not_of(kBlank)];
    if (first != '{' && first != '[') return std::optional<FileText>{};
    const Result<json> document = io::parseJson(bytes, label);
    if (!document) return std::optional<FileText>{};
    TextRecords records;
    if (!document->is_array()) {
        BDQ_CHECK(records.add(*document, label + ": JSON"));
    } else {
        std::size_t index = 0;
        for (const json& record : *document)
            BDQ_CHECK(records.add(record, label + ": JSON [" + std::to_string(index++) + "]"));
    }
    BDQ_TRY(FileText text, finished(records, "JSON", label));
    return std::optional(std::move(text));
}

/// A first line such as "id,text,label" above others with as many commas.
bool looksLikeTable(std::string_view text) {
    constexpr int kLines = 5;
    const std::string_view head = takeLine(text);
    const auto commas = [](std::string_view line) { return std::ranges::count(line, ','); };
    const bool names = std::ranges::all_of(head, [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '_' || c == ',' || c == '"' || c == '\r';
    });
    if (!names || commas(head) < 1) return false;
    int lines = 0;
    for (; lines < kLines && !text.empty(); ++lines)
        if (commas(takeLine(text)) < commas(head)) return false;
    return lines > 0;
}

} // namespace

Result<FileText> textOfBytes(std::string bytes, const std::string& label) {
    if (bytes.starts_with(kUtf8Mark)) bytes.erase(0, kUtf8Mark.size());
    if (isBlank(bytes))
        return fail(ErrorCode::MissingCalibration,
                    label + ": found " + (bytes.empty() ? "an empty file" : "nothing but blanks") +
                        ", expected UTF-8 text");
    BDQ_CHECK(requireText(bytes, label));
    const std::string ending = endingOf(label);
    if (ending == ".csv" || ending == ".tsv")
        return refuse(label, "a table (" + ending + ")", "plain text, or JSON lines with a key text");
    // A document first: a single record in one line is both, and an array may have one a line.
    BDQ_TRY(std::optional<FileText> document, textOfDocument(bytes, label));
    if (document) return std::move(*document);
    if (isJsonObject(firstLine(bytes))) return textOfLines(bytes, label);
    if (ending == ".jsonl" || ending == ".ndjson" || ending == ".json")
        return refuse(label, "a first line that is no JSON object", "JSON lines, as the name says");
    FileText text{std::move(bytes), {}, {}};
    if (looksLikeTable(text.text))
        text.warning = label + ": looks like a table with commas (CSV), and is taken as plain text";
    return text;
}

Result<FileText> readTextOf(const std::string& path) {
    BDQ_TRY(std::string bytes, readTextFile(path, kMaxTextBytes));
    return textOfBytes(std::move(bytes), path);
}

} // namespace bdq
