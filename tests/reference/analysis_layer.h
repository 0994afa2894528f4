// The synthetic layer of design/cat_wush.md 8 (correlated heavy-tailed x with outlier channels) and its
// measured SQNR.
#pragma once

#include <Eigen/Dense>

#include "engine/analysis/reference_quantizer.h"
#include "tests/reference/analysis_random.h"

namespace bdq::reference {

/// y = x W^T with x [tokens, n], W [out, n].
struct Layer {
    Eigen::MatrixXd x, w;

    [[nodiscard]] Eigen::MatrixXd inputMoment() const {
        return x.transpose() * x / static_cast<double>(x.rows());
    }
    [[nodiscard]] Eigen::MatrixXd weightMoment() const { return w.transpose() * w; }
    [[nodiscard]] double outputEnergy() const {
        return (x * w.transpose()).squaredNorm() / static_cast<double>(x.rows());
    }
    [[nodiscard]] Layer transformed(const Eigen::MatrixXd& p) const {
        return {x * p, w * p.inverse().transpose()};
    }
};

inline Layer syntheticLayer(Eigen::Index n, Eigen::Index tokens, std::uint64_t seed) {
    Random random(seed);
    Layer layer;
    const Eigen::MatrixXd mixing =
        random.orthogonal(n) * random.logNormal(n, 0.7).asDiagonal() * random.orthogonal(n);
    layer.x = random.gaussian(tokens, n) * mixing;
    layer.x = random.logNormal(tokens, 0.3).asDiagonal() * layer.x; // heavy tails across tokens
    for (Eigen::Index outlier = 0; outlier < 6; ++outlier)
        layer.x.col((outlier * 41 + 7) % n) *= 20 + 5 * static_cast<double>(outlier);
    layer.w = random.gaussian(n, n) * random.logNormal(n, 0.3).asDiagonal();
    return layer;
}

struct Quantized {
    Eigen::MatrixXd x, w;
};

inline Quantized quantizeLayer(const Layer& layer, int inputBits, int weightBits,
                               analysis::RangeRule inputRule) {
    const auto x = analysis::quantizeRows(layer.x, {inputBits, inputRule, analysis::Operand::Activation});
    const auto w = analysis::quantizeRows(layer.w, {weightBits, analysis::RangeRule::Symmetric});
    return {x.value().values, w.value().values};
}

inline double measuredSqnr(const Layer& layer, const Quantized& quantized) {
    const Eigen::MatrixXd y = layer.x * layer.w.transpose();
    return y.squaredNorm() / (y - quantized.x * quantized.w.transpose()).squaredNorm();
}

} // namespace bdq::reference
