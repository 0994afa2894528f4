// Tables of transforms and of losses.
#include <array>

#include "engine/api/method.h"

namespace bdq {
namespace {

// In the order of TransformKind.
constexpr std::array kTransforms{
    TransformInfo{TransformKind::None, "none", "No transform", "The site as it is in the model.", ""},
    TransformInfo{TransformKind::SmoothQuant, "smoothquant", "SmoothQuant",
                  "Divides each activation channel by max|x|^0.5 / max|W|^0.5 and multiplies the weights by "
                  "the same, so "
                  "that outlier channels move half way into the weights.",
                  "SmoothQuant, arXiv 2211.10438"},
    TransformInfo{TransformKind::Awq, "awq", "AWQ",
                  "Multiplies weight columns by the activation channels' mean magnitude to a power and "
                  "divides the activations by the same, so that weights that matter round finely. The power "
                  "is searched for the bits of the weights; in an analysis for its first scheme's.",
                  "AWQ, arXiv 2306.00978"},
    TransformInfo{TransformKind::Hadamard, "hadamard", "Hadamard",
                  "Randomised Hadamard rotation over all channels of the site: spreads outliers evenly, "
                  "leaves alignment "
                  "as it is.",
                  "QuaRot, arXiv 2404.00456"},
    TransformInfo{TransformKind::DuQuant, "duquant", "DuQuant",
                  "SmoothQuant scaling (alpha 0.6), a greedy rotation of blocks of up to 128 channels that "
                  "spreads the largest one, a zigzag permutation between blocks and a second such rotation.",
                  "DuQuant, arXiv 2406.01721"},
    TransformInfo{TransformKind::Wush, "wush", "WUSH",
                  "Closed-form blocks that are optimal for quantization within a block: Cholesky factors, "
                  "SVD and a Hadamard of the block's size.",
                  "WUSH, arXiv 2512.00956"},
    TransformInfo{
        TransformKind::CatDiag, "cat-diag", "CAT diagonal + Hadamard",
        "Closed-form diagonal (|W[:,i]|^2 / E[x_i^2])^(1/4), the best channel scaling for alignment, then a "
        "randomised Hadamard.",
        "CAT with k = 1 (corrected fourth root), arXiv 2603.04359"},
    TransformInfo{TransformKind::CatBlock64, "cat-block", "CAT blocks of 64 + Hadamard",
                  "Closed-form 64 x 64 blocks (Cholesky + SVD) that give activations and weights the same "
                  "diagonal second "
                  "moments, then a randomised Hadamard.",
                  "CAT, arXiv 2603.04359; WUSH, arXiv 2512.00956"},
    TransformInfo{TransformKind::CatBlock128, "cat-block-128", "CAT blocks of 128 + Hadamard",
                  "As CAT blocks of 64 with the paper's block size of 128: better alignment, twice the cost "
                  "at inference.",
                  "CAT, arXiv 2603.04359; WUSH, arXiv 2512.00956"},
    TransformInfo{
        TransformKind::Bdq, "bdq", "BDQ",
        "Balancing diagonal scaled to geometric mean 1, then a closed-form block-orthogonal matrix, then a "
        "randomised Hadamard: scale first, rotate after.",
        "BDQ, arXiv 2605.18800, Eq. 19 in its function-preserving form; diagonal from CAT, arXiv 2603.04359"},
    TransformInfo{
        TransformKind::FlatQuant, "flatquant", "FlatQuant",
        "Learned: a scale per channel that starts at the inverse SmoothQuant divisor (alpha 0.3), then the "
        "Kronecker product of two small matrices.",
        "FlatQuant, arXiv 2410.09426"},
    TransformInfo{TransformKind::SpinQuant, "spinquant", "SpinQuant",
                  "Learned: one rotation of the residual stream for the whole model, one of the values of "
                  "each layer, and a Hadamard before down.",
                  "SpinQuant, arXiv 2405.16406"},
    TransformInfo{TransformKind::OstQuant, "ostquant", "OSTQuant",
                  "Learned: a rotation of the residual stream that starts at the weights' principal axes, a "
                  "rotation of each value head and a scale per channel at every site.",
                  "OSTQuant, arXiv 2501.13987"},
};
constexpr std::size_t kClosedForms = static_cast<std::size_t>(TransformKind::FlatQuant);
static_assert(kTransforms[kClosedForms].kind == TransformKind::FlatQuant &&
              kTransforms.back().kind == TransformKind::OstQuant);

// In the order of LogitLoss.
constexpr std::array kLosses{
    LogitLossInfo{LogitLoss::Kl, "kl",
                  "Kullback-Leibler distance from the full model's output distribution."},
    LogitLossInfo{LogitLoss::CrossEntropy, "ce", "Cross-entropy of the text's next token."},
    LogitLossInfo{
        LogitLoss::RcePrinted, "rce",
        "Recursive cross-entropy as printed in arXiv 2605.18800, Eq. 21: rewards flat predictions."},
    LogitLossInfo{LogitLoss::RceSafe, "rce-safe",
                  "Recursive cross-entropy with weight 0.1 on its second term."},
    LogitLossInfo{LogitLoss::KlTop, "kl-top",
                  "Kullback-Leibler distance over the full model's 1000 most likely tokens (OSTQuant)."}};

} // namespace

std::span<const TransformInfo> transformTable() {
    return kTransforms;
}

std::span<const TransformInfo> closedFormTransforms() {
    return std::span(kTransforms).first<kClosedForms>();
}

bool isClosedForm(TransformKind kind) {
    return static_cast<std::size_t>(kind) < kClosedForms;
}

const TransformInfo& transformInfo(TransformKind kind) {
    return kTransforms[static_cast<std::size_t>(kind)];
}

std::optional<TransformKind> transformFromName(std::string_view id) {
    for (const TransformInfo& row : kTransforms)
        if (row.id == id) return row.kind;
    return std::nullopt;
}

std::span<const LogitLossInfo> logitLossTable() {
    return kLosses;
}

std::string_view logitLossName(LogitLoss loss) {
    return kLosses[static_cast<std::size_t>(loss)].id;
}

std::optional<LogitLoss> logitLossFromName(std::string_view id) {
    for (const LogitLossInfo& row : kLosses)
        if (row.id == id) return row.loss;
    return std::nullopt;
}

} // namespace bdq
