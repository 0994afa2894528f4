// Closed-form site transforms from calibration moments and the stacked weights of a site.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "engine/api/method.h"
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
};

/// Transform of the given kind for a site whose linear layers have the stacked weight `stackedWeight` (fp32
/// [out, n], rows of q, k, v or gate, up one after the other; any device, the result lives on the CPU):
///   None         identity
///   SmoothQuant  d_i = max|W_:i|^0.5 / max|x_i|^0.5, maxima floored at 1e-5 (arXiv 2211.10438, alpha 0.5)
///   Hadamard     randomised Hadamard
///   CatDiag      d_i = (||W_:i||^2 / E[x_i^2])^(1/4), then Hadamard (CAT, arXiv 2603.04359 Eq. 7 with k = 1,
///   4th root) CatBlock64/128  Cholesky + SVD blocks (design/cat_wush.md 4; damping of section 9), then
///   Hadamard Bdq          d of CatDiag with geometric mean 1, orthogonal blocks of 64 from
///   analysis::bdqBlockRotation, Hadamard
///   FlatQuant    the start of its channel scale, d_i = max|W_:i|^0.7 / max|x_i|^0.3 (arXiv 2410.09426,
///   released code); its Kronecker pair exists only after training
/// `seed` seeds the Hadamard's signs; the caller mixes layer and site into it. Warnings (dead input channels,
/// block Hadamard) are appended to `notes`. Errors: ShapeMismatch, NonFinite, Unsupported.
Result<SiteTransform> buildTransform(TransformKind kind, const SiteMoments& moments,
                                     const at::Tensor& stackedWeight, std::uint64_t seed,
                                     std::vector<std::string>& notes);

} // namespace bdq::transform
