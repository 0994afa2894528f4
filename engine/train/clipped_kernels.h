// What clippedQuantize does to one number, as functions that are compiled for the CPU here and for CUDA at
// run time from the very same text: few launches instead of one per arithmetic operation.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

namespace bdq::train {

enum class ClippedKernel {
    Grid,           ///< range and grid of a group
    Values,         ///< quantized number
    SymmetricSlope, ///< gradient by x and by the scale, symmetric and not clamped
    Slope,          ///< gradient by x and by both ends of the range
    Ends            ///< gradient by a group's extremes and by the clipping
};

/// Numbers that hold for all elements.
struct ClippedKernelOptions {
    bool symmetric = true;
    bool clipped = false; ///< there are clipping logits
    bool clamps = false;  ///< x is clamped to the range first
    double lowCode = 0;
    double highCode = 0;
    double floor = 0; ///< smallest absmax of a symmetric grid
};

/// Runs a kernel over broadcast inputs (fp32 or fp64; half precision is widened), on the inputs' device:
///   Grid            highest, lowest, clipHigh, clipLow               -> low, high, scale, zero
///   Values          x, low, high, scale, zero                        -> y
///   SymmetricSlope  g, x, scale                                      -> dx, dscale
///   Slope           g, x, low, high, scale, zero                     -> dx, dhigh, dlow
///   Ends            dhigh, dlow, highest, lowest, clipHigh, clipLow  -> dhighest, dlowest, dclipHigh,
///   dclipLow
///                   (symmetric and not clamped: dhigh is dscale, dlow is not read)
/// Without clipping logits any tensor stands for them. CUDA: NVRTC through ATen, compiled once a process and
/// machine.
std::vector<at::Tensor> runKernel(ClippedKernel kernel, const std::vector<at::Tensor>& inputs,
                                  const ClippedKernelOptions& options);

} // namespace bdq::train
