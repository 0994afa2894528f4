#include "engine/pipeline/site_measurement.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <optional>
#include <vector>

#include <ATen/ATen.h>

#include "engine/analysis/flatness.h"
#include "engine/analysis/sqnr_model.h"
#include "engine/calibration/matrix_sums.h"
#include "engine/calibration/sum_kernels.h"
#include "engine/calibration/sums.h"
#include "engine/quant/affine.h"
#include "engine/quant/parallel.h"
#include "engine/quant/rounding_errors.h"
#include "engine/quant/row_kernels.h"

namespace bdq {
namespace {

// Rows handled together, so that the temporaries of elementwise work stay in cache.
constexpr std::int64_t kRows = 256;
constexpr std::int64_t kRowsPerTask = 32;
constexpr double kOutlierSigmas = 6;

template <class Visit> void forRowChunks(const at::Tensor& x, Visit visit, std::int64_t rows = kRows) {
    for (std::int64_t first = 0; first < x.size(0); first += rows)
        visit(first, std::min(rows, x.size(0) - first));
}

bool isPlainInteger(const OperandScheme& scheme) {
    return scheme.quantizes() && scheme.symmetric && scheme.groupSize == 0;
}

/// Does this processor multiply 8-bit codes exactly? Without dot-product instructions (VNNI, AMX) libtorch's
/// kernel adds pairs of products, activations raised by 128, in 16 bits with saturation: 2 x 255 x 128 does
/// not fit. Codes of up to 7 bits do, 2 x 255 x 64 < 2^15. Asked with the codes that saturate first.
bool multipliesEightBitsExactly() {
    static const bool exact = [] {
        constexpr std::int64_t kSize = 64;
        const at::Tensor inputs = at::full({kSize, kSize}, 127, at::kChar);
        const at::Tensor weight = at::full({kSize, kSize}, -128, at::kChar);
        return at::_int_mm(inputs, weight.t()).eq(-127 * 128 * kSize).all().item<bool>();
    }();
    return exact;
}

// cuBLAS wants multiples of 8 and more than 16 rows.
bool int8ProductPossible(const at::Tensor& inputs, const quant::QuantizedWeight& weight,
                         const OperandScheme& activation) {
    if (inputs.is_cpu() && weight.scheme.bits > 7 && !multipliesEightBitsExactly()) return false;
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

double sqnrDbOf(double signal, double noise) {
    if (!(signal > 0)) return std::numeric_limits<double>::quiet_NaN();
    return noise > 0 ? analysis::toDb(signal / noise) : std::numeric_limits<double>::infinity();
}

OutputError totalOf(const std::vector<ErrorSums>& rows, double count) {
    OutputError total;
    total.count = count;
    for (const ErrorSums& row : rows) {
        total.signal += row.signal;
        total.noise += row.noise;
        total.tokenSqnrDb.push_back(sqnrDbOf(row.signal, row.noise));
    }
    return total;
}

OutputError compareTensors(const at::Tensor& exact, const at::Tensor& approximate) {
    const at::Tensor difference = exact - approximate;
    const at::Tensor sums =
        at::stack({exact.square().sum(1, false, at::kDouble), difference.square().sum(1, false, at::kDouble)},
                  1)
            .cpu()
            .contiguous();
    const double* values = sums.const_data_ptr<double>();
    std::vector<ErrorSums> rows;
    for (std::int64_t row = 0; row < sums.size(0); ++row)
        rows.push_back({values[2 * row], values[2 * row + 1]});
    return totalOf(rows, static_cast<double>(exact.numel()));
}

/// Sum over rows of errorOf(row), in the order of the rows.
template <class ErrorOf> OutputError sumOverRows(const at::Tensor& exact, ErrorOf errorOf) {
    std::vector<ErrorSums> rows(static_cast<std::size_t>(exact.size(0)));
    quant::parallelRanges(exact.size(0), kRowsPerTask, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row)
            rows[static_cast<std::size_t>(row)] = errorOf(row);
    });
    return totalOf(rows, static_cast<double>(exact.numel()));
}

OutputError compare(const at::Tensor& exact, const at::Tensor& approximate) {
    if (!exact.is_cpu()) return compareTensors(exact, approximate);
    const at::Tensor left = exact.contiguous();
    const at::Tensor right = approximate.contiguous();
    const std::int64_t n = left.size(1);
    const float* y = left.const_data_ptr<float>();
    const float* found = right.const_data_ptr<float>();
    return sumOverRows(left, [&](std::int64_t row) { return rowError(y + row * n, found + row * n, n); });
}

/// Integer products of rows of inputs with a weight on the CPU, in memory that every chunk uses again.
class IntegerProduct {
public:
    IntegerProduct(const quant::QuantizedWeight& weight, int bits, std::int64_t rows)
        : m_bits(bits), m_transposed(weight.codes.t()), m_columnScales(weight.scales.flatten().contiguous()),
          m_rowScales(static_cast<std::size_t>(rows)),
          m_codes(at::empty({rows, weight.codes.size(1)}, at::kChar)),
          m_product(at::empty({rows, weight.codes.size(0)}, at::kInt)) {}

    /// Both fp32 with at most `rows` rows.
    OutputError error(const at::Tensor& outputs, const at::Tensor& inputs);

private:
    void encode(const at::Tensor& inputs);

    int m_bits;
    at::Tensor m_transposed;        ///< int8 [n, out]
    at::Tensor m_columnScales;      ///< fp32 [out]
    std::vector<float> m_rowScales; ///< [rows]
    at::Tensor m_codes;             ///< int8 [rows, n]
    at::Tensor m_product;           ///< int32 [rows, out]
};

void IntegerProduct::encode(const at::Tensor& inputs) {
    const std::int64_t n = inputs.size(1);
    const float* x = inputs.const_data_ptr<float>();
    auto* const codes = m_codes.mutable_data_ptr<std::int8_t>();
    quant::parallelRanges(inputs.size(0), kRowsPerTask, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            const quant::Grid grid = quant::makeGrid(quant::rowRange(x + row * n, n), m_bits, true, 0.0F);
            m_rowScales[static_cast<std::size_t>(row)] = grid.scale;
            quant::encodeRow(x + row * n, codes + row * n, n, grid, 0);
        }
    });
}

OutputError IntegerProduct::error(const at::Tensor& outputs, const at::Tensor& inputs) {
    encode(inputs.contiguous());
    at::Tensor product = m_product.narrow(0, 0, inputs.size(0));
    at::_int_mm_out(product, m_codes.narrow(0, 0, inputs.size(0)), m_transposed);
    const at::Tensor exact = outputs.contiguous();
    const std::int64_t n = exact.size(1);
    const float* y = exact.const_data_ptr<float>();
    const std::int32_t* found = product.const_data_ptr<std::int32_t>();
    const float* scales = m_columnScales.const_data_ptr<float>();
    return sumOverRows(exact, [&](std::int64_t row) {
        return scaledRowError(y + row * n, found + row * n, m_rowScales[static_cast<std::size_t>(row)],
                              scales, n);
    });
}

OutputError integerErrorOfTensors(const at::Tensor& outputs, const at::Tensor& inputs,
                                  const quant::QuantizedWeight& weight, int bits) {
    const ActivationCodes codes = activationCodes(inputs, bits);
    const at::Tensor product = at::_int_mm(codes.codes, weight.codes.t()).to(at::kFloat);
    return compareTensors(outputs, product.mul_(codes.scales).mul_(weight.scales.view({1, -1})));
}

Result<Flatness> flatnessOf(const MatrixSums& sums) {
    Flatness flatness;
    BDQ_TRY(const analysis::EntropyFlatness entropy, analysis::entropyFlatness(sums.flatnessSums()));
    flatness.entropy = entropy.value;
    flatness.entropyBound = entropy.bound;
    flatness.entropyNormalized = entropy.normalized;
    const at::Tensor norms = sums.columnSquare.sqrt().cpu();
    const Eigen::Map<const Eigen::VectorXd> channels(norms.const_data_ptr<double>(), norms.numel());
    BDQ_TRY(const analysis::ChannelFlatness channel, analysis::channelFlatness(channels));
    flatness.channel = channel.value;
    flatness.channelNormalized = channel.normalized;
    flatness.figure2 = sums.figure2;
    return flatness;
}

Result<double> concentrationDb(const MatrixSums& sums) {
    BDQ_TRY(const double value, analysis::concentration({sums.square, 4 * sums.rowMaxSquare}));
    return analysis::toDb(value);
}

NoiseByBits weightedNoise(const at::Tensor& errors, const at::Tensor& weights) {
    const at::Tensor sums = at::mv(errors, weights).cpu();
    NoiseByBits noise{};
    for (std::size_t i = 0; i < noise.size(); ++i)
        noise[i] = sums.const_data_ptr<double>()[i];
    return noise;
}

/// A matrix with its sums.
struct Operand {
    explicit Operand(const at::Tensor& matrix) : values(matrix), sums(matrixSums(matrix)) {}
    at::Tensor values;
    MatrixSums sums;
};

void fillChannels(const Operand& inputs, const Operand& weight, TransformAnalysis& result,
                  TransformDetail& detail) {
    const quant::RoundingErrors input = quant::roundingErrors(inputs.values, true);
    const quant::RoundingErrors weights = quant::roundingErrors(weight.values, false);
    const at::Tensor& columnSq = weight.sums.columnSquare;
    const at::Tensor meanSquare = inputs.sums.columnSquare / static_cast<double>(inputs.sums.rows);
    result.activationNoiseSymmetric = weightedNoise(input.symmetric, columnSq);
    result.activationNoiseAsymmetric = weightedNoise(input.asymmetric, columnSq);
    result.weightNoiseSymmetric = weightedNoise(weights.symmetric, meanSquare);
    result.weightNoiseAsymmetric = weightedNoise(weights.asymmetric, meanSquare);
    detail.noiseActivation = toHostFloats(input.symmetric);
    detail.noiseWeight = toHostFloats(weights.symmetric);
    detail.channelRmsWeight = toHostFloats((columnSq / static_cast<double>(weight.sums.rows)).sqrt());
    detail.channelAbsmaxWeight = toHostFloats(weight.sums.columnAbsmax);
}

void fillShape(const Operand& inputs, TransformAnalysis& result) {
    const double count = inputs.sums.count();
    const double meanSquare = inputs.sums.square / count;
    result.kurtosisActivation = meanSquare > 0 ? inputs.sums.fourth / count / (meanSquare * meanSquare) : 0;
    result.outlierShare = shareAbove(inputs.values, kOutlierSigmas * std::sqrt(meanSquare));
}

} // namespace

void OutputError::merge(const OutputError& other) {
    signal += other.signal;
    noise += other.noise;
    count += other.count;
    tokenSqnrDb.insert(tokenSqnrDb.end(), other.tokenSqnrDb.begin(), other.tokenSqnrDb.end());
}

double OutputError::tokenQuantile(double q) const {
    std::vector<double> known;
    std::ranges::copy_if(tokenSqnrDb, std::back_inserter(known), [](double db) { return !std::isnan(db); });
    if (known.empty()) return std::numeric_limits<double>::quiet_NaN();
    const auto place = known.begin() + static_cast<std::ptrdiff_t>(q * static_cast<double>(known.size() - 1));
    std::ranges::nth_element(known, place);
    return *place;
}

double OutputError::sqnrDb() const {
    return sqnrDbOf(signal, noise);
}

OutputError quantizedOutputError(const at::Tensor& outputs, const at::Tensor& inputs,
                                 const quant::QuantizedWeight& weight, const OperandScheme& activation,
                                 quant::RangeFactors clip) {
    const bool clipped = clip.high < 1 || clip.low < 1;
    if (clipped || !int8ProductPossible(inputs, weight, activation))
        return outputErrorWithFullWeight(outputs, inputs, weight.dequantize(), activation, clip);
    constexpr std::int64_t kProductRows = 1024;
    std::optional<IntegerProduct> onCpu;
    if (inputs.is_cpu()) onCpu.emplace(weight, activation.bits, std::min(kProductRows, inputs.size(0)));
    OutputError total;
    forRowChunks(
        inputs,
        [&](std::int64_t first, std::int64_t rows) {
            const at::Tensor exact = outputs.narrow(0, first, rows);
            const at::Tensor part = inputs.narrow(0, first, rows);
            total.merge(onCpu ? onCpu->error(exact, part)
                              : integerErrorOfTensors(exact, part, weight, activation.bits));
        },
        kProductRows);
    return total;
}

OutputError outputErrorWithFullWeight(const at::Tensor& outputs, const at::Tensor& inputs,
                                      const at::Tensor& weight, const OperandScheme& activation,
                                      quant::RangeFactors clip) {
    OutputError total;
    forRowChunks(inputs, [&](std::int64_t first, std::int64_t rows) {
        const at::Tensor operand = quant::fakeQuantize(inputs.narrow(0, first, rows), activation, clip);
        total.merge(compare(outputs.narrow(0, first, rows), at::linear(operand, weight)));
    });
    return total;
}

Result<TransformAnalysis> describeTransformed(const at::Tensor& inputs, const at::Tensor& weight,
                                              double signalPower, TransformDetail& detail) {
    const Operand activation(inputs);
    const Operand weights(weight);
    TransformAnalysis result;
    BDQ_TRY(result.activation, flatnessOf(activation.sums));
    BDQ_TRY(result.weight, flatnessOf(weights.sums));
    BDQ_TRY(result.concentrationActivationDb, concentrationDb(activation.sums));
    BDQ_TRY(result.concentrationWeightDb, concentrationDb(weights.sums));
    const double inputPower = activation.sums.square / static_cast<double>(inputs.size(0));
    BDQ_TRY(const double alignment, analysis::alignment(signalPower, weights.sums.square, inputPower));
    result.alignmentDb = analysis::toDb(alignment);
    result.absmaxActivation = activation.sums.absmax;
    result.absmaxWeight = weights.sums.absmax;
    fillShape(activation, result);
    fillChannels(activation, weights, result, detail);
    return result;
}

double normalizedFlatness(const at::Tensor& x) {
    const auto flatness = analysis::entropyFlatness(matrixSums(x).flatnessSums());
    return flatness ? flatness->normalized : std::numeric_limits<double>::quiet_NaN();
}

std::vector<float> toHostFloats(const at::Tensor& x) {
    const at::Tensor host = x.to(at::kCPU, at::kFloat).contiguous();
    return {host.const_data_ptr<float>(), host.const_data_ptr<float>() + host.numel()};
}

} // namespace bdq
