#include "engine/analysis/hadamard.h"

#include <bit>
#include <cmath>
#include <string>

#include "engine/analysis/paley.h"

namespace bdq::analysis {

namespace {

using RowMajorMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// A factor is stored densely and applied as a matrix product: 2048^2 doubles are 32 MiB.
constexpr std::int64_t kMaxFactorOrder = 2048;

bool isPowerOfTwo(std::int64_t n) {
    return std::has_single_bit(static_cast<std::uint64_t>(n));
}

Eigen::MatrixXd kronecker(const Eigen::MatrixXd& left, const Eigen::MatrixXd& right) {
    Eigen::MatrixXd product(left.rows() * right.rows(), left.cols() * right.cols());
    for (Eigen::Index j = 0; j < left.cols(); ++j)
        for (Eigen::Index i = 0; i < left.rows(); ++i)
            product.block(i * right.rows(), j * right.cols(), right.rows(), right.cols()) =
                left(i, j) * right;
    return product;
}

Eigen::MatrixXd sylvester(std::int64_t order) {
    Eigen::MatrixXd matrix(order, order);
    for (std::int64_t j = 0; j < order; ++j)
        for (std::int64_t i = 0; i < order; ++i)
            matrix(i, j) = std::popcount(static_cast<std::uint64_t>(i & j)) % 2 == 0 ? 1.0 : -1.0;
    return matrix;
}

Eigen::MatrixXd productMatrix(const std::vector<std::int64_t>& orders) {
    Eigen::MatrixXd matrix = Eigen::MatrixXd::Ones(1, 1);
    for (const std::int64_t order : orders)
        matrix = kronecker(matrix, isPowerOfTwo(order) ? sylvester(order) : paleyMatrix(order));
    return matrix;
}

/// Splits `size` into two constructible orders a <= b, a as large as possible.
std::optional<std::vector<Eigen::MatrixXd>> balancedFactors(std::int64_t size) {
    auto a = static_cast<std::int64_t>(std::sqrt(static_cast<double>(size)));
    for (; a >= 1 && size / a <= kMaxFactorOrder; --a) {
        if (size % a != 0) continue;
        const auto left = hadamardFactors(a);
        const auto right = left ? hadamardFactors(size / a) : std::nullopt;
        if (!right) continue;
        std::vector<Eigen::MatrixXd> factors;
        if (a > 1) factors.push_back(productMatrix(*left));
        factors.push_back(productMatrix(*right));
        return factors;
    }
    return std::nullopt;
}

Status requireSize(std::int64_t n, std::int64_t maximum, const char* who) {
    if (n >= 1 && n <= maximum) return {};
    return fail(ErrorCode::InvalidSpec, std::string(who) + ": size is " + std::to_string(n) +
                                            "; expected 1.." + std::to_string(maximum));
}

} // namespace

std::optional<std::vector<std::int64_t>> hadamardFactors(std::int64_t n) {
    if (n < 1 || n > kMaxHadamardSize) return std::nullopt;
    if (isPowerOfTwo(n)) return std::vector<std::int64_t>{n};
    if (n % 4 != 0) return std::nullopt;
    for (std::int64_t order = 12; order <= n; order += 4) {
        if (n % order != 0 || isPowerOfTwo(order) || paleyKind(order) == PaleyKind::None) continue;
        if (order == n) return std::vector<std::int64_t>{order};
        if (auto rest = hadamardFactors(n / order)) {
            rest->insert(rest->begin(), order);
            return rest;
        }
    }
    return std::nullopt;
}

Result<Eigen::MatrixXd> hadamardMatrix(std::int64_t n) {
    BDQ_CHECK(requireSize(n, kMaxDenseHadamard, "hadamardMatrix"));
    const auto orders = hadamardFactors(n);
    if (!orders)
        return fail(ErrorCode::Unsupported, "hadamardMatrix: order " + std::to_string(n) +
                                                " is no product of Sylvester and Paley orders");
    return productMatrix(*orders);
}

Result<HadamardPlan> hadamardPlan(std::int64_t n) {
    BDQ_CHECK(requireSize(n, kMaxHadamardSize, "hadamardPlan"));
    HadamardPlan plan;
    plan.size = n;
    for (plan.blocks = 1; plan.blocks <= n; ++plan.blocks) {
        if (n % plan.blocks != 0) continue;
        if (auto factors = balancedFactors(plan.blockSize())) {
            plan.factors = std::move(*factors);
            return plan;
        }
    }
    return fail(ErrorCode::Internal, "hadamardPlan: no block size divides " + std::to_string(n));
}

Result<Eigen::MatrixXd> applyHadamard(const HadamardPlan& plan,
                                      const Eigen::Ref<const Eigen::MatrixXd>& rows) {
    if (rows.cols() != plan.size)
        return fail(ErrorCode::ShapeMismatch, "applyHadamard: rows have " + std::to_string(rows.cols()) +
                                                  " columns; expected " + std::to_string(plan.size));
    const Eigen::MatrixXd& last = plan.factors.back();
    const Eigen::Index groups =
        plan.blockSize() / last.rows(); // order of the first factor, 1 if there is one factor
    // One row-major view, first all groups of the last factor at once, then the first factor across groups.
    RowMajorMatrix result = rows;
    Eigen::Map<RowMajorMatrix> groupRows(result.data(), result.size() / last.rows(), last.rows());
    groupRows = (groupRows * (last / std::sqrt(static_cast<double>(plan.blockSize())))).eval();
    if (groups > 1) {
        const Eigen::MatrixXd firstTransposed = plan.factors.front().transpose();
        for (Eigen::Index start = 0; start < groupRows.rows(); start += groups)
            groupRows.middleRows(start, groups) =
                (firstTransposed * groupRows.middleRows(start, groups)).eval();
    }
    return Eigen::MatrixXd(result);
}

Result<Eigen::MatrixXd> denseHadamard(const HadamardPlan& plan) {
    BDQ_CHECK(requireSize(plan.size, kMaxDenseHadamard, "denseHadamard"));
    Eigen::MatrixXd block = Eigen::MatrixXd::Ones(1, 1);
    for (const Eigen::MatrixXd& factor : plan.factors)
        block = kronecker(block, factor);
    block /= std::sqrt(static_cast<double>(plan.blockSize()));
    return kronecker(Eigen::MatrixXd::Identity(plan.blocks, plan.blocks), block);
}

Eigen::VectorXd randomSigns(std::int64_t n, std::uint64_t seed) {
    Eigen::VectorXd signs(n);
    std::uint64_t state = seed;
    for (std::int64_t i = 0; i < n; ++i) {
        // splitmix64, S. Vigna, public domain algorithm: http://prng.di.unimi.it/splitmix64.c
        state += 0x9e3779b97f4a7c15ULL;
        std::uint64_t z = state;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        z ^= z >> 31;
        signs[i] = (z >> 63) == 0 ? 1.0 : -1.0;
    }
    return signs;
}

} // namespace bdq::analysis
