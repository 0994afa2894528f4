// DuQuant (arXiv 2406.01721), section 4.2, as plain loops in double precision: the truth for
// engine/transform/duquant.h.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

namespace bdq::reference {

using Rows = std::vector<std::vector<double>>;

inline Rows multiply(const Rows& a, const Rows& b) {
    Rows c(a.size(), std::vector<double>(b[0].size(), 0.0));
    for (std::size_t i = 0; i < a.size(); ++i)
        for (std::size_t k = 0; k < b.size(); ++k)
            for (std::size_t j = 0; j < b[0].size(); ++j)
                c[i][j] += a[i][k] * b[k][j];
    return c;
}

/// Every block of `block` channels of x times the same rotation.
inline Rows rotateBlocks(const Rows& x, const Rows& rotation) {
    const std::size_t block = rotation.size();
    Rows result(x.size(), std::vector<double>(x[0].size(), 0.0));
    for (std::size_t t = 0; t < x.size(); ++t)
        for (std::size_t first = 0; first < x[t].size(); first += block)
            for (std::size_t k = 0; k < block; ++k)
                for (std::size_t j = 0; j < block; ++j)
                    result[t][first + j] += x[t][first + k] * rotation[k][j];
    return result;
}

/// R = E_1 B E_1 E_2 B E_2 ... with E_i the swap of channel 0 and the channel (modulo the block) of the
/// largest magnitude before step i; the shortest product with the smallest max - min.
inline Rows greedyRotation(const Rows& x, const Rows& base, int steps) {
    const std::size_t block = base.size();
    Rows product(block, std::vector<double>(block, 0.0));
    for (std::size_t i = 0; i < block; ++i)
        product[i][i] = 1;
    Rows best;
    double smallest = 0;
    for (int step = 0; step < steps; ++step) {
        const Rows current = rotateBlocks(x, product);
        std::size_t channel = 0;
        double largest = -1;
        for (const std::vector<double>& token : current)
            for (std::size_t j = 0; j < token.size(); ++j)
                if (std::abs(token[j]) > largest) {
                    largest = std::abs(token[j]);
                    channel = j % block;
                }
        Rows swap(block, std::vector<double>(block, 0.0));
        for (std::size_t i = 0; i < block; ++i)
            swap[i][i == 0 ? channel : i == channel ? 0 : i] = 1;
        product = multiply(product, multiply(swap, multiply(base, swap)));
        double low = 0;
        double high = 0;
        bool first = true;
        for (const std::vector<double>& token : rotateBlocks(x, product))
            for (const double value : token) {
                low = first ? value : std::min(low, value);
                high = first ? value : std::max(high, value);
                first = false;
            }
        if (step == 0 || high - low < smallest) {
            smallest = high - low;
            best = product;
        }
    }
    return best;
}

/// Channel that each position gets: descending maxima dealt to the blocks forth and back.
inline std::vector<std::int64_t> zigzag(const std::vector<double>& absmax, std::size_t block) {
    std::vector<std::int64_t> order(absmax.size());
    std::iota(order.begin(), order.end(), std::int64_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
        return absmax[static_cast<std::size_t>(a)] > absmax[static_cast<std::size_t>(b)];
    });
    std::vector<std::vector<std::int64_t>> hands(absmax.size() / block);
    std::size_t at = 0;
    bool forth = true;
    for (const std::int64_t channel : order) {
        hands[at].push_back(channel);
        if (forth ? at + 1 == hands.size() : at == 0)
            forth = !forth;
        else
            at = forth ? at + 1 : at - 1;
    }
    std::vector<std::int64_t> result;
    for (const auto& hand : hands)
        result.insert(result.end(), hand.begin(), hand.end());
    return result;
}

} // namespace bdq::reference
