#include "engine/report/report.h"

#include "engine/api/atomic_file.h"
#include "engine/report/builders.h"

namespace bdq::report {

Result<std::string> renderReport(const std::string& dir, ReportFormat format) {
    BDQ_TRY(const ReportData data, loadReportData(dir));
    switch (format) {
    case ReportFormat::Csv:
        return csvReport(data);
    case ReportFormat::Json:
        return jsonReport(data);
    case ReportFormat::Html:
        return renderHtml(data.run ? runDocument(data) : analysisDocument(data));
    case ReportFormat::Markdown:
        return renderMarkdown(data.run ? runDocument(data) : analysisDocument(data));
    }
    return fail(ErrorCode::Internal, "report: unknown format");
}

Status writeReport(const ReportSpec& spec) {
    BDQ_TRY(const std::string text, renderReport(spec.dir, spec.format));
    return writeFileAtomically(spec.outFile, text);
}

} // namespace bdq::report
