// Vocabulary of quantization: sites, bit widths, schemes and plans (design/product.md 6).
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/result.h"

namespace bdq {

/// A place in a transformer block that has one input transform and one activation quantizer. Linear layers
/// that read the same input (q, k, v; gate, up) share a site and a scheme.
enum class Site { Qkv, O, GateUp, Down, KCache, VCache };

/// The four sites that feed linear layers, in the order of the computation.
inline constexpr std::array kLinearSites{Site::Qkv, Site::O, Site::GateUp, Site::Down};
inline constexpr std::array kCacheSites{Site::KCache, Site::VCache};

/// "qkv", "o", "gate_up", "down", "k_cache", "v_cache".
std::string_view siteName(Site site);
std::optional<Site> siteFromName(std::string_view name);

/// One site of one layer. Layers count from 0.
struct SiteKey {
    int layer = 0;
    Site site = Site::Qkv;
    auto operator<=>(const SiteKey&) const = default;
};

/// How one operand is quantized. 16 bits = untouched.
struct OperandScheme {
    int bits = 16; ///< 2..8 or 16
    bool symmetric =
        true; ///< codes -2^(b-1)..2^(b-1)-1, scale absmax / (2^(b-1)-1); else 0..2^b-1 with a zero point
    int groupSize =
        0; ///< values along the inputs that share a scale; 0 = one scale per row (token or output channel)
    bool operator==(const OperandScheme&) const = default;
    [[nodiscard]] bool quantizes() const { return bits < 16; }
};

/// Weights per output channel, activations per token (dynamic), KV cache per (token, head).
struct Scheme {
    OperandScheme weight;
    OperandScheme activation;
    OperandScheme kv{16, false, 0};
    bool operator==(const Scheme&) const = default;
};

/// Parses "W4A4KV4", "W4A16", "W2A4KV16", "W4A4KV4:g128", or the long form "W4g128sym A4asym KV4asym". Parts
/// that are left out are 16 bits. Weights are symmetric except at 2 bits, activations symmetric, KV
/// asymmetric unless said. Errors: InvalidSpec naming the part that cannot be read and what is allowed.
Result<Scheme> parseScheme(std::string_view text);
/// Canonical text that parseScheme reads back to the same scheme: W and A always, KV when quantized ("W4A16",
/// "W4A4KV4", "W4A4:g128"); the long form only when something is not the default. Symmetry and groups of
/// 16-bit operands have no text.
std::string formatScheme(const Scheme& scheme);

/// Bits stored per weight including fp16 scales and, when asymmetric, zero points of `bits` bits.
/// `inFeatures` = length of a weight row.
double effectiveWeightBits(const OperandScheme& weight, std::int64_t inFeatures);

/// How weights are rounded after the transform.
enum class WeightRounding { Rtn, Mse, OutputMse, Gptq };
/// "rtn" (nearest, range = absmax), "mse" (nearest, range by L2.4 search), "output-mse" (nearest, range of
/// the smallest error of the linear layer's output: AWQ's clipping search), "gptq" (error compensation, L2.4
/// ranges).
std::string_view roundingName(WeightRounding rounding);
std::optional<WeightRounding> roundingFromName(std::string_view name);

/// Which bits go where: a base scheme and the sites that differ from it.
struct Plan {
    Scheme base;
    std::map<SiteKey, Scheme> overrides;
    bool operator==(const Plan&) const = default;
    [[nodiscard]] const Scheme& at(SiteKey key) const;
    void set(SiteKey key, const Scheme& scheme);
};

} // namespace bdq
