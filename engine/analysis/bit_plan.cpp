#include "engine/analysis/bit_plan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <span>

#include "engine/analysis/checks.h"
#include "engine/analysis/sqnr_model.h"

namespace bdq::analysis {

namespace {

constexpr std::array kMetrics{
    PlanMetricInfo{PlanMetric::Kl, "kl",
                   "KL divergence of the whole model when only the site is quantized, from a sensitivity"},
    PlanMetricInfo{PlanMetric::Estimated, "estimated",
                   "the same KL divergence, estimated by the analysis from one backward pass"},
    PlanMetricInfo{PlanMetric::Output, "output",
                   "measured error of the site's output relative to the output, from a sensitivity"},
    PlanMetricInfo{
        PlanMetric::Predicted, "predicted",
        "predicted error of the site's output relative to the output, from the analysis alone; says "
        "nothing about what the model loses"}};
bool needsSensitivity(PlanMetric metric) {
    return metric == PlanMetric::Kl || metric == PlanMetric::Output;
}
constexpr double kMaxBudget = 16;
// Sums of estimated losses of two plans of one model tell a difference of 3 % (README, "Estimated losses").
constexpr double kLeastEstimatedGain = 0.97;
constexpr std::int64_t kScaleBits = 16; // fp16
// Beyond these no model is; sums of bits (at most 34 a weight) stay below 2^62.
constexpr std::int64_t kMaxExtent = std::int64_t{1} << 24;
constexpr std::int64_t kMaxWeights = std::int64_t{1} << 56;

std::string siteText(SiteKey key) {
    return "layer " + std::to_string(key.layer) + ", site " + std::string(siteName(key.site));
}

template <class Range, class Text> std::string listed(const Range& values, Text text) {
    std::string list;
    for (const auto& value : values)
        list += (list.empty() ? "" : ", ") + std::string(text(value));
    return list;
}

std::string transformId(TransformKind kind) {
    return std::string(transformInfo(kind).id);
}

/// One plan in the making.
class Planner {
public:
    Planner(const AnalysisResult& analysis, const SensitivityResult* sensitivity,
            const BitPlanRequest& request)
        : m_analysis(analysis), m_sensitivity(sensitivity), m_request(request) {}

    Result<BitPlan> run() {
        BDQ_CHECK(choose());
        BDQ_CHECK(fillOptions());
        sumUniform();
        BDQ_TRY(const std::int64_t budget, budgetBits());
        BDQ_TRY(m_result.solution, solveBitBudget(m_decisions, budget));
        if (m_result.metric == PlanMetric::Estimated) preferUniform(budget);
        m_result.bits = average(m_result.solution.cost);
        fillPlan();
        addNotes();
        return std::move(m_result);
    }

private:
    Status choose();
    Status chooseTransform();
    [[nodiscard]] Status checkEstimates() const;
    Status fillOptions();
    Status addSite(const SiteAnalysis& site, std::int64_t weights);
    [[nodiscard]] std::span<const OperandScheme> optionsOf(SiteKey key) const;
    Result<double> lossOf(const SiteAnalysis& site, const OperandScheme& weight) const;
    Result<double> measuredLoss(SiteKey key, const OperandScheme& weight) const;
    Result<double> predictedLoss(const SiteAnalysis& site, const OperandScheme& weight) const;
    void sumUniform();
    void preferUniform(std::int64_t budget);
    Result<std::int64_t> budgetBits();
    void fillPlan();
    void addNotes();
    [[nodiscard]] double average(std::int64_t bits) const {
        return static_cast<double>(bits) / static_cast<double>(m_weightCount);
    }
    [[nodiscard]] Scheme schemeOf(const OperandScheme& weight) const {
        return {weight, m_request.activation, m_request.kv};
    }

    const AnalysisResult& m_analysis;
    const SensitivityResult* m_sensitivity;
    const BitPlanRequest& m_request;
    BitPlan m_result;
    std::vector<BudgetDecision> m_decisions;
    std::vector<std::size_t> m_decisionOf;         ///< by site
    std::vector<std::vector<BitPlanSite>> m_cells; ///< by site and candidate
    std::int64_t m_weightCount = 0;
};

Status Planner::chooseTransform() {
    const bool measured = needsSensitivity(m_result.metric);
    const std::vector<TransformKind> known =
        measured ? m_sensitivity->transforms() : m_analysis.spec.transforms;
    if (known.empty())
        return fail(ErrorCode::InvalidSpec, std::string("plan: found no transform in the ") +
                                                (measured ? "sensitivity" : "analysis") +
                                                ", expected at least one");
    m_result.transform = m_request.transform.value_or(known.back());
    if (std::ranges::find(known, m_result.transform) != known.end()) return {};
    return fail(ErrorCode::InvalidSpec, "plan: found transform " + transformId(m_result.transform) +
                                            ", the " + (measured ? "sensitivity" : "analysis") + " has " +
                                            listed(known, transformId));
}

Status Planner::choose() {
    if (m_analysis.sites.empty())
        return fail(ErrorCode::InvalidSpec, "plan: found no sites in the analysis, expected at least one");
    if (m_request.weights.empty())
        return fail(ErrorCode::InvalidSpec, "plan: found no bit widths, expected at least one");
    const bool usable = m_sensitivity != nullptr && !m_sensitivity->rows.empty();
    m_result.metric = m_request.metric.value_or(usable ? PlanMetric::Kl : PlanMetric::Estimated);
    if (needsSensitivity(m_result.metric) && !usable)
        return fail(ErrorCode::InvalidSpec, "plan: metric " + std::string(planMetricName(m_result.metric)) +
                                                " needs a measured sensitivity and there is none (bdq "
                                                "sensitivity measures it), expected estimated");
    if (m_request.wholeLayers && !m_request.locked.empty())
        return fail(ErrorCode::InvalidSpec, "plan: found " + std::to_string(m_request.locked.size()) +
                                                " locked sites and whole layers, expected one of the two");
    BDQ_CHECK(chooseTransform());
    return m_result.metric == PlanMetric::Estimated ? checkEstimates() : Status{};
}

Status Planner::checkEstimates() const {
    for (const SiteAnalysis& site : m_analysis.sites) {
        const auto stats = site.transforms.find(m_result.transform);
        if (stats == site.transforms.end() || !stats->second.loss)
            return fail(
                ErrorCode::InvalidSpec,
                "plan: " + siteText(site.key) + " has no estimated loss under " +
                    transformId(m_result.transform) +
                    ", expected one (bdq analyze estimates it), or losses that bdq sensitivity measures; "
                    "the metric predicted needs neither and does not rank sites");
    }
    return {};
}

Result<double> Planner::measuredLoss(SiteKey key, const OperandScheme& weight) const {
    const SensitivityRow* row = m_sensitivity->find(key, m_result.transform, weight);
    if (row == nullptr)
        return fail(ErrorCode::InvalidSpec,
                    "plan: " + siteText(key) + " was not measured with " + weightText(weight) + " under " +
                        transformId(m_result.transform) +
                        "; measured bit widths: " + listed(m_sensitivity->weights(), weightText));
    return m_result.metric == PlanMetric::Kl ? row->klDivergence : row->outputError;
}

Result<double> Planner::predictedLoss(const SiteAnalysis& site, const OperandScheme& weight) const {
    if (!site.transforms.contains(m_result.transform))
        return fail(ErrorCode::InvalidSpec, "plan: " + siteText(site.key) + " was not analysed under " +
                                                transformId(m_result.transform));
    return fromDb(-predictedSqnrDb(site, m_result.transform, schemeOf(weight), m_request.rounding));
}

Result<double> Planner::lossOf(const SiteAnalysis& site, const OperandScheme& weight) const {
    double loss = 0;
    if (m_result.metric == PlanMetric::Estimated) {
        loss = estimatedLoss(site, m_result.transform, schemeOf(weight), m_request.rounding);
    } else {
        BDQ_TRY(loss, m_result.metric == PlanMetric::Predicted ? predictedLoss(site, weight)
                                                               : measuredLoss(site.key, weight));
    }
    if (std::isfinite(loss)) return loss;
    if (std::isnan(loss) && site.signalPower == 0) return 0.0; // an output of zeros has nothing to lose
    return fail(ErrorCode::NonFinite, "plan: " + siteText(site.key) + " with " + weightText(weight) +
                                          ": found the loss " + numberText(loss) +
                                          ", expected a finite number");
}

Status Planner::fillOptions() {
    std::optional<int> layer;
    for (const SiteAnalysis& site : m_analysis.sites) {
        const auto inRange = [](std::int64_t n) { return n >= 1 && n <= kMaxExtent; };
        if (!inRange(site.inFeatures) || !inRange(site.outFeatures))
            return fail(ErrorCode::InvalidSpec, "plan: " + siteText(site.key) + ": found a weight of " +
                                                    std::to_string(site.outFeatures) + " x " +
                                                    std::to_string(site.inFeatures) + ", expected 1 to " +
                                                    std::to_string(kMaxExtent) + " each way");
        const std::int64_t weights = site.outFeatures * site.inFeatures;
        m_weightCount += weights;
        if (m_weightCount > kMaxWeights)
            return fail(ErrorCode::InvalidSpec, "plan: found more than " + std::to_string(kMaxWeights) +
                                                    " weights up to " + siteText(site.key));
        if (!m_request.wholeLayers || layer != site.key.layer) m_decisions.emplace_back();
        layer = site.key.layer;
        m_decisionOf.push_back(m_decisions.size() - 1);
        BDQ_CHECK(addSite(site, weights));
    }
    return {};
}

/// What may be chosen for a site: a locked one has a single option.
std::span<const OperandScheme> Planner::optionsOf(SiteKey key) const {
    const auto locked = m_request.locked.find(key);
    if (locked != m_request.locked.end()) return {&locked->second, 1};
    return m_request.weights;
}

Status Planner::addSite(const SiteAnalysis& site, std::int64_t weights) {
    const std::span<const OperandScheme> options = optionsOf(site.key);
    std::vector<BitPlanSite>& cells = m_cells.emplace_back();
    BudgetDecision& decision = m_decisions.back();
    decision.resize(options.size());
    for (std::size_t i = 0; i < options.size(); ++i) {
        BDQ_TRY(const double loss, lossOf(site, options[i]));
        const std::int64_t cost = weightBits(options[i], site.outFeatures, site.inFeatures);
        cells.push_back(
            {site.key, options[i], static_cast<double>(cost) / static_cast<double>(weights), loss});
        decision[i].cost += cost;
        decision[i].loss += loss;
    }
    return {};
}

// Locked sites keep their weights in every uniform plan, too.
void Planner::sumUniform() {
    for (std::size_t i = 0; i < m_request.weights.size(); ++i) {
        std::int64_t cost = 0;
        double loss = 0;
        for (const BudgetDecision& decision : m_decisions) {
            const BudgetOption& option = decision[decision.size() == 1 ? 0 : i];
            cost += option.cost;
            loss += option.loss;
        }
        m_result.uniform.push_back({m_request.weights[i], average(cost), loss});
    }
}

// A gain that estimates cannot tell from none is not taken: uniform bits are never worse than they look.
void Planner::preferUniform(std::int64_t budget) {
    const UniformPlan* best = nullptr;
    std::size_t index = 0;
    for (std::size_t i = 0; i < m_result.uniform.size(); ++i) {
        const bool fits = m_result.uniform[i].bits <= average(budget);
        if (!fits || (best != nullptr && best->loss <= m_result.uniform[i].loss)) continue;
        best = &m_result.uniform[i];
        index = i;
    }
    if (best == nullptr || m_result.solution.loss < kLeastEstimatedGain * best->loss) return;
    BudgetSolution& solution = m_result.solution;
    solution.cost = 0;
    solution.loss = 0;
    for (std::size_t d = 0; d < m_decisions.size(); ++d) {
        solution.choice[d] = m_decisions[d].size() == 1 ? 0 : index;
        solution.cost += m_decisions[d][solution.choice[d]].cost;
        solution.loss += m_decisions[d][solution.choice[d]].loss;
    }
    m_result.notes.push_back("estimated losses promise no clear gain over all " + weightText(best->weight) +
                             ", so it is all " + weightText(best->weight));
}

Result<std::int64_t> Planner::budgetBits() {
    std::int64_t cost = 0;
    if (m_request.budgetOf) {
        for (const SiteAnalysis& site : m_analysis.sites)
            cost += weightBits(*m_request.budgetOf, site.outFeatures, site.inFeatures);
    } else {
        if (!(m_request.budget > 0 && m_request.budget <= kMaxBudget))
            return fail(ErrorCode::InvalidSpec, "plan: found a budget of " + numberText(m_request.budget) +
                                                    " bits, expected more than 0, at most 16");
        cost = static_cast<std::int64_t>(std::floor(m_request.budget * static_cast<double>(m_weightCount)));
    }
    m_result.budget = m_request.budgetOf ? average(cost) : m_request.budget;
    BDQ_TRY(const std::int64_t least, leastCost(m_decisions));
    if (cost >= least) return cost;
    return fail(ErrorCode::InvalidSpec, "plan: found a budget of " + numberText(m_result.budget) +
                                            " bits a weight, the least with " +
                                            listed(m_request.weights, weightText) + " is " +
                                            numberText(average(least)) + " (scales and zero points counted)");
}

void Planner::fillPlan() {
    std::vector<std::int64_t> weightsOf(m_request.weights.size(), 0);
    for (std::size_t s = 0; s < m_cells.size(); ++s) {
        const std::size_t chosen = m_result.solution.choice[m_decisionOf[s]];
        m_result.sites.push_back(m_cells[s][chosen]);
        if (!m_request.locked.contains(m_analysis.sites[s].key))
            weightsOf[chosen] += m_analysis.sites[s].inFeatures * m_analysis.sites[s].outFeatures;
    }
    const auto most = std::ranges::max_element(weightsOf) - weightsOf.begin();
    m_result.plan.base = schemeOf(m_request.weights[static_cast<std::size_t>(most)]);
    for (const BitPlanSite& site : m_result.sites)
        m_result.plan.set(site.key, schemeOf(site.weight));
}

void Planner::addNotes() {
    std::set<int> analysed;
    for (const SiteAnalysis& site : m_analysis.sites)
        analysed.insert(site.key.layer);
    std::vector<int> missing;
    for (int layer = 0; layer < m_analysis.model.layers; ++layer)
        if (!analysed.contains(layer)) missing.push_back(layer);
    if (!missing.empty())
        m_result.notes.push_back("layers " + formatLayers(missing) +
                                 " are not in the analysis: the budget does not count them, and the plan "
                                 "gives them " +
                                 formatScheme(m_result.plan.base));
    if (needsSensitivity(m_result.metric) && m_sensitivity->activation != m_request.activation)
        m_result.notes.push_back("losses were measured with " + activationText(m_sensitivity->activation) +
                                 ", the plan has " + activationText(m_request.activation));
    if (!m_result.solution.optimal)
        m_result.notes.push_back("the search stopped before it could prove that nothing is better");
}

} // namespace

std::span<const PlanMetricInfo> planMetricTable() {
    return kMetrics;
}

std::string_view planMetricName(PlanMetric metric) {
    for (const PlanMetricInfo& info : kMetrics)
        if (info.metric == metric) return info.id;
    return "predicted";
}

std::optional<PlanMetric> planMetricFromName(std::string_view id) {
    for (const PlanMetricInfo& info : kMetrics)
        if (info.id == id) return info.metric;
    return std::nullopt;
}

const UniformPlan* BitPlan::bestUniform() const {
    const UniformPlan* best = nullptr;
    for (const UniformPlan& candidate : uniform)
        if (candidate.bits <= budget && (best == nullptr || candidate.loss < best->loss)) best = &candidate;
    return best;
}

std::int64_t weightBits(const OperandScheme& weight, std::int64_t rows, std::int64_t columns) {
    if (!weight.quantizes()) return rows * columns * weight.bits;
    const std::int64_t group = weight.groupSize > 0 ? weight.groupSize : columns;
    const std::int64_t groups = (columns + group - 1) / group;
    return rows * (columns * weight.bits + groups * (kScaleBits + (weight.symmetric ? 0 : weight.bits)));
}

Result<BitPlan> planBits(const AnalysisResult& analysis, const SensitivityResult* sensitivity,
                         const BitPlanRequest& request) {
    return Planner(analysis, sensitivity, request).run();
}

} // namespace bdq::analysis
