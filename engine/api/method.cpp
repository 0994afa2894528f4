#include "engine/api/method.h"

#include <array>

namespace bdq {
namespace {

constexpr std::array<std::string_view, 4> kPresetNames{"fast", "balanced", "best", "paper"};

constexpr int kSequences = 32;         // of closed forms
constexpr int kTrainingSequences = 64; // 8 epochs in batches of 4 are 128 steps a block
constexpr int kManySequences = 128;    // what the papers take

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

// FlatQuant's loop without weight decay; the rounding of every weight is learned, too.
constexpr TrainingRecipe balancedRecipe() {
    TrainingRecipe recipe = blockLoop(8, 0);
    recipe.learnRounding = true;
    return recipe;
}

// Blocks first, then the whole model against the full model's logits (design/product.md 8).
constexpr TrainingRecipe bestRecipe() {
    TrainingRecipe recipe = blockLoop(2, 0);
    recipe.endToEndSteps = 300;
    recipe.endToEndRate = 1e-3;
    recipe.endToEndClippingRate = 1e-2;
    recipe.learnRounding = true;
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

// SpinQuant, arXiv 2405.16406: 100 steps of Cayley SGD on the next token's cross-entropy, batch 8.
constexpr TrainingRecipe spinQuantRecipe() {
    TrainingRecipe recipe;
    recipe.batch = 8;
    recipe.learnClipping = false;
    recipe.endToEndSteps = 100;
    recipe.endToEndRate = 1.5;
    recipe.loss = LogitLoss::CrossEntropy;
    return recipe;
}

// OSTQuant, arXiv 2501.13987, released settings: rotations 0.0169 (end-to-end rate), scales 0.00179 (rate),
// 100 steps.
constexpr TrainingRecipe ostQuantRecipe() {
    TrainingRecipe recipe;
    recipe.batch = 8;
    recipe.learnClipping = false;
    recipe.rate = 0.00179;
    recipe.endToEndSteps = 100;
    recipe.endToEndRate = 0.0169;
    recipe.loss = LogitLoss::KlTop;
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
    PresetInfo{Preset::Paper, TransformKind::FlatQuant, WeightRounding::Rtn, kManySequences,
               blockLoop(15, 0.01),
               "The settings of FlatQuant's released code: 128 sequences, 15 epochs a block, batch "
               "4, rate 5e-3."}};
constexpr std::array kAwqPresets{closedForm(TransformKind::Awq, WeightRounding::OutputMse, kNoTraining)};
constexpr std::array kDuQuantPresets{closedForm(TransformKind::DuQuant, WeightRounding::Mse, kNoTraining)};
constexpr std::array kWushPresets{closedForm(TransformKind::Wush, WeightRounding::Mse, kNoTraining)};
constexpr std::array kSpinQuantPresets{PresetInfo{
    Preset::Paper, TransformKind::Hadamard, WeightRounding::Gptq, kManySequences, spinQuantRecipe(),
    "The paper's settings: 100 steps on the whole model's next-token loss with weights left "
    "unquantized, then GPTQ."}};
constexpr std::array kOstQuantPresets{
    PresetInfo{Preset::Paper, TransformKind::Hadamard, WeightRounding::Gptq, kManySequences, ostQuantRecipe(),
               "The released settings: 100 steps towards the full model's 1000 most likely tokens, then "
               "GPTQ."}};
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
    PresetInfo{Preset::Balanced, TransformKind::Bdq, WeightRounding::Rtn, kTrainingSequences,
               balancedRecipe(),
               "Diagonals, rotations, clipping and the rounding of every weight trained for 8 epochs a block "
               "against its full-precision output."},
    PresetInfo{Preset::Best, TransformKind::Bdq, WeightRounding::Rtn, kManySequences, bestRecipe(),
               "2 epochs a block, then 300 steps over the whole model that bring its output distribution to "
               "the full model's (KL); every weight learns which way it is rounded. Wants a GPU."},
    PresetInfo{
        Preset::Paper, TransformKind::Hadamard, WeightRounding::Rtn, kManySequences, bdqPaperRecipe(),
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
    MethodInfo{Method::Awq, "awq", "AWQ",
               "Scales weight columns by what their activations' magnitude says about their importance, with "
               "a searched power, and clips weight ranges by the error of the output.",
               "AWQ, arXiv 2306.00978", TransformKind::Awq, false, LearnedForm::None, false, kAwqPresets,
               "Nothing where the scale folds into a norm or the layer before; n multiplications per token "
               "at o with grouped-query attention.",
               "Both searches take the error of the linear layers' own output, from second moments of all "
               "calibration tokens; the released code looks behind the attention (q, k, v) and behind the "
               "MLP (gate, up), and clips with 512 tokens. It leaves o alone with grouped-query attention "
               "and does not clip q and k; here every site is scaled and clipped. Any bits, groups and "
               "symmetry, where the paper has 3 and 4 bits, asymmetric, groups of 128; activations and KV "
               "cache are quantized, too, when the scheme says so, without a part in the search."},
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
        Method::SpinQuant, "spinquant", "SpinQuant",
        "QuaRot's rotations, with that of the residual stream and those of the value heads learned on the "
        "model's loss.",
        "SpinQuant, arXiv 2405.16406", TransformKind::SpinQuant, true, LearnedForm::ResidualRotation, true,
        kSpinQuantPresets,
        "A Hadamard before down (n log2 n additions per token for n inputs) and, with a quantized cache, one "
        "of "
        "head_dim on q and k after RoPE; the learned rotations and the norms' gains fold into the weights.",
        "Activations as the scheme says (symmetric unless it says asym), at o, too, where the paper has a "
        "range "
        "per head; keys and values have one range per token and head instead of per group of 128. Rotations "
        "are learned in fp64 with the Cayley step solved exactly, and made orthogonal anew every 100 steps "
        "instead of at random. With GPTQ weights stay unquantized while rotations are learned, as in the "
        "paper; with other roundings they are rounded to nearest meanwhile. The residual stream is simulated "
        "unrotated: rows of o and down are rounded in the rotated space. No mean is subtracted from the "
        "embeddings. The calibration text is the run's."},
    MethodInfo{
        Method::OstQuant, "ostquant", "OSTQuant",
        "Learns rotations of the residual stream and of the value heads together with channel scales.",
        "OSTQuant, arXiv 2501.13987", TransformKind::OstQuant, true, LearnedForm::ScaledResidualRotation,
        true, kOstQuantPresets,
        "A Hadamard before down (n log2 n additions per token for n inputs) and, with a quantized cache, one "
        "of "
        "head_dim on q and k after RoPE; learned rotations, scales and the norms' gains fold into the "
        "weights "
        "(scales of q and k are applied with their Hadamard).",
        "Activations as the scheme says (symmetric unless it says asym); keys and values have one range per "
        "token and head instead of per group of 128. The scale of q and k is learned behind RoPE, one for "
        "each "
        "rotary pair, which is the only form that is exact. Scales are learned in log space by Adam, "
        "rotations "
        "in fp64 by Riemannian Adam with its momentum in the Lie algebra; both rates fall to 0 by a cosine. "
        "With GPTQ weights stay unquantized meanwhile; with other roundings they are rounded to nearest. "
        "100 steps of 8 sequences. The residual stream is simulated unrotated: rows of o and down are "
        "rounded "
        "in the rotated space. The calibration text is the run's. --rate sets the rotations' rate; the "
        "scales' keeps its ratio to it."},
    MethodInfo{
        Method::DuQuant, "duquant", "DuQuant",
        "Scales, then rotates blocks of up to 128 channels greedily, permutes and rotates again.",
        "DuQuant, arXiv 2406.01721", TransformKind::DuQuant, true, LearnedForm::None, false, kDuQuantPresets,
        "Per token and site two block rotations (256 n multiply-adds for n inputs and blocks of 128) and a "
        "permutation. Scales fold where the layer before allows it, else n multiplications. A Hadamard of "
        "head_dim on q and k after RoPE; the rotation of v folds into the v and o weights.",
        "Blocks of the largest power of two up to 128 that divides the inputs, since all blocks share a "
        "matrix. Rotations are fitted to up to 288 full-precision tokens of every site, evenly spaced ones "
        "and "
        "the largest; the released code fits them to the mean of the calibration sequences behind the "
        "quantized blocks. An outlier is found by its column as in the paper, not by its row as in the "
        "released code. A Hadamard of head_dim on q and k instead of blocks of 128, and one on v. Symmetry "
        "as "
        "the scheme says, where the paper is asymmetric; no fixed clipping ratios (0.9 and 0.8), weights by "
        "the L2.4 range search; no learned clipping."},
    MethodInfo{
        Method::FlatQuant, "flatquant", "FlatQuant",
        "Learns a channel scale and a Kronecker pair of small matrices at every site, matrices on the heads "
        "of "
        "keys and values, and clipping, block by block.",
        "FlatQuant, arXiv 2410.09426", TransformKind::FlatQuant, true, LearnedForm::Kronecker, true,
        kFlatQuantPresets,
        "Per token and site the Kronecker pair: n (n1 + n2) multiply-adds for n = n1 n2 inputs; at o the "
        "first "
        "factor is a learned matrix across the heads (n times heads multiply-adds) and the second, inside a "
        "head, the matrix of v, which folds into the v and o weights. A matrix of head_dim on q and k after "
        "RoPE: head_dim^2 multiply-adds per head. Channel scales fold.",
        "Trained in fp32 with TF32 matmuls on a GPU, where the released code uses half precision (autocast "
        "on: bfloat16 products); the calibration text is the run's."},
    MethodInfo{
        Method::Wush, "wush", "WUSH",
        "Closed-form blocks that are optimal within a block, each with a Hadamard of its size.",
        "WUSH, arXiv 2512.00956", TransformKind::Wush, true, LearnedForm::None, false, kWushPresets,
        "Per token and site 64 n multiply-adds for blocks of 64 (n inputs). A Hadamard of head_dim on q and "
        "k "
        "after RoPE; the rotation of v folds into the v and o weights.",
        "Blocks of 64, or of the weights' group size where that is a power of two from 16 to 128; the paper "
        "takes the groups of its number formats, 16 or 32. One transform for all layers that read an input, "
        "from full-precision inputs. Diagonal blocks of the moments as in the paper, where the released code "
        "takes Schur complements. Integer grids with ranges by the L2.4 search, where the paper has FP4 and "
        "root-mean-square steps; GPTQ, when chosen, runs after the transforms instead of interleaved with "
        "them. Keys and values are rotated for the cache, which the paper does not quantize."},
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
        "the learned rotation is block-diagonal. Trained presets learn clipping and, but for preset paper, "
        "which way weights are rounded: GPTQ, which the paper uses in all runs, undoes what end-to-end "
        "training has learned and is there as a choice."},
};

} // namespace

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

} // namespace bdq
