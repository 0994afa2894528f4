// What a run makes of a block, method by method: diagonals from their formulas, rotations where the method
// puts them (design/transforms.md 9), against a plain quantized block in doubles.
#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include "engine/pipeline/layer_quantizer.h"
#include "engine/pipeline/quantized_layer.h"
#include "tests/engine/model/plain_quantized_block.h"
#include "tests/engine/model/random_block.h"

namespace bdq {
namespace {

using reference::MatrixXd;
using testing::matrixOf;
using testing::randomTensor;

constexpr std::int64_t kTokens = 24;
constexpr std::uint64_t kSeed = 3;
// fp32 against fp64 without a code that falls on the other side: a few hundred additions, 2^-24 each, and the
// division by quantizer steps.
constexpr double kSameCodes = 1e-4;
// About 25,000 numbers are rounded, each within 3e-6 code steps of its fp64 value: 0.2 of them may fall on
// the other side. A token's row then moves by one step in one of some hundred terms, the output as a whole by
// less than this.
constexpr double kOneOtherCode = 3e-2;

reference::Values valuesOf(const Eigen::VectorXd& vector) {
    return {vector.data(), vector.data() + vector.size()};
}

/// x -> x D, per method, from site inputs x [tokens, n] and weights [out, n].
Eigen::VectorXd diagonalOf(Method method, const MatrixXd& x, const MatrixXd& w) {
    const Eigen::ArrayXd inputMax = x.cwiseAbs().colwise().maxCoeff().transpose();
    const Eigen::ArrayXd weightMax = w.cwiseAbs().colwise().maxCoeff().transpose();
    const Eigen::ArrayXd inputSquare = x.cwiseAbs2().colwise().mean().transpose();
    const Eigen::ArrayXd weightSquare = w.cwiseAbs2().colwise().sum().transpose();
    if (method == Method::SmoothQuant)
        return (weightMax / inputMax).sqrt(); // arXiv 2211.10438 Eq. 4, alpha 0.5
    if (method == Method::CatDiag) return (weightSquare / inputSquare).pow(0.25); // design/cat_wush.md 3.1
    // The same with geometric mean 1: design/product.md 8.
    const Eigen::ArrayXd d = (weightSquare / inputSquare).pow(0.25);
    return d / std::exp(d.log().mean());
}

class EveryMethod : public ::testing::TestWithParam<Method> {
protected:
    void SetUp() override {
        const c10::NoGradGuard guard;
        m_options.plan.base = parseScheme("W4A4KV4").value();
        m_options.method = &methodInfo(GetParam());
        m_options.start = m_options.method->presets.front().start;
        m_options.rounding = WeightRounding::Rtn;
        m_options.seed = kSeed;
        ComputeDevice device;
        LayerQuantizer quantizer(m_config, m_rope, m_options, device, m_context, [](double) {});
        BlockWeights copy = m_weights;
        for (at::Tensor& weight : copy.linear)
            weight = weight.clone(); // values are folded in place
        auto outcome = quantizer.run(0, std::move(copy), {m_inputs}, {});
        ASSERT_TRUE(outcome) << outcome.error().text();
        m_block = std::move(outcome->checkpoint.block);
        forwardBlock(m_config, m_weights, m_rope, m_inputs, m_capture);
        setPlain();
    }

    void setPlain() {
        m_plain = testing::plainBlock(m_config, m_weights, m_options.plan.base);
        m_plain.logDiagonal = false;
        if (m_options.method->rotateKv)
            for (const auto& [name, site] :
                 {std::pair{"keys.matrix", Site::KCache}, {"values.matrix", Site::VCache}}) {
                const auto rotation =
                    transform::HeadRotation::create(m_config.headDim, siteSeed(kSeed, {0, site})).value();
                m_parameters[name] = valuesOf(matrixOf(rotation.matrix().t()).reshaped());
            }
        for (std::size_t i = 0; i < kLinearSites.size(); ++i)
            setSite(i);
    }

    void setSite(std::size_t i) {
        const std::int64_t n = m_plain.weights[i].cols();
        const transform::TransformParts parts = m_block.sites[i].siteTransform.parts();
        // Blocks are unique up to signs and order, which decide about codes: tst_closed_forms checks what
        // they are.
        if (parts.blocks.defined()) {
            std::vector<at::Tensor> blocks;
            for (std::int64_t k = 0; k < parts.blocks.size(0); ++k)
                blocks.push_back(parts.blocks[k].to(at::kDouble));
            m_plain.start[i] = matrixOf(at::block_diag(blocks).narrow(0, 0, n).narrow(1, 0, n));
        }
        if (GetParam() != Method::SmoothQuant) {
            transform::TransformParts hadamard;
            hadamard.hadamard = true;
            hadamard.hadamardSeed = siteSeed(kSeed, {0, kLinearSites[i]});
            m_plain.constant[i] = matrixOf(
                transform::SiteTransform::create(n, hadamard)->applyToActivations(at::eye(n, at::kDouble)));
        }
        if (GetParam() == Method::QuaRot || GetParam() == Method::CatBlock) return;
        const auto [x, w] = folded(i);
        m_parameters[reference::kSiteNames[i] + ".diagonal"] = valuesOf(diagonalOf(GetParam(), x, w));
    }

    /// Inputs and weight of a site with the values' rotation in them, which closed forms see.
    [[nodiscard]] std::pair<MatrixXd, MatrixXd> folded(std::size_t i) const {
        MatrixXd x = matrixOf(m_capture.inputs()[i]);
        MatrixXd w = m_plain.weights[i];
        const auto found = m_parameters.find("values.matrix");
        if (found == m_parameters.end()) return {x, w};
        const MatrixXd head = reference::matrixOf(found->second, m_plain.headDim, m_plain.headDim);
        const Eigen::Index dim = m_plain.headDim;
        if (kLinearSites[i] == Site::O)
            for (Eigen::Index column = 0; column < w.cols(); column += dim) {
                x.middleCols(column, dim) = x.middleCols(column, dim).eval() * head;
                w.middleCols(column, dim) = w.middleCols(column, dim).eval() * head;
            }
        if (kLinearSites[i] == Site::Qkv)
            for (Eigen::Index row = w.rows() - m_plain.kvHeads * dim; row < w.rows(); row += dim)
                w.middleRows(row, dim) = head.transpose() * w.middleRows(row, dim).eval();
        return {x, w};
    }

    ModelConfig m_config = testing::smallConfig();
    BlockWeights m_weights = testing::randomBlock(m_config, 1);
    Rope m_rope = Rope::create(m_config, kTokens, at::kCPU);
    at::Tensor m_inputs =
        randomTensor({1, kTokens, m_config.hiddenSize}, 2) * at::exp(randomTensor({m_config.hiddenSize}, 3));
    LayerQuantizerOptions m_options;
    JobContext m_context;
    CaptureHooks m_capture;
    QuantizedBlock m_block;
    reference::PlainBlock m_plain;
    reference::Parameters m_parameters;
};

/// Relative differences of the tokens' rows, sorted.
std::vector<double> rowErrors(const MatrixXd& found, const MatrixXd& expected) {
    std::vector<double> errors;
    for (Eigen::Index row = 0; row < found.rows(); ++row)
        errors.push_back((found.row(row) - expected.row(row)).norm() / expected.row(row).norm());
    std::sort(errors.begin(), errors.end());
    return errors;
}

TEST_P(EveryMethod, IsThePlainBlock) {
    const c10::NoGradGuard guard;
    const MatrixXd found =
        matrixOf(makeQuantizedLayer(m_config, m_weights, m_block)->forward(m_inputs, m_rope)[0]);
    reference::Decisions decisions;
    const MatrixXd expected = m_plain.forward(matrixOf(m_inputs[0]), m_parameters, decisions);
    const std::vector<double> errors = rowErrors(found, expected);
    EXPECT_LT(errors[errors.size() / 2], kSameCodes);
    EXPECT_LT((found - expected).norm() / expected.norm(), kOneOtherCode);
    // The quantizers, which place and form of the transform decide about, change a hundred times as much.
    BlockHooks none;
    const MatrixXd full = matrixOf(forwardBlock(m_config, m_weights, m_rope, m_inputs, none)[0]);
    const std::vector<double> changes = rowErrors(found, full);
    EXPECT_GT(changes[changes.size() / 2], 100 * kSameCodes);
}

INSTANTIATE_TEST_SUITE_P(Methods, EveryMethod,
                         ::testing::Values(Method::SmoothQuant, Method::QuaRot, Method::CatDiag,
                                           Method::CatBlock, Method::Bdq),
                         [](const auto& method) {
                             std::string name(methodInfo(method.param).id);
                             std::erase(name, '-');
                             return name;
                         });

} // namespace
} // namespace bdq
