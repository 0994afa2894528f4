#include "engine/cli/summaries.h"

#include <algorithm>
#include <cmath>

#include "engine/cli/text.h"

namespace bdq::cli {
namespace {

constexpr std::size_t kWorstSites = 10;

/// Where the tokens of an evaluation come from.
std::string textOf(const EvalResult& result) {
    return std::to_string(result.windows) + (result.windows == 1 ? " window of " : " windows of ") +
           std::to_string(result.sequenceLength) + " of " + result.text + ", which has " +
           formatCount(result.tokens) + ", " + bosText(result) +
           (result.form.empty() ? std::string() : "; " + result.form);
}

/// "46.12 +- 0.53", the standard error where there is one.
std::string withError(const EvalResult& result) {
    return formatPerplexity(result.perplexity) +
           (std::isnan(result.nllError) ? std::string()
                                        : " +- " + formatPerplexity(result.perplexityError(), 2));
}

std::string layersOf(const RunResult& result) {
    if (result.quantizedLayers() >= result.model.layers) return {};
    return ", " + std::to_string(result.quantizedLayers()) + " of " + std::to_string(result.model.layers) +
           " layers";
}

/// A perplexity never stands without what it was measured on.
std::string perplexityLine(const RunResult& result) {
    if (!result.quantized) return {};
    std::string text = "Perplexity ";
    if (result.full) text += withError(*result.full) + " -> ";
    return text + withError(*result.quantized) + " (" + formatCount(result.quantized->measuredTokens()) +
           " tokens" + layersOf(result) + ": " + textOf(*result.quantized) + "; +- = standard error)\n";
}

std::string warningLines(const std::vector<std::string>& warnings) {
    std::string text;
    for (const std::string& warning : warnings)
        text += "Note: " + warning + "\n";
    return text;
}

std::string comparisonLine(const ModelComparison& comparison) {
    return "full model " + formatPerplexity(comparison.perplexityFull) + "; KL(full || quantized) " +
           formatShort(comparison.klDivergence) + " nats a token; same top token " +
           formatNumber(100 * comparison.topAgreement, 2) + " %\n";
}

std::string taskTable(const EvalResult& result) {
    TextTable table({"task", "items", "acc %", "+-", "acc_norm %", "+-"});
    int truncated = 0;
    for (const TaskResult& task : result.tasks) {
        table.add({task.name, std::to_string(task.items), formatNumber(100 * task.accuracy, 2),
                   formatNumber(100 * task.accuracyError, 2), formatNumber(100 * task.accuracyNormalized, 2),
                   formatNumber(100 * task.accuracyNormalizedError, 2)});
        truncated += task.truncated;
    }
    return "Multiple choice (+- = standard error) on " + result.provenance.device + "\n" + table.render() +
           (truncated > 0 ? std::to_string(truncated) +
                                " items are longer than the model's context and lost their beginning\n"
                          : std::string());
}

std::string worstSites(const RunResult& result) {
    std::vector<const RunSiteResult*> rows;
    for (const RunSiteResult& row : result.perLayer)
        rows.push_back(&row);
    std::stable_sort(rows.begin(), rows.end(), [](const RunSiteResult* a, const RunSiteResult* b) {
        return sortKey(a->sqnrDb) < sortKey(b->sqnrDb);
    });
    rows.resize(std::min(rows.size(), kWorstSites));
    if (rows.empty()) return {};
    TextTable table({"layer", "site", "scheme", "SQNR dB", "MSE", "Flatness before", "after"});
    for (const RunSiteResult* row : rows)
        table.add({std::to_string(row->key.layer), std::string(siteName(row->key.site)), row->scheme,
                   formatNumber(row->sqnrDb, 2), formatShort(row->mse), formatNumber(row->flatnessBefore, 3),
                   formatNumber(row->flatnessAfter, 3)});
    return "Worst " + std::to_string(rows.size()) + " of " + std::to_string(result.perLayer.size()) +
           " sites (Flatness of the activation, 0 = flat)\n" + table.render();
}

} // namespace

std::string describeEval(const EvalResult& result) {
    std::string text;
    if (!result.text.empty())
        text = "perplexity " + withError(result) + " (" + formatCount(result.measuredTokens()) +
               " tokens: " + textOf(result) + "; +- = standard error; nll " + formatNumber(result.nll, 5) +
               " nats a token; " + formatNumber(result.tokensPerSecond, 0) + " tokens/s on " +
               result.provenance.device + ")\n";
    if (result.comparison) text += comparisonLine(*result.comparison);
    return result.tasks.empty() ? text : text + taskTable(result);
}

std::string describeRun(const RunResult& result) {
    const Provenance& made = result.provenance;
    return result.model.name + ": " + std::string(methodInfo(result.spec.method).title) + ", " +
           formatScheme(result.spec.plan.base) +
           (result.spec.plan.overrides.empty()
                ? std::string()
                : " with " + std::to_string(result.spec.plan.overrides.size()) + " sites that differ") +
           (result.simulated ? ", simulated arithmetic" : "") + "\n" + perplexityLine(result) +
           "Average weight bits: " + averageBitsText(result) +
           ", scales and zero points counted, weights that are not quantized at 16\n" + worstSites(result) +
           "Time " + formatDuration(made.seconds) + " on " + made.device + ", peak memory " +
           formatBytes(made.peakHostBytes) +
           (made.peakDeviceBytes > 0 ? ", on the device " + formatBytes(made.peakDeviceBytes)
                                     : std::string()) +
           "\n" + warningLines(result.warnings);
}

std::string describeSensitivity(const SensitivityResult& result) {
    const std::vector<OperandScheme> weights = result.weights();
    std::vector<const SensitivityRow*> sites; // one a site and transform: the row of the first bit width
    for (const SensitivityRow& row : result.rows)
        if (row.weight == weights.front()) sites.push_back(&row);
    const std::size_t all = sites.size();
    std::stable_sort(sites.begin(), sites.end(), [](const SensitivityRow* a, const SensitivityRow* b) {
        return a->klDivergence > b->klDivergence;
    });
    sites.resize(std::min(all, kWorstSites));
    std::vector<std::string> heading{"layer", "site", "transform"};
    for (const OperandScheme& weight : weights)
        heading.push_back(weightText(weight) + activationText(result.activation));
    TextTable table(heading);
    for (const SensitivityRow* site : sites) {
        std::vector<std::string> cells{std::to_string(site->key.layer), std::string(siteName(site->key.site)),
                                       std::string(transformInfo(site->transform).id)};
        for (const OperandScheme& weight : weights) {
            const SensitivityRow* row = result.find(site->key, site->transform, weight);
            cells.push_back(row == nullptr ? "-" : formatShort(row->klDivergence));
        }
        table.add(std::move(cells));
    }
    const Provenance& made = result.provenance;
    return "Most sensitive " + std::to_string(sites.size()) + " of " + std::to_string(all) +
           ": KL(full || this site quantized) in nats a token, over " + formatCount(result.klTokens) +
           " tokens of " + result.text.source + "\n" + table.render() + "Time " +
           formatDuration(made.seconds) + " on " + made.device + ", peak memory " +
           formatBytes(made.peakHostBytes) + "\n";
}

} // namespace bdq::cli
