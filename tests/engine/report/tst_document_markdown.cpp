#include <gtest/gtest.h>

#include "engine/report/document.h"

namespace bdq::report {
namespace {

TEST(DocumentMarkdown, StartsWithTheSummaryTable) {
    Document document;
    document.title = "Tiny: BDQ";
    document.summary = {{"Perplexity", "24.1", {}}, {"a|b", "c", {}}};
    document.notes = {"Simulated"};
    document.sections = {{"Empty", {PlotGroup{}}}, {"Full", {Paragraph{"text", false}}}};
    EXPECT_EQ(renderMarkdown(document),
              "# Tiny: BDQ\n\n## Summary\n\n|  |  |\n|---|---|\n| Perplexity | 24.1 |\n"
              "| a\\|b | c |\n\n\n\n> Simulated\n\n## Full\n\ntext\n\n");
}

TEST(DocumentMarkdown, HeadingsNeedSomethingUnderThem) {
    Document document;
    document.sections = {
        {"S", {Subheading{"one"}, PlotGroup{}, Subheading{"two"}, Paragraph{"text", false}}}};
    EXPECT_NE(renderMarkdown(document).find("## S\n\n### two\n\ntext\n"), std::string::npos);
}

TEST(DocumentMarkdown, CodeCannotLeaveItsFence) {
    Document document;
    document.sections = {{"Code", {Code{"```\n# no heading\n```"}}}};
    EXPECT_NE(renderMarkdown(document).find("````\n```\n# no heading\n```\n````\n"), std::string::npos);
}

TEST(DocumentMarkdown, NumbersAreAlignedRight) {
    Document document;
    document.sections = {
        {"T", {Table{{{"name", {}}, {"value", {}}}, {{textCell("a"), numberCell(1.5)}}, false}}}};
    EXPECT_NE(renderMarkdown(document).find("| name | value |\n|---|---:|\n| a | 1.50 |\n"),
              std::string::npos);
}

} // namespace
} // namespace bdq::report
