#include <array>

#include "engine/api/method.h"

namespace bdq {
namespace {

// x = site input of one token, X = the sampled inputs, W = stacked weights [out, in], y = x W^T, r(.) =
// quantization range.
constexpr std::array kMetrics{
    MetricInfo{"sqnr_db", "SQNR", "dB",
               "10 log10( sum |y|^2 / sum |y - Q(x) Q(W)^T|^2 ) over the site's outputs on calibration "
               "tokens: signal over "
               "quantization noise, measured. K and V: of the cached tensor.",
               false},
    MetricInfo{"sqnr_db_predicted", "SQNR, predicted", "dB",
               "10 log10( E|Wx|^2 / (sum_i D_i |W[:,i]|^2 + sum_i E[x_i^2] e_i) ) with the per-channel "
               "rounding errors D_i = "
               "mean (Q(x)_i - x_i)^2 and e_i = sum_o (Q(W)_oi - W_oi)^2, in the transformed space.",
               false},
    MetricInfo{
        "sqnr_db_token_median", "SQNR of a token, median", "dB",
        "Median over the tokens of 10 log10( |y|^2 / |y - Q(x) Q(W)^T|^2 ) of every token alone. A few "
        "tokens of large energy decide the SQNR of a site; they do not decide this one.",
        false},
    MetricInfo{"sqnr_db_token_low", "SQNR of a token, 5th percentile", "dB",
               "5 % of the tokens have a smaller 10 log10( |y|^2 / |y - Q(x) Q(W)^T|^2 ).", false},
    MetricInfo{"sqnr_db_theorem", "SQNR, theorem", "dB",
               "12 (N_x^2 C(x) || N_w^2 C(W)) A(x, W) in dB, a || b = (1/a + 1/b)^-1, N = intervals of the "
               "grid (CAT, arXiv "
               "2603.04359, Theorem 2.4). Assumes uniform rounding noise: it explains, and predicts only "
               "after a rotation.",
               false},
    MetricInfo{"flatness_activation", "Flatness of the activation", "",
               "1 + F / ln(count) with F = sum p ln p, p = x^2 / sum x^2 over all sampled entries (BDQ, "
               "arXiv 2605.18800, Eq. "
               "12-13 with alpha = beta = 1, made free of size). 0 = flat, 1 = all energy in one entry.",
               true},
    MetricInfo{"flatness_weight", "Flatness of the weight", "",
               "1 + F / ln(count) with F = sum p ln p, p = W^2 / sum W^2 over the stacked weights (BDQ, "
               "arXiv 2605.18800, Eq. "
               "12-13 with alpha = beta = 1, made free of size). 0 = flat, 1 = all energy in one entry.",
               true},
    MetricInfo{"flatness_entropy", "Flatness, entropy form", "nats",
               "F = sum p ln p, p = x^2 / sum x^2, between -ln(count) (flat) and 0 (BDQ, arXiv 2605.18800, "
               "Eq. 12-13 with "
               "alpha = beta = 1).",
               true},
    MetricInfo{"flatness_channel", "Channel flatness", "",
               "|d - d'|_2, d = L2 norms of the channels, d' = the perfectly flat vector of the same norm "
               "(FlatQuant, arXiv "
               "2410.09426). Depends on the scale of the tensor.",
               true},
    MetricInfo{"flatness_channel_normalized", "Channel flatness, normalized", "",
               "sqrt(2 (1 - cos t)), t = angle between the channel norms d and a flat vector: |d - d'| / |d| "
               "(after FlatQuant, "
               "arXiv 2410.09426). 0 = flat, at most sqrt 2.",
               true},
    MetricInfo{"flatness_figure2", "Flatness, Fig. 2 form", "",
               "Eq. 12 of BDQ (arXiv 2605.18800) without normalisation, alpha and beta = mean magnitudes of "
               "rows and columns: "
               "our reconstruction of the numbers in its Figure 2. Grows with the size of the tensor.",
               true},
    MetricInfo{"concentration_activation_db", "Concentration of the activation", "dB",
               "10 log10 C(x), C(x) = E|x|^2 / E[r(x)^2], r = 2 max|x| per token (CAT, arXiv 2603.04359, "
               "Lemma 2.2): how well "
               "the quantization range is used.",
               false},
    MetricInfo{"concentration_weight_db", "Concentration of the weight", "dB",
               "10 log10 C(W), C(W) = sum_i |w_i|^2 / sum_i r(w_i)^2 over rows w_i, r = 2 max|w_i| (CAT, "
               "arXiv 2603.04359, "
               "Lemma 2.3).",
               false},
    MetricInfo{"alignment_db", "Alignment", "dB",
               "10 log10 A, A = E|Wx|^2 / (|W|_F^2 E|x|^2) (CAT, arXiv 2603.04359, Theorem 2.4): how well "
               "the energy of x "
               "meets the large directions of W. Rotations leave it unchanged.",
               false},
    MetricInfo{"outlier_share", "Outlier share", "",
               "Share of activation entries with |x| > 6 sqrt(E[x^2]), E over all entries of the site.",
               true},
    MetricInfo{"kurtosis_activation", "Kurtosis of the activation", "",
               "E[x^4] / E[x^2]^2 over all entries; 3 for a normal distribution.", true},
    MetricInfo{"absmax_over_rms", "Largest over RMS", "",
               "max |x| / sqrt(E[x^2]) over all entries of the site: how far the largest entry stands out, "
               "however rare it is.",
               true},
    MetricInfo{
        "top_token_energy", "Energy in the top 0.5 % of tokens", "",
        "Share of sum |x|^2 that the largest 0.5 % of the tokens (at least one) hold. Above 50 % these "
        "tokens decide the site's SQNR, and the errors of all others do not show in it.",
        true},
    MetricInfo{"absmax_activation", "Largest activation", "", "max |x| over the calibration tokens.", true},
    MetricInfo{"absmax_weight", "Largest weight", "", "max |W| over the stacked weights.", true},
    MetricInfo{"mse", "MSE", "",
               "Mean squared error of the site's outputs, mean (y - Q(x) Q(W)^T)^2 on calibration tokens. K "
               "and V: of the "
               "cached tensor. Not comparable between layers of different scale.",
               true},
    MetricInfo{"perplexity", "Perplexity", "",
               "exp of the mean cross-entropy over the L - 1 predicted tokens of every non-overlapping "
               "window of L tokens; the "
               "text is tokenized once. Comparable only for the same text, tokenizer, BOS and L. ±: standard "
               "error, s / sqrt(windows) of the mean cross-entropy times the perplexity.",
               true},
    MetricInfo{
        "kl_site", "KL of one site", "nats",
        "KL(p || q) = sum p (ln p - ln q) of the next-token distributions, p = full model, q = the model "
        "with only this site quantized; mean over tokens. Of sites whose divergences are small the sum "
        "estimates that of all of them quantized.",
        true},
    MetricInfo{"loss_estimated", "KL of one site, estimated", "nats",
               "KL(p || q) as above to second order, from one backward pass over the calibration text: 1/2 E "
               "(g . e)^2, e = "
               "rounding errors of the site's weights and inputs, g = gradient of the log probability of "
               "labels drawn from "
               "the model's own distribution.",
               true},
    MetricInfo{
        "average_weight_bits", "Average weight bits", "bit",
        "Bits per weight over all linear layers of the model, those that are not quantized at 16; fp16 "
        "scales and zero points counted.",
        true},
};

} // namespace

std::span<const MetricInfo> metricTable() {
    return kMetrics;
}

const MetricInfo* metricInfo(std::string_view id) {
    for (const MetricInfo& row : kMetrics)
        if (row.id == id) return &row;
    return nullptr;
}

} // namespace bdq
