#include "engine/api/method.h"

#include <array>

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
    TransformInfo{TransformKind::Hadamard, "hadamard", "Hadamard",
                  "Randomised Hadamard rotation over all channels of the site: spreads outliers evenly, "
                  "leaves alignment "
                  "as it is.",
                  "QuaRot, arXiv 2404.00456"},
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
};

// In the order of LogitLoss.
constexpr std::array<std::string_view, 4> kLossNames{"kl", "ce", "rce", "rce-safe"};

// In the order of Method.
constexpr std::array kMethods{
    MethodInfo{
        Method::Rtn, "rtn", "Round to nearest",
        "No transform; weights to the nearest code with the range of the smallest L2.4 error. The baseline.",
        "", TransformKind::None, false, WeightRounding::Mse, "Nothing beyond the quantizers."},
    MethodInfo{Method::SmoothQuant, "smoothquant", "SmoothQuant",
               "Moves activation outliers half way into the weights by one scale per channel.",
               "SmoothQuant, arXiv 2211.10438", TransformKind::SmoothQuant, false, WeightRounding::Mse,
               "Nothing where the scale folds into a norm or the layer before (qkv, gate_up, down); n "
               "multiplications per "
               "token at o with grouped-query attention."},
    MethodInfo{
        Method::QuaRot, "quarot", "QuaRot (Hadamard at every site)",
        "Randomised Hadamard rotations before every linear layer and on the heads of keys and values.",
        "QuaRot, arXiv 2404.00456", TransformKind::Hadamard, true, WeightRounding::Mse,
        "Per token and site a Hadamard: n log2 n additions for n inputs. A Hadamard of head_dim on q and k "
        "after "
        "RoPE: head_dim log2 head_dim additions per head. The rotation of v folds into the v and o weights."},
    MethodInfo{
        Method::CatDiag, "cat-diag", "CAT diagonal",
        "Best channel scaling for alignment in closed form, then the rotations of QuaRot.",
        "CAT, arXiv 2603.04359", TransformKind::CatDiag, true, WeightRounding::Mse,
        "As QuaRot; the diagonal folds into norms and earlier layers, or costs n multiplications per token."},
    MethodInfo{Method::CatBlock, "cat-block", "CAT blocks of 64",
               "Best 64 x 64 blocks for alignment in closed form, then the rotations of QuaRot.",
               "CAT, arXiv 2603.04359; WUSH, arXiv 2512.00956", TransformKind::CatBlock64, true,
               WeightRounding::Mse,
               "As QuaRot, and per token and site 64 n multiply-adds for the blocks (n inputs)."},
    MethodInfo{Method::Bdq, "bdq", "BDQ",
               "Balance by a diagonal, then a block-orthogonal and a Hadamard rotation; weights by GPTQ. "
               "Preset fast: "
               "closed forms, no training.",
               "BDQ, arXiv 2605.18800; GPTQ, arXiv 2210.17323", TransformKind::Bdq, true,
               WeightRounding::Gptq,
               "Per token and site a block-orthogonal product (64 n multiply-adds for n inputs) and a "
               "Hadamard (n log2 n "
               "additions); a Hadamard of head_dim on q and k after RoPE. The diagonal folds where the layer "
               "before allows "
               "it, else n multiplications; the rotation of v folds into the v and o weights."},
};

} // namespace

std::span<const TransformInfo> transformTable() {
    return kTransforms;
}

const TransformInfo& transformInfo(TransformKind kind) {
    return kTransforms[static_cast<std::size_t>(kind)];
}

std::optional<TransformKind> transformFromName(std::string_view id) {
    for (const TransformInfo& row : kTransforms)
        if (row.id == id) return row.kind;
    return std::nullopt;
}

std::span<const MethodInfo> methodTable() {
    return kMethods;
}

const MethodInfo& methodInfo(Method method) {
    return kMethods[static_cast<std::size_t>(method)];
}

std::optional<Method> methodFromName(std::string_view id) {
    for (const MethodInfo& row : kMethods)
        if (row.id == id) return row.method;
    return std::nullopt;
}

std::string_view presetName(Preset preset) {
    switch (preset) {
    case Preset::Fast:
        return "fast";
    }
    return "fast";
}

std::optional<Preset> presetFromName(std::string_view id) {
    if (id == presetName(Preset::Fast)) return Preset::Fast;
    return std::nullopt;
}

std::string_view logitLossName(LogitLoss loss) {
    return kLossNames[static_cast<std::size_t>(loss)];
}

std::optional<LogitLoss> logitLossFromName(std::string_view id) {
    for (std::size_t i = 0; i < kLossNames.size(); ++i)
        if (kLossNames[i] == id) return static_cast<LogitLoss>(i);
    return std::nullopt;
}

} // namespace bdq
