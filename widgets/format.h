// How numbers, sizes and names are written in the window: 3 significant digits, dB with one decimal, MB =
// 10^6 bytes, the user's locale. Exact values are for tooltips and copies.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <QString>

#include "engine/api/quant_scheme.h"

namespace bdq {

QString toQString(std::string_view text);
/// 3 significant digits in the user's locale; an en dash for NaN, the infinity sign for infinity.
QString formatNumber(double value);
/// 9 significant digits, for tooltips.
QString formatExact(double value);
/// One decimal, no unit.
QString formatDb(double decibel);
/// Share 0..1 as "0.31 %".
QString formatShare(double share);
QString formatCount(std::int64_t count);
/// "71 MB", "1.2 GB".
QString formatBytes(std::uint64_t bytes);
/// "9 s", "03:10", "1:02:03"; an en dash when negative (unknown).
QString formatDuration(double seconds);
/// "135 M", "7.24 B".
QString formatParameters(std::int64_t parameters);
/// Site for people: "qkv", "gate, up", ...
QString siteTitle(Site site);
/// "layer 11 · down".
QString siteText(SiteKey key);
/// "11.down": what the filter line matches.
QString siteFilterText(SiteKey key);
/// "4/4" or "4/4/4" with the KV cache.
QString bitsText(const Scheme& scheme, bool withKv);
/// What perplexities were measured on: without it they say little.
struct PerplexitySize {
    std::int64_t tokens = 0; ///< 0 = unknown
    int quantizedLayers = 0; ///< of the quantized model
    int layers = 0;          ///< 0 = unknown
    /// So few tokens that differences of some percent are chance.
    [[nodiscard]] bool isSmall() const { return tokens > 0 && tokens < 4096; }
    bool operator==(const PerplexitySize&) const = default;
};
/// "46.1 → 48.4 (256 tokens, 6 of 30 layers)"; an en dash for a missing first one, empty with none.
QString perplexityText(std::optional<double> full, std::optional<double> quantized,
                       const PerplexitySize& size);
/// Text of others (paths, messages) as a tooltip: shown as it is, whatever it contains.
QString plainToolTip(const QString& text);
/// Title, formula, unit and direction of a metric of metricTable() as rich text; empty for unknown ids.
QString metricToolTip(std::string_view id);
/// Explanation and citation of a table entry as rich text.
QString explanationToolTip(std::string_view title, std::string_view explanation, std::string_view citation);

} // namespace bdq
