// Dynamic fake quantization of activations and of the KV cache: x -> Q(x) on the integer grid, back in
// floating point.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "engine/api/quant_scheme.h"

namespace bdq::quant {

/// Factors on the ends of every dynamic range, in (0, 1]: hi = max(x, 0) high, lo = min(x, 0) low, before the
/// scale and the zero point are taken (learned activation clipping, design/transforms.md 3.5). Values outside
/// saturate.
struct RangeFactors {
    float high = 1;
    float low = 1;
};

/// Groups along a row of `features` values: 1 when scheme.groupSize is 0, else ceil(features / groupSize);
/// the last group may be shorter.
std::int64_t groupCount(std::int64_t features, const OperandScheme& scheme);

/// Quantizes and dequantizes `x` (fp32, any shape [..., n], CPU or CUDA) with one dynamic scale per row of
/// the last dimension, or per group of scheme.groupSize values of it; returns a new tensor of the same shape.
/// For KV caches view the tensor as [..., head_dim]: a row is then one (token, head). 16 bits: returns x
/// itself.
///
/// Arithmetic in fp32 as GPTQ, QuaRot and FlatQuant (design/transforms.md 2.1), b = bits, round = half to
/// even:
///   symmetric   s = max|x| / (2^(b-1) - 1),          q = clamp(round(x / s), -2^(b-1), 2^(b-1) - 1),  x^ = s
///   q asymmetric  s = (max(x,0) - min(x,0)) / (2^b - 1), z = round(-min(x,0) / s),
///               q = clamp(round(x / s) + z, 0, 2^b - 1), x^ = s (q - z)
/// A group that is all zero (or whose s is below the smallest normal fp32) uses s = 1, asymmetric the range
/// [-1, 1]. NaN and infinity make their whole group NaN; values beyond +-1e38 are outside the valid range.
/// `factors` shrink the range first. Preconditions (c10::Error otherwise): fp32, at least one dimension,
/// bits 2..8 or 16, groupSize >= 0, factors in (0, 1].
at::Tensor fakeQuantize(const at::Tensor& x, const OperandScheme& scheme, RangeFactors factors = {});

/// fakeQuantize written with ATen operations only: the path used on CUDA, callable on any device.
at::Tensor fakeQuantizeAten(const at::Tensor& x, const OperandScheme& scheme, RangeFactors factors = {});

} // namespace bdq::quant
