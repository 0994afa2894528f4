#include "engine/transform/build_transform.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "engine/analysis/closed_forms.h"
#include "engine/analysis/hadamard.h"
#include "engine/quant/parallel.h"
#include "engine/transform/awq.h"
#include "engine/transform/duquant.h"
#include "engine/transform/eigen_tensor.h"

namespace bdq::transform {

namespace {

constexpr double kSmoothQuantAlpha = 0.5;
constexpr double kFlatQuantAlpha = 0.3;
constexpr std::int64_t kWushBlock = 64;

std::string sizesText(const at::Tensor& tensor) {
    if (!tensor.defined()) return "nothing";
    std::string text = std::string(at::toString(tensor.scalar_type())) + " [";
    for (std::int64_t i = 0; i < tensor.dim(); ++i)
        text += (i == 0 ? "" : ", ") + std::to_string(tensor.size(i));
    return text + "]";
}

Status requirePart(const at::Tensor& part, const char* name, at::ScalarType type, at::IntArrayRef sizes) {
    if (!part.defined() || part.scalar_type() != type || part.sizes() != sizes) {
        std::string expected = std::string(at::toString(type)) + " [";
        for (std::size_t i = 0; i < sizes.size(); ++i)
            expected += (i == 0 ? "" : ", ") + std::to_string(sizes[i]);
        return fail(ErrorCode::ShapeMismatch, std::string("buildTransform: ") + name + " is " +
                                                  sizesText(part) + "; expected " + expected + "]");
    }
    if (at::isfinite(part).all().item<bool>()) return {};
    return fail(ErrorCode::NonFinite, std::string("buildTransform: ") + name + " " + sizesText(part) +
                                          " holds NaN or infinity; expected finite numbers");
}

/// A range of channels with its second moments.
struct BlockView {
    std::int64_t start = 0;
    std::int64_t width = 0;
    Eigen::MatrixXd input;  ///< [width, width] of E[x x^T]
    Eigen::MatrixXd weight; ///< [width, width] of W^T W
};

BlockView blockView(const SiteMoments& moments, const at::Tensor& weight, std::int64_t start,
                    std::int64_t size) {
    BlockView view;
    view.start = start;
    view.width = std::min(size, weight.size(1) - start);
    const std::int64_t inside = start % kMomentBlock;
    view.input = matrixOf(moments.blockMoments[start / kMomentBlock]
                              .narrow(0, inside, view.width)
                              .narrow(1, inside, view.width));
    const at::Tensor columns = weight.narrow(1, start, view.width).to(at::kDouble);
    view.weight = matrixOf(columns.t().matmul(columns));
    return view;
}

/// Blocks [nb, size, size] from `make`, computed side by side; the first error of the lowest block wins.
template <class Make>
Result<at::Tensor> makeBlocks(const SiteMoments& moments, const at::Tensor& weight, std::int64_t size,
                              const Make& make) {
    const std::int64_t count = (weight.size(1) - 1) / size + 1;
    std::vector<BlockView> views;
    for (std::int64_t i = 0; i < count; ++i)
        views.push_back(blockView(moments, weight, i * size, size));
    std::vector<Result<Eigen::MatrixXd>> made(static_cast<std::size_t>(count), Eigen::MatrixXd());
    quant::parallelRanges(count, 1, [&](std::int64_t begin, std::int64_t end) {
        for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i)
            made[i] = make(views[i]);
    });
    at::Tensor blocks = at::zeros({count, size, size}, at::kDouble);
    for (std::int64_t i = 0; i < count; ++i) {
        const auto index = static_cast<std::size_t>(i);
        if (!made[index])
            return passOn(made[index].error(), "channels from " + std::to_string(views[index].start));
        const std::int64_t width = views[index].width;
        blocks[i].narrow(0, 0, width).narrow(1, 0, width).copy_(tensorOf(*made[index]));
    }
    return blocks;
}

Result<Eigen::VectorXd> catScale(const SiteMoments& moments, const at::Tensor& weight) {
    const Eigen::VectorXd columns = matrixOf(weight.square().sum(0, false, at::kDouble));
    const Eigen::VectorXd inputs = matrixOf(moments.meanSquare);
    BDQ_TRY(const analysis::ChannelScale scale, analysis::catDiagonal(columns, inputs));
    return scale.scale;
}

Status addSmoothQuant(TransformParts& parts, const SiteMoments& moments, const at::Tensor& weight,
                      double alpha) {
    const Eigen::VectorXd inputs = matrixOf(moments.absmax);
    const Eigen::VectorXd weights = matrixOf(weight.abs().amax(0));
    BDQ_TRY(const Eigen::VectorXd scale, analysis::smoothQuantDiagonal(inputs, weights, alpha));
    parts.diagonal = tensorOf(scale).view({-1});
    return {};
}

Status addCatBlocks(TransformParts& parts, const SiteMoments& moments, const at::Tensor& weight,
                    std::int64_t size) {
    const double rho = analysis::blockDamping(moments.tokens);
    const auto make = [rho](const BlockView& view) -> Result<Eigen::MatrixXd> {
        BDQ_TRY(const analysis::BlockTransform block, analysis::catBlock(view.input, view.weight, rho));
        return block.transform;
    };
    BDQ_TRY(parts.blocks, makeBlocks(moments, weight, size, make));
    parts.blockSize = size;
    return {};
}

/// Paper orientation: T_x = H T with T = (the block's transform)^T; rows get T_x^T = transform H^T. H may be
/// any Hadamard matrix of the block's size: both second moments become H S H^T with a constant diagonal.
Status addWush(TransformParts& parts, const SiteMoments& moments, const at::Tensor& weight,
               std::int64_t size) {
    const double rho = analysis::blockDamping(moments.tokens);
    const auto make = [rho](const BlockView& view) -> Result<Eigen::MatrixXd> {
        BDQ_TRY(const analysis::BlockTransform block, analysis::catBlock(view.input, view.weight, rho));
        BDQ_TRY(const analysis::HadamardPlan plan, analysis::hadamardPlan(view.width));
        BDQ_TRY(const Eigen::MatrixXd hadamard, analysis::denseHadamard(plan));
        return Eigen::MatrixXd(block.transform * hadamard.transpose());
    };
    BDQ_TRY(parts.blocks, makeBlocks(moments, weight, size, make));
    parts.blockSize = size;
    return {};
}

/// WUSH transforms each quantization group by itself; without groups blocks are ours to choose.
std::int64_t wushBlock(const OperandScheme& weights) {
    const std::int64_t group = weights.groupSize;
    const bool fits =
        weights.quantizes() && group >= 16 && group <= kMomentBlock && (group & (group - 1)) == 0;
    return fits ? group : kWushBlock;
}

Status addAwq(TransformParts& parts, const SiteMoments& moments, const at::Tensor& weight,
              const OperandScheme& scheme) {
    BDQ_TRY(const AwqScale found, searchAwqScale(moments.meanAbs, moments.secondMoment, weight, scheme));
    if (found.exponent > 0) parts.diagonal = found.scale.reciprocal().cpu();
    return {};
}

Status addDuQuant(TransformParts& parts, const SiteMoments& moments, const at::Tensor& weight,
                  std::uint64_t seed) {
    const std::int64_t n = weight.size(1);
    if (!moments.sample.defined() || moments.sample.dim() != 2 || moments.sample.size(0) == 0)
        return fail(ErrorCode::ShapeMismatch,
                    "DuQuant: the sample is " + sizesText(moments.sample) + "; expected at least one row");
    BDQ_CHECK(requirePart(moments.sample, "sample", at::kFloat, {moments.sample.size(0), n}));
    BDQ_CHECK(addSmoothQuant(parts, moments, weight, kDuQuantAlpha));
    const std::int64_t block = duQuantBlock(n);
    if (block == 1) return {}; // an odd number of channels has no blocks to rotate
    const at::Tensor smooth = moments.sample.to(at::kCPU) * parts.diagonal.to(at::kFloat);
    const DuQuantRotations fitted = fitDuQuant(smooth, block, seed);
    parts.blocks = fitted.first.expand({n / block, block, block});
    parts.permutation = fitted.permutation;
    parts.secondBlocks = fitted.second.expand({n / block, block, block});
    parts.blockSize = parts.secondBlockSize = block;
    return {};
}

Status addBdq(TransformParts& parts, const SiteMoments& moments, const at::Tensor& weight) {
    BDQ_TRY(const Eigen::VectorXd scale, catScale(moments, weight));
    const auto make = [&scale](const BlockView& view) {
        return analysis::bdqBlockRotation(view.input, view.weight, scale.segment(view.start, view.width));
    };
    BDQ_TRY(parts.blocks, makeBlocks(moments, weight, kBdqBlock, make));
    parts.blockSize = kBdqBlock;
    parts.diagonal = tensorOf(scale).view({-1});
    return {};
}

Status requireArguments(const SiteMoments& moments, const at::Tensor& weight) {
    if (!weight.defined() || weight.dim() != 2 || weight.numel() == 0 || weight.scalar_type() != at::kFloat)
        return fail(ErrorCode::ShapeMismatch, "buildTransform: stacked weight is " + sizesText(weight) +
                                                  "; expected Float [out, n], not empty");
    const std::int64_t n = weight.size(1);
    BDQ_CHECK(requirePart(moments.meanSquare, "mean squares", at::kDouble, {n}));
    BDQ_CHECK(requirePart(moments.absmax, "input maxima", at::kFloat, {n}));
    BDQ_CHECK(requirePart(moments.blockMoments, "block moments", at::kDouble,
                          {(n - 1) / kMomentBlock + 1, kMomentBlock, kMomentBlock}));
    return requirePart(weight, "stacked weight", at::kFloat, weight.sizes());
}

void noteDeadChannels(const SiteMoments& moments, const at::Tensor& weight, std::vector<std::string>& notes) {
    const auto inputs = moments.meanSquare.eq(0).sum().item<std::int64_t>();
    if (inputs > 0)
        notes.push_back(std::to_string(inputs) + " of " + std::to_string(weight.size(1)) +
                        " input channels are 0 in the whole calibration text");
    const auto columns = weight.eq(0).all(0).sum().item<std::int64_t>();
    if (columns > 0)
        notes.push_back(std::to_string(columns) + " of " + std::to_string(weight.size(1)) +
                        " weight columns are 0");
}

/// What addParts() works with.
struct Arguments {
    const SiteMoments& moments;
    at::Tensor weight;   ///< CPU
    at::Tensor original; ///< where the caller has it
    const OperandScheme& scheme;
    std::uint64_t seed;
};

Status addParts(TransformParts& parts, TransformKind kind, const Arguments& in) {
    const SiteMoments& moments = in.moments;
    switch (kind) {
    case TransformKind::None:
    case TransformKind::Hadamard:
        return {};
    case TransformKind::SmoothQuant:
        return addSmoothQuant(parts, moments, in.weight, kSmoothQuantAlpha);
    case TransformKind::Awq:
        return addAwq(parts, moments, in.original, in.scheme);
    case TransformKind::DuQuant:
        return addDuQuant(parts, moments, in.weight, in.seed);
    case TransformKind::Wush:
        return addWush(parts, moments, in.weight, wushBlock(in.scheme));
    case TransformKind::CatDiag: {
        BDQ_TRY(const Eigen::VectorXd scale, catScale(moments, in.weight));
        parts.diagonal = tensorOf(scale).view({-1});
        return {};
    }
    case TransformKind::CatBlock64:
        return addCatBlocks(parts, moments, in.weight, 64);
    case TransformKind::CatBlock128:
        return addCatBlocks(parts, moments, in.weight, 128);
    case TransformKind::Bdq:
        return addBdq(parts, moments, in.weight);
    case TransformKind::FlatQuant:
        return addSmoothQuant(parts, moments, in.weight, kFlatQuantAlpha);
    case TransformKind::SpinQuant:
    case TransformKind::OstQuant:
        break;
    }
    return fail(ErrorCode::InvalidSpec,
                "buildTransform: " + std::string(transformInfo(kind).title) +
                    " is learned on the whole model; expected a form that one site has");
}

bool endsWithHadamard(TransformKind kind) {
    return kind == TransformKind::Hadamard || kind == TransformKind::CatDiag ||
           kind == TransformKind::CatBlock64 || kind == TransformKind::CatBlock128 ||
           kind == TransformKind::Bdq;
}

} // namespace

MomentNeeds momentNeeds(TransformKind kind) {
    return {kind == TransformKind::Awq, kind == TransformKind::DuQuant};
}

Result<SiteTransform> buildTransform(TransformKind kind, const SiteMoments& moments,
                                     const at::Tensor& stackedWeight, std::uint64_t seed,
                                     std::vector<std::string>& notes, const OperandScheme& weights) {
    BDQ_CHECK(requireArguments(moments, stackedWeight));
    const at::Tensor weight = stackedWeight.to(at::kCPU);
    TransformParts parts;
    parts.hadamard = endsWithHadamard(kind);
    parts.hadamardSeed = seed;
    BDQ_CHECK(addParts(parts, kind, {moments, weight, stackedWeight, weights, seed}));
    if (kind != TransformKind::None && kind != TransformKind::Hadamard)
        noteDeadChannels(moments, weight, notes);
    BDQ_TRY(SiteTransform transform, SiteTransform::create(weight.size(1), parts));
    if (parts.hadamard) {
        BDQ_TRY(const analysis::HadamardPlan plan, analysis::hadamardPlan(weight.size(1)));
        if (plan.isBlockFallback())
            notes.push_back("no Hadamard matrix of order " + std::to_string(plan.size) + " is known here; " +
                            std::to_string(plan.blocks) + " blocks of " + std::to_string(plan.blockSize()) +
                            " are used");
    }
    return transform;
}

} // namespace bdq::transform
