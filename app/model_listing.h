// What a model's header tells without the engine: whether it can be computed, and the sizes of its rows.
#pragma once

#include <map>
#include <vector>

#include "engine/api/model_index.h"
#include "engine/api/model_shape.h"
#include "engine/api/site_analysis.h"

namespace bdq {

/// Why the engine cannot compute a model that can be listed.
enum class NotComputed { Nothing, Architecture, RopeScaling };
NotComputed whyNotComputed(const ModelConfig& config);

/// Mixture of experts: the matrices of all experts of a layer, stacked to one row of the table.
struct Experts {
    int count = 0; ///< of a layer; 0 = the model is none
    std::map<SiteKey, MatrixShape> shapes;
};
Experts expertsOf(const ModelIndex& index);

/// Rows of the linear sites with their sizes and without statistics, so that a plan has a size before any
/// analysis.
std::vector<SiteAnalysis> listedSites(const ModelConfig& model, const Experts& experts = {});

} // namespace bdq
