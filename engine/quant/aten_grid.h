// The grids of row_kernels.h as ATen operations over whole tensors: the path used on CUDA.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "engine/api/quant_scheme.h"

namespace bdq::quant {

/// scale, zero [..., 1] for a group per last dimension.
struct GridTensors {
    at::Tensor scale;
    at::Tensor zero;
    double lowCode = 0;
    double highCode = 0;
};

/// Ends [..., 1] of x along the last dimension, both taken with 0.
struct RangeTensors {
    at::Tensor low;
    at::Tensor high;
};

RangeTensors rangeTensors(const at::Tensor& x);
GridTensors makeGrids(const RangeTensors& range, const OperandScheme& scheme, float floor);
/// code - zero as fp32.
at::Tensor gridSteps(const at::Tensor& x, const GridTensors& grids);
/// Range shrunk per group by the L2.4 search among the factors 1 - i percent / 100 above 0.2; `percent`
/// divides kRangeSteps.
RangeTensors searchRanges(const at::Tensor& x, const OperandScheme& scheme, float floor, int percent = 1);

/// [..., n] -> [..., groups, width], padded with zeros; width = scheme.groupSize or n.
at::Tensor toGroups(const at::Tensor& x, const OperandScheme& scheme);
/// Inverse of toGroups.
at::Tensor fromGroups(const at::Tensor& groups, at::IntArrayRef sizes);

/// c10::Error unless bits is 2..8 (or 16 if `allowFull`) and groupSize >= 0.
void requireScheme(const OperandScheme& scheme, bool allowFull);

} // namespace bdq::quant
