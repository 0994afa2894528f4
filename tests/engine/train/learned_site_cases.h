// Learned sites of every form and start, for tests.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "engine/train/cayley.h"
#include "engine/train/learned_site.h"
#include "tests/engine/quant/random_tensors.h"

namespace bdq::train::test_sites {

using test::normal;
using transform::SiteTransform;
using transform::TransformParts;

// Sums of n <= 1536 products rounded at 2^-24, relative to the largest entry.
inline constexpr double kSingle = 1e-5;
inline constexpr double kDouble = 1e-12;

inline double relativeDifference(const at::Tensor& a, const at::Tensor& b) {
    return ((a - b).abs().max() / b.abs().max()).to(at::kDouble).item<double>();
}

enum class Start { Identity, Diagonal, Bdq, CatBlocks, Hadamard, Kronecker };

struct Case {
    const char* name;
    std::int64_t n;
    Start start;
    SiteParameterisation form;
    bool dense;
};

inline SiteParameterisation formOf(Rotation rotation, bool learnDiagonal = true, bool logDiagonal = true) {
    SiteParameterisation form;
    form.rotation = rotation;
    form.learnDiagonal = learnDiagonal;
    form.logDiagonal = logDiagonal;
    form.seed = 3;
    return form;
}

inline SiteParameterisation acrossHeads() {
    SiteParameterisation form = formOf(Rotation::Kronecker, false);
    form.kroneckerLeft = 9;
    form.learnKroneckerRight = false;
    return form;
}

inline SiteParameterisation blocksOf(std::int64_t size) {
    SiteParameterisation form = formOf(Rotation::CayleyBlocks);
    form.blockSize = size;
    return form;
}

inline std::vector<Case> cases() {
    std::vector<Case> all{
        {"cayley", 72, Start::Hadamard, formOf(Rotation::CayleyBlocks), false},
        {"cayley of 576", 576, Start::Diagonal, formOf(Rotation::CayleyBlocks), false},
        {"cayley on bdq", 128, Start::Bdq, formOf(Rotation::CayleyBlocks), false},
        {"cayley on cat", 72, Start::CatBlocks, formOf(Rotation::CayleyBlocks), false},
        {"cayley blocks of 96", 192, Start::Hadamard, blocksOf(96), false},
        {"free", 72, Start::CatBlocks, formOf(Rotation::FreeBlocks), false},
        {"free from identity", 48, Start::Identity, formOf(Rotation::FreeBlocks), false},
        {"kronecker", 96, Start::Diagonal, formOf(Rotation::Kronecker, true, false), false},
        {"kronecker hadamard", 96, Start::Hadamard, formOf(Rotation::Kronecker), false},
        {"kronecker of a prime", 7, Start::Identity, formOf(Rotation::Kronecker), false},
        {"across heads", 72, Start::Identity, acrossHeads(), false},
        {"diagonal only", 40, Start::Diagonal, formOf(Rotation::Fixed), false},
        {"diagonal before fixed blocks", 128, Start::Bdq, formOf(Rotation::Fixed), false},
        {"diagonal before a fixed kronecker", 24, Start::Kronecker, formOf(Rotation::Fixed), false},
        {"fixed diagonal", 128, Start::Bdq, formOf(Rotation::CayleyBlocks, false), false},
    };
    const std::size_t structured = all.size();
    for (std::size_t i = 0; i < structured; ++i) {
        all.push_back(all[i]);
        all.back().dense = true;
    }
    return all;
}

inline SiteTransform startOf(const Case& c) {
    if (c.start == Start::Identity) return {};
    TransformParts parts;
    if (c.start != Start::Hadamard && c.start != Start::CatBlocks)
        parts.diagonal = (normal({c.n}, 1, at::kDouble) * 0.5).exp();
    if (c.start == Start::Bdq || c.start == Start::CatBlocks) {
        parts.blockSize = 64;
        parts.blocks = normal({(c.n - 1) / 64 + 1, 64, 64}, 2, at::kDouble);
        if (c.start == Start::Bdq)
            parts.blocks = cayley(skewOf(parts.blocks));
        else // as far from orthogonal as closed forms get, and invertible
            parts.blocks = parts.blocks * 0.05 + 1.5 * at::eye(64, at::kDouble);
    }
    if (c.start == Start::Kronecker) {
        parts.kroneckerLeft = normal({4, 4}, 3, at::kDouble) + 3 * at::eye(4, at::kDouble);
        parts.kroneckerRight = normal({6, 6}, 4, at::kDouble) + 3 * at::eye(6, at::kDouble);
    }
    parts.hadamard = c.start != Start::Diagonal;
    parts.hadamardSeed = 17;
    return SiteTransform::create(c.n, parts).value();
}

inline LearnedSite siteOf(const Case& c, at::ScalarType type) {
    SiteParameterisation form = c.form;
    form.dense = c.dense;
    return LearnedSite::create(c.n, startOf(c), form, at::kCPU, type).value();
}

/// As training does: every parameter moves.
inline void disturb(LearnedSite& site, double by) {
    NamedTensors values = site.state();
    std::uint64_t seed = 40;
    for (auto& [name, value] : values)
        value = value + by * normal(value.sizes(), ++seed, value.scalar_type());
    ASSERT_TRUE(site.load(values));
    site.prepare();
}

} // namespace bdq::train::test_sites
