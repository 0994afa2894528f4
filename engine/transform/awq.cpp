#include "engine/transform/awq.h"

#include <cmath>
#include <string>

#include <ATen/ATen.h>

#include "engine/quant/quantized_weight.h"

namespace bdq::transform {

namespace {

Status requireSizes(const at::Tensor& tensor, at::IntArrayRef sizes, const std::string& name) {
    if (tensor.defined() && tensor.scalar_type() == at::kDouble && tensor.sizes() == sizes) return {};
    std::string found = "nothing";
    if (tensor.defined())
        found = std::string(at::toString(tensor.scalar_type())) + " " + c10::str(tensor.sizes());
    return fail(ErrorCode::ShapeMismatch,
                "AWQ: " + name + " is " + found + "; expected Double " + c10::str(sizes));
}

at::Tensor scaleOf(const at::Tensor& meanAbs, double exponent) {
    const at::Tensor powers = meanAbs.pow(exponent).clamp_min_(kAwqFloor);
    return powers / (powers.max() * powers.min()).sqrt();
}

/// tr(E S E^T) with E, S in fp32, rows summed in fp64.
double outputError(const at::Tensor& difference, const at::Tensor& moments) {
    return at::mm(difference, moments).mul_(difference).sum(1).sum(at::kDouble).item<double>();
}

} // namespace

Result<AwqScale> searchAwqScale(const at::Tensor& meanAbs, const at::Tensor& secondMoment,
                                const at::Tensor& weight, const OperandScheme& scheme) {
    if (!weight.defined() || weight.dim() != 2)
        return fail(ErrorCode::ShapeMismatch, "AWQ: the weight is no matrix; expected Float [out, n]");
    const std::int64_t n = weight.size(1);
    BDQ_CHECK(requireSizes(meanAbs, {n}, "mean magnitudes"));
    BDQ_CHECK(requireSizes(secondMoment, {n, n}, "second moments"));
    const at::Tensor magnitudes = meanAbs.to(weight.device());
    const at::Tensor moments = secondMoment.to(weight.device(), at::kFloat);
    AwqScale best{at::ones_like(magnitudes), 0, 0};
    if (!scheme.quantizes()) return best;
    for (int step = 0; step < kAwqSteps; ++step) {
        const double exponent = step / static_cast<double>(kAwqSteps);
        const at::Tensor scale = scaleOf(magnitudes, exponent);
        const at::Tensor rounded = scale.to(at::kFloat);
        BDQ_TRY(const quant::QuantizedWeight codes,
                quant::roundWeights(weight * rounded, scheme, WeightRounding::Rtn));
        const double error = outputError(codes.dequantize().div_(rounded).sub_(weight), moments);
        if (!std::isfinite(error))
            return fail(ErrorCode::NonFinite, "AWQ: the output error with exponent " +
                                                  std::to_string(exponent) + " is " + std::to_string(error) +
                                                  "; expected finite second moments");
        if (step == 0 || error < best.error) best = {scale, exponent, error};
    }
    return best;
}

} // namespace bdq::transform
