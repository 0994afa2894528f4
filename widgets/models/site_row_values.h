// What the cells of the layer table hold: columns, and the numbers and texts of one row under a plan.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string_view>

#include <QString>
#include <QVariant>

#include "widgets/measured_sqnr.h"
#include "widgets/models/site_table_model.h"
#include "widgets/site_ranking.h"

namespace bdq {

struct SiteRow {
    SiteKey key;
    std::optional<SiteAnalysis> site;
};

/// Title for people (not translated yet), name in copied text (SiteRowValues::csvName), and metric of
/// metricTable().
struct SiteColumnInfo {
    const char* title;
    const char* csvName;
    std::string_view metric;
};
const SiteColumnInfo& siteColumnInfo(int column);

/// Everything that the cells depend on beside the row itself.
struct SiteRowValues {
    Plan plan;
    TransformKind fallback = TransformKind::None;
    SiteTransforms transforms;
    WeightRounding rounding = WeightRounding::Rtn;
    std::set<SiteKey> locked;
    SiteRanking ranking;
    std::shared_ptr<MeasuredSqnrStore> measured = std::make_shared<MeasuredSqnrStore>();
    MeasuredSource source; ///< the one kind that the column of measured values shows

    [[nodiscard]] TransformKind transformOf(SiteKey key) const;
    [[nodiscard]] const TransformAnalysis* statistics(const SiteRow& row, TransformKind kind) const;
    [[nodiscard]] MeasuredQuery query(SiteKey key) const;

    /// Says which losses and which kind of measured values a copied column holds.
    [[nodiscard]] QString csvName(int column) const;
    [[nodiscard]] std::optional<double> number(const SiteRow& row, int column) const;
    [[nodiscard]] QString text(const SiteRow& row, int column) const;
    [[nodiscard]] QString toolTip(const SiteRow& row, int column) const;
    [[nodiscard]] QVariant bar(const SiteRow& row, int column) const;
    [[nodiscard]] QVariant sort(const SiteRow& row, int column) const;
    [[nodiscard]] QString sign(const SiteRow& row, int column) const;

private:
    [[nodiscard]] std::optional<double> sqnr(const SiteRow& row, int column) const;
    [[nodiscard]] QString unknownText(int column) const;
};

bool isSqnrColumn(int column);

} // namespace bdq
