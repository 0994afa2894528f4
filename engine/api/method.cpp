#include "engine/api/method.h"

#include <array>

namespace bdq {
namespace {

// The engine carries out recipes that train.
constexpr bool kTrainingAvailable = true;

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
    TransformInfo{
        TransformKind::FlatQuant, "flatquant", "FlatQuant",
        "Learned: a scale per channel that starts at the inverse SmoothQuant divisor (alpha 0.3), then the "
        "Kronecker product of two small matrices.",
        "FlatQuant, arXiv 2410.09426"},
};
constexpr std::size_t kClosedForms = static_cast<std::size_t>(TransformKind::FlatQuant);
static_assert(kTransforms.size() == kClosedForms + 1 && kTransforms.back().kind == TransformKind::FlatQuant);

// In the order of LogitLoss.
constexpr std::array kLosses{
    LogitLossInfo{LogitLoss::Kl, "kl",
                  "Kullback-Leibler distance from the full model's output distribution."},
    LogitLossInfo{LogitLoss::CrossEntropy, "ce", "Cross-entropy of the text's next token."},
    LogitLossInfo{
        LogitLoss::RcePrinted, "rce",
        "Recursive cross-entropy as printed in arXiv 2605.18800, Eq. 21: rewards flat predictions."},
    LogitLossInfo{LogitLoss::RceSafe, "rce-safe",
                  "Recursive cross-entropy with weight 0.1 on its second term."}};

constexpr std::array<std::string_view, 4> kPresetNames{"fast", "balanced", "best", "paper"};

constexpr int kSequences = 32;         // of closed forms
constexpr int kTrainingSequences = 64; // 8 epochs in batches of 4 are 128 steps a block
constexpr int kPaperSequences = 128;

// FlatQuant's loop (arXiv 2410.09426, released code) with `epochs` passes.
constexpr TrainingRecipe blockLoop(int epochs, double weightDecay) {
    TrainingRecipe recipe;
    recipe.epochs = epochs;
    recipe.batch = 4;
    recipe.rate = 5e-3;
    recipe.clippingRate = 5e-2;
    recipe.weightDecay = weightDecay;
    return recipe;
}

// Blocks first, then the whole model against the full model's logits (design/product.md 8).
constexpr TrainingRecipe bestRecipe() {
    TrainingRecipe recipe = blockLoop(4, 0);
    recipe.endToEndSteps = 300;
    recipe.endToEndRate = 1e-3;
    recipe.endToEndClippingRate = 1e-2;
    recipe.loss = LogitLoss::Kl;
    return recipe;
}

// BDQ, arXiv 2605.18800 Appendix D: one loss on the model's output, 150 epochs, batch 4, rate 5e-3.
constexpr TrainingRecipe bdqPaperRecipe() {
    TrainingRecipe recipe;
    recipe.batch = 4;
    recipe.endToEndEpochs = 150;
    recipe.endToEndRate = 5e-3;
    recipe.endToEndClippingRate = 5e-2;
    recipe.loss = LogitLoss::RcePrinted;
    return recipe;
}

constexpr PresetInfo closedForm(TransformKind start, WeightRounding rounding, std::string_view explanation) {
    return {Preset::Fast, start, rounding, kSequences, {}, explanation};
}

constexpr std::string_view kNoTraining = "Closed forms, no training.";
constexpr std::array kRtnPresets{closedForm(TransformKind::None, WeightRounding::Mse, kNoTraining)};
constexpr std::array kSmoothQuantPresets{
    closedForm(TransformKind::SmoothQuant, WeightRounding::Mse, kNoTraining)};
constexpr std::array kGptqPresets{closedForm(TransformKind::None, WeightRounding::Gptq, kNoTraining)};
constexpr std::array kQuaRotPresets{closedForm(TransformKind::Hadamard, WeightRounding::Mse, kNoTraining)};
constexpr std::array kFlatQuantPresets{
    PresetInfo{Preset::Balanced, TransformKind::FlatQuant, WeightRounding::Rtn, kTrainingSequences,
               blockLoop(8, 0.01), "Every block trained for 8 epochs of the calibration sequences."},
    PresetInfo{Preset::Paper, TransformKind::FlatQuant, WeightRounding::Rtn, kPaperSequences,
               blockLoop(15, 0.01),
               "The settings of FlatQuant's released code: 128 sequences, 15 epochs a block, batch "
               "4, rate 5e-3."}};
constexpr std::array kCatDiagPresets{closedForm(TransformKind::CatDiag, WeightRounding::Mse, kNoTraining)};
constexpr std::array kCatBlockPresets{
    closedForm(TransformKind::CatBlock64, WeightRounding::Mse, kNoTraining)};
constexpr std::array kCatPresets{
    closedForm(TransformKind::CatBlock64, WeightRounding::Mse, kNoTraining),
    PresetInfo{Preset::Balanced, TransformKind::CatBlock64, WeightRounding::Rtn, kTrainingSequences,
               blockLoop(8, 0.01),
               "The blocks start at the closed form and are trained for 8 epochs a block, with FlatQuant's "
               "loop."}};
constexpr std::array kBdqPresets{
    closedForm(TransformKind::Bdq, WeightRounding::Gptq, "Closed forms, no training; weights by GPTQ."),
    PresetInfo{Preset::Balanced, TransformKind::Bdq, WeightRounding::Rtn, kTrainingSequences, blockLoop(8, 0),
               "Diagonals, rotations and clipping of every block trained for 8 epochs against the block's "
               "full-precision output."},
    PresetInfo{Preset::Best, TransformKind::Bdq, WeightRounding::Rtn, kTrainingSequences, bestRecipe(),
               "4 epochs a block, then 300 steps over the whole model that bring its output distribution to "
               "the full model's (KL). Wants a GPU."},
    PresetInfo{
        Preset::Paper, TransformKind::Hadamard, WeightRounding::Rtn, kPaperSequences, bdqPaperRecipe(),
        "The paper's settings: diagonals from 1, no block training, 150 epochs over the whole model with "
        "its recursive cross-entropy as printed. For comparison: this loss is not safe."}};

// In the order of Method.
constexpr std::array kMethods{
    MethodInfo{
        Method::Rtn, "rtn", "Round to nearest",
        "No transform; weights to the nearest code with the range of the smallest L2.4 error. The baseline.",
        "", TransformKind::None, false, LearnedForm::None, false, kRtnPresets,
        "Nothing beyond the quantizers.", ""},
    MethodInfo{Method::SmoothQuant, "smoothquant", "SmoothQuant",
               "Moves activation outliers half way into the weights by one scale per channel.",
               "SmoothQuant, arXiv 2211.10438", TransformKind::SmoothQuant, false, LearnedForm::None, false,
               kSmoothQuantPresets,
               "Nothing where the scale folds into a norm or the layer before (qkv, gate_up, down); n "
               "multiplications per "
               "token at o with grouped-query attention.",
               "At all four sites, not only behind norms; strength 0.5 for every model; weight ranges by the "
               "L2.4 search; any bits, where the paper uses 8."},
    MethodInfo{Method::Gptq, "gptq", "GPTQ",
               "No transform; weights column by column, each rounding error made good by the columns that "
               "follow (damping 0.01).",
               "GPTQ, arXiv 2210.17323", TransformKind::None, false, LearnedForm::None, false, kGptqPresets,
               "Nothing beyond the quantizers.",
               "Weight ranges by the L2.4 search; activations and KV cache are quantized, too, when the "
               "scheme says so; the paper quantizes weights only."},
    MethodInfo{
        Method::QuaRot, "quarot", "QuaRot (Hadamard at every site)",
        "Randomised Hadamard rotations before every linear layer and on the heads of keys and values.",
        "QuaRot, arXiv 2404.00456", TransformKind::Hadamard, true, LearnedForm::None, false, kQuaRotPresets,
        "Per token and site a Hadamard: n log2 n additions for n inputs. A Hadamard of head_dim on q and k "
        "after "
        "RoPE: head_dim log2 head_dim additions per head. The rotation of v folds into the v and o weights.",
        "A rotation of its own at every site instead of one of the residual stream. Keys and values have one "
        "range per token and head instead of per group of 128; no fixed clipping ratios; weights by the L2.4 "
        "range search unless GPTQ is chosen."},
    MethodInfo{
        Method::FlatQuant, "flatquant", "FlatQuant",
        "Learns a channel scale and a Kronecker pair of small matrices at every site, matrices on the heads "
        "of "
        "keys and values, and clipping, block by block.",
        "FlatQuant, arXiv 2410.09426", TransformKind::FlatQuant, true, LearnedForm::Kronecker, true,
        kFlatQuantPresets,
        "Per token and site the Kronecker pair: n (n1 + n2) multiply-adds for n = n1 n2 inputs. A matrix of "
        "head_dim on q and k after RoPE: head_dim^2 multiply-adds per head. Channel scales fold; the matrix "
        "of v "
        "folds into the v and o weights.",
        "bf16 on every GPU (the released code uses fp16 for LLaMA), fp32 on CPUs; the calibration text is "
        "the run's."},
    MethodInfo{
        Method::CatDiag, "cat-diag", "CAT diagonal",
        "Best channel scaling for alignment in closed form, then the rotations of QuaRot.",
        "CAT, arXiv 2603.04359", TransformKind::CatDiag, true, LearnedForm::None, false, kCatDiagPresets,
        "As QuaRot; the diagonal folds into norms and earlier layers, or costs n multiplications per token.",
        "Fourth root in the diagonal, where the paper prints a square root that does not align."},
    MethodInfo{Method::CatBlock, "cat-block", "CAT blocks of 64",
               "Best 64 x 64 blocks for alignment in closed form, then the rotations of QuaRot. The same as "
               "cat with preset fast.",
               "CAT, arXiv 2603.04359; WUSH, arXiv 2512.00956", TransformKind::CatBlock64, true,
               LearnedForm::None, false, kCatBlockPresets,
               "As QuaRot, and per token and site 64 n multiply-adds for the blocks (n inputs).",
               "Blocks of 64 instead of 128, in the Cholesky and SVD form of WUSH, which aligns equally and "
               "flattens better."},
    MethodInfo{
        Method::Cat, "cat", "CAT",
        "Best 64 x 64 blocks for alignment, then the rotations of QuaRot; the presets that train start "
        "from there and learn the blocks, the matrices of keys and values and clipping.",
        "CAT, arXiv 2603.04359; WUSH, arXiv 2512.00956", TransformKind::CatBlock64, true,
        LearnedForm::FreeBlocks, true, kCatPresets,
        "As QuaRot, and per token and site 64 n multiply-adds for the blocks (n inputs). Trained: a matrix "
        "of "
        "head_dim on q and k instead of the Hadamard, head_dim^2 multiply-adds per head.",
        "Blocks of 64 instead of 128, in the Cholesky and SVD form of WUSH. The paper does not state its "
        "training; ours is FlatQuant's loop."},
    MethodInfo{
        Method::Bdq, "bdq", "BDQ",
        "Balance by a diagonal, then a block-orthogonal and a Hadamard rotation. Preset fast takes "
        "closed forms and GPTQ; the others learn diagonal, rotation, the matrices of keys and values "
        "and clipping.",
        "BDQ, arXiv 2605.18800; GPTQ, arXiv 2210.17323", TransformKind::Bdq, true,
        LearnedForm::DiagonalAndRotation, true, kBdqPresets,
        "Per token and site a block-orthogonal product (64 n multiply-adds for n inputs) and a "
        "Hadamard (n log2 n "
        "additions); a Hadamard of head_dim on q and k after RoPE, or, trained, a matrix (head_dim^2 "
        "multiply-adds per head). The diagonal folds where the layer before allows "
        "it, else n multiplications; the rotation of v folds into the v and o weights.",
        "Eq. 19 in its function-preserving form; diagonals start at CAT's closed form (preset paper: at "
        "1); KL to the full model instead of the recursive cross-entropy (preset paper: as printed); "
        "the learned rotation is block-diagonal. Trained presets round weights to nearest with learned "
        "clipping: GPTQ, which the paper uses in all runs, undoes what end-to-end training has learned "
        "and is there as a choice."},
};

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

std::string methodNames() {
    std::string names;
    for (const MethodInfo& info : kMethods)
        names += (names.empty() ? "" : ", ") + std::string(info.id);
    return names;
}

std::string_view presetName(Preset preset) {
    return kPresetNames[static_cast<std::size_t>(preset)];
}

std::optional<Preset> presetFromName(std::string_view id) {
    for (std::size_t i = 0; i < kPresetNames.size(); ++i)
        if (kPresetNames[i] == id) return static_cast<Preset>(i);
    return std::nullopt;
}

std::span<const PresetInfo> presetsOf(Method method) {
    return methodInfo(method).presets;
}

const PresetInfo* findPreset(Method method, Preset preset) {
    for (const PresetInfo& info : presetsOf(method))
        if (info.preset == preset) return &info;
    return nullptr;
}

const PresetInfo& presetInfo(Method method, Preset preset) {
    const PresetInfo* found = findPreset(method, preset);
    return found ? *found : presetsOf(method).front();
}

const TrainingRecipe& trainingRecipe(Method method, Preset preset) {
    return presetInfo(method, preset).recipe;
}

std::string presetNames(Method method) {
    std::string names;
    for (const PresetInfo& info : presetsOf(method))
        names += (names.empty() ? "" : ", ") + std::string(presetName(info.preset));
    return names;
}

bool trainingAvailable() {
    return kTrainingAvailable;
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
