#include "app/plan_controller.h"

#include <QElapsedTimer>

#include "widgets/format.h"

namespace bdq {

namespace {
/// Edits of the same thing that follow each other within this time are one drag.
constexpr qint64 kDragMs = 700;
constexpr int kPlanCommandId = 1;

QString tagOf(const SiteKeys& keys, const SchemeEdit& edit) {
    QString tag = QStringLiteral("%1%2%3")
                      .arg(edit.weightBits.has_value())
                      .arg(edit.activationBits.has_value())
                      .arg(edit.kvBits.has_value());
    for (const SiteKey& key : keys)
        tag += QStringLiteral(" %1.%2").arg(key.layer).arg(static_cast<int>(key.site));
    return tag;
}
} // namespace

/// Whole states before and after: a plan is a few kilobytes, and no kind of edit can forget a part.
class PlanCommand : public QUndoCommand {
public:
    PlanCommand(PlanController* controller, const QString& text, PlanState before, PlanState after,
                QString tag)
        : QUndoCommand(text), m_controller(controller), m_before(std::move(before)),
          m_after(std::move(after)), m_tag(std::move(tag)) {
        m_age.start();
    }
    void undo() override {
        // What was undone and redone is no longer part of a drag.
        m_tag.clear();
        m_controller->apply(m_before);
    }
    void redo() override { m_controller->apply(m_after); }
    [[nodiscard]] int id() const override { return kPlanCommandId; }
    bool mergeWith(const QUndoCommand* other) override {
        const auto* next = static_cast<const PlanCommand*>(other);
        if (m_tag.isEmpty() || m_tag != next->m_tag || m_age.elapsed() > kDragMs) return false;
        m_after = next->m_after;
        m_age.restart();
        setObsolete(m_after == m_before);
        return true;
    }

private:
    PlanController* m_controller;
    PlanState m_before;
    PlanState m_after;
    QString m_tag;
    QElapsedTimer m_age;
};

PlanController::PlanController(QObject* parent) : QObject(parent) {}

void PlanController::reset(const PlanState& state) {
    m_history.clear();
    apply(state);
}

void PlanController::replace(const QString& text, const PlanState& state) {
    record(text, state, {});
}

PlanState PlanController::edited(const SiteKeys& keys, const SchemeEdit& edit) const {
    PlanState next = m_state;
    next.plan = withEdit(next.plan, keys, edit);
    if (edit.weightBits) next.locked.insert(keys.begin(), keys.end());
    return next;
}

void PlanController::editSchemes(const SiteKeys& keys, const SchemeEdit& edit) {
    PlanState next = edited(keys, edit);
    push(keys.size() == 1 ? tr("Bits of 1 row")
                          : tr("Bits of %n rows", nullptr, static_cast<int>(keys.size())),
         next, tagOf(keys, edit));
}

void PlanController::editLayers(const std::vector<int>& layers, const SchemeEdit& edit) {
    SiteKeys keys;
    for (const int layer : layers)
        for (const Site site : kLinearSites)
            keys.push_back({layer, site});
    PlanState next = edited(keys, edit);
    push(tr("Bits of layers %1").arg(QString::fromStdString(formatLayers(layers))), next);
}

void PlanController::setBase(const Scheme& scheme) {
    PlanState next = m_state;
    next.plan.base = scheme;
    for (const SiteKey& key : next.locked) {
        Scheme own = next.plan.at(key);
        own.weight = m_state.plan.at(key).weight;
        next.plan.set(key, own);
    }
    push(tr("Scheme %1").arg(QString::fromStdString(formatScheme(scheme))), next, QStringLiteral("base"));
}

void PlanController::setWeights(const OperandScheme& base, const std::map<SiteKey, OperandScheme>& weights,
                                double budget) {
    PlanState next = m_state;
    next.budget = budget;
    next.plan = withWeights(m_state.plan, base, weights);
    record(tr("Average of %1 bit").arg(formatNumber(budget)), next, QStringLiteral("budget"));
}

void PlanController::setLocked(const SiteKeys& keys, bool locked) {
    PlanState next = m_state;
    for (const SiteKey& key : keys) {
        if (locked)
            next.locked.insert(key);
        else
            next.locked.erase(key);
    }
    // With a row set free the budget would choose otherwise.
    if (!locked && next != m_state) next.budget.reset();
    const auto rows = static_cast<int>(keys.size());
    const QString text = rows == 1 ? (locked ? tr("Lock 1 row") : tr("Unlock 1 row"))
                         : locked  ? tr("Lock %n rows", nullptr, rows)
                                   : tr("Unlock %n rows", nullptr, rows);
    push(text, next);
}

void PlanController::setCandidateBits(const std::vector<int>& bits) {
    PlanState next = m_state;
    next.candidateBits = bits;
    push(tr("Bit widths to choose from"), next);
}

void PlanController::clearOverrides() {
    PlanState next = m_state;
    next.locked.clear();
    next.plan.overrides.clear();
    next.transforms.clear();
    push(tr("Clear edits of rows"), next);
}

void PlanController::setTransform(const SiteKeys& keys, TransformKind transform) {
    PlanState next = m_state;
    for (const SiteKey& key : keys) {
        if (transform == next.fallback())
            next.transforms.erase(key);
        else
            next.transforms[key] = transform;
    }
    push(keys.size() == 1 ? tr("Transform of 1 row")
                          : tr("Transform of %n rows", nullptr, static_cast<int>(keys.size())),
         next);
}

void PlanController::setMethod(Method method) {
    PlanState next = m_state;
    next.method = method;
    next.preset = presetInfo(method, next.preset).preset;
    push(tr("Method"), next);
}

void PlanController::setPreset(Preset preset) {
    PlanState next = m_state;
    next.preset = preset;
    push(tr("Preset"), next);
}

void PlanController::setRounding(std::optional<WeightRounding> rounding) {
    PlanState next = m_state;
    next.rounding = rounding;
    push(tr("Weight rounding"), next);
}

void PlanController::push(const QString& text, PlanState next, const QString& mergeTag) {
    if (next.plan != m_state.plan || next.method != m_state.method ||
        next.effectiveRounding() != m_state.effectiveRounding())
        next.budget.reset();
    record(text, next, mergeTag);
}

void PlanController::record(const QString& text, const PlanState& next, const QString& mergeTag) {
    if (next == m_state) return;
    m_history.push(new PlanCommand(this, text, m_state, next, mergeTag));
}

void PlanController::apply(const PlanState& state) {
    m_state = state;
    emit changed();
}

} // namespace bdq
