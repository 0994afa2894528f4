#include "engine/calibration/sums.h"

#include <algorithm>

#include <ATen/ATen.h>

namespace bdq {
namespace {

constexpr std::int64_t kRows = 256;

} // namespace

double sumOf(const at::Tensor& x) {
    return x.sum(-1).sum(at::kDouble).item<double>();
}

at::Tensor columnSums(const at::Tensor& x) {
    at::Tensor sums = at::zeros({x.size(1)}, x.options().dtype(at::kDouble));
    for (std::int64_t first = 0; first < x.size(0); first += kRows)
        sums += x.narrow(0, first, std::min(kRows, x.size(0) - first)).sum(0);
    return sums;
}

} // namespace bdq
