#include <cmath>

#include "engine/report/builders.h"
#include "engine/report/common_sections.h"
#include "engine/report/loss_section.h"
#include "engine/report/site_plots.h"
#include "engine/report/text_format.h"

namespace bdq::report {
namespace {

constexpr std::size_t kWorstSites = 4;
Card perplexityCard(const RunResult& run) {
    if (!run.quantized) return {"Perplexity", "not measured", {}};
    const double after = run.quantized->perplexity;
    const std::string size = perplexitySize(run, *run.quantized);
    if (!run.full)
        return {"Perplexity", perplexityText(*run.quantized) + " (" + size + ")", formatExact(after)};
    const double before = run.full->perplexity;
    return {"Perplexity, full to quantized",
            perplexityText(*run.full) + " → " + perplexityText(*run.quantized) + " (" + size + "; " +
                (after >= before ? "+" : "") + formatNumber(after - before) + ", " +
                (after >= before ? "+" : "") + formatNumber(100 * (after / before - 1)) + " %)",
            formatExact(before) + " → " + formatExact(after)};
}

std::vector<Card> cards(const RunResult& run) {
    const MethodInfo& method = methodInfo(run.spec.method);
    std::vector<Card> result{
        perplexityCard(run),
        {"Method", std::string(method.title) + ", preset " + std::string(presetName(run.spec.preset)), {}},
        {"Scheme", formatScheme(run.spec.plan.base), {}},
        {"Average weight bits", averageBitsText(run), formatExact(run.averageWeightBits)},
        {"Time", formatSeconds(run.provenance.seconds), formatExact(run.provenance.seconds) + " s"},
        {"Peak memory", formatBytes(run.provenance.peakHostBytes),
         std::to_string(run.provenance.peakHostBytes) + " bytes"},
        {"Device", run.provenance.device, run.provenance.deviceName}};
    if (run.provenance.peakDeviceBytes > 0)
        result.push_back({"Peak device memory", formatBytes(run.provenance.peakDeviceBytes),
                          std::to_string(run.provenance.peakDeviceBytes) + " bytes"});
    if (run.status != "finished") result.push_back({"Status", run.status, {}});
    return result;
}

std::vector<SiteValue> sqnrValues(const RunResult& run) {
    std::vector<SiteValue> values;
    for (const RunSiteResult& row : run.perLayer)
        values.push_back({row.key, row.sqnrDb});
    return values;
}

Section plotsSection(const RunResult& run) {
    Section section{"Across the layers", {}};
    if (run.perLayer.empty()) {
        section.blocks.emplace_back(Paragraph{"No layer was finished.", false});
        return section;
    }
    section.blocks.emplace_back(
        PlotGroup{"Measured on calibration tokens at the linear output; K and V: at the cached tensor. "
                  "Higher is better.",
                  {valuesByLayer("SQNR of every site", "SQNR (dB)", sqnrValues(run))}});
    std::vector<BeforeAfter> activation;
    std::vector<BeforeAfter> weight;
    for (const RunSiteResult& row : run.perLayer) {
        activation.push_back({row.key, row.flatnessBefore, row.flatnessAfter});
        // The cache has no weights.
        if (row.key.site != Site::KCache && row.key.site != Site::VCache)
            weight.push_back({row.key, row.weightFlatnessBefore, row.weightFlatnessAfter});
    }
    section.blocks.emplace_back(Subheading{"Flatness of activations before and after the transform"});
    section.blocks.emplace_back(beforeAfterByLayer("Flatness of x", activation));
    section.blocks.emplace_back(Subheading{"Flatness of weights before and after the transform"});
    section.blocks.emplace_back(beforeAfterByLayer("Flatness of W", weight));
    return section;
}

Section worstSection(const ReportData& data) {
    const RunResult& run = *data.run;
    std::vector<SiteKey> worst;
    std::string text;
    if (data.analysis) {
        const RankedPlan plan = rankedPlan(data);
        worst = costliest(plan, kWorstSites);
        text = "The sites that cost the model most: " + rankingText(plan) + ".";
    }
    if (worst.empty()) {
        std::vector<SiteValue> linear;
        for (const SiteValue& value : sqnrValues(run))
            if (value.key.site != Site::KCache && value.key.site != Site::VCache) linear.push_back(value);
        worst = lowest(std::move(linear), kWorstSites);
        text =
            "Not ranked: this run's folder holds no losses of single sites. Shown are the linear sites with "
            "the lowest SQNR, worst first: a diagnosis, not what the model loses.";
    }
    Section section{"Worst sites", {Paragraph{text, false}}};
    std::vector<Block> blocks =
        worstSiteBlocks(data, worst, methodInfo(run.spec.method).transform, run.text.source);
    if (blocks.empty()) blocks.emplace_back(Paragraph{"No histograms were stored with this run.", false});
    section.blocks.insert(section.blocks.end(), blocks.begin(), blocks.end());
    return section;
}

Section tableSection(const RunResult& run) {
    Table table{{{"Layer", {}},
                 {"Site", {}},
                 {"Scheme", {}},
                 metricColumn("sqnr_db"),
                 metricColumn("mse"),
                 metricColumn("flatness_activation", "Flatness x, before"),
                 metricColumn("flatness_activation", "Flatness x, after"),
                 metricColumn("flatness_weight", "Flatness W, before"),
                 metricColumn("flatness_weight", "Flatness W, after")},
                {},
                true};
    for (const RunSiteResult& row : run.perLayer)
        table.rows.push_back({countCell(row.key.layer), textCell(std::string(siteName(row.key.site))),
                              textCell(row.scheme), sqnrCell(row.sqnrDb), numberCell(row.mse),
                              flatnessCell(row.flatnessBefore), flatnessCell(row.flatnessAfter),
                              flatnessCell(row.weightFlatnessBefore), flatnessCell(row.weightFlatnessAfter)});
    return {
        "Every layer and site",
        {Paragraph{
             "SQNR: ! below 15 dB, !! below 10 dB. Flatness: 0 = flat. The stronger the colour, the worse.",
             false},
         std::move(table)}};
}

Section settingsSection(const RunResult& run) {
    const RunSpec& spec = run.spec;
    const MethodInfo& method = methodInfo(spec.method);
    const TransformInfo& transform = transformInfo(method.transform);
    std::vector<std::pair<std::string, std::string>> facts{
        {"Method", std::string(method.title) + ": " + std::string(method.explanation)},
        {"Source of the method", method.citation.empty() ? "none" : std::string(method.citation)},
        {"Transform of linear sites",
         std::string(transform.title) + ": " + std::string(transform.explanation)},
        {"Keys and values", method.rotateKv ? "randomised Hadamard of head_dim" : "not rotated"},
        {"What stays online at inference", std::string(method.onlineParts)},
        {"Weight rounding", std::string(roundingName(effectiveRounding(spec)))},
        {"Scheme", formatScheme(spec.plan.base)},
        {"Layers", spec.layers.empty() ? "all" : formatLayers(spec.layers)}};
    Section section{"Settings", {factTable(facts)}};
    if (spec.plan.overrides.empty()) return section;
    Table table{{{"Layer", {}}, {"Site", {}}, {"Scheme", {}}}, {}, false};
    for (const auto& [key, scheme] : spec.plan.overrides)
        table.rows.push_back({countCell(key.layer), textCell(std::string(siteName(key.site))),
                              textCell(formatScheme(scheme))});
    section.blocks.emplace_back(Subheading{"Sites with a scheme of their own"});
    section.blocks.emplace_back(std::move(table));
    return section;
}

std::vector<std::string> notes(const ReportData& data) {
    std::vector<std::string> result = data.problems;
    result.insert(result.end(), data.run->warnings.begin(), data.run->warnings.end());
    for (const RunSiteResult& row : data.run->perLayer)
        if (std::isnan(row.sqnrDb))
            result.push_back(siteText(row.key) + ": the SQNR has no value: the output is 0 throughout");
    if (data.analysis)
        for (const SiteAnalysis& site : data.analysis->sites)
            for (const std::string& note : site.notes)
                result.push_back(siteText(site.key) + ": " + note);
    return result;
}

void addSections(Document& document, const ReportData& data, const std::vector<ReportSection>& leaveOut) {
    const RunResult& run = *data.run;
    const auto add = [&](ReportSection section, const auto& make) {
        addSection(document, section, leaveOut, make);
    };
    add(ReportSection::Layers, [&] { return plotsSection(run); });
    add(ReportSection::Worst, [&] { return worstSection(data); });
    add(ReportSection::Table, [&] { return tableSection(run); });
    add(ReportSection::Settings, [&] { return settingsSection(run); });
    add(ReportSection::Sources, [&] {
        return sourcesSection({run.model, run.parameters, run.spec.modelPath, run.modelFingerprint, run.text,
                               run.full ? run.full : run.quantized});
    });
    document.sections.push_back(notesSection(notes(data)));
    add(ReportSection::Definitions, [] {
        return definitionsSection({"sqnr_db", "mse", "flatness_activation", "flatness_weight",
                                   "flatness_channel", "flatness_figure2", "perplexity",
                                   "average_weight_bits"});
    });
    add(ReportSection::Reproduction, [&] { return reproductionSection(run.provenance, run.spec.seed); });
}

} // namespace

Document runDocument(const ReportData& data, const std::vector<ReportSection>& leaveOut) {
    const RunResult& run = *data.run;
    Document document;
    document.title = modelTitle(run.model, run.spec.modelPath) + ": " +
                     std::string(methodInfo(run.spec.method).title) + " " + formatScheme(run.spec.plan.base);
    document.subtitle = "BDQ Studio quantization report · " + lastName(run.spec.modelPath) + " · " +
                        run.provenance.startedUtc;
    document.summary = cards(run);
    if (run.simulated)
        document.notes.emplace_back(
            "Simulated: weights, activations and KV cache were rounded to the codes of the scheme and "
            "computed in floating point. Quality is that of the scheme; speed and memory at inference "
            "are not measured here, and no deployable checkpoint was written.");
    if (run.status != "finished")
        document.notes.push_back("This run is " + run.status + ": " + std::to_string(run.perLayer.size()) +
                                 " sites were finished.");
    addSections(document, data, leaveOut);
    return document;
}

} // namespace bdq::report
