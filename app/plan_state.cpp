#include "app/plan_state.h"

namespace bdq {

TransformKind PlanState::transformAt(SiteKey key) const {
    const auto chosen = transforms.find(key);
    return chosen == transforms.end() ? fallback() : chosen->second;
}

WeightRounding PlanState::effectiveRounding() const {
    return rounding.value_or(presetInfo(method, preset).rounding);
}

} // namespace bdq
