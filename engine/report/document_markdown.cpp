#include "engine/report/document.h"
#include "engine/report/text_format.h"

namespace bdq::report {
namespace {

std::string blockMarkdown(const Paragraph& block) {
    return (block.note ? "> " : "") + escapeMarkdown(block.text) + "\n\n";
}

std::string blockMarkdown(const Code& block) {
    // A fence longer than any run of back quotes in the text cannot be closed by it.
    std::size_t longest = 2;
    std::size_t run = 0;
    for (char c : block.text) {
        run = c == '`' ? run + 1 : 0;
        longest = std::max(longest, run);
    }
    const std::string fence(longest + 1, '`');
    return fence + "\n" + block.text + "\n" + fence + "\n\n";
}

std::string blockMarkdown(const Subheading& block) {
    return "### " + escapeMarkdown(block.text) + "\n\n";
}

std::string blockMarkdown(const PlotGroup&) {
    return {};
}

std::string blockMarkdown(const Table& table) {
    std::string head = "|";
    std::string rule = "|";
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        const bool number =
            !table.rows.empty() && i < table.rows.front().size() && table.rows.front()[i].number;
        head += " " + escapeMarkdown(table.columns[i].title) + " |";
        rule += number ? "---:|" : "---|";
    }
    std::string out = head + "\n" + rule + "\n";
    for (const std::vector<Cell>& row : table.rows) {
        out += "|";
        for (const Cell& cell : row)
            out += " " + escapeMarkdown(cell.text) + " |";
        out += "\n";
    }
    return out + "\n";
}

/// A subheading appears only with something under it: plots are left out.
std::string sectionMarkdown(const Section& section) {
    std::string body;
    std::string heading;
    for (const Block& block : section.blocks) {
        const std::string text = std::visit([](const auto& value) { return blockMarkdown(value); }, block);
        if (std::holds_alternative<Subheading>(block)) {
            heading = text;
        } else if (!text.empty()) {
            body += heading + text;
            heading.clear();
        }
    }
    return body;
}

Table summaryTable(const std::vector<Card>& cards) {
    Table table{{{"", {}}, {"", {}}}, {}, false};
    for (const Card& card : cards)
        table.rows.push_back({textCell(card.label), textCell(card.value)});
    return table;
}

} // namespace

std::string renderMarkdown(const Document& document) {
    std::string out = "# " + escapeMarkdown(document.title) + "\n\n## Summary\n\n" +
                      blockMarkdown(summaryTable(document.summary)) + escapeMarkdown(document.subtitle) +
                      "\n\n";
    for (const std::string& note : document.notes)
        out += blockMarkdown(Paragraph{note, true});
    for (const Section& section : document.sections) {
        const std::string body = sectionMarkdown(section);
        if (!body.empty()) out += "## " + escapeMarkdown(section.heading) + "\n\n" + body;
    }
    return out;
}

} // namespace bdq::report
