// The plan as it is edited: bits, method and the choices of single sites.
#pragma once

#include <optional>
#include <set>
#include <vector>

#include "engine/api/job_spec.h"
#include "engine/api/method.h"
#include "widgets/types.h"

namespace bdq {

/// Everything that undo brings back and a session keeps.
struct PlanState {
    Plan plan;
    Method method = RunSpec().method;
    Preset preset = RunSpec().preset;
    std::optional<WeightRounding> rounding; ///< empty = the method's default
    SiteTransforms transforms;              ///< what-if choice of single sites, beside the method's transform
    /// Average weight bits that the plan's weights were chosen for; an edit of weights, method or rounding
    /// forgets it.
    std::optional<double> budget = {};
    std::set<SiteKey> locked = {};                 ///< rows whose weights the budget leaves alone
    std::vector<int> candidateBits = {2, 3, 4, 8}; ///< weight bits that the budget chooses from, ascending

    bool operator==(const PlanState&) const = default;

    [[nodiscard]] TransformKind fallback() const { return methodInfo(method).transform; }
    [[nodiscard]] TransformKind transformAt(SiteKey key) const;
    [[nodiscard]] WeightRounding effectiveRounding() const;
};

} // namespace bdq
