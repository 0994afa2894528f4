// bdq plan DIR --budget BITS --out FILE: which weight bits go where, from an analysis and its sensitivity.
#include <charconv>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "engine/analysis/bit_plan.h"
#include "engine/api/atomic_file.h"
#include "engine/cli/command.h"
#include "engine/cli/job_options.h"
#include "engine/cli/text.h"

namespace bdq::cli {
namespace {

using analysis::BitPlan;
using analysis::BitPlanSite;
using analysis::UniformPlan;
using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxAnalysisBytes = std::size_t{1} << 28;

std::string metricNames() {
    std::string names;
    for (const analysis::PlanMetricInfo& info : analysis::planMetricTable())
        names += (names.empty() ? "" : ", ") + std::string(info.id);
    return names;
}

std::string metricHelp() {
    std::string text = "Metrics, summed over the sites and made as small as possible:\n";
    for (const analysis::PlanMetricInfo& info : analysis::planMetricTable())
        text += "  " + std::string(info.id) + ": " + std::string(info.explanation) + "\n";
    return text +
           "The bits of a site are those of its codes, of an fp16 scale a row or group, and of zero points "
           "where weights are\nasymmetric; q, k, v share them, and so do gate and up. The choice is exact: "
           "a bound from the linear relaxation and a\ndynamic program prove that no other one within the "
           "budget has a smaller sum.\n";
}

class PlanCommand : public Command {
public:
    PlanCommand() : Command("plan", "choose weight bits for every site under a budget, from an analysis") {}

    void declare(Arguments& arguments) override {
        arguments.word("DIR", "folder of an analysis, with its sensitivity.json where the metric needs it",
                       m_dir);
        arguments.option(
            {"--budget", "B",
             "average bits a weight, scales counted, e.g. 4.25; or W4: as many as all sites "
             "at 4 bits need"},
            [this](const std::string& text) { return takeBudget(text); }, true);
        arguments.option({"--out", "FILE", "plan file for bdq run --plan"}, m_outFile, true);
        arguments.option({"--bits", "LIST", "bit widths to choose from, e.g. 2,3,4g128,8 (default 2,3,4,8)"},
                         [this](const std::string& text) -> Status {
                             BDQ_TRY(m_request.weights, parseWeightList(text, "--bits"));
                             return {};
                         });
        arguments.option(
            {"--metric", "NAME", metricNames() + " (default kl with a sensitivity, else estimated)"},
            [this](const std::string& text) { return takeMetric(text); });
        arguments.option({"--transform", "NAME", "whose losses count (default: the last that was measured)"},
                         [this](const std::string& text) -> Status {
                             BDQ_TRY(m_request.transform, readTransformName(text, "--transform"));
                             return {};
                         });
        arguments.option({"--activation", "A", "activations of all sites, e.g. A4 (default A16)"},
                         [this](const std::string& text) -> Status {
                             BDQ_TRY(m_request.activation, readActivation(text));
                             return {};
                         });
        arguments.option({"--kv", "KV", "KV cache of all layers, e.g. KV4 (default KV16)"},
                         [this](const std::string& text) -> Status {
                             BDQ_TRY(m_request.kv, readCache(text));
                             return {};
                         });
        arguments.option({"--weights", "NAME",
                          "rounding behind estimated and predicted losses: rtn, or mse for searched ranges "
                          "(default mse)"},
                         [this](const std::string& text) { return takeRounding(text); });
        arguments.flag({"--whole-layers", "", "all sites of a layer get the same bits"},
                       m_request.wholeLayers);
        declareJson(arguments);
        arguments.footer(metricHelp());
    }

    Status check() override { return checkOutput(m_outFile, json()); }

    Result<int> execute(Console& console, EngineServices*) override {
        BDQ_TRY(const AnalysisResult analysed, readAnalysis());
        BDQ_TRY(const std::optional<SensitivityResult> sensitivity, readSensitivity());
        auto plan = analysis::planBits(analysed, sensitivity ? &*sensitivity : nullptr, m_request);
        if (!plan) return passOn(std::move(plan).error(), m_dir);
        BDQ_CHECK(writeOutput(console, m_outFile, endLine(encodePlan(plan->plan))));
        if (m_outFile == kStandardOutput) return 0;
        BDQ_CHECK(console.print(json() ? endLine(toJson(*plan).dump()) : describe(*plan)));
        return 0;
    }

private:
    Status takeBudget(const std::string& text);
    Status takeMetric(const std::string& text);
    Status takeRounding(const std::string& text);
    [[nodiscard]] Result<AnalysisResult> readAnalysis() const;
    [[nodiscard]] Result<std::optional<SensitivityResult>> readSensitivity() const;
    [[nodiscard]] std::string describe(const BitPlan& plan) const;
    [[nodiscard]] Json toJson(const BitPlan& plan) const;

    std::string m_dir;
    std::string m_outFile;
    analysis::BitPlanRequest m_request;
};

Status PlanCommand::takeBudget(const std::string& text) {
    const auto refuse = [&text] {
        return fail(ErrorCode::InvalidSpec, "--budget: found \"" + text +
                                                "\", expected average bits such as 4.25, or one bit width "
                                                "such as W4");
    };
    if (text.starts_with('W') || text.starts_with('w')) {
        const Result<std::vector<OperandScheme>> weights = parseWeightList(text, "--budget");
        if (!weights || weights->size() != 1) return refuse();
        m_request.budgetOf = weights->front();
        return {};
    }
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, m_request.budget);
    if (error != std::errc() || stop != end) return refuse();
    return {};
}

Status PlanCommand::takeMetric(const std::string& text) {
    m_request.metric = analysis::planMetricFromName(text);
    if (m_request.metric) return {};
    return fail(ErrorCode::InvalidSpec,
                "--metric: unknown metric \"" + text + "\", expected " + metricNames());
}

Status PlanCommand::takeRounding(const std::string& text) {
    const std::optional<WeightRounding> rounding = roundingFromName(text);
    if (rounding != WeightRounding::Rtn && rounding != WeightRounding::Mse)
        return fail(ErrorCode::InvalidSpec, "--weights: found \"" + text + "\", expected rtn or mse");
    m_request.rounding = *rounding;
    return {};
}

Result<AnalysisResult> PlanCommand::readAnalysis() const {
    const std::string path = (std::filesystem::path(m_dir) / "analysis.json").string();
    BDQ_TRY(const std::string text, readTextFile(path, kMaxAnalysisBytes));
    return decodeAnalysis(text, path);
}

Result<std::optional<SensitivityResult>> PlanCommand::readSensitivity() const {
    const std::filesystem::path path = std::filesystem::path(m_dir) / kSensitivityFileName;
    std::error_code error;
    const bool wanted = m_request.metric != analysis::PlanMetric::Predicted &&
                        m_request.metric != analysis::PlanMetric::Estimated;
    if (!wanted || !std::filesystem::exists(path, error)) return std::optional<SensitivityResult>();
    BDQ_TRY(const std::string text, readTextFile(path, kMaxAnalysisBytes));
    BDQ_TRY(SensitivityResult result, decodeSensitivity(text, path.string()));
    return std::optional(std::move(result));
}

int sitesWith(const BitPlan& plan, const OperandScheme& weight) {
    int count = 0;
    for (const BitPlanSite& site : plan.sites)
        if (site.weight == weight) ++count;
    return count;
}

std::string certificate(const BitPlan& plan) {
    if (plan.solution.optimal)
        return "Proven: no choice within the budget has a smaller sum (linear bound " +
               formatShort(plan.solution.relaxation) + ")\n";
    return "Not proven: no choice within the budget is below " + formatShort(plan.solution.lowerBound) +
           ", " + formatShort(plan.solution.gap()) + " less\n";
}

std::string PlanCommand::describe(const BitPlan& plan) const {
    TextTable table({"plan", "sites", "bits a weight", "sum of losses"});
    for (const UniformPlan& uniform : plan.uniform)
        table.add({"all " + weightText(uniform.weight), std::to_string(plan.sites.size()),
                   formatNumber(uniform.bits, 3), formatShort(uniform.loss)});
    std::string mix;
    for (const UniformPlan& uniform : plan.uniform)
        if (const int count = sitesWith(plan, uniform.weight); count > 0)
            mix += (mix.empty() ? "" : ", ") + std::to_string(count) + " x " + weightText(uniform.weight);
    table.add({"this plan", std::to_string(plan.sites.size()), formatNumber(plan.bits, 3),
               formatShort(plan.solution.loss)});
    std::string text = "Budget " + formatNumber(plan.budget, 3) + " bits a weight, metric " +
                       std::string(analysis::planMetricName(plan.metric)) + ", transform " +
                       std::string(transformInfo(plan.transform).id) + "\n" + table.render() +
                       "This plan: " + mix + "\n";
    if (const UniformPlan* best = plan.bestUniform(); best != nullptr && plan.solution.loss > 0)
        text += "Sum of losses " + formatNumber(best->loss / plan.solution.loss, 2) +
                " times smaller than all " + weightText(best->weight) +
                ", the best uniform choice within the budget\n";
    text += certificate(plan);
    for (const std::string& note : plan.notes)
        text += "Note: " + note + "\n";
    return text + "Plan in " + m_outFile + "\n";
}

Json PlanCommand::toJson(const BitPlan& plan) const {
    Json out{{"schema", 1},
             {"plan_file", m_outFile},
             {"scheme", formatScheme(plan.plan.base)},
             {"metric", analysis::planMetricName(plan.metric)},
             {"transform", transformInfo(plan.transform).id},
             {"budget", plan.budget},
             {"effective_bits", plan.bits},
             {"loss", plan.solution.loss},
             {"loss_lower_bound", plan.solution.lowerBound},
             {"loss_linear_bound", plan.solution.relaxation},
             {"optimal", plan.solution.optimal}};
    out["uniform"] = Json::array();
    for (const UniformPlan& uniform : plan.uniform)
        out["uniform"].push_back({{"weight", weightText(uniform.weight)},
                                  {"effective_bits", uniform.bits},
                                  {"loss", uniform.loss},
                                  {"sites", sitesWith(plan, uniform.weight)}});
    out["sites"] = Json::array();
    for (const BitPlanSite& site : plan.sites)
        out["sites"].push_back({{"layer", site.key.layer},
                                {"site", siteName(site.key.site)},
                                {"weight", weightText(site.weight)},
                                {"effective_bits", site.bits},
                                {"loss", site.loss}});
    out["notes"] = plan.notes;
    return out;
}

} // namespace

std::unique_ptr<Command> makePlanCommand() {
    return std::make_unique<PlanCommand>();
}

} // namespace bdq::cli
