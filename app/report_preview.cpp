#include "app/report_preview.h"

namespace bdq {

namespace {
constexpr int kHeadRows = 2;
}

std::string previewOf(std::string_view markdown, const std::string& more) {
    std::string preview;
    int row = 0;
    const auto closeTable = [&] {
        const int left = row - kHeadRows - kPreviewTableRows;
        row = 0;
        if (left <= 0) return;
        std::string note = more;
        if (const auto mark = note.find("%1"); mark != std::string::npos)
            note.replace(mark, 2, std::to_string(left));
        preview += "\n" + note + "\n";
    };
    while (!markdown.empty()) {
        const std::size_t newline = markdown.find('\n');
        const std::string_view line = markdown.substr(0, newline);
        markdown.remove_prefix(newline == std::string_view::npos ? markdown.size() : newline + 1);
        if (line.starts_with('|')) {
            if (++row > kHeadRows + kPreviewTableRows) continue;
        } else {
            closeTable();
        }
        preview.append(line);
        preview += '\n';
    }
    closeTable();
    return preview;
}

} // namespace bdq
