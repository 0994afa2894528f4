#include <set>

#include <gtest/gtest.h>

#include "engine/api/method.h"

namespace bdq {
namespace {

TEST(MetricTable, EveryMetricIsDefinedOnce) {
    std::set<std::string_view> ids;
    for (const MetricInfo& row : metricTable()) {
        EXPECT_TRUE(ids.insert(row.id).second) << row.id;
        EXPECT_FALSE(row.title.empty()) << row.id;
        EXPECT_GT(row.definition.size(), 10U) << row.id;
        EXPECT_EQ(metricInfo(row.id), &row);
    }
    EXPECT_EQ(metricInfo("speed"), nullptr);
}

TEST(MetricTable, EveryShownKeyHasADefinition) {
    for (std::string_view id :
         {"sqnr_db", "sqnr_db_predicted", "sqnr_db_theorem", "flatness_activation", "flatness_weight",
          "flatness_channel", "flatness_figure2", "concentration_activation_db", "concentration_weight_db",
          "alignment_db", "outlier_share", "kurtosis_activation", "absmax_activation", "absmax_weight", "mse",
          "perplexity"})
        EXPECT_NE(metricInfo(id), nullptr) << id;
    EXPECT_FALSE(metricInfo("sqnr_db")->lowerIsBetter);
    EXPECT_TRUE(metricInfo("perplexity")->lowerIsBetter);
    EXPECT_EQ(metricInfo("alignment_db")->unit, "dB");
}

} // namespace
} // namespace bdq
