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

TEST_F(ReportTest, LeavesOutWhatIsNotWanted) {
    const std::string run = writeRun("run", syntheticRun());
    writeAnalysis(folder / "plain", syntheticAnalysis({TransformKind::None, TransformKind::Bdq}));
    for (const std::string& dir : {run, (folder / "plain").string()})
        for (const ReportSectionInfo& info : reportSectionTable()) {
            if (!(dir == run ? info.ofRun : info.ofAnalysis)) continue;
            const std::string heading = "## " + std::string(info.title) + "\n";
            const std::string whole = renderReport(dir, ReportFormat::Markdown).value();
            const std::string html = renderReport(dir, ReportFormat::Html, {info.section}).value();
            const std::string part = renderReport(dir, ReportFormat::Markdown, {info.section}).value();
            // Markdown has no plots, so that a section of plots only is in HTML alone.
            const std::string inHtml = ">" + std::string(info.title) + "</h2>";
            EXPECT_NE(renderReport(dir, ReportFormat::Html).value().find(inHtml), std::string::npos)
                << inHtml;
            EXPECT_EQ(html.find(inHtml), std::string::npos) << inHtml;
            EXPECT_EQ(part.find(heading), std::string::npos) << heading;
            EXPECT_LE(part.size(), whole.size());
            EXPECT_NE(html.find(">Notes and exceptions</h2>"), std::string::npos);
        }
}

TEST_F(ReportTest, WhatIsLeftOutTravelsWithTheJob) {
    ReportSpec spec{"run", ReportFormat::Html, "r.html", {ReportSection::Worst, ReportSection::Definitions}};
    const JobSpec read = decodeSpec(encodeSpec(spec)).value();
    EXPECT_EQ(std::get<ReportSpec>(read).leaveOut, spec.leaveOut);
    EXPECT_NE(commandLine(spec).find("--leave-out worst,definitions"), std::string::npos);
    spec.leaveOut.clear();
    EXPECT_EQ(commandLine(spec).find("--leave-out"), std::string::npos);
    EXPECT_EQ(decodeSpec(R"({"schema":1,"job":"report","dir":"d","out":"o","leave_out":["x"]})").error().code,
              ErrorCode::InvalidSpec);
}

TEST_F(ReportTest, NamesFilesWithoutTheirFolders) {
    RunResult run = syntheticRun();
    run.spec.modelPath = "/somewhere/models/tiny.gguf";
    run.provenance.command = "bdq run /somewhere/models/tiny.gguf";
    const std::string dir = writeRun("run", run);
    EXPECT_EQ(occurrences(renderReport(dir, ReportFormat::Markdown).value(), "/somewhere"),
              1U); // the command
    EXPECT_EQ(
        renderReport(dir, ReportFormat::Markdown, {ReportSection::Reproduction}).value().find("/somewhere"),
        std::string::npos);
}

} // namespace
} // namespace bdq::report
