#include "engine/report/report.h"

#include <cstdlib>

#include "tests/engine/report/fixture.h"
#include "tests/engine/report/markup_check.h"

namespace bdq::report {
namespace {

TEST_F(ReportTest, WritesEveryFormatOfBothKinds) {
    const std::string runDir = writeRun("run", syntheticRun());
    const std::vector<TransformKind> transforms{TransformKind::None, TransformKind::Hadamard,
                                                TransformKind::Bdq};
    writeAnalysis(std::filesystem::path(runDir) / "analysis",
                  syntheticAnalysis({TransformKind::None, TransformKind::Bdq}));
    writeAnalysis(folder / "analysis", syntheticAnalysis(transforms));
    // For looking at: BDQ_KEEP_REPORTS names a folder.
    const char* keep = std::getenv("BDQ_KEEP_REPORTS");
    for (const char* name : {"run", "analysis"})
        for (ReportFormat format :
             {ReportFormat::Html, ReportFormat::Markdown, ReportFormat::Csv, ReportFormat::Json}) {
            const std::filesystem::path out =
                (keep ? std::filesystem::path(keep) : folder) /
                (std::string(name) + "." + std::string(reportFormatName(format)));
            const Status status = writeReport({(folder / name).string(), format, out.string()});
            ASSERT_TRUE(status) << status.error().text();
            const std::string text = readTextFile(out, 1 << 26).value();
            EXPECT_EQ(text, renderReport((folder / name).string(), format).value());
            EXPECT_GT(text.size(), 1000U);
            EXPECT_EQ(text.back(), '\n');
        }
}

TEST_F(ReportTest, MarkdownStartsWithTheSummary) {
    const std::string text = renderReport(writeRun("run", syntheticRun()), ReportFormat::Markdown).value();
    EXPECT_EQ(text.find("# Tiny: BDQ W4A4KV4\n\n## Summary\n"), 0U) << text.substr(0, 200);
    EXPECT_NE(text.find("| 0 | qkv | W4A4KV4 | 18.0 |"), std::string::npos);
    EXPECT_EQ(text.find("<svg"), std::string::npos);
}

TEST_F(ReportTest, NothingIsWrittenWhenItFails) {
    const std::filesystem::path out = folder / "r.html";
    EXPECT_EQ(writeReport({(folder / "none").string(), ReportFormat::Html, out.string()}).error().code,
              ErrorCode::NotFound);
    EXPECT_FALSE(std::filesystem::exists(out));
    const Status unwritable = writeReport(
        {writeRun("run", syntheticRun()), ReportFormat::Html, (folder / "no" / "r.html").string()});
    ASSERT_FALSE(unwritable);
    EXPECT_EQ(unwritable.error().code, ErrorCode::Io);
}

} // namespace
} // namespace bdq::report
