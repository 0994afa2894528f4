#include "widgets/types.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace bdq {

double flatnessValue(const Flatness& flatness, FlatnessDefinition definition) {
    switch (definition) {
    case FlatnessDefinition::Entropy:
        return flatness.entropyNormalized;
    case FlatnessDefinition::Channel:
        return flatness.channelNormalized;
    case FlatnessDefinition::Figure2:
        return flatness.figure2;
    }
    return std::numeric_limits<double>::quiet_NaN();
}

TransformKind defaultTransform() {
    return methodInfo(RunSpec().method).transform;
}

namespace {

void setWeightBits(Scheme& scheme, int bits) {
    if (scheme.weight.bits == bits) return;
    if (bits == 2 || scheme.weight.bits == 2) scheme.weight.symmetric = bits != 2;
    scheme.weight.bits = bits;
}

} // namespace

Scheme withEdit(Scheme scheme, const SchemeEdit& edit) {
    if (edit.weightBits) setWeightBits(scheme, *edit.weightBits);
    if (edit.activationBits) scheme.activation.bits = *edit.activationBits;
    if (edit.kvBits) scheme.kv.bits = *edit.kvBits;
    return scheme;
}

Plan withEdit(Plan plan, const SiteKeys& keys, const SchemeEdit& edit) {
    SchemeEdit linear = edit;
    linear.kvBits.reset();
    SchemeEdit cache;
    cache.kvBits = edit.kvBits;
    for (const SiteKey& key : keys) {
        plan.set(key, withEdit(plan.at(key), linear));
        if (!edit.kvBits) continue;
        for (Site site : kCacheSites) {
            const SiteKey at{key.layer, site};
            plan.set(at, withEdit(plan.at(at), cache));
        }
    }
    return plan;
}

Plan withWeights(const Plan& plan, const OperandScheme& base,
                 const std::map<SiteKey, OperandScheme>& weights) {
    std::set<SiteKey> keys;
    for (const auto& [key, scheme] : plan.overrides)
        keys.insert(key);
    for (const auto& [key, weight] : weights)
        keys.insert(key);
    Plan next;
    next.base = plan.base;
    next.base.weight = base;
    for (const SiteKey& key : keys) {
        Scheme scheme = plan.at(key);
        const auto found = weights.find(key);
        scheme.weight = found == weights.end() ? base : found->second;
        next.set(key, scheme);
    }
    return next;
}

Scheme schemeOfRow(const Plan& plan, SiteKey key) {
    Scheme scheme = plan.at(key);
    scheme.kv = plan.at(SiteKey{key.layer, Site::KCache}).kv;
    return scheme;
}

PlanSummary summarizePlan(const Plan& plan, const std::vector<SiteAnalysis>& sites, std::int64_t parameters,
                          std::int64_t otherLinearWeights) {
    PlanSummary summary;
    double bits = 0;
    double weights = 0;
    for (const SiteAnalysis& site : sites) {
        const double count = static_cast<double>(site.inFeatures) * static_cast<double>(site.outFeatures);
        bits += count * effectiveWeightBits(plan.at(site.key).weight, site.inFeatures);
        weights += count;
    }
    if (weights > 0) summary.averageWeightBits = summary.plannedBits = bits / weights;
    if (otherLinearWeights > 0) {
        bits += OperandScheme().bits * static_cast<double>(otherLinearWeights);
        weights += static_cast<double>(otherLinearWeights);
        summary.averageWeightBits = bits / weights;
    }
    summary.linearBytes = static_cast<std::uint64_t>(bits / 8);
    if (parameters > 0)
        summary.modelBytes =
            summary.linearBytes +
            static_cast<std::uint64_t>(std::max(0.0, static_cast<double>(parameters) - weights) * 2);
    std::set<SiteKey> rows;
    for (const auto& [key, scheme] : plan.overrides)
        rows.insert(key.site == Site::VCache ? SiteKey{key.layer, Site::KCache} : key);
    summary.overrides = static_cast<int>(rows.size());
    return summary;
}

} // namespace bdq
