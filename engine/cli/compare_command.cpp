// bdq compare RUN RUN...: runs layer by layer; with one RUN its summary.
#include <filesystem>

#include "engine/api/atomic_file.h"
#include "engine/cli/command.h"
#include "engine/cli/summaries.h"
#include "engine/report/report.h"

namespace bdq::cli {
namespace {

constexpr std::size_t kMaxRunBytes = 256u << 20;

class CompareCommand : public Command {
public:
    CompareCommand() : Command("compare", "compare finished runs layer by layer") {}

    void declare(Arguments& arguments) override {
        arguments.words("RUN", "folders of finished runs; with one its summary is shown", m_runs);
        arguments.option({"--format", "F", "md, csv, html or json (default md)"},
                         [this](const std::string& name) -> Status {
                             m_format = reportFormatFromName(name);
                             if (!m_format)
                                 return fail(ErrorCode::InvalidSpec,
                                             "--format: unknown format \"" + name +
                                                 "\", expected md, csv, html or json");
                             return {};
                         });
        arguments.option({"--out", "FILE", "write there instead of to stdout (-)"}, m_outFile);
        declareJson(arguments);
    }

    Status check() override {
        BDQ_CHECK(checkOutput(m_outFile, json()));
        if (json() && m_format && *m_format != ReportFormat::Json)
            return fail(ErrorCode::InvalidSpec, "--json and --format " +
                                                    std::string(reportFormatName(*m_format)) +
                                                    " exclude each other");
        return {};
    }

    Result<int> execute(Console& console, EngineServices*) override {
        BDQ_TRY(const std::string text, rendered());
        BDQ_CHECK(m_outFile.empty() ? console.print(text) : writeOutput(console, m_outFile, text));
        return 0;
    }

private:
    Result<std::string> rendered() {
        if (m_runs.size() == 1 && !json() && !m_format) return summary();
        const ReportFormat format = json() ? ReportFormat::Json : m_format.value_or(ReportFormat::Markdown);
        BDQ_TRY(std::string text, m_runs.size() == 1 ? report::renderReport(m_runs.front(), format)
                                                     : report::renderComparison(m_runs, format));
        if (!text.empty() && text.back() != '\n') text += '\n';
        return text;
    }

    Result<std::string> summary() {
        const std::string path = (std::filesystem::path(m_runs.front()) / "run.json").string();
        BDQ_TRY(const std::string text, readTextFile(path, kMaxRunBytes));
        BDQ_TRY(const RunResult run, decodeRun(text, path));
        return describeRun(run);
    }

    std::vector<std::string> m_runs;
    std::optional<ReportFormat> m_format;
    std::string m_outFile;
};

} // namespace

std::unique_ptr<Command> makeCompareCommand() {
    return std::make_unique<CompareCommand>();
}

} // namespace bdq::cli
