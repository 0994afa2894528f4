#include "engine/transform/duquant.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>
#include <vector>

#include <Eigen/QR>

#include <ATen/ATen.h>

#include "engine/transform/eigen_tensor.h"

namespace bdq::transform {

namespace {

/// Standard normal numbers that are the same on every platform (Box-Muller).
Eigen::MatrixXd gaussian(Eigen::Index rows, Eigen::Index columns, std::uint64_t seed) {
    std::mt19937_64 bits(seed);
    const auto uniform = [&bits] { return (static_cast<double>(bits() >> 11) + 0.5) * 0x1p-53; };
    Eigen::MatrixXd matrix(rows, columns);
    for (Eigen::Index column = 0; column < columns; ++column)
        for (Eigen::Index row = 0; row < rows; ++row) {
            const double radius = std::sqrt(-2 * std::log(uniform()));
            matrix(row, column) = radius * std::cos(2 * std::numbers::pi * uniform());
        }
    return matrix;
}

/// Uniformly distributed: QR of a Gaussian matrix with the diagonal of R made positive.
Eigen::MatrixXd randomOrthogonal(Eigen::Index size, std::uint64_t seed) {
    const Eigen::HouseholderQR<Eigen::MatrixXd> factors(gaussian(size, size, seed));
    Eigen::MatrixXd orthogonal = factors.householderQ();
    for (Eigen::Index column = 0; column < size; ++column)
        if (factors.matrixQR()(column, column) < 0) orthogonal.col(column) *= -1;
    return orthogonal;
}

Eigen::MatrixXd sylvester(std::int64_t size) {
    Eigen::MatrixXd matrix = Eigen::MatrixXd::Ones(1, 1);
    while (matrix.rows() < size) {
        Eigen::MatrixXd next(2 * matrix.rows(), 2 * matrix.rows());
        next << matrix, matrix, matrix, -matrix;
        matrix = std::move(next);
    }
    return matrix / std::sqrt(static_cast<double>(size));
}

} // namespace

std::int64_t duQuantBlock(std::int64_t channels) {
    std::int64_t block = kDuQuantBlock;
    while (channels % block != 0)
        block /= 2;
    return block;
}

Eigen::MatrixXd duQuantBase(std::int64_t size, std::uint64_t seed) {
    Eigen::MatrixXd base = sylvester(size);
    if (size > 1) base.rightCols(size - 1) = base.rightCols(size - 1) * randomOrthogonal(size - 1, seed);
    return base;
}

at::Tensor greedyRotation(const at::Tensor& x, const Eigen::MatrixXd& base, int steps) {
    const std::int64_t size = base.rows();
    at::Tensor rows = x.reshape({-1, size});
    at::Tensor next = at::empty_like(rows);
    Eigen::MatrixXd product = Eigen::MatrixXd::Identity(size, size);
    Eigen::MatrixXd best = product;
    double smallest = 0;
    at::Tensor low = rows.amin(0);
    at::Tensor high = rows.amax(0);
    for (int step = 0; step < steps; ++step) {
        const auto channel = at::maximum(high, -low).argmax().item<std::int64_t>();
        Eigen::MatrixXd turn = base;
        turn.row(0).swap(turn.row(channel));
        turn.col(0).swap(turn.col(channel));
        product = product * turn;
        at::mm_out(next, rows, tensorOf(turn).to(x.scalar_type()));
        std::swap(rows, next);
        if (step == 0) next = at::empty_like(rows); // the caller's x stays as it is
        low = rows.amin(0);                         // aminmax along rows is many times slower
        high = rows.amax(0);
        const double peak = (high.max() - low.min()).item<double>();
        if (step == 0 || peak < smallest) {
            smallest = peak;
            best = product;
        }
    }
    return tensorOf(best);
}

at::Tensor zigzagPermutation(const at::Tensor& absmax, std::int64_t block) {
    const std::int64_t n = absmax.size(0);
    const std::int64_t blocks = n / block;
    const at::Tensor order = std::get<1>(absmax.sort(/*stable=*/true, 0, /*descending=*/true));
    const at::Tensor permutation = at::empty({n}, at::kLong);
    const auto* const channels = order.const_data_ptr<std::int64_t>();
    auto* const target = permutation.mutable_data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < n; ++i) {
        const std::int64_t turn = i / blocks;
        const std::int64_t place = turn % 2 == 0 ? i % blocks : blocks - 1 - i % blocks;
        target[place * block + turn] = channels[i];
    }
    return permutation;
}

DuQuantRotations fitDuQuant(const at::Tensor& x, std::int64_t block, std::uint64_t seed) {
    const auto rotated = [block](const at::Tensor& rows, const at::Tensor& rotation) {
        return at::mm(rows.reshape({-1, block}), rotation.to(rows.scalar_type())).view(rows.sizes());
    };
    const Eigen::MatrixXd base = duQuantBase(block, seed);
    DuQuantRotations result;
    result.first = greedyRotation(x, base);
    const at::Tensor once = rotated(x, result.first);
    result.permutation = zigzagPermutation(once.abs().amax(0), block);
    result.second = greedyRotation(once.index_select(1, result.permutation), base);
    return result;
}

} // namespace bdq::transform
