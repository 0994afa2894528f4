#include "engine/io/rope_scaling.h"

#include <cmath>
#include <cstring>
#include <numbers>

#include "engine/io/byte_reader.h"

namespace bdq::io {
namespace {

/// Far above any model's head; bounds what a hostile file can make us allocate.
constexpr std::int64_t kMaxHeadDim = 1 << 16;

Status checkHeadDim(std::int64_t headDim, const std::string& label) {
    if (headDim >= 2 && headDim % 2 == 0 && headDim <= kMaxHeadDim) return {};
    return fail(ErrorCode::BadFormat, label + ": head size " + std::to_string(headDim) +
                                          " with RoPE scaling, expected an even number up to " +
                                          std::to_string(kMaxHeadDim));
}

} // namespace

Result<std::vector<double>> linearDivisors(double factor, std::int64_t headDim, const std::string& label) {
    BDQ_CHECK(checkHeadDim(headDim, label));
    return std::vector<double>(static_cast<std::size_t>(headDim / 2), factor);
}

Result<std::vector<double>> llama3Divisors(double theta, std::int64_t headDim, const Llama3Scaling& scaling,
                                           const std::string& label) {
    const double low = scaling.lowFrequencyFactor;
    const double high = scaling.highFrequencyFactor;
    if (!(low < high))
        return fail(ErrorCode::BadFormat, label + ": 'low_freq_factor' " + std::to_string(low) +
                                              " is not below 'high_freq_factor' " + std::to_string(high));
    BDQ_TRY(std::vector<double> divisors, linearDivisors(scaling.factor, headDim, label));
    for (std::size_t i = 0; i < divisors.size(); ++i) {
        const double exponent = 2.0 * static_cast<double>(i) / static_cast<double>(headDim);
        const double wavelength = 2 * std::numbers::pi * std::pow(theta, exponent);
        const double turns = scaling.originalContext / wavelength; // in the context of pre-training
        if (turns < low) continue;
        const double kept = std::fmin((turns - low) / (high - low), 1.0);
        divisors[i] = 1 / (kept + (1 - kept) / scaling.factor);
    }
    return divisors;
}

Status multiplyByTable(const GgufTensor& table, std::span<const std::byte> file, const std::string& label,
                       std::vector<double>& divisors) {
    const std::string object = label + ": tensor " + inQuotes(table.name);
    if (table.type != TensorType::F32 || table.shape.size() != 1 ||
        table.shape.front() != static_cast<std::int64_t>(divisors.size()) ||
        table.sizeBytes != divisors.size() * sizeof(float) || table.offsetBytes > file.size() ||
        table.sizeBytes > file.size() - table.offsetBytes)
        return fail(ErrorCode::BadFormat,
                    object + " is no list of " + std::to_string(divisors.size()) + " F32 values");
    for (std::size_t i = 0; i < divisors.size(); ++i) {
        float value = 0;
        std::memcpy(&value, file.data() + table.offsetBytes + i * sizeof(float), sizeof(float));
        if (!std::isfinite(value) || !(value > 0))
            return fail(ErrorCode::BadFormat,
                        object + ": value " + std::to_string(i) + " is not a positive number");
        divisors[i] *= static_cast<double>(value);
    }
    return {};
}

} // namespace bdq::io
