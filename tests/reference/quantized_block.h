// A transformed and quantized LLaMA block in plain double matrices, one sequence at a time, with everything
// spelled out: x -> x P, W -> W P^-T with P^-T by a matrix inverse, fake quantization with clipping, keys and
// queries, folded values. The truth for engine/train/trainable_block and for the placement of transforms in
// runs. Sources: design/transforms.md 2.1, 3.3, 3.5, 9; design/product.md 8.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include <Eigen/Dense>

namespace bdq::reference {

using Values = std::vector<double>;
/// Parameters by name, flat in row-major order; a missing name means that nothing is transformed or clipped.
using Parameters = std::map<std::string, Values>;
using Eigen::Index;
using Eigen::MatrixXd;

/// What quantizers decide: which way a number is rounded, whether a clamp holds. Recorded once, then replayed
/// while parameters move a little: what is left is smooth, and its derivative is the straight-through one by
/// definition.
class Decisions {
public:
    void replay() {
        m_replaying = true;
        m_nextOffset = m_nextChoice = 0;
    }
    double round(double x) {
        if (!m_replaying) m_offsets.push_back(std::nearbyint(x) - x);
        return m_replaying ? x + m_offsets[m_nextOffset++] : std::nearbyint(x);
    }
    Index choose(Index found) {
        if (!m_replaying) m_choices.push_back(found);
        return m_replaying ? m_choices[m_nextChoice++] : found;
    }
    double clamp(double x, double low, double high) {
        const Index side = choose(x < low ? -1 : x > high ? 1 : 0);
        return side < 0 ? low : side > 0 ? high : x;
    }

private:
    bool m_replaying = false;
    std::vector<double> m_offsets;
    std::vector<Index> m_choices;
    std::size_t m_nextOffset = 0, m_nextChoice = 0;
};

struct PlainQuantizer {
    int bits = 16;
    bool symmetric = true;
};

inline double sigmoid(double x) {
    return 1 / (1 + std::exp(-x));
}

/// One row on its grid; `high`, `low` shrink the range; `clampFirst` as for weights.
inline Eigen::RowVectorXd quantizeRow(Eigen::RowVectorXd x, const PlainQuantizer& quantizer, double high,
                                      double low, bool clampFirst, Decisions& decisions) {
    Index most = 0, least = 0;
    x.maxCoeff(&most);
    x.minCoeff(&least);
    most = decisions.choose(x[most] > 0 ? most : -1);
    least = decisions.choose(x[least] < 0 ? least : -1);
    const double top = (most < 0 ? 0.0 : x[most]) * high;
    const double bottom = (least < 0 ? 0.0 : x[least]) * low;
    if (clampFirst)
        for (double& value : x)
            value = decisions.clamp(value, bottom, top);
    const int levels = 1 << quantizer.bits;
    if (quantizer.symmetric) {
        const double last = levels / 2 - 1;
        const double step = (decisions.choose(top >= -bottom ? 1 : 0) == 1 ? top : -bottom) / last;
        for (double& value : x)
            value = decisions.clamp(decisions.round(value / step), -last - 1, last) * step;
        return x;
    }
    const double step = (top - bottom) / (levels - 1);
    const double zero = decisions.round(-bottom / step);
    for (double& value : x)
        value = (decisions.clamp(decisions.round(value / step) + zero, 0, levels - 1) - zero) * step;
    return x;
}

/// Rows of x in segments of `width` columns. `clip`: logits, empty, one pair (high, low), or for every row
/// the highs and then the lows.
inline MatrixXd quantizeRows(MatrixXd x, Index width, const PlainQuantizer& quantizer, const Values& clip,
                             bool clampFirst, Decisions& decisions) {
    if (quantizer.bits == 16) return x;
    const std::size_t half = clip.size() / 2;
    for (Index row = 0; row < x.rows(); ++row)
        for (Index first = 0; first < x.cols(); first += width) {
            const std::size_t at = half > 1 ? static_cast<std::size_t>(row) : 0;
            const double high = clip.empty() ? 1.0 : sigmoid(clip[at]);
            const double low = clip.empty() ? 1.0 : sigmoid(clip[half + at]);
            x.block(row, first, 1, width) = quantizeRow(x.block(row, first, 1, width), quantizer, high, low,
                                                        clampFirst && !clip.empty(), decisions);
        }
    return x;
}

inline MatrixXd matrixOf(const Values& values, Index rows, Index columns, std::size_t first = 0) {
    return Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(
        values.data() + first, rows, columns);
}

/// (I + S)^-1 (I - S), S the skew matrix of the entries below the diagonal, times `factor`.
inline MatrixXd cayleyOf(const MatrixXd& free, double factor) {
    const MatrixXd lower = free.triangularView<Eigen::StrictlyLower>();
    const MatrixXd skew = factor * (lower - lower.transpose());
    const MatrixXd one = MatrixXd::Identity(free.rows(), free.rows());
    return (one + skew).inverse() * (one - skew);
}

/// U diag(s) V^T of FlatQuant's released code.
inline MatrixXd svdMatrix(const Parameters& parameters, const std::string& name) {
    const Values& s = parameters.at(name + "s");
    const auto k = static_cast<Index>(s.size());
    const MatrixXd u = cayleyOf(matrixOf(parameters.at(name + "u"), k, k), -0.5);
    const MatrixXd v = cayleyOf(matrixOf(parameters.at(name + "v"), k, k), -0.5);
    return u * matrixOf(s, k, 1).asDiagonal() * v.transpose();
}

inline MatrixXd kron(const MatrixXd& a, const MatrixXd& b) {
    MatrixXd product(a.rows() * b.rows(), a.cols() * b.cols());
    for (Index i = 0; i < a.rows(); ++i)
        for (Index j = 0; j < a.cols(); ++j)
            product.block(i * b.rows(), j * b.cols(), b.rows(), b.cols()) = a(i, j) * b;
    return product;
}

/// The four linear sites in the order of bdq::kLinearSites.
inline const std::array<std::string, 4> kSiteNames{"qkv", "o", "gate_up", "down"};

struct PlainBlock {
    Index heads = 1, kvHeads = 1, headDim = 1;
    double ropeTheta = 10000, epsilon = 1e-5;
    Eigen::RowVectorXd attentionNorm, mlpNorm;
    std::array<MatrixXd, 4> weights;  ///< stacked as the engine stacks them
    std::array<MatrixXd, 4> constant; ///< orthogonal factor behind the learned one (Hadamard)
    std::array<MatrixXd, 4> start;    ///< orthogonal factor in front of the learned one
    bool logDiagonal = true;
    std::array<PlainQuantizer, 4> weightQuantizers, activationQuantizers;
    PlainQuantizer keys, values;

    /// P = D, then start and learned factors, then the constant one.
    [[nodiscard]] MatrixXd transform(std::size_t site, const Parameters& parameters) const {
        const Index n = weights[site].cols();
        const std::string prefix = kSiteNames[site] + ".";
        MatrixXd result = start[site] * learned(prefix, n, parameters) * constant[site];
        if (const auto d = parameters.find(prefix + "diagonal"); d != parameters.end())
            for (Index i = 0; i < n; ++i) {
                const double value = d->second[static_cast<std::size_t>(i)];
                result.row(i) *= logDiagonal ? std::exp(value) : value;
            }
        return result;
    }

    /// Weight of a site with the values' matrix in it, transformed and quantized.
    [[nodiscard]] MatrixXd weight(std::size_t site, const Parameters& parameters,
                                  Decisions& decisions) const {
        MatrixXd folded = weights[site];
        const MatrixXd head = headMatrix("values.", parameters);
        const Index valueRows = kvHeads * headDim;
        if (site == 0)
            for (Index row = folded.rows() - valueRows; row < folded.rows(); row += headDim)
                folded.middleRows(row, headDim) = head.transpose() * folded.middleRows(row, headDim).eval();
        if (site == 1)
            for (Index column = 0; column < folded.cols(); column += headDim)
                folded.middleCols(column, headDim) =
                    folded.middleCols(column, headDim).eval() * head.inverse().transpose();
        return quantizeRows(folded * transform(site, parameters).inverse().transpose(), folded.cols(),
                            weightQuantizers[site], clip(kSiteNames[site] + ".weight", parameters), true,
                            decisions);
    }

    [[nodiscard]] MatrixXd linear(std::size_t site, const MatrixXd& x, const Parameters& parameters,
                                  Decisions& decisions) const {
        const MatrixXd w = weight(site, parameters, decisions);
        const MatrixXd input =
            quantizeRows(x * transform(site, parameters), x.cols(), activationQuantizers[site],
                         clip(kSiteNames[site] + ".activation", parameters), false, decisions);
        return input * w.transpose();
    }

    /// x [tokens, hidden] of one sequence.
    [[nodiscard]] MatrixXd forward(const MatrixXd& x, const Parameters& parameters,
                                   Decisions& decisions) const {
        const MatrixXd qkv = linear(0, normed(x, attentionNorm), parameters, decisions);
        MatrixXd y = x + linear(1, attention(qkv, parameters, decisions), parameters, decisions);
        MatrixXd gateUp = linear(2, normed(y, mlpNorm), parameters, decisions);
        const Index inner = gateUp.cols() / 2;
        const MatrixXd gated = gateUp.leftCols(inner).unaryExpr([](double g) { return g * sigmoid(g); });
        return y + linear(3, gated.cwiseProduct(gateUp.rightCols(inner)), parameters, decisions);
    }

private:
    static Values clip(const std::string& name, const Parameters& parameters) {
        const auto found = parameters.find("clips." + name);
        return found == parameters.end() ? Values{} : found->second;
    }

    static MatrixXd learned(const std::string& prefix, Index n, const Parameters& parameters) {
        if (const auto skew = parameters.find(prefix + "skew"); skew != parameters.end()) {
            // Square blocks of one size that divides n: k^2 entries each, n k in all.
            const Index k = static_cast<Index>(skew->second.size()) / n;
            MatrixXd blocks = MatrixXd::Zero(n, n);
            for (Index first = 0; first < n; first += k)
                blocks.block(first, first, k, k) =
                    cayleyOf(matrixOf(skew->second, k, k, static_cast<std::size_t>(first * k)), 1.0);
            return blocks;
        }
        if (!parameters.contains(prefix + "left.s")) return MatrixXd::Identity(n, n);
        const MatrixXd left = svdMatrix(parameters, prefix + "left.");
        const Index rest = n / left.rows();
        return kron(left, parameters.contains(prefix + "right.s") ? svdMatrix(parameters, prefix + "right.")
                                                                  : MatrixXd(MatrixXd::Identity(rest, rest)));
    }

    [[nodiscard]] MatrixXd headMatrix(const std::string& prefix, const Parameters& parameters) const {
        if (const auto free = parameters.find(prefix + "matrix"); free != parameters.end())
            return matrixOf(free->second, headDim, headDim);
        if (parameters.contains(prefix + "s")) return svdMatrix(parameters, prefix);
        return MatrixXd::Identity(headDim, headDim);
    }

    [[nodiscard]] MatrixXd normed(const MatrixXd& x, const Eigen::RowVectorXd& gain) const {
        MatrixXd y = x;
        for (Index row = 0; row < x.rows(); ++row)
            y.row(row) = x.row(row).cwiseProduct(gain) /
                         std::sqrt(x.row(row).squaredNorm() / static_cast<double>(x.cols()) + epsilon);
        return y;
    }

    /// Every head of x [tokens, count * headDim] turned by its position; the engine keeps cosines in fp32.
    [[nodiscard]] MatrixXd rotated(const MatrixXd& x) const {
        MatrixXd y = x;
        const Index half = headDim / 2;
        for (Index position = 0; position < x.rows(); ++position)
            for (Index column = 0; column < x.cols(); ++column) {
                const Index i = column % headDim;
                const double angle =
                    static_cast<double>(position) *
                    std::pow(ropeTheta, -2.0 * static_cast<double>(i % half) / static_cast<double>(headDim));
                const Index partner = column + (i < half ? half : -half);
                const double sign = i < half ? -1 : 1;
                y(position, column) =
                    x(position, column) * static_cast<double>(static_cast<float>(std::cos(angle))) +
                    sign * x(position, partner) * static_cast<double>(static_cast<float>(std::sin(angle)));
            }
        return y;
    }

    [[nodiscard]] MatrixXd attention(const MatrixXd& qkv, const Parameters& parameters,
                                     Decisions& decisions) const {
        const MatrixXd head = headMatrix("keys.", parameters);
        const Index queryColumns = heads * headDim;
        const Index cacheColumns = kvHeads * headDim;
        MatrixXd q = rotated(qkv.leftCols(queryColumns));
        MatrixXd k = rotated(qkv.middleCols(queryColumns, cacheColumns));
        for (Index column = 0; column < q.cols(); column += headDim)
            q.middleCols(column, headDim) = q.middleCols(column, headDim).eval() * head.inverse().transpose();
        for (Index column = 0; column < k.cols(); column += headDim)
            k.middleCols(column, headDim) = k.middleCols(column, headDim).eval() * head;
        k = quantizeRows(k, headDim, keys, clip("k_cache", parameters), false, decisions);
        const MatrixXd v = quantizeRows(qkv.rightCols(cacheColumns), headDim, values,
                                        clip("v_cache", parameters), false, decisions);
        MatrixXd y = MatrixXd::Zero(q.rows(), q.cols());
        for (Index h = 0; h < heads; ++h) {
            const Index cache = h / (heads / kvHeads) * headDim;
            for (Index t = 0; t < q.rows(); ++t) {
                const Eigen::VectorXd scores = k.block(0, cache, t + 1, headDim) *
                                               q.block(t, h * headDim, 1, headDim).transpose() /
                                               std::sqrt(static_cast<double>(headDim));
                const Eigen::VectorXd shares = (scores.array() - scores.maxCoeff()).exp();
                y.block(t, h * headDim, 1, headDim) =
                    (shares / shares.sum()).transpose() * v.block(0, cache, t + 1, headDim);
            }
        }
        return y;
    }
};

/// d f / d every parameter by central differences.
template <class Function>
Parameters numericGradient(const Parameters& parameters, double step, const Function& f) {
    Parameters gradient = parameters;
    Parameters moved = parameters;
    for (const auto& [name, values] : parameters)
        for (std::size_t i = 0; i < values.size(); ++i) {
            moved[name][i] = values[i] + step;
            const double above = f(moved);
            moved[name][i] = values[i] - step;
            gradient[name][i] = (above - f(moved)) / (2 * step);
            moved[name][i] = values[i];
        }
    return gradient;
}

} // namespace bdq::reference
