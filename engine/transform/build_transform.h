// Closed-form site transforms from calibration moments and the stacked weights of a site.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "engine/api/method.h"
#include "engine/api/quant_scheme.h"
#include "engine/api/result.h"
#include "engine/transform/site_transform.h"

namespace bdq::transform {

/// Size of the moment blocks kept per site; the largest block transform.
inline constexpr std::int64_t kMomentBlock = 128;
/// Block size of BDQ's rotations (design/product.md 8).
inline constexpr std::int64_t kBdqBlock = 64;

/// What calibration knows about the inputs x of a site; n input channels. CPU tensors.
struct SiteMoments {
    at::Tensor meanSquare;   ///< fp64 [n], E[x_i^2]
    at::Tensor absmax;       ///< fp32 [n], max |x_i|
    at::Tensor blockMoments; ///< fp64 [ceil(n / 128), 128, 128], diagonal blocks of E[x x^T] (not centred),
                             ///< zero padded
    std::int64_t tokens = 0; ///< tokens behind the moments
    // Only where momentNeeds() asks for them; else undefined.
    at::Tensor meanAbs;      ///< fp64 [n], E|x_i|
    at::Tensor secondMoment; ///< fp64 [n, n], E[x^T x]; any device
    at::Tensor sample;       ///< fp32 [rows, n], rows of x: evenly spaced ones and the largest
};

/// What a transform needs of the inputs beyond the moments that every site has.
struct MomentNeeds {
    bool secondMoment = false; ///< meanAbs, too
    bool sample = false;
    [[nodiscard]] MomentNeeds operator|(MomentNeeds other) const {
        return {secondMoment || other.secondMoment, sample || other.sample};
    }
};
MomentNeeds momentNeeds(TransformKind kind);

/// Transform of the given kind for a site whose linear layers have the stacked weight `stackedWeight` (fp32
/// [out, n], rows of q, k, v or gate, up one after the other; any device, the result lives on the CPU):
///   None         identity
///   SmoothQuant  d_i = max|W_:i|^0.5 / max|x_i|^0.5, maxima floored at 1e-5 (arXiv 2211.10438, alpha 0.5)
///   Awq          d = 1 / s of searchAwqScale (arXiv 2306.00978) for weights quantized as `weights` says
///   Hadamard     randomised Hadamard
///   DuQuant      d as SmoothQuant with alpha 0.6, then fitDuQuant's rotations (arXiv 2406.01721)
///   Wush         Cholesky + SVD blocks, each times the Hadamard of its size (arXiv 2512.00956); blocks of
///   the
///                weights' group size where that is a power of two from 16 to 128, else of 64
///   CatDiag      d_i = (||W_:i||^2 / E[x_i^2])^(1/4), then Hadamard (CAT, arXiv 2603.04359 Eq. 7 with k = 1,
///                4th root)
///   CatBlock64, CatBlock128  Cholesky + SVD blocks (design/cat_wush.md 4; damping of section 9), then
///                Hadamard
///   Bdq          d of CatDiag with geometric mean 1, orthogonal blocks of 64 from
///                analysis::bdqBlockRotation, Hadamard
///   FlatQuant    the start of its channel scale, d_i = max|W_:i|^0.7 / max|x_i|^0.3 (arXiv 2410.09426,
///                released code); its Kronecker pair exists only after training
/// `seed` seeds the Hadamard's signs and DuQuant's rotations; the caller mixes layer and site into it.
/// Warnings (dead input channels, block Hadamard) are appended to `notes`. Errors: ShapeMismatch, NonFinite,
/// Unsupported, InvalidSpec (a kind that is learned on the whole model).
Result<SiteTransform> buildTransform(TransformKind kind, const SiteMoments& moments,
                                     const at::Tensor& stackedWeight, std::uint64_t seed,
                                     std::vector<std::string>& notes,
                                     const OperandScheme& weights = {4, true, 0});

} // namespace bdq::transform
