// Runs side by side as choices: what each gives for which text and time.
#include <cmath>

#include "engine/cli/findings.h"
#include "engine/cli/text.h"

namespace bdq::cli {
namespace {

// Perplexities beyond it have no digit that means something.
constexpr double kReadable = 1e6;

std::string perplexityText(double value) {
    return value < kReadable ? formatNumber(value, 2) : formatShort(value);
}

std::string tokensOf(std::int64_t tokens, const std::string& source) {
    return formatCount(tokens) + " tokens of " + source;
}

double ratioOf(const RunResult& run) {
    return run.full && run.quantized ? run.quantized->perplexity / run.full->perplexity : std::nan("");
}

/// "+12.3 %", or "458 times" where percent say nothing.
std::string changeText(double ratio) {
    constexpr double kTimes = 3;
    if (std::isnan(ratio)) return "-";
    if (ratio >= kTimes) return formatShort(ratio) + " times";
    return (ratio >= 1 ? "+" : "") + formatNumber(100 * (ratio - 1), 1) + " %";
}

} // namespace

std::string choiceName(const RunResult& run) {
    const std::optional<int>& epochs = run.spec.training.epochs;
    return std::string(methodInfo(run.spec.method).id) + ":" + std::string(presetName(run.spec.preset)) +
           (epochs ? ", " + std::to_string(*epochs) + (*epochs == 1 ? " epoch" : " epochs") : std::string());
}

std::string describeChoices(const std::vector<RunResult>& runs) {
    TextTable table({"choice", "bits", "perplexity", "change", "measured on", "calibrated on", "time"});
    const RunResult* best = nullptr;
    for (const RunResult& run : runs) {
        const double ratio = ratioOf(run);
        if (!std::isnan(ratio) && (best == nullptr || ratio < ratioOf(*best))) best = &run;
        const EvalResult* full = run.full ? &*run.full : nullptr;
        const EvalResult* quantized = run.quantized ? &*run.quantized : nullptr;
        if (table.rows() == 0 && full != nullptr)
            table.add({"full precision", "-", perplexityText(full->perplexity), "-",
                       tokensOf(full->measuredTokens(), full->text), "-", "-"});
        table.add({choiceName(run), formatScheme(run.spec.plan.base),
                   quantized == nullptr ? "-" : perplexityText(quantized->perplexity), changeText(ratio),
                   quantized == nullptr ? "-" : tokensOf(quantized->measuredTokens(), quantized->text),
                   tokensOf(run.text.tokens, run.text.source), formatDuration(run.provenance.seconds)});
    }
    std::string text = "What each choice gives:\n" + table.render();
    if (best != nullptr && runs.size() > 1)
        text += "Nearest to the full model: " + choiceName(*best) + ", perplexity " +
                changeText(ratioOf(*best)) + "\n";
    return text;
}

} // namespace bdq::cli
