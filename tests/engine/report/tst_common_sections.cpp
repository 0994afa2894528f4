#include "engine/report/common_sections.h"

#include <gtest/gtest.h>

namespace bdq::report {
namespace {

TEST(CommonSections, EveryDefinitionIsFromTheTable) {
    const Section section = definitionsSection({"sqnr_db", "perplexity"});
    const Table& table = std::get<Table>(section.blocks.at(1));
    ASSERT_EQ(table.rows.size(), 2U);
    EXPECT_EQ(table.rows[0][2].text, "higher");
    EXPECT_EQ(table.rows[1][2].text, "lower");
    EXPECT_EQ(table.rows[1][3].text, metricInfo("perplexity")->definition);
}

TEST(CommonSections, ColumnsCarryUnitAndDefinition) {
    EXPECT_EQ(metricColumn("sqnr_db").title, "SQNR (dB)");
    EXPECT_EQ(metricColumn("sqnr_db", "mean").title, "mean (dB)");
    EXPECT_EQ(metricColumn("mse").title, "MSE");
    EXPECT_EQ(metricColumn("mse").tooltip, metricInfo("mse")->definition);
}

TEST(CommonSections, TitleFallsBackToTheFile) {
    ModelConfig model;
    EXPECT_EQ(modelTitle(model, "/a/b/m.gguf"), "m.gguf");
    model.name = "Tiny";
    EXPECT_EQ(modelTitle(model, "/a/b/m.gguf"), "Tiny");
    EXPECT_EQ(siteText({3, Site::GateUp}), "layer 3 gate_up");
}

TEST(CommonSections, SaysThatThereAreNoNotes) {
    EXPECT_EQ(std::get<Paragraph>(notesSection({}).blocks.at(0)).text, "None.");
    EXPECT_EQ(std::get<Table>(notesSection({"a", "b"}).blocks.at(0)).rows.size(), 2U);
}

} // namespace
} // namespace bdq::report
