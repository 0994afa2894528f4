// One LLaMA block in plain double loops: the truth for engine/model/block. Written from the definitions
// (arXiv 2302.13971; RoPE arXiv 2104.09864 in half-split order; grouped queries arXiv 2305.13245), not for
// speed.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

namespace bdq::reference {

/// Row-major matrix.
struct Matrix {
    std::size_t rows = 0, columns = 0;
    std::vector<double> values;
    double& at(std::size_t r, std::size_t c) { return values[r * columns + c]; }
    [[nodiscard]] double at(std::size_t r, std::size_t c) const { return values[r * columns + c]; }
};
inline Matrix zeros(std::size_t rows, std::size_t columns) {
    return {rows, columns, std::vector<double>(rows * columns, 0.0)};
}

/// y = x W^T
inline Matrix linear(const Matrix& x, const Matrix& w) {
    Matrix y = zeros(x.rows, w.rows);
    for (std::size_t r = 0; r < x.rows; ++r)
        for (std::size_t o = 0; o < w.rows; ++o)
            for (std::size_t i = 0; i < w.columns; ++i)
                y.at(r, o) += x.at(r, i) * w.at(o, i);
    return y;
}

inline Matrix linear(const Matrix& x, const Matrix& w, const Matrix& bias) {
    Matrix y = linear(x, w);
    for (std::size_t r = 0; r < y.rows && bias.columns > 0; ++r)
        for (std::size_t c = 0; c < y.columns; ++c)
            y.at(r, c) += bias.at(0, c);
    return y;
}

inline Matrix rmsNorm(const Matrix& x, const Matrix& gain, double epsilon) {
    Matrix y = x;
    for (std::size_t r = 0; r < x.rows; ++r) {
        double meanSquare = 0;
        for (std::size_t c = 0; c < x.columns; ++c)
            meanSquare += x.at(r, c) * x.at(r, c) / static_cast<double>(x.columns);
        for (std::size_t c = 0; c < x.columns; ++c)
            y.at(r, c) = x.at(r, c) / std::sqrt(meanSquare + epsilon) * gain.at(0, c);
    }
    return y;
}

struct BlockShape {
    std::size_t heads, kvHeads, headDim;
    double ropeTheta, epsilon;
    std::size_t window = 0;                ///< tokens that a token attends to, itself included; 0 = all
    std::vector<double> ropeDivisors = {}; ///< of the frequencies; empty = none
};
struct BlockMatrices {
    Matrix attentionNorm, mlpNorm, q, k, v, o, gate, up, down;
    /// One row each; empty = none.
    Matrix qBias = {}, kBias = {}, vBias = {}, oBias = {}, gateBias = {}, upBias = {}, downBias = {};
    Matrix queryNorm = {}, keyNorm = {};
};

/// Rotates channel pairs (i, i + headDim/2) of every head by position * theta^(-2i/headDim) / divisor.
inline void rotate(Matrix& x, const BlockShape& shape) {
    const std::size_t headDim = shape.headDim;
    const std::size_t half = headDim / 2;
    for (std::size_t position = 0; position < x.rows; ++position)
        for (std::size_t head = 0; head < x.columns / headDim; ++head)
            for (std::size_t i = 0; i < half; ++i) {
                const double angle =
                    static_cast<double>(position) *
                    std::pow(shape.ropeTheta, -2.0 * static_cast<double>(i) / static_cast<double>(headDim)) /
                    (shape.ropeDivisors.empty() ? 1.0 : shape.ropeDivisors[i]);
                double& a = x.at(position, head * headDim + i);
                double& b = x.at(position, head * headDim + i + half);
                const double rotated = a * std::cos(angle) - b * std::sin(angle);
                b = b * std::cos(angle) + a * std::sin(angle);
                a = rotated;
            }
}

/// Every head of every row normalised by itself; nothing without a gain.
inline Matrix normalizedHeads(const Matrix& x, const Matrix& gain, double epsilon) {
    if (gain.columns == 0) return x;
    const Matrix heads{x.rows * x.columns / gain.columns, gain.columns, x.values};
    return {x.rows, x.columns, rmsNorm(heads, gain, epsilon).values};
}

inline Matrix attention(const Matrix& q, const Matrix& k, const Matrix& v, const BlockShape& shape) {
    Matrix y = zeros(q.rows, q.columns);
    for (std::size_t head = 0; head < shape.heads; ++head) {
        const std::size_t kvHead = head / (shape.heads / shape.kvHeads);
        for (std::size_t t = 0; t < q.rows; ++t) {
            std::vector<double> weight(t + 1);
            double sum = 0;
            const std::size_t first = shape.window > 0 && t + 1 > shape.window ? t + 1 - shape.window : 0;
            for (std::size_t s = first; s <= t; ++s) {
                double score = 0;
                for (std::size_t d = 0; d < shape.headDim; ++d)
                    score += q.at(t, head * shape.headDim + d) * k.at(s, kvHead * shape.headDim + d);
                weight[s] = std::exp(score / std::sqrt(static_cast<double>(shape.headDim)));
                sum += weight[s];
            }
            for (std::size_t s = first; s <= t; ++s)
                for (std::size_t d = 0; d < shape.headDim; ++d)
                    y.at(t, head * shape.headDim + d) +=
                        weight[s] / sum * v.at(s, kvHead * shape.headDim + d);
        }
    }
    return y;
}

inline Matrix block(const Matrix& x, const BlockMatrices& w, const BlockShape& shape) {
    const Matrix normed = rmsNorm(x, w.attentionNorm, shape.epsilon);
    Matrix q = normalizedHeads(linear(normed, w.q, w.qBias), w.queryNorm, shape.epsilon);
    Matrix k = normalizedHeads(linear(normed, w.k, w.kBias), w.keyNorm, shape.epsilon);
    rotate(q, shape);
    rotate(k, shape);
    Matrix y = linear(attention(q, k, linear(normed, w.v, w.vBias), shape), w.o, w.oBias);
    for (std::size_t i = 0; i < y.values.size(); ++i)
        y.values[i] += x.values[i];
    const Matrix mlpInput = rmsNorm(y, w.mlpNorm, shape.epsilon);
    Matrix gate = linear(mlpInput, w.gate, w.gateBias);
    const Matrix up = linear(mlpInput, w.up, w.upBias);
    for (std::size_t i = 0; i < gate.values.size(); ++i)
        gate.values[i] = gate.values[i] / (1 + std::exp(-gate.values[i])) * up.values[i];
    const Matrix mlp = linear(gate, w.down, w.downBias);
    for (std::size_t i = 0; i < y.values.size(); ++i)
        y.values[i] += mlp.values[i];
    return y;
}

} // namespace bdq::reference
