#include "engine/report/report.h"

#include "engine/api/atomic_file.h"
#include "engine/report/builders.h"

namespace bdq::report {

Result<std::string> renderReport(const std::string& dir, ReportFormat format,
                                 const std::vector<ReportSection>& leaveOut) {
    BDQ_TRY(const ReportData data, loadReportData(dir));
    const auto document = [&] {
        return data.run ? runDocument(data, leaveOut) : analysisDocument(data, leaveOut);
    };
    switch (format) {
    case ReportFormat::Csv:
        return csvReport(data);
    case ReportFormat::Json:
        return jsonReport(data);
    case ReportFormat::Html:
        return renderHtml(document());
    case ReportFormat::Markdown:
        return renderMarkdown(document());
    }
    return fail(ErrorCode::Internal, "report: unknown format");
}

Status writeReport(const ReportSpec& spec) {
    if (spec.outFile == "-")
        return fail(ErrorCode::InvalidSpec, "out: found \"-\" (standard output), expected a file name");
    BDQ_TRY(const std::string text, renderReport(spec.dir, spec.format, spec.leaveOut));
    return writeFileAtomically(spec.outFile, text);
}

} // namespace bdq::report
