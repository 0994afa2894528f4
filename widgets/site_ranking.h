// Sites by what the whole model loses by them: what the table, the header and the plan line rank by.
#pragma once

#include <limits>
#include <map>
#include <optional>

#include <QString>

#include "engine/api/quant_scheme.h"

namespace bdq {

/// One ranking has one basis; measured and estimated losses are never mixed.
enum class RankingBasis { Measured, Estimated, None };

struct SiteLoss {
    double nats = 0;  ///< a token, >= 0
    double share = 0; ///< of the sum, 0..1
    int place = 0;    ///< 1 = the largest
    bool operator==(const SiteLoss&) const = default;
};

struct SiteRanking {
    RankingBasis basis = RankingBasis::None;
    double sum = 0;                      ///< nats; 0 without a basis
    std::map<SiteKey, SiteLoss> losses;  ///< empty without a basis
    std::optional<SiteKey> largest = {}; ///< empty without a basis
    bool operator==(const SiteRanking&) const = default;

    /// nullptr for a site that is not ranked.
    [[nodiscard]] const SiteLoss* find(SiteKey key) const;
};

/// A site is marked by how many times its equal share (one divided by the number of sites) it has of the
/// loss: "!" above kMarkedShares, "!!" above kStronglyMarkedShares, else empty.
inline constexpr int kMarkedShares = 3;
inline constexpr int kStronglyMarkedShares = 6;
QString lossSign(double share, std::size_t sites);

/// "measured", "estimated", "not ranked".
QString rankingBasisText(RankingBasis basis);
/// "sum of losses 0.42 nats (estimated), largest 29 down 5.7 %", or that nothing is ranked and what to do.
QString rankingText(const SiteRanking& ranking);
/// What the losses are, where they come from and what the marks mean: rich text.
QString rankingToolTip(RankingBasis basis);

} // namespace bdq
