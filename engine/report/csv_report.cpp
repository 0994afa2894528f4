#include <limits>

#include "engine/report/builders.h"
#include "engine/report/text_format.h"

namespace bdq::report {
namespace {

/// Collects one line; numbers exactly, empty for NaN.
class CsvLine {
public:
    CsvLine& text(std::string_view value) {
        m_text += (m_text.empty() ? "" : ",") + escapeCsv(value);
        return *this;
    }
    CsvLine& number(double value) { return raw(formatExact(value)); }
    CsvLine& integer(std::int64_t value) { return raw(std::to_string(value)); }
    [[nodiscard]] std::string line() const { return m_text + "\n"; }

private:
    CsvLine& raw(const std::string& value) {
        m_text += (m_text.empty() ? "" : ",") + value;
        return *this;
    }
    std::string m_text;
};

std::string runCsv(const RunResult& run) {
    std::string out =
        "layer,site,scheme,sqnr (dB),mse,flatness_activation_before (0..1),flatness_activation_after (0..1),"
        "flatness_weight_before (0..1),flatness_weight_after (0..1)\n";
    for (const RunSiteResult& row : run.perLayer)
        out += CsvLine()
                   .integer(row.key.layer)
                   .text(siteName(row.key.site))
                   .text(row.scheme)
                   .number(row.sqnrDb)
                   .number(row.mse)
                   .number(row.flatnessBefore)
                   .number(row.flatnessAfter)
                   .number(row.weightFlatnessBefore)
                   .number(row.weightFlatnessAfter)
                   .line();
    return out;
}

std::string analysisCsv(const AnalysisResult& analysis) {
    CsvLine head;
    for (std::string_view column :
         {"layer", "site", "transform", "flatness_activation (0..1)", "flatness_weight (0..1)",
          "channel_flatness_activation (0..1.42)", "concentration_activation (dB)",
          "concentration_weight (dB)", "alignment (dB)", "absmax_activation", "absmax_weight",
          "kurtosis_activation", "outlier_share (0..1)", "top_token_energy (0..1)"})
        head.text(column);
    for (const std::string& scheme : analysis.spec.schemes)
        for (std::string_view kind : {"measured", "predicted", "theorem"})
            head.text("sqnr_" + std::string(kind) + " " + scheme + " (dB)");
    for (const std::string& scheme : analysis.spec.schemes)
        head.text("sqnr_token_median " + scheme + " (dB)")
            .text("sqnr_token_low " + scheme + " (dB)")
            .text("loss_estimated " + scheme + " (nats)");
    std::string out = head.line();
    for (const SiteAnalysis& site : analysis.sites)
        for (const auto& [kind, value] : site.transforms) {
            CsvLine row;
            row.integer(site.key.layer).text(siteName(site.key.site)).text(transformInfo(kind).id);
            for (double number :
                 {value.activation.entropyNormalized, value.weight.entropyNormalized,
                  value.activation.channelNormalized, value.concentrationActivationDb,
                  value.concentrationWeightDb, value.alignmentDb, value.absmaxActivation, value.absmaxWeight,
                  value.kurtosisActivation, value.outlierShare, site.topTokenEnergyShare})
                row.number(number);
            for (const std::string& scheme : analysis.spec.schemes)
                for (const auto* values :
                     {&value.sqnrDbMeasured, &value.sqnrDbPredicted, &value.sqnrDbTheorem}) {
                    const auto found = values->find(scheme);
                    found == values->end() ? row.text("") : row.number(found->second);
                }
            for (const std::string& scheme : analysis.spec.schemes) {
                for (const auto* values : {&value.sqnrDbTokenMedian, &value.sqnrDbTokenLow}) {
                    const auto found = values->find(scheme);
                    found == values->end() ? row.text("") : row.number(found->second);
                }
                const auto parsed = parseScheme(scheme);
                row.number(parsed ? estimatedLoss(site, kind, *parsed)
                                  : std::numeric_limits<double>::quiet_NaN());
            }
            out += row.line();
        }
    return out;
}

} // namespace

std::string csvReport(const ReportData& data) {
    return data.run ? runCsv(*data.run) : analysisCsv(*data.analysis);
}

} // namespace bdq::report
