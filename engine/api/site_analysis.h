// What the analysis knows about one (layer, site): numbers for tables and plots. Orientation as in torch: W
// is [out_features, in_features], y = x W^T; "weight" means the stacked weights of the site's linear layers
// (q, k, v ...).
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/api/log_histogram.h"
#include "engine/api/method.h"
#include "engine/api/quant_scheme.h"

namespace bdq {

/// Three different numbers that papers call flatness; never put two of them on one axis (design/bdq.md 3.5).
struct Flatness {
    double entropy = 0; ///< F = sum p ln p, p = x^2 / sum x^2 (BDQ Eq. 12-13 with alpha = beta = 1), <= 0
    double entropyBound = 0; ///< -ln(count), the value of a perfectly flat tensor
    double entropyNormalized =
        0;              ///< 1 - entropy / entropyBound in [0, 1]; 0 = flat. The one shown by default
    double channel = 0; ///< FlatQuant: || d - d' ||, d = channel L2 norms (design/transforms.md 3.9)
    double channelNormalized = 0; ///< sqrt(2 (1 - cos t)) in [0, sqrt 2]; 0 = flat
    double figure2 = 0; ///< un-normalised form that reproduces Fig. 2 of the BDQ paper (design/bdq.md 3.5)
};

/// Mean squared output error that quantizing one operand adds, by bits: index b - 2 for b = 2..8. From
/// per-channel rounding errors (design/measurements.md): activation sum_i D_i ||W[:,i]||^2, weight sum_i
/// E[x_i^2] e_i. In units of output energy per token, as signalPower.
using NoiseByBits = std::array<double, 7>;

/// What the whole model loses when a site alone is quantized, estimated by one backward pass over the
/// calibration text: KL divergence of the next-token distributions, nats a token, that rounding one operand
/// adds, by bits (index b - 2 for b = 2..8). The two operands add up (engine/pipeline/loss_estimate.h says
/// how well).
struct LossEstimate {
    NoiseByBits activationSymmetric{}; ///< one scale a token
    NoiseByBits activationAsymmetric{};
    NoiseByBits weightSymmetric{}; ///< nearest code, ranges from the extremes of every output channel
    NoiseByBits weightAsymmetric{};
    NoiseByBits weightSymmetricSearched{}; ///< nearest code, ranges by the L2.4 search
    NoiseByBits weightAsymmetricSearched{};
    bool operator==(const LossEstimate&) const = default;
};

/// One site under one transform.
struct TransformAnalysis {
    Flatness activation;
    Flatness weight;
    double concentrationActivationDb = 0; ///< CAT Lemma 2.2, symmetric range
    double concentrationWeightDb = 0;     ///< CAT Lemma 2.3, symmetric range
    double alignmentDb = 0;               ///< CAT Theorem 2.4
    double absmaxActivation = 0;
    double absmaxWeight = 0;
    double kurtosisActivation = 0; ///< E[x^4] / E[x^2]^2 over all entries; 3 for a normal distribution
    double outlierShare = 0;       ///< share of activation entries with |x| > 6 sqrt(E[x^2])
    NoiseByBits activationNoiseSymmetric{};
    NoiseByBits activationNoiseAsymmetric{};
    NoiseByBits weightNoiseSymmetric{};
    NoiseByBits weightNoiseAsymmetric{};
    /// As the two above with ranges by the L2.4 search; absent when no loss was estimated.
    std::optional<NoiseByBits> weightNoiseSymmetricSearched;
    std::optional<NoiseByBits> weightNoiseAsymmetricSearched;
    std::optional<LossEstimate>
        loss; ///< absent in analyses without it (`--estimate off`, before version 0.2)
    std::map<std::string, double> sqnrDbMeasured; ///< by scheme text: || y ||^2 / || y - Q(x) Q(W)^T ||^2
    /// By scheme text, of every sample token alone: median and 5th percentile. A few tokens of large energy
    /// hide the others in sqnrDbMeasured.
    std::map<std::string, double> sqnrDbTokenMedian;
    std::map<std::string, double> sqnrDbTokenLow;
    std::map<std::string, double> sqnrDbPredicted; ///< per-channel rounding errors
    std::map<std::string, double> sqnrDbTheorem; ///< CAT Theorem 2.4: explains, predicts only with a rotation
};

/// One (layer, site).
struct SiteAnalysis {
    SiteKey key;
    std::int64_t inFeatures = 0;
    std::int64_t outFeatures = 0;  ///< rows of the stacked weight
    std::int64_t tokens = 0;       ///< calibration tokens behind the moments and histograms
    std::int64_t sampleTokens = 0; ///< tokens behind measured and predicted SQNR and Flatness
    double signalPower = 0;        ///< E || W x ||^2 per token over the sample
    /// Share of sum |x|^2 over the sample that the largest 0.5 % of its tokens (at least one) hold, 0..1; NaN
    /// in analyses before version 0.2.
    double topTokenEnergyShare = std::numeric_limits<double>::quiet_NaN();
    std::vector<std::string> tensors; ///< names of the weight tensors
    std::vector<std::string> notes;   ///< e.g. dead channels
    std::string detailFile;           ///< safetensors file with SiteDetail, relative to the analysis folder
    std::map<TransformKind, TransformAnalysis> transforms;
};

/// Predicted SQNR in dB of a site for any bits from the stored noise (two additions: instant). 16 bits = no
/// error. Weight and activation groups are approximated by one scale per row, which underestimates their
/// SQNR. `rounding` of the weights: Rtn has ranges from the extremes, all others the searched ones, where the
/// analysis holds them; what OutputMse and Gptq gain beyond that is not predicted. Returns +infinity when
/// neither operand is quantized, NaN when the site was not analysed under `transform`.
double predictedSqnrDb(const SiteAnalysis& site, TransformKind transform, const Scheme& scheme,
                       WeightRounding rounding = WeightRounding::Rtn);

/// Estimated loss of the whole model, nats a token, when this site alone is quantized (LossEstimate);
/// grouping and `rounding` as in predictedSqnrDb. 0 when neither operand is quantized, NaN when nothing was
/// estimated under `transform`.
double estimatedLoss(const SiteAnalysis& site, TransformKind transform, const Scheme& scheme,
                     WeightRounding rounding = WeightRounding::Mse);

/// Arrays of one site under one transform; n = inFeatures.
struct TransformDetail {
    LogHistogram histogramActivation;           ///< |x P|
    LogHistogram histogramWeight;               ///< |W P^-T|
    std::vector<float> channelRmsActivation;    ///< [n]
    std::vector<float> channelAbsmaxActivation; ///< [n]
    std::vector<float> channelRmsWeight;        ///< [n], over output rows
    std::vector<float> channelAbsmaxWeight;     ///< [n]
    std::vector<float> noiseActivation;         ///< [7 * n], D_i for bits 2..8, symmetric per token
    std::vector<float> noiseWeight;             ///< [7 * n], e_i for bits 2..8, symmetric per output channel
    std::vector<float> diagonal;                ///< [n] multiplies x; empty = none
    int blockSize = 0;                          ///< k of the blocks; 0 = none
    std::vector<float> blocks;        ///< [ceil(n / k)] matrices P_i [k_i, k_i] row-major one after the other
    std::vector<float> inverseBlocks; ///< same layout, P_i^-T
    std::vector<float> kroneckerLeft; ///< [a * a] P1 row-major: P1 kron P2 instead of blocks; empty = none
    std::vector<float> kroneckerRight;     ///< [b * b] P2, a b = n
    std::vector<std::int32_t> permutation; ///< [n] after the blocks, channel j is channel permutation[j] of
                                           ///< what they gave; empty = none
    int secondBlockSize = 0;               ///< size of blocks behind the permutation; 0 = none
    std::vector<float> secondBlocks;       ///< layout as blocks
    bool hadamard = false; ///< followed by a randomised Hadamard with SiteDetail::hadamardSeed
};

/// Arrays of one (layer, site), stored in its own file and read when the site is shown.
struct SiteDetail {
    SiteKey key;
    std::int64_t inFeatures = 0;
    std::uint64_t hadamardSeed = 0;
    std::vector<float> kurtosisActivation; ///< [n] per channel
    std::vector<float> kurtosisWeight;     ///< [n] per input channel
    std::vector<float> tokenMin;           ///< [tokens] smallest entry of each calibration token
    std::vector<float> tokenMax;           ///< [tokens]
    std::int64_t keptTokens = 0;
    std::vector<float> keptInputs;  ///< [keptTokens * n] site inputs kept for the measured what-if
    std::vector<float> keptWeights; ///< [keptTokens] how many sample tokens each stands for; the tokens of
                                    ///< the largest energy stand for themselves alone
    std::map<TransformKind, TransformDetail> transforms;
};

} // namespace bdq
