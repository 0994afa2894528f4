// Small value types that the widgets share with the application: selections, edits and totals of a plan.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include <QMetaType>

#include "engine/api/results.h"

namespace bdq {

using SiteKeys = std::vector<SiteKey>;
/// Transform chosen for single sites; sites that are missing use the default transform.
using SiteTransforms = std::map<SiteKey, TransformKind>;

/// Transform that views compare with at first: the one of the default method.
TransformKind defaultTransform();

/// Which operand of a site a view shows.
enum class Operand { Activation, Weight };

/// The three definitions of struct Flatness, kept apart: one axis shows one of them only.
enum class FlatnessDefinition { Entropy, Channel, Figure2 };
double flatnessValue(const Flatness& flatness, FlatnessDefinition definition);

/// A change of bits as editors emit it: only the parts that hold a value change.
struct SchemeEdit {
    std::optional<int> weightBits;     ///< 2..8 or 16
    std::optional<int> activationBits; ///< 2..8 or 16
    std::optional<int> kvBits;         ///< 2..8 or 16; of the K and V caches of the rows' layers
    bool operator==(const SchemeEdit&) const = default;
};

/// `scheme` with `edit` applied. A weight that goes to 2 bits becomes asymmetric and back, as parseScheme()
/// does.
Scheme withEdit(Scheme scheme, const SchemeEdit& edit);
/// `plan` with `edit` applied to `keys`. Bits of the KV cache are kept at (layer, k_cache) and (layer,
/// v_cache).
Plan withEdit(Plan plan, const SiteKeys& keys, const SchemeEdit& edit);
/// `plan` with these weights; sites that are not named get `base`. Activations and KV cache stay.
Plan withWeights(const Plan& plan, const OperandScheme& base,
                 const std::map<SiteKey, OperandScheme>& weights);
/// Scheme of a linear site for display: its own W and A, and the KV part of its layer.
Scheme schemeOfRow(const Plan& plan, SiteKey key);

/// Average bits a weight that can be chosen, scales and zero points counted.
struct BudgetRange {
    double leastBits = 0;
    double mostBits = 0;
};

/// Share of the energy in the largest 0.5 % of tokens above which they hide the errors of all others.
inline constexpr double kLoneTokenShare = 0.5;

/// Totals of a plan over the linear weights of a model, recomputed at each edit.
struct PlanSummary {
    /// Over all linear weights, those that no plan reaches at 16 bits; scales and zero points counted.
    double averageWeightBits = 16;
    double plannedBits = 16;       ///< the same over the weights of the sites alone
    std::uint64_t linearBytes = 0; ///< all linear weights
    std::uint64_t modelBytes = 0;  ///< linear weights plus everything else at 16 bits; 0 = parameters unknown
    int overrides = 0;             ///< rows that differ from the base scheme

    /// Whether some linear weights are out of the plan's reach, so that the two averages differ.
    [[nodiscard]] bool reachesAll() const { return averageWeightBits == plannedBits; }
};
/// `sites` = all linear sites that the plan is about, with their sizes; `parameters` = elements of the whole
/// model (0 = unknown); `otherLinearWeights` = linear weights that are in no site, e.g. of experts.
PlanSummary summarizePlan(const Plan& plan, const std::vector<SiteAnalysis>& sites, std::int64_t parameters,
                          std::int64_t otherLinearWeights = 0);

} // namespace bdq

Q_DECLARE_METATYPE(bdq::SiteKey)
Q_DECLARE_METATYPE(bdq::SiteKeys)
Q_DECLARE_METATYPE(bdq::SchemeEdit)
Q_DECLARE_METATYPE(bdq::TransformKind)
Q_DECLARE_METATYPE(bdq::RunSpec)
Q_DECLARE_METATYPE(bdq::AnalyzeSpec)
Q_DECLARE_METATYPE(bdq::SensitivitySpec)
