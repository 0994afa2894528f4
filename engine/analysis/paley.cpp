#include "engine/analysis/paley.h"

#include <vector>

namespace bdq::analysis {

namespace {

using Digits = std::vector<std::int64_t>;

struct PrimePower {
    std::int64_t prime = 0; ///< 0 when the number is no prime power
    std::size_t exponent = 0;
};

PrimePower primePower(std::int64_t number) {
    if (number < 2) return {};
    std::int64_t prime = 2;
    while (number % prime != 0)
        prime = prime * prime > number ? number : prime + 1;
    PrimePower result{prime, 0};
    for (; number % prime == 0; number /= prime)
        ++result.exponent;
    return number == 1 ? result : PrimePower{};
}

/// Polynomial over GF(p), lowest coefficient first, from the base-p digits of `code`.
Digits digitsOf(std::int64_t code, std::int64_t prime, std::size_t length) {
    Digits digits(length);
    for (std::int64_t& digit : digits) {
        digit = code % prime;
        code /= prime;
    }
    return digits;
}

std::int64_t codeOf(const Digits& digits, std::int64_t prime) {
    std::int64_t code = 0;
    for (std::size_t i = digits.size(); i-- > 0;)
        code = code * prime + digits[i];
    return code;
}

/// Remainder of `value` by the monic `divisor`, as divisor.size() - 1 digits.
Digits remainder(Digits value, const Digits& divisor, std::int64_t prime) {
    const std::size_t degree = divisor.size() - 1;
    for (std::size_t top = value.size(); top-- > degree;) {
        const std::int64_t factor = value[top];
        for (std::size_t i = 0; i <= degree; ++i) {
            std::int64_t& digit = value[top - degree + i];
            digit = ((digit - factor * divisor[i]) % prime + prime) % prime;
        }
    }
    value.resize(degree);
    return value;
}

std::int64_t power(std::int64_t base, std::size_t exponent) {
    std::int64_t result = 1;
    for (std::size_t i = 0; i < exponent; ++i)
        result *= base;
    return result;
}

Digits monic(std::int64_t code, std::int64_t prime, std::size_t degree) {
    Digits polynomial = digitsOf(code, prime, degree);
    polynomial.push_back(1);
    return polynomial;
}

bool isIrreducible(const Digits& polynomial, std::int64_t prime) {
    const std::size_t degree = polynomial.size() - 1;
    for (std::size_t d = 1; 2 * d <= degree; ++d)
        for (std::int64_t code = 0; code < power(prime, d); ++code)
            if (codeOf(remainder(polynomial, monic(code, prime, d), prime), prime) == 0) return false;
    return true;
}

/// Quadratic character of GF(q): elements are the codes 0..q-1 of polynomials over GF(p).
class Character {
public:
    explicit Character(std::int64_t order)
        : m_field(primePower(order)), m_value(static_cast<std::size_t>(order), -1) {
        std::int64_t code = 0;
        while (!isIrreducible(monic(code, m_field.prime, m_field.exponent), m_field.prime))
            ++code;
        const Digits modulus = monic(code, m_field.prime, m_field.exponent);
        m_value[0] = 0;
        for (std::int64_t element = 1; element < order; ++element)
            m_value[static_cast<std::size_t>(squareOf(element, modulus))] = 1;
    }

    [[nodiscard]] int ofDifference(std::int64_t left, std::int64_t right) const {
        Digits difference = digitsOf(left, m_field.prime, m_field.exponent);
        const Digits subtrahend = digitsOf(right, m_field.prime, m_field.exponent);
        for (std::size_t i = 0; i < difference.size(); ++i)
            difference[i] = (difference[i] - subtrahend[i] + m_field.prime) % m_field.prime;
        return m_value[static_cast<std::size_t>(codeOf(difference, m_field.prime))];
    }

private:
    [[nodiscard]] std::int64_t squareOf(std::int64_t element, const Digits& modulus) const {
        const Digits digits = digitsOf(element, m_field.prime, m_field.exponent);
        Digits square(2 * digits.size(), 0);
        for (std::size_t i = 0; i < digits.size(); ++i)
            for (std::size_t j = 0; j < digits.size(); ++j)
                square[i + j] = (square[i + j] + digits[i] * digits[j]) % m_field.prime;
        return codeOf(remainder(square, modulus, m_field.prime), m_field.prime);
    }

    PrimePower m_field;
    std::vector<int> m_value;
};

/// Conference matrix [[0, 1], [corner, Q]] with Q_ij = chi(i - j); corner = -1 for q = 3 mod 4, +1 for q = 1
/// mod 4.
Eigen::MatrixXd conferenceMatrix(std::int64_t q, double corner) {
    const Character chi(q);
    Eigen::MatrixXd matrix = Eigen::MatrixXd::Zero(q + 1, q + 1);
    matrix.row(0).tail(q).setOnes();
    matrix.col(0).tail(q).setConstant(corner);
    for (std::int64_t j = 0; j < q; ++j)
        for (std::int64_t i = 0; i < q; ++i)
            matrix(i + 1, j + 1) = chi.ofDifference(i, j);
    return matrix;
}

} // namespace

PaleyKind paleyKind(std::int64_t order) {
    if (order < 4 || order % 4 != 0) return PaleyKind::None;
    if (primePower(order - 1).prime != 0) return PaleyKind::One;
    const std::int64_t q = order / 2 - 1;
    return q % 4 == 1 && primePower(q).prime != 0 ? PaleyKind::Two : PaleyKind::None;
}

Eigen::MatrixXd paleyMatrix(std::int64_t order) {
    if (paleyKind(order) == PaleyKind::One)
        return conferenceMatrix(order - 1, -1.0) + Eigen::MatrixXd::Identity(order, order);
    const Eigen::MatrixXd conference = conferenceMatrix(order / 2 - 1, 1.0);
    const Eigen::Matrix2d offDiagonal{{1, 1}, {1, -1}};
    const Eigen::Matrix2d diagonal{{1, -1}, {-1, -1}};
    Eigen::MatrixXd matrix(order, order);
    for (Eigen::Index j = 0; j < conference.cols(); ++j)
        for (Eigen::Index i = 0; i < conference.rows(); ++i)
            matrix.block<2, 2>(2 * i, 2 * j) =
                i == j ? diagonal : Eigen::Matrix2d(conference(i, j) * offDiagonal);
    return matrix;
}

} // namespace bdq::analysis
