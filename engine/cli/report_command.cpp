// bdq report DIR --format html --out FILE: the report of an analysis folder or a run folder.
#include <filesystem>

#include <nlohmann/json.hpp>

#include "engine/api/results.h"
#include "engine/cli/command.h"
#include "engine/cli/text.h"
#include "engine/report/report.h"

namespace bdq::cli {
namespace {

class ReportCommand : public Command {
public:
    ReportCommand() : Command("report", "write the report of an analysis or a run") {}

    void declare(Arguments& arguments) override {
        arguments.word("DIR", "folder of an analysis or a run", m_spec.dir);
        arguments.option({"--format", "F", "html (one self-contained file), md, csv or json (default html)"},
                         [this](const std::string& name) -> Status {
                             const std::optional<ReportFormat> format = reportFormatFromName(name);
                             if (!format)
                                 return fail(ErrorCode::InvalidSpec,
                                             "--format: unknown format \"" + name +
                                                 "\", expected html, md, csv or json");
                             m_spec.format = *format;
                             return {};
                         });
        arguments.option({"--out", "FILE", "file to write; - = standard output"}, m_spec.outFile, true);
        arguments.option(
            {"--leave-out", "LIST", "sections to leave out of html and md, e.g. " + sectionNames()},
            [this](const std::string& text) { return readLeaveOut(text); });
        declareJson(arguments);
    }

    Status check() override {
        BDQ_CHECK(checkOutput(m_spec.outFile, json()));
        return validate(m_spec);
    }

    Result<int> execute(Console& console, EngineServices*) override {
        if (m_spec.outFile == kStandardOutput) {
            BDQ_TRY(const std::string text, report::renderReport(m_spec.dir, m_spec.format, m_spec.leaveOut));
            BDQ_CHECK(console.print(endLine(text)));
            return 0;
        }
        BDQ_CHECK(report::writeReport(m_spec));
        std::error_code error;
        const std::uintmax_t bytes = std::filesystem::file_size(m_spec.outFile, error);
        BDQ_CHECK(console.print(json() ? asJson(error ? 0 : bytes)
                                       : "Report in " + m_spec.outFile + " (" +
                                             formatBytes(error ? 0 : bytes) + ")\n"));
        return 0;
    }

private:
    static std::string sectionNames() {
        std::string names;
        for (const ReportSectionInfo& info : reportSectionTable())
            names += (names.empty() ? "" : ",") + std::string(info.id);
        return names;
    }

    Status readLeaveOut(const std::string& text) {
        m_spec.leaveOut.clear();
        for (const std::string& name : splitList(text)) {
            const std::optional<ReportSection> section = reportSectionFromName(name);
            if (!section)
                return fail(ErrorCode::InvalidSpec, "--leave-out: unknown section \"" + name +
                                                        "\", expected some of " + sectionNames());
            m_spec.leaveOut.push_back(*section);
        }
        return {};
    }

    [[nodiscard]] std::string asJson(std::uintmax_t bytes) const {
        nlohmann::ordered_json object;
        object["schema"] = kResultSchema;
        object["file"] = m_spec.outFile;
        object["format"] = reportFormatName(m_spec.format);
        object["bytes"] = bytes;
        return object.dump(2) + "\n";
    }

    ReportSpec m_spec;
};

} // namespace

std::unique_ptr<Command> makeReportCommand() {
    return std::make_unique<ReportCommand>();
}

} // namespace bdq::cli
