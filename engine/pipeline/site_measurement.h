// Numbers of one site under one transform, from a sample of its inputs.
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "engine/api/site_analysis.h"
#include "engine/quant/affine.h"
#include "engine/quant/quantized_weight.h"

namespace bdq {

/// What is compared: y = x W^T in full precision against Q(x P) Q(W P^-T)^T.
struct OutputError {
    double signal = 0;                 ///< sum ||y||^2
    double noise = 0;                  ///< sum ||y - y^||^2
    double count = 0;                  ///< entries of y
    std::vector<double> tokenSqnrDb{}; ///< of every token alone; +infinity without noise, NaN without signal
    void merge(const OutputError& other);
    /// Quantile of tokenSqnrDb over the tokens that have one, 0 <= q <= 1; NaN when none has.
    [[nodiscard]] double tokenQuantile(double q) const;
    [[nodiscard]] double sqnrDb() const; ///< +infinity without noise, NaN without a signal
    [[nodiscard]] double mse() const { return count > 0 ? noise / count : 0; }
};

/// Measured error of a site: `outputs` fp32 [tokens, out] are the exact ones; `inputs` fp32 [tokens, n] and
/// `weight` live in the transformed space. Up to 8 bits both operands are integers times a row and a column
/// scale, so their product is computed exactly by an int8 product (symmetric schemes without groups, on
/// processors that are exact at these bits), otherwise in fp32. `clip`: learned factors on the activations'
/// ranges.
OutputError quantizedOutputError(const at::Tensor& outputs, const at::Tensor& inputs,
                                 const quant::QuantizedWeight& weight, const OperandScheme& activation,
                                 quant::RangeFactors clip = {});
/// Same for a weight that is not quantized.
OutputError outputErrorWithFullWeight(const at::Tensor& outputs, const at::Tensor& inputs,
                                      const at::Tensor& weight, const OperandScheme& activation,
                                      quant::RangeFactors clip = {});

/// Fills everything of TransformAnalysis that does not depend on a scheme: Flatness, concentration,
/// alignment, absmax, kurtosis, outlier share, noise by bits; and of `detail` the per-channel arrays
/// noiseActivation, noiseWeight, channelRmsWeight and channelAbsmaxWeight. `inputs` fp32 [tokens, n],
/// `weight` fp32 [out, n], both transformed; `signalPower` = E||Wx||^2.
Result<TransformAnalysis> describeTransformed(const at::Tensor& inputs, const at::Tensor& weight,
                                              double signalPower, TransformDetail& detail);

/// Size-free entropy Flatness (design/bdq.md 3.5 (i)) of a tensor.
double normalizedFlatness(const at::Tensor& x);

/// fp32 copy of any floating tensor as a host vector.
std::vector<float> toHostFloats(const at::Tensor& x);

} // namespace bdq
