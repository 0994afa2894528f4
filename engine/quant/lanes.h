// 16 fp32 lanes in GCC's vector extension, for kernels that are compiled once for every x86-64 and once for
// AVX-512. Include in sources built with -ffp-contract=off and -Wno-psabi only.
#pragma once

#include <cstdint>
#include <cstring>

// One binary serves every x86-64: the loader picks the clone for the CPU. There is no AVX2 clone: g++ 12
// lowers the 16-lane vectors to it so badly that SSE2 is 1.7 times faster (range search, 16 lanes: AVX-512 9
// ns, SSE2 26 ns, AVX2 43 ns). Sanitizers do not support the loader's hook.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define BDQ_CPU_CLONES __attribute__((target_clones("arch=x86-64-v4", "default")))
#else
#define BDQ_CPU_CLONES
#endif
// Inlined into each clone, so that it is compiled for that CPU.
#define BDQ_KERNEL static inline __attribute__((always_inline))

namespace bdq {

constexpr std::int64_t kLanes = 16;
using Lanes = float __attribute__((vector_size(kLanes * sizeof(float))));
using IntLanes = std::int32_t __attribute__((vector_size(kLanes * sizeof(float))));

/// First `count` <= kLanes values, the rest 0.
template <class Vector = Lanes, class Value> BDQ_KERNEL Vector load(const Value* x, std::int64_t count) {
    Vector lanes{};
    if (count == kLanes)
        std::memcpy(&lanes, x, sizeof lanes);
    else
        std::memcpy(&lanes, x, static_cast<std::size_t>(count) * sizeof(Value));
    return lanes;
}

template <class Vector, class Value> BDQ_KERNEL void store(Value* y, Vector lanes, std::int64_t count) {
    if (count == kLanes)
        std::memcpy(y, &lanes, sizeof lanes);
    else
        std::memcpy(y, &lanes, static_cast<std::size_t>(count) * sizeof(Value));
}

template <class To, class From> BDQ_KERNEL To bitsAs(From lanes) {
    To result;
    std::memcpy(&result, &lanes, sizeof result);
    return result;
}

BDQ_KERNEL Lanes maxOf(Lanes a, Lanes b) {
    return a > b ? a : b;
}

BDQ_KERNEL Lanes absOf(Lanes v) {
    return bitsAs<Lanes>(bitsAs<IntLanes>(v) & 0x7FFFFFFF);
}

BDQ_KERNEL double sumOfLanes(Lanes lanes) {
    double sum = 0;
    for (int lane = 0; lane < kLanes; ++lane)
        sum += static_cast<double>(lanes[lane]);
    return sum;
}

/// ln v for v >= FLT_MIN; 0 below. Infinity gives 128 ln 2, NaN any number.
BDQ_KERNEL Lanes naturalLog(Lanes v) {
    constexpr std::int32_t kRootHalf = 0x3F3504F3; // bits of sqrt(1/2)
    constexpr std::int32_t kMantissa = 0x7FFFFF;
    constexpr float kLn2High = 0.693359375F; // 9 bits: its products with exponents are exact
    constexpr float kLn2Low = -2.12194440e-4F;
    constexpr float kSmallest = 0x1p-126F;
    // v = m 2^e with m in [sqrt 1/2, sqrt 2).
    const IntLanes shifted = bitsAs<IntLanes>(v) - kRootHalf;
    const Lanes exponent = __builtin_convertvector(shifted >> 23, Lanes);
    const Lanes m = bitsAs<Lanes>((shifted & kMantissa) + kRootHalf);
    // ln m = 2 artanh s; |s| <= 0.172, so s^10 / 11 is below 2.1e-9.
    const Lanes s = (m - 1.0F) / (m + 1.0F);
    const Lanes z = s * s;
    const Lanes series = z * (2.0F / 3 + z * (2.0F / 5 + z * (2.0F / 7 + z * (2.0F / 9))));
    const Lanes logM = 2.0F * s + s * series;
    const Lanes value = exponent * kLn2High + (exponent * kLn2Low + logM);
    return v < kSmallest ? Lanes{} : value;
}

} // namespace bdq
