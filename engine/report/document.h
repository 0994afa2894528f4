// A report before it becomes HTML or Markdown.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "engine/report/svg_plot.h"

namespace bdq::report {

/// Heat of a cell when it has none.
inline constexpr double kNoHeat = -1;

struct Cell {
    std::string text;
    std::string exact; ///< shown on hovering; empty = none
    double heat =
        kNoHeat;         ///< 0 = good .. 1 = bad: background; the text carries a sign, colour is never alone
    bool number = false; ///< aligned right
};

struct Column {
    std::string title;
    std::string tooltip;
};

struct Table {
    std::vector<Column> columns;
    std::vector<std::vector<Cell>> rows;
    bool wide = false; ///< many rows: scrolls in its own box with a fixed head
};

struct Paragraph {
    std::string text;
    bool note = false; ///< set apart, e.g. "simulated"
};
struct Code {
    std::string text;
};
/// Plots side by side; Markdown leaves them out.
struct PlotGroup {
    std::string caption;
    std::vector<Plot> plots;
};
/// Small heading within a section.
struct Subheading {
    std::string text;
};

using Block = std::variant<Paragraph, Code, Table, PlotGroup, Subheading>;

struct Section {
    std::string heading;
    std::vector<Block> blocks;
};

/// One figure of the summary strip.
struct Card {
    std::string label;
    std::string value;
    std::string exact;
};

struct Document {
    std::string title;
    std::string subtitle;
    std::vector<Card> summary;
    std::vector<std::string> notes; ///< right under the summary
    std::vector<Section> sections;
};

std::string renderHtml(const Document& document);
/// Starts with the title and a "Summary" table.
std::string renderMarkdown(const Document& document);

// Cells.
Cell textCell(std::string text);
Cell numberCell(double value); ///< three significant digits, exact on hovering
Cell dbCell(double value);     ///< one decimal
Cell countCell(std::int64_t value);
/// SQNR: heat from 35 dB (good) to 5 dB (bad); "!" below 15 dB, "!!" below 10 dB; NaN has no value and no
/// sign.
Cell sqnrCell(double value);
/// Flatness in 0..1: heat is the value itself.
Cell flatnessCell(double value);

} // namespace bdq::report
