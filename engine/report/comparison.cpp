// Two or more runs layer by layer. Differences are against the first run.
#include <cmath>
#include <map>

#include <nlohmann/json.hpp>

#include "engine/report/common_sections.h"
#include "engine/report/report.h"
#include "engine/report/report_data.h"
#include "engine/report/site_plots.h"
#include "engine/report/text_format.h"

namespace bdq::report {
namespace {

using Json = nlohmann::ordered_json;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct Compared {
    std::vector<std::string> dirs;
    std::vector<std::string> names; ///< of the folders
    std::vector<RunResult> runs;
    /// SQNR by site, one value per run; NaN where a run has no such row.
    std::map<SiteKey, std::vector<double>> sqnr;
    std::vector<std::string> warnings;
};

double perplexityOf(const RunResult& run) {
    return run.quantized ? run.quantized->perplexity : kNaN;
}

std::string perplexityWithSize(const RunResult& run) {
    return run.quantized ? perplexityText(*run.quantized) + " (" + perplexitySize(run, *run.quantized) + ")"
                         : "not measured";
}

template <class Value>
void warnIfDifferent(Compared& compared, std::size_t i, const std::string& what, const Value& first,
                     const Value& other, const std::string& consequence) {
    if (first == other) return;
    Json found{first, other};
    compared.warnings.push_back(
        compared.names[i] + ": " + what + " is " +
        found[1].dump(-1, ' ', false, Json::error_handler_t::replace) + ", that of " + compared.names[0] +
        " is " + found[0].dump(-1, ' ', false, Json::error_handler_t::replace) + ": " + consequence);
}

void warnAboutRun(Compared& compared, std::size_t i) {
    const RunResult& first = compared.runs[0];
    const RunResult& other = compared.runs[i];
    const std::string notAtAll = "the numbers do not compare";
    const std::string perplexities = "the perplexities do not compare";
    const std::string sqnrs = "the SQNR was measured on other tokens";
    warnIfDifferent(compared, i, "the model", first.model.name, other.model.name, notAtAll);
    if (!first.modelFingerprint.empty() && !other.modelFingerprint.empty())
        warnIfDifferent(compared, i, "the fingerprint of the weights", first.modelFingerprint,
                        other.modelFingerprint, notAtAll);
    else if (first.modelFingerprint != other.modelFingerprint)
        compared.warnings.push_back(compared.names[first.modelFingerprint.empty() ? 0 : i] +
                                    ": made by a version that did not note the weights; whether both runs "
                                    "are of the same was not checked");
    warnIfDifferent(compared, i, "the number of parameters", first.parameters, other.parameters, notAtAll);
    warnIfDifferent(compared, i, "the hash of the calibration tokens", first.text.sha256, other.text.sha256,
                    sqnrs);
    warnIfDifferent(compared, i, "whether perplexity was measured", first.quantized.has_value(),
                    other.quantized.has_value(), perplexities);
    if (!first.quantized || !other.quantized) return;
    warnIfDifferent(compared, i, "the evaluation text", first.quantized->text, other.quantized->text,
                    perplexities);
    warnIfDifferent(compared, i, "the number of evaluation tokens", first.quantized->tokens,
                    other.quantized->tokens, perplexities);
    warnIfDifferent(compared, i, "whether a BOS stands in front of the text", first.quantized->bos,
                    other.quantized->bos, perplexities);
    warnIfDifferent(compared, i, "the window length", first.quantized->sequenceLength,
                    other.quantized->sequenceLength, perplexities);
    warnIfDifferent(compared, i, "the number of windows", first.quantized->windows, other.quantized->windows,
                    perplexities);
}

Result<Compared> load(const std::vector<std::string>& dirs) {
    if (dirs.size() < 2)
        return fail(ErrorCode::InvalidSpec,
                    "compare: found " + std::to_string(dirs.size()) + " runs, expected at least 2");
    Compared compared{dirs, shortNames(dirs), {}, {}, {}};
    for (const std::string& dir : dirs) {
        BDQ_TRY(RunResult run, loadRun(dir));
        compared.runs.push_back(std::move(run));
    }
    for (std::size_t i = 0; i < dirs.size(); ++i) {
        for (const RunSiteResult& row : compared.runs[i].perLayer)
            compared.sqnr.try_emplace(row.key, dirs.size(), kNaN).first->second[i] = row.sqnrDb;
        if (i > 0) warnAboutRun(compared, i);
        if (compared.runs[i].status != "finished")
            compared.warnings.push_back(compared.names[i] + ": the run is " + compared.runs[i].status);
    }
    return compared;
}

std::string runLabel(std::size_t i) {
    return "#" + std::to_string(i + 1);
}

Cell differenceCell(double value) {
    Cell cell = dbCell(value);
    if (value > 0) cell.text = "+" + cell.text;
    return cell;
}

Table runsTable(const Compared& compared) {
    Table table{{{"", {}},
                 {"Run", {}},
                 {"Method", {}},
                 {"Scheme", {}},
                 {"Weights", {}},
                 {"Average weight bits", {}},
                 metricColumn("perplexity"),
                 {"measured on", "tokens behind the perplexity, and how many layers are quantized"},
                 {"against #1", "difference of the perplexities"},
                 metricColumn("sqnr_db", "mean SQNR"),
                 {"Time", {}}},
                {},
                false};
    for (std::size_t i = 0; i < compared.runs.size(); ++i) {
        const RunResult& run = compared.runs[i];
        double sum = 0;
        int count = 0;
        for (const RunSiteResult& row : run.perLayer)
            if (std::isfinite(row.sqnrDb)) {
                sum += row.sqnrDb;
                ++count;
            }
        const double perplexity = perplexityOf(run);
        table.rows.push_back({textCell(runLabel(i)),
                              textCell(compared.names[i]),
                              textCell(std::string(methodInfo(run.spec.method).id)),
                              textCell(formatScheme(run.spec.plan.base)),
                              textCell(std::string(roundingName(effectiveRounding(run.spec)))),
                              {averageBitsText(run), formatExact(run.averageWeightBits), kNoHeat, true},
                              {run.quantized ? perplexityText(*run.quantized) : formatNumber(perplexity),
                               formatExact(perplexity), kNoHeat, true},
                              textCell(run.quantized ? perplexitySize(run, *run.quantized) : std::string()),
                              i == 0 ? textCell("") : numberCell(perplexity - perplexityOf(compared.runs[0])),
                              dbCell(count > 0 ? sum / count : kNaN),
                              textCell(formatSeconds(run.provenance.seconds))});
    }
    return table;
}

Table layerTable(const Compared& compared) {
    Table table{{{"Layer", {}}, {"Site", {}}}, {}, true};
    for (std::size_t i = 0; i < compared.runs.size(); ++i) {
        table.columns.push_back(metricColumn("sqnr_db", "SQNR " + runLabel(i)));
        if (i > 0)
            table.columns.push_back(
                {runLabel(i) + " - #1 (dB)", "difference of the SQNRs, positive = better than #1"});
    }
    for (const auto& [key, values] : compared.sqnr) {
        std::vector<Cell> row{countCell(key.layer), textCell(std::string(siteName(key.site)))};
        for (std::size_t i = 0; i < values.size(); ++i) {
            row.push_back(sqnrCell(values[i]));
            if (i > 0) row.push_back(differenceCell(values[i] - values[0]));
        }
        table.rows.push_back(std::move(row));
    }
    return table;
}

Plot differencePlot(const Compared& compared, std::size_t i) {
    std::vector<SiteValue> values;
    for (const auto& [key, sqnr] : compared.sqnr)
        values.push_back({key, sqnr[i] - sqnr[0]});
    return valuesByLayer("SQNR " + runLabel(i) + " - #1", "difference (dB)", values);
}

Document comparisonDocument(const Compared& compared) {
    Document document;
    document.title = modelTitle(compared.runs[0].model, compared.runs[0].spec.modelPath) + ": " +
                     std::to_string(compared.runs.size()) + " runs compared";
    document.subtitle = "BDQ Studio comparison; differences are against run #1";
    for (std::size_t i = 0; i < compared.runs.size(); ++i) {
        const double perplexity = perplexityOf(compared.runs[i]);
        document.summary.push_back({runLabel(i) + " " + compared.names[i],
                                    std::string(methodInfo(compared.runs[i].spec.method).id) + " " +
                                        formatScheme(compared.runs[i].spec.plan.base) + ": perplexity " +
                                        perplexityWithSize(compared.runs[i]),
                                    formatExact(perplexity)});
    }
    document.notes = compared.warnings;
    PlotGroup plots;
    for (std::size_t i = 1; i < compared.runs.size(); ++i)
        plots.plots.push_back(differencePlot(compared, i));
    document.sections = {{"Runs", {runsTable(compared)}},
                         {"Across the layers", {std::move(plots)}},
                         {"Every layer and site", {layerTable(compared)}},
                         definitionsSection({"sqnr_db", "perplexity", "average_weight_bits"})};
    return document;
}

std::string comparisonCsv(const Compared& compared) {
    std::string out = "layer,site";
    for (std::size_t i = 0; i < compared.runs.size(); ++i) {
        out += "," + escapeCsv("sqnr " + compared.names[i] + " (dB)");
        if (i > 0) out += "," + escapeCsv("difference of " + compared.names[i] + " (dB)");
    }
    out += "\n";
    for (const auto& [key, values] : compared.sqnr) {
        out += std::to_string(key.layer) + "," + std::string(siteName(key.site));
        for (std::size_t i = 0; i < values.size(); ++i) {
            out += "," + formatExact(values[i]);
            if (i > 0) out += "," + formatExact(values[i] - values[0]);
        }
        out += "\n";
    }
    return out;
}

Json runSummary(const Compared& compared, std::size_t i) {
    const RunResult& run = compared.runs[i];
    return Json{{"run", compared.dirs[i]},
                {"status", run.status},
                {"method", methodInfo(run.spec.method).id},
                {"scheme", formatScheme(run.spec.plan.base)},
                {"average_weight_bits", run.averageWeightBits},
                {"quantized_layers", run.quantizedLayers()},
                {"quantized_layer_bits", run.quantizedLayerBits},
                {"perplexity_full", run.full ? run.full->perplexity : kNaN},
                {"perplexity", perplexityOf(run)},
                {"perplexity_stderr", run.quantized ? run.quantized->perplexityError() : kNaN},
                {"perplexity_tokens", run.quantized ? Json(run.quantized->measuredTokens()) : Json()},
                {"seconds", run.provenance.seconds}};
}

std::string comparisonJson(const Compared& compared) {
    Json out{{"schema", kResultSchema}, {"kind", "comparison"}, {"warnings", compared.warnings}};
    out["runs"] = Json::array();
    for (std::size_t i = 0; i < compared.runs.size(); ++i)
        out["runs"].push_back(runSummary(compared, i));
    out["per_layer"] = Json::array();
    for (const auto& [key, values] : compared.sqnr) {
        std::vector<double> differences;
        for (std::size_t i = 1; i < values.size(); ++i)
            differences.push_back(values[i] - values[0]);
        out["per_layer"].push_back(Json{{"layer", key.layer},
                                        {"site", siteName(key.site)},
                                        {"sqnr_db", values},
                                        {"sqnr_db_difference", differences}});
    }
    return out.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace

Result<std::string> renderComparison(const std::vector<std::string>& runDirs, ReportFormat format) {
    BDQ_TRY(const Compared compared, load(runDirs));
    switch (format) {
    case ReportFormat::Html:
        return renderHtml(comparisonDocument(compared));
    case ReportFormat::Markdown:
        return renderMarkdown(comparisonDocument(compared));
    case ReportFormat::Csv:
        return comparisonCsv(compared);
    case ReportFormat::Json:
        return comparisonJson(compared);
    }
    return fail(ErrorCode::Internal, "compare: unknown format");
}

} // namespace bdq::report
