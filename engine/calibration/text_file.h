// Files that people give as text: plain UTF-8, or JSON lines and JSON arrays whose records hold texts.
#pragma once

#include <string>
#include <string_view>

#include "engine/api/result.h"

namespace bdq {

/// A text and how it was taken from its file.
struct FileText {
    std::string text;    ///< valid UTF-8, not empty; line ends as the file has them
    std::string form;    ///< empty = the file as it is; else e.g. "60 texts of JSON lines, key text"
    std::string warning; ///< what looks wrong but is taken all the same; empty = nothing
};

/// Reads a text file of at most 1 GiB. What it is follows from its content, not from its name:
///   - a first line that is a whole JSON object: JSON lines, one record a line;
///   - a whole JSON document: an array of records or of texts, or one record;
///   - anything else: plain text, as it is, without a UTF-8 byte order mark.
/// A record's text is the first of: "text"; "content"; the contents of "messages" or "conversations", one a
/// line, without the model's chat template; "prompt" and "response", "completion" or "chosen"; "instruction",
/// "input" and "output" or "response"; "question" and "answer". Texts are joined by a blank line; empty ones
/// are passed over. Errors: NotFound, Io (a folder, a pipe, a device); MissingCalibration for a file without
/// text; BadFormat for what is no text, each with its name: UTF-16, other binary files (Parquet, Arrow, gzip,
/// ...), CSV by its ending, invalid UTF-8, JSON without texts, a broken line.
Result<FileText> readTextOf(const std::string& path);

/// The same of the bytes of a file. `label` begins messages; its ending is the file's.
Result<FileText> textOfBytes(std::string bytes, const std::string& label);

} // namespace bdq
