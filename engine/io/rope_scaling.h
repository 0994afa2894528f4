// What RoPE scaling divides the rotary frequencies theta^(-2 i / headDim) by, for ModelConfig::ropeDivisors.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/api/result.h"
#include "engine/io/gguf.h"

namespace bdq::io {

/// Parameters of LLaMA 3.1's scaling: wavelengths (2 pi / frequency, in tokens) above originalContext /
/// lowFrequencyFactor are stretched by `factor`, those below originalContext / highFrequencyFactor are kept,
/// in between the frequencies are interpolated (arXiv 2407.21783 section 3.4.2 and Meta's reference code).
struct Llama3Scaling {
    double factor = 1;
    double lowFrequencyFactor = 1;
    double highFrequencyFactor = 4;
    double originalContext = 8192;
};

/// headDim / 2 divisors. Errors: BadFormat (factors out of order, head size that no model has).
Result<std::vector<double>> llama3Divisors(double theta, std::int64_t headDim, const Llama3Scaling& scaling,
                                           const std::string& label);
/// headDim / 2 times the factor (position interpolation, arXiv 2306.15595). Errors: BadFormat (head size).
Result<std::vector<double>> linearDivisors(double factor, std::int64_t headDim, const std::string& label);

/// Multiplies by the F32 values of GGUF's table tensor `rope_freqs.weight`, one a divisor. Errors: BadFormat
/// (type, shape, a value that is not a positive number).
Status multiplyByTable(const GgufTensor& table, std::span<const std::byte> file, const std::string& label,
                       std::vector<double>& divisors);

} // namespace bdq::io
