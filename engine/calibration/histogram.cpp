#include "engine/calibration/histogram.h"

#include <array>
#include <bit>
#include <cmath>
#include <mutex>

#include <ATen/ATen.h>

#include "engine/quant/parallel.h"

namespace bdq {
namespace {

constexpr int kExponentBias = 127;
constexpr int kMantissaBits = 23;
constexpr std::int64_t kGrain = 1 << 16;

// Mantissa fields of 2^(j/8), j = 1..7: the sub-bin of a magnitude is the number of thresholds it reaches.
std::array<std::uint32_t, LogHistogram::kBinsPerOctave - 1> mantissaThresholds() {
    std::array<std::uint32_t, LogHistogram::kBinsPerOctave - 1> thresholds{};
    for (std::size_t j = 0; j < thresholds.size(); ++j) {
        const double edge = std::exp2(static_cast<double>(j + 1) / LogHistogram::kBinsPerOctave);
        thresholds[j] = static_cast<std::uint32_t>(std::ceil((edge - 1) * (1 << kMantissaBits)));
    }
    return thresholds;
}

int binOfBits(std::uint32_t magnitudeBits,
              const std::array<std::uint32_t, LogHistogram::kBinsPerOctave - 1>& edges) {
    const int exponent = static_cast<int>(magnitudeBits >> kMantissaBits) - kExponentBias;
    const std::uint32_t mantissa = magnitudeBits & ((1U << kMantissaBits) - 1);
    int sub = 0;
    for (std::uint32_t edge : edges)
        sub += mantissa >= edge ? 1 : 0;
    const int bin = 1 + (exponent - LogHistogram::kMinExponent) * LogHistogram::kBinsPerOctave + sub;
    return bin < 1 ? 0 : bin > LogHistogram::kRegularBins ? LogHistogram::kBins - 1 : bin;
}

void addOnCpu(LogHistogram& histogram, const at::Tensor& x) {
    static const auto edges = mantissaThresholds();
    const at::Tensor flat = x.contiguous();
    const float* values = flat.const_data_ptr<float>();
    std::mutex merging;
    quant::parallelRanges(flat.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
        // Two tables hide the latency of incrementing the same bin twice in a row.
        std::array<LogHistogram, 2> local;
        for (std::int64_t i = begin; i < end; ++i) {
            const std::uint32_t bits = std::bit_cast<std::uint32_t>(values[i]) & 0x7FFFFFFFU;
            ++local[static_cast<std::size_t>(i & 1)].counts[static_cast<std::size_t>(binOfBits(bits, edges))];
        }
        const std::lock_guard lock(merging);
        histogram.merge(local[0]);
        histogram.merge(local[1]);
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
