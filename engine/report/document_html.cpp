#include <algorithm>
#include <cmath>
#include <cstdint>

#include "engine/report/document.h"
#include "engine/report/text_format.h"

namespace bdq::report {
namespace {

constexpr int kHeatSteps = 10;

// No external font, script or style: the file can be mailed and opened anywhere.
constexpr std::string_view kStyle = R"css(
:root{color-scheme:light dark;--bg:#fff;--fg:#1b1b1b;--soft:#5c5c5c;--line:#d5d5d5;--card:#f5f6f8;--accent:#0072B2}
@media (prefers-color-scheme:dark){:root{--bg:#16181b;--fg:#e8e8e8;--soft:#a6a6a6;--line:#3a3d42;--card:#22252a;--accent:#56b4e9}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1360px;padding:24px;background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif}
h1{font-size:26px;margin:0}h2{font-size:20px;margin:36px 0 8px;border-bottom:1px solid var(--line);padding-bottom:4px}
h3{font-size:16px;margin:20px 0 4px}.sub{color:var(--soft);margin:4px 0 16px;overflow-wrap:anywhere}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:8px}
.card{background:var(--card);border-radius:6px;padding:8px 12px;overflow-wrap:anywhere}
.card span{display:block;color:var(--soft);font-size:13px}.card b{font-size:18px;font-variant-numeric:tabular-nums}
.note{border-left:4px solid var(--accent);background:var(--card);padding:8px 12px;margin:12px 0}
nav{margin:16px 0 0;font-size:14px}nav a{color:var(--accent);margin-right:16px}
table{border-collapse:collapse;font-size:14px;font-variant-numeric:tabular-nums}
th,td{padding:3px 10px;text-align:left;border-bottom:1px solid var(--line);vertical-align:top}
th{background:var(--card);font-weight:600}td.n{text-align:right;white-space:nowrap}
.wide{max-height:640px;overflow:auto;border:1px solid var(--line)}.wide th{position:sticky;top:0}
.plots{display:flex;flex-wrap:wrap;gap:16px}figure{margin:8px 0}figcaption{color:var(--soft);font-size:13px}
figure b{display:block;color:var(--fg);font-size:14px}svg{max-width:100%;height:auto}
pre{background:var(--card);padding:12px;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere}
@media print{body{max-width:none;padding:0;font-size:11px}nav{display:none}.wide{max-height:none;overflow:visible;border:0}
.card,figure,tr{break-inside:avoid}.plots svg{width:100%}td,th,.card,.note,pre{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
)css";

/// Backgrounds of heat 1..kHeatSteps: one colour, growing opacity, readable on light and dark.
std::string heatStyle() {
    constexpr double kStrongest = 0.55;
    std::string css;
    for (int step = 1; step <= kHeatSteps; ++step)
        css += ".h" + std::to_string(step) + "{background:rgba(213,94,0," +
               formatNumber(kStrongest * step / kHeatSteps, 2) + ")}";
    return css;
}

std::string cellHtml(const Cell& cell) {
    std::string classes = cell.number ? "n" : "";
    if (cell.heat >= 0) {
        const int step = std::clamp(static_cast<int>(std::lround(cell.heat * kHeatSteps)), 0, kHeatSteps);
        if (step > 0) classes += (classes.empty() ? "h" : " h") + std::to_string(step);
    }
    std::string out = "<td";
    if (!classes.empty()) out += " class=\"" + classes + "\"";
    if (!cell.exact.empty()) out += " title=\"" + escapeXml(cell.exact) + "\"";
    return out + ">" + escapeXml(cell.text) + "</td>";
}

std::string blockHtml(const Paragraph& block) {
    return (block.note ? "<p class=\"note\">" : "<p>") + escapeXml(block.text) + "</p>\n";
}

std::string blockHtml(const Code& block) {
    return "<pre>" + escapeXml(block.text) + "</pre>\n";
}

std::string blockHtml(const Subheading& block) {
    return "<h3>" + escapeXml(block.text) + "</h3>\n";
}

std::string blockHtml(const Table& table) {
    std::string out = table.wide ? "<div class=\"wide\"><table>" : "<table>";
    out += "<thead><tr>";
    for (const Column& column : table.columns) {
        out += "<th";
        if (!column.tooltip.empty()) out += " title=\"" + escapeXml(column.tooltip) + "\"";
        out += ">" + escapeXml(column.title) + "</th>";
    }
    out += "</tr></thead><tbody>\n";
    for (const std::vector<Cell>& row : table.rows) {
        out += "<tr>";
        for (const Cell& cell : row)
            out += cellHtml(cell);
        out += "</tr>\n";
    }
    return out + (table.wide ? "</tbody></table></div>\n" : "</tbody></table>\n");
}

std::string blockHtml(const PlotGroup& group) {
    std::string out = "<div class=\"plots\">";
    for (const Plot& plot : group.plots)
        out += "<figure><b>" + escapeXml(plot.title) + "</b>" + renderSvg(plot) + "</figure>\n";
    out += "</div>";
    if (!group.caption.empty()) out += "<p class=\"sub\">" + escapeXml(group.caption) + "</p>";
    return out + "\n";
}

std::string cardsHtml(const std::vector<Card>& cards) {
    std::string out = "<div class=\"cards\">";
    for (const Card& card : cards)
        out += "<div class=\"card\"" +
               (card.exact.empty() ? "" : " title=\"" + escapeXml(card.exact) + "\"") + "><span>" +
               escapeXml(card.label) + "</span><b>" + escapeXml(card.value) + "</b></div>";
    return out + "</div>\n";
}

} // namespace

std::string renderHtml(const Document& document) {
    std::string out = "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">"
                      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
                      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
                      "'unsafe-inline'\">"
                      "<title>" +
                      escapeXml(document.title) + "</title><style>" + std::string(kStyle) + heatStyle() +
                      "</style></head>\n<body>\n<h1>" + escapeXml(document.title) +
                      "</h1>\n<p class=\"sub\">" + escapeXml(document.subtitle) + "</p>\n" +
                      cardsHtml(document.summary);
    for (const std::string& note : document.notes)
        out += blockHtml(Paragraph{note, true});
    out += "<nav>";
    for (std::size_t i = 0; i < document.sections.size(); ++i)
        out += "<a href=\"#s" + std::to_string(i) + "\">" + escapeXml(document.sections[i].heading) + "</a>";
    out += "</nav>\n";
    for (std::size_t i = 0; i < document.sections.size(); ++i) {
        out += "<section id=\"s" + std::to_string(i) + "\"><h2>" + escapeXml(document.sections[i].heading) +
               "</h2>\n";
        for (const Block& block : document.sections[i].blocks)
            out += std::visit([](const auto& value) { return blockHtml(value); }, block);
        out += "</section>\n";
    }
    return out + "</body>\n</html>\n";
}

Cell textCell(std::string text) {
    return {std::move(text), {}, kNoHeat, false};
}

Cell numberCell(double value) {
    return {formatNumber(value), formatExact(value), kNoHeat, true};
}

Cell dbCell(double value) {
    return {formatDb(value), formatExact(value), kNoHeat, true};
}

Cell countCell(std::int64_t value) {
    return {formatCount(value), {}, kNoHeat, true};
}

Cell sqnrCell(double value) {
    constexpr double kGoodDb = 35;
    constexpr double kBadDb = 5;
    constexpr double kLowDb = 15;
    constexpr double kVeryLowDb = 10;
    Cell cell = dbCell(value);
    if (std::isnan(value)) return cell; // an output of zeros loses nothing
    cell.heat = std::clamp((kGoodDb - value) / (kGoodDb - kBadDb), 0.0, 1.0);
    if (value < kVeryLowDb)
        cell.text += " !!";
    else if (value < kLowDb)
        cell.text += " !";
    return cell;
}

Cell flatnessCell(double value) {
    Cell cell = numberCell(value);
    if (std::isfinite(value)) cell.heat = std::clamp(value, 0.0, 1.0);
    return cell;
}

} // namespace bdq::report
