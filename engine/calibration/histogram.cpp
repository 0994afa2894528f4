#include "engine/calibration/histogram.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <mutex>

#include <ATen/ATen.h>

#include "engine/calibration/sum_kernels.h"
#include "engine/quant/parallel.h"

namespace bdq {
namespace {

constexpr std::int64_t kGrain = 1 << 16;

void addOnCpu(LogHistogram& histogram, const at::Tensor& x) {
    const at::Tensor flat = x.contiguous();
    const float* values = flat.const_data_ptr<float>();
    std::mutex merging;
    quant::parallelRanges(flat.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
        // Four tables hide the latency of incrementing the same bin again soon.
        std::array<LogHistogram, 4> local;
        std::array<std::int32_t, 1024> bins;
        constexpr auto kStep = static_cast<std::int64_t>(bins.size());
        for (std::int64_t first = begin; first < end; first += kStep) {
            const std::int64_t count = std::min(kStep, end - first);
            magnitudeBins(values + first, bins.data(), count);
            for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i)
                ++local[i % local.size()].counts[static_cast<std::size_t>(bins[i])];
        }
        const std::lock_guard lock(merging);
        for (const LogHistogram& part : local)
            histogram.merge(part);
    });
}

void addOnDevice(LogHistogram& histogram, const at::Tensor& x) {
    const at::Tensor octaves = at::log2(x.flatten().abs().to(at::kDouble)) - LogHistogram::kMinExponent;
    const at::Tensor bins = at::floor(octaves * LogHistogram::kBinsPerOctave)
                                .nan_to_num_(LogHistogram::kBins, LogHistogram::kBins, -1)
                                .add_(1)
                                .clamp_(0, LogHistogram::kBins - 1)
                                .to(at::kLong);
    const at::Tensor counts = at::bincount(bins, {}, LogHistogram::kBins).to(at::kCPU, at::kLong);
    for (int i = 0; i < LogHistogram::kBins; ++i)
        histogram.counts[static_cast<std::size_t>(i)] += counts.const_data_ptr<std::int64_t>()[i];
}

} // namespace

void addToHistogram(LogHistogram& histogram, const at::Tensor& x) {
    if (x.is_cpu())
        addOnCpu(histogram, x);
    else
        addOnDevice(histogram, x);
}

} // namespace bdq
