#include "engine/pipeline/site_measurement.h"

#include <cmath>
#include <limits>

#include <ATen/ATen.h>

#include "engine/analysis/flatness.h"
#include "engine/analysis/sqnr_model.h"
#include "engine/calibration/sums.h"
#include "engine/quant/affine.h"
#include "engine/quant/rounding_errors.h"

namespace bdq {
namespace {

// Rows handled together, so that the temporaries of elementwise work stay in cache.
constexpr std::int64_t kRows = 256;
constexpr double kOutlierSigmas = 6;

template <class Visit> void forRowChunks(const at::Tensor& x, Visit visit, std::int64_t rows = kRows) {
    for (std::int64_t first = 0; first < x.size(0); first += rows)
        visit(first, std::min(rows, x.size(0) - first));
}

bool isPlainInteger(const OperandScheme& scheme) {
    return scheme.quantizes() && scheme.symmetric && scheme.groupSize == 0;
}

// cuBLAS wants multiples of 8 and more than 16 rows.
bool int8ProductPossible(const at::Tensor& inputs, const quant::QuantizedWeight& weight,
                         const OperandScheme& activation) {
    const bool shapes =
        inputs.is_cpu() || (inputs.size(1) % 8 == 0 && weight.codes.size(0) % 8 == 0 && inputs.size(0) > 16);
    return shapes && isPlainInteger(activation) && isPlainInteger(weight.scheme);
}

struct ActivationCodes {
    at::Tensor codes;  ///< int8 [tokens, n]
    at::Tensor scales; ///< fp32 [tokens, 1]
};

ActivationCodes activationCodes(const at::Tensor& x, int bits) {
    const double top = (1 << (bits - 1)) - 1;
    const at::Tensor absmax = x.abs().amax(1, true);
    const at::Tensor scales = at::where(absmax > 0, absmax / top, at::ones_like(absmax));
    return {(x / scales).round_().clamp_(-top - 1, top).to(at::kChar), scales};
}

OutputError compare(const at::Tensor& exact, const at::Tensor& approximate) {
    const at::Tensor difference = exact - approximate;
    return {sumOf(exact * exact), sumOf(difference * difference), static_cast<double>(exact.numel())};
}

analysis::FlatnessSums flatnessSums(const at::Tensor& x) {
    analysis::FlatnessSums sums;
    sums.count = x.numel();
    forRowChunks(x, [&](std::int64_t first, std::int64_t rows) {
        const at::Tensor part = x.narrow(0, first, rows);
        const at::Tensor square = part * part;
        sums.sumSq += sumOf(square);
        sums.sumSqLogSq += sumOf(at::xlogy(square, square));
    });
    return sums;
}

// design/bdq.md 3.5, "best reconstruction": q = x^2 / (alpha_i beta_j) with mean magnitudes of rows and
// columns.
double figure2(const at::Tensor& x) {
    const at::Tensor columnMean = x.abs().mean(0, true);
    double sum = 0;
    forRowChunks(x, [&](std::int64_t first, std::int64_t rows) {
        const at::Tensor part = x.narrow(0, first, rows);
        const at::Tensor q = part.square().div_(part.abs().mean(1, true) * columnMean).nan_to_num_(0, 0, 0);
        sum += sumOf(at::xlogy(q, q));
    });
    return sum;
}

Result<Flatness> flatnessOf(const at::Tensor& x) {
    Flatness flatness;
    BDQ_TRY(const analysis::EntropyFlatness entropy, analysis::entropyFlatness(flatnessSums(x)));
    flatness.entropy = entropy.value;
    flatness.entropyBound = entropy.bound;
    flatness.entropyNormalized = entropy.normalized;
    const at::Tensor norms = columnSums(x.square()).sqrt().cpu();
    const Eigen::Map<const Eigen::VectorXd> channels(norms.const_data_ptr<double>(), norms.numel());
    BDQ_TRY(const analysis::ChannelFlatness channel, analysis::channelFlatness(channels));
    flatness.channel = channel.value;
    flatness.channelNormalized = channel.normalized;
    flatness.figure2 = figure2(x);
    return flatness;
}

analysis::RowEnergy rowEnergy(const at::Tensor& x) {
    return {sumOf(x.square()), 4 * sumOf(x.abs().amax(1).square())};
}

Result<double> concentrationDb(const at::Tensor& x) {
    BDQ_TRY(const double value, analysis::concentration(rowEnergy(x)));
    return analysis::toDb(value);
}

NoiseByBits weightedNoise(const at::Tensor& errors, const at::Tensor& weights) {
    const at::Tensor sums = at::mv(errors, weights).cpu();
    NoiseByBits noise{};
    for (std::size_t i = 0; i < noise.size(); ++i)
        noise[i] = sums.const_data_ptr<double>()[i];
    return noise;
}

void fillNoise(const at::Tensor& inputs, const at::Tensor& weight, TransformAnalysis& result,
               TransformDetail& detail) {
    const quant::RoundingErrors input = quant::roundingErrors(inputs, true);
    const quant::RoundingErrors weights = quant::roundingErrors(weight, false);
    const at::Tensor columnSq = columnSums(weight.square());
    const at::Tensor meanSquare = columnSums(inputs.square()) / static_cast<double>(inputs.size(0));
    result.activationNoiseSymmetric = weightedNoise(input.symmetric, columnSq);
    result.activationNoiseAsymmetric = weightedNoise(input.asymmetric, columnSq);
    result.weightNoiseSymmetric = weightedNoise(weights.symmetric, meanSquare);
    result.weightNoiseAsymmetric = weightedNoise(weights.asymmetric, meanSquare);
    detail.noiseActivation = toHostFloats(input.symmetric);
    detail.noiseWeight = toHostFloats(weights.symmetric);
}

void fillShape(const at::Tensor& inputs, TransformAnalysis& result) {
    const double count = static_cast<double>(inputs.numel());
    const double meanSquare = sumOf(inputs.square()) / count;
    const double threshold = kOutlierSigmas * std::sqrt(meanSquare);
    double fourth = 0;
    double outliers = 0;
    forRowChunks(inputs, [&](std::int64_t first, std::int64_t rows) {
        const at::Tensor part = inputs.narrow(0, first, rows);
        fourth += sumOf((part * part).square_());
        outliers += static_cast<double>(at::count_nonzero(part.abs() > threshold).item<std::int64_t>());
    });
    result.kurtosisActivation = meanSquare > 0 ? fourth / count / (meanSquare * meanSquare) : 0;
    result.outlierShare = outliers / count;
}

} // namespace

void OutputError::merge(const OutputError& other) {
    signal += other.signal;
    noise += other.noise;
    count += other.count;
}

double OutputError::sqnrDb() const {
    return noise > 0 ? analysis::toDb(signal / noise) : std::numeric_limits<double>::infinity();
}

OutputError quantizedOutputError(const at::Tensor& outputs, const at::Tensor& inputs,
                                 const quant::QuantizedWeight& weight, const OperandScheme& activation) {
    if (!int8ProductPossible(inputs, weight, activation))
        return outputErrorWithFullWeight(outputs, inputs, weight.dequantize(), activation);
    const at::Tensor transposed = weight.codes.t();
    const at::Tensor columnScales = weight.scales.view({1, -1});
    OutputError total;
    constexpr std::int64_t kProductRows = 1024;
    forRowChunks(
        inputs,
        [&](std::int64_t first, std::int64_t rows) {
            const ActivationCodes codes = activationCodes(inputs.narrow(0, first, rows), activation.bits);
            const at::Tensor product = at::_int_mm(codes.codes, transposed).to(at::kFloat);
            total.merge(
                compare(outputs.narrow(0, first, rows), product.mul_(codes.scales).mul_(columnScales)));
        },
        kProductRows);
    return total;
}

OutputError outputErrorWithFullWeight(const at::Tensor& outputs, const at::Tensor& inputs,
                                      const at::Tensor& weight, const OperandScheme& activation) {
    OutputError total;
    forRowChunks(inputs, [&](std::int64_t first, std::int64_t rows) {
        const at::Tensor operand = quant::fakeQuantize(inputs.narrow(0, first, rows), activation);
        total.merge(compare(outputs.narrow(0, first, rows), at::linear(operand, weight)));
    });
    return total;
}

Result<TransformAnalysis> describeTransformed(const at::Tensor& inputs, const at::Tensor& weight,
                                              double signalPower, TransformDetail& detail) {
    TransformAnalysis result;
    BDQ_TRY(result.activation, flatnessOf(inputs));
    BDQ_TRY(result.weight, flatnessOf(weight));
    BDQ_TRY(result.concentrationActivationDb, concentrationDb(inputs));
    BDQ_TRY(result.concentrationWeightDb, concentrationDb(weight));
    const double inputPower = sumOf(inputs.square()) / static_cast<double>(inputs.size(0));
    BDQ_TRY(const double alignment, analysis::alignment(signalPower, sumOf(weight.square()), inputPower));
    result.alignmentDb = analysis::toDb(alignment);
    result.absmaxActivation = inputs.abs().max().item<double>();
    result.absmaxWeight = weight.abs().max().item<double>();
    fillShape(inputs, result);
    fillNoise(inputs, weight, result, detail);
    return result;
}

double normalizedFlatness(const at::Tensor& x) {
    const auto flatness = analysis::entropyFlatness(flatnessSums(x));
    return flatness ? flatness->normalized : std::numeric_limits<double>::quiet_NaN();
}

std::vector<float> toHostFloats(const at::Tensor& x) {
    const at::Tensor host = x.to(at::kCPU, at::kFloat).contiguous();
    return {host.const_data_ptr<float>(), host.const_data_ptr<float>() + host.numel()};
}

} // namespace bdq
