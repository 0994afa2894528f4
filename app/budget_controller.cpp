#include "app/budget_controller.h"

#include <algorithm>
#include <cmath>

#include "widgets/format.h"

namespace bdq {

namespace {

// What range() is asked with: above the widest choice, below what planBits refuses.
constexpr double kMostAverageBits = 16;
// Two bits have too few codes to spend one on symmetry (parseScheme).
constexpr int kAsymmetricBits = 2;

bool contains(const std::vector<TransformKind>& kinds, TransformKind kind) {
    return std::ranges::find(kinds, kind) != kinds.end();
}

analysis::BitPlanRequest requestOf(const PlanState& state) {
    analysis::BitPlanRequest request;
    request.weights.clear();
    for (const int bits : state.candidateBits)
        request.weights.push_back({bits, bits != kAsymmetricBits, state.plan.base.weight.groupSize});
    request.activation = state.plan.base.activation;
    request.kv = state.plan.base.kv;
    request.rounding = state.effectiveRounding();
    for (const SiteKey& key : state.locked)
        request.locked[key] = state.plan.at(key).weight;
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

/// "12.3 % less than W4 everywhere".
QString comparedText(double loss, const analysis::UniformPlan& uniform) {
    const QString name = toQString(weightText(uniform.weight));
    if (!(uniform.loss > 0)) return {};
    const double change = loss / uniform.loss - 1;
    constexpr double kSame = 5e-4; // less than the digits shown
    if (std::abs(change) < kSame) return BudgetController::tr("as much as %1 everywhere").arg(name);
    const QString share = formatShare(std::abs(change));
    return change < 0 ? BudgetController::tr("%1 less than %2 everywhere").arg(share, name)
                      : BudgetController::tr("%1 more than %2 everywhere").arg(share, name);
}

QString basisText(analysis::PlanMetric metric) {
    return metric == analysis::PlanMetric::Kl ? BudgetController::tr("measured")
                                              : BudgetController::tr("estimated");
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

void BudgetController::setCandidateBits(const std::vector<int>& bits) {
    const std::optional<double> budget = m_plan->state().budget;
    m_plan->history()->beginMacro(tr("Bit widths to choose from"));
    m_plan->setCandidateBits(bits);
    if (budget && m_range) choose(std::clamp(*budget, m_range->leastBits, m_range->mostBits));
    m_plan->history()->endMacro();
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
    // Only what the analysis knows can be fixed or chosen.
    std::erase_if(request.locked,
                  [this](const auto& entry) { return m_analysis.result->find(entry.first) == nullptr; });
    request.budget = averageBits;
    const SensitivityResult* sensitivity = m_analysis.sensitivity.get();
    const bool analysed = contains(m_analysis.result->spec.transforms, wanted);
    const bool tried = sensitivity != nullptr && contains(sensitivity->transforms(), wanted);
    const auto measuredPlan = [&] {
        request.metric = analysis::PlanMetric::Kl;
        request.transform = tried ? std::optional(wanted) : std::nullopt;
        return analysis::planBits(*m_analysis.result, sensitivity, request);
    };
    if (tried && sensitivity->activation == request.activation)
        if (auto found = measuredPlan()) return found;
    request.metric = analysis::PlanMetric::Estimated;
    request.transform = analysed ? std::optional(wanted) : std::nullopt;
    auto found = analysis::planBits(*m_analysis.result, nullptr, request);
    if (found || sensitivity == nullptr) return found;
    // Losses with other activations or another transform are better than none; the notes say so.
    auto other = measuredPlan();
    return other ? std::move(other) : std::move(found);
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
        const bool anyLoss = m_analysis.sensitivity || m_analysis.result->lossEstimate;
        m_problem = anyLoss
                        ? toQString(found.error().text())
                        : tr("Not ranked: nothing tells what the model loses by each row. Measure losses, "
                             "or analyse again.");
    } else {
        const auto [least, most] = std::ranges::minmax(found->uniform, {}, &analysis::UniformPlan::bits);
        m_range = BudgetRange{least.bits, most.bits};
        const PlanState& state = m_plan->state();
        m_measured = found->metric == analysis::PlanMetric::Kl && found->transform == state.fallback() &&
                     m_analysis.sensitivity->activation == state.plan.base.activation;
        if (chosen) describe(*found);
    }
    emit changed();
}

bool BudgetController::isPlan(const analysis::BitPlan& found) const {
    return std::ranges::all_of(found.sites, [this](const analysis::BitPlanSite& site) {
        return m_plan->state().plan.at(site.key).weight == site.weight;
    });
}

void BudgetController::describe(const analysis::BitPlan& plan) {
    if (!isPlan(plan)) {
        m_outcome =
            tr("Other losses are known now than when these bits were chosen: move the slider to choose "
               "again");
        return;
    }
    QStringList parts{
        countsOf(plan),
        tr("sum of losses %1 nats (%2)").arg(formatNumber(plan.solution.loss), basisText(plan.metric))};
    const analysis::UniformPlan* uniform = plan.bestUniform();
    const QString compared = uniform ? comparedText(plan.solution.loss, *uniform) : QString();
    if (!compared.isEmpty()) parts << compared;
    if (plan.transform != m_plan->state().fallback())
        parts << tr("losses under %1: the plan's transform is not known")
                     .arg(toQString(transformInfo(plan.transform).title));
    m_outcome = parts.join(QStringLiteral("  ·  "));
    QStringList lines;
    for (const analysis::PlanMetricInfo& info : analysis::planMetricTable())
        if (info.metric == plan.metric) lines << tr("Loss: %1").arg(toQString(info.explanation));
    lines << tr("Transform: %1").arg(toQString(transformInfo(plan.transform).title));
    lines << (plan.solution.optimal ? tr("Proven: no choice within the budget has a smaller sum")
                                    : tr("Not proven: the search stopped early"));
    const auto locked = static_cast<int>(m_plan->state().locked.size());
    if (locked > 0)
        lines << (locked == 1 ? tr("1 locked row stays as it is")
                              : tr("%n locked rows stay as they are", nullptr, locked));
    for (const std::string& note : plan.notes)
        lines << toQString(note);
    for (QString& line : lines)
        line = line.toHtmlEscaped();
    m_explanation = QStringLiteral("<p>%1</p>").arg(lines.join(QStringLiteral("<br>")));
}

} // namespace bdq
