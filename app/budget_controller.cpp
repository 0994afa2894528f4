#include "app/budget_controller.h"

#include <algorithm>

#include "widgets/format.h"

namespace bdq {

namespace {

// What range() is asked with: above the widest choice, below what planBits refuses.
constexpr double kMostAverageBits = 16;

bool contains(const std::vector<TransformKind>& kinds, TransformKind kind) {
    return std::ranges::find(kinds, kind) != kinds.end();
}

analysis::BitPlanRequest requestOf(const PlanState& state) {
    analysis::BitPlanRequest request;
    for (OperandScheme& weight : request.weights)
        weight.groupSize = state.plan.base.weight.groupSize;
    request.activation = state.plan.base.activation;
    request.kv = state.plan.base.kv;
    return request;
}

QString countsOf(const analysis::BitPlan& plan) {
    QStringList parts;
    for (const analysis::UniformPlan& uniform : plan.uniform) {
        const auto count = std::ranges::count(plan.sites, uniform.weight, &analysis::BitPlanSite::weight);
        if (count > 0)
            parts << QStringLiteral("%1 × %2").arg(count).arg(toQString(weightText(uniform.weight)));
    }
    return parts.join(QStringLiteral(", "));
}

} // namespace

BudgetController::BudgetController(PlanController* plan, QObject* parent) : QObject(parent), m_plan(plan) {
    connect(m_plan, &PlanController::changed, this, &BudgetController::update);
    update();
}

void BudgetController::setAnalysis(const LoadedAnalysis& analysis) {
    m_analysis = analysis;
    update();
}

void BudgetController::choose(double averageBits) {
    if (!m_range) return;
    const auto found = solve(std::max(averageBits, m_range->leastBits));
    if (!found) return;
    std::map<SiteKey, OperandScheme> weights;
    for (const analysis::BitPlanSite& site : found->sites)
        weights[site.key] = site.weight;
    m_plan->setWeights(found->plan.base.weight, weights, averageBits);
}

SensitivitySpec BudgetController::measurement() const {
    const analysis::BitPlanRequest request = requestOf(m_plan->state());
    SensitivitySpec spec;
    spec.analysisDir = m_analysis.dir;
    spec.weights = request.weights;
    spec.activation = request.activation;
    const TransformKind wanted = m_plan->state().fallback();
    if (m_analysis.result && contains(m_analysis.result->spec.transforms, wanted)) spec.transforms = {wanted};
    return spec;
}

Result<analysis::BitPlan> BudgetController::solve(double averageBits) const {
    const PlanState& state = m_plan->state();
    const TransformKind wanted = state.fallback();
    analysis::BitPlanRequest request = requestOf(state);
    request.budget = averageBits;
    const SensitivityResult* sensitivity = m_analysis.sensitivity.get();
    const bool analysed = contains(m_analysis.result->spec.transforms, wanted);
    const bool tried = sensitivity != nullptr && contains(sensitivity->transforms(), wanted);
    // Losses under another method's transform are better than none when the plan's was not analysed.
    if (sensitivity != nullptr && (tried || !analysed)) {
        if (tried) request.transform = wanted;
        if (auto found = analysis::planBits(*m_analysis.result, sensitivity, request)) return found;
    }
    request.transform = analysed ? std::optional(wanted) : std::nullopt;
    request.metric = analysis::PlanMetric::Predicted;
    return analysis::planBits(*m_analysis.result, nullptr, request);
}

void BudgetController::update() {
    m_range.reset();
    m_measured = false;
    m_problem.clear();
    m_outcome.clear();
    m_explanation.clear();
    const std::optional<double> chosen = m_plan->state().budget;
    if (!m_analysis.result) {
        m_problem = tr("Analyse the model first: its losses decide which sites get more bits");
    } else if (const auto found = solve(chosen.value_or(kMostAverageBits)); !found) {
        m_problem = toQString(found.error().text());
    } else {
        const auto [least, most] = std::ranges::minmax(found->uniform, {}, &analysis::UniformPlan::bits);
        m_range = BudgetRange{least.bits, most.bits};
        m_measured = found->metric != analysis::PlanMetric::Predicted &&
                     found->transform == m_plan->state().fallback();
        if (chosen) describe(*found);
    }
    emit changed();
}

void BudgetController::describe(const analysis::BitPlan& plan) {
    m_outcome = countsOf(plan);
    const analysis::UniformPlan* uniform = plan.bestUniform();
    if (uniform != nullptr && plan.solution.loss > 0)
        m_outcome += QStringLiteral("  ·  ") + tr("%1 × less loss than %2")
                                                   .arg(formatNumber(uniform->loss / plan.solution.loss),
                                                        toQString(weightText(uniform->weight)));
    m_outcome += QStringLiteral("  ·  ") +
                 (plan.metric == analysis::PlanMetric::Predicted ? tr("predicted") : tr("measured"));
    QStringList lines;
    for (const analysis::PlanMetricInfo& info : analysis::planMetricTable())
        if (info.metric == plan.metric) lines << tr("Loss: %1").arg(toQString(info.explanation));
    lines << tr("Transform: %1").arg(toQString(transformInfo(plan.transform).title));
    lines << (plan.solution.optimal ? tr("Proven: no choice within the budget has a smaller sum")
                                    : tr("Not proven: the search stopped early"));
    for (const std::string& note : plan.notes)
        lines << toQString(note);
    for (QString& line : lines)
        line = line.toHtmlEscaped();
    m_explanation = QStringLiteral("<p>%1</p>").arg(lines.join(QStringLiteral("<br>")));
}

} // namespace bdq
