// Shapes of a model's linear sites, from its configuration alone.
#pragma once

#include <cstdint>

#include "engine/api/model_index.h"
#include "engine/api/quant_scheme.h"

namespace bdq {

/// Shape of a weight [rows, columns] = [out, in].
struct MatrixShape {
    std::int64_t rows = 0;
    std::int64_t columns = 0;
    [[nodiscard]] std::int64_t elements() const { return rows * columns; }
    bool operator==(const MatrixShape&) const = default;
};

/// Shape of the stacked weight of a linear site (README, decision 4): q, k, v rows or gate, up rows one after
/// the other. Sites of the cache have no weight: 0 x 0.
MatrixShape stackedShape(const ModelConfig& config, Site site);
/// Weights of all linear sites of one block.
std::int64_t blockWeightCount(const ModelConfig& config);

} // namespace bdq
