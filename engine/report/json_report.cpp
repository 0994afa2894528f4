#include <cmath>

#include <nlohmann/json.hpp>

#include "engine/report/builders.h"
#include "engine/report/loss_section.h"
#include "engine/report/site_plots.h"

namespace bdq::report {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::size_t kWorstSites = 4;
constexpr int kIndent = 1;

Json keysJson(const std::vector<SiteKey>& keys) {
    Json out = Json::array();
    for (const SiteKey key : keys)
        out.push_back({{"layer", key.layer}, {"site", siteName(key.site)}});
    return out;
}

/// What the sites cost the model: basis, sum, and every site with its loss and share, the costliest first.
Json rankingJson(const ReportData& data) {
    const RankedPlan plan = rankedPlan(data);
    Json out{{"basis", analysis::lossBasisName(plan.ranking.basis)},
             {"scheme", plan.scheme},
             {"transform", transformInfo(plan.transform).id},
             {"sites", Json::array()}};
    if (plan.ranking.basis == analysis::LossBasis::None) return out;
    out["sum_nats"] = plan.ranking.sum;
    for (const analysis::RankedSite& site : plan.ranking.sites)
        out["sites"].push_back({{"layer", site.key.layer},
                                {"site", siteName(site.key.site)},
                                {"loss_nats", site.loss},
                                {"share", site.share}});
    return out;
}

Json derivedOfRun(const ReportData& data) {
    const RunResult& run = *data.run;
    Json out = Json::object();
    if (run.full && run.quantized) {
        out["perplexity_gap"] = run.quantized->perplexity - run.full->perplexity;
        out["perplexity_ratio"] = run.quantized->perplexity / run.full->perplexity;
    }
    std::vector<SiteValue> values;
    double sum = 0;
    int finite = 0;
    for (const RunSiteResult& row : run.perLayer) {
        values.push_back({row.key, row.sqnrDb});
        if (!std::isfinite(row.sqnrDb)) continue;
        sum += row.sqnrDb;
        ++finite;
    }
    out["mean_sqnr_db"] = finite > 0 ? Json(sum / finite) : Json();
    out["sites_without_finite_sqnr"] = run.perLayer.size() - static_cast<std::size_t>(finite);
    const std::vector<SiteKey> costly =
        data.analysis ? costliest(rankedPlan(data), kWorstSites) : std::vector<SiteKey>();
    out["worst_sites"] = keysJson(costly.empty() ? lowest(std::move(values), kWorstSites) : costly);
    out["worst_sites_by"] = costly.empty() ? "sqnr_db" : "loss";
    return out;
}

Json derivedOfAnalysis(const AnalysisResult& analysis) {
    Json out = Json::object();
    for (TransformKind kind : analysis.spec.transforms)
        for (const std::string& scheme : analysis.spec.schemes) {
            double sum = 0;
            int finite = 0;
            for (const SiteAnalysis& site : analysis.sites) {
                const auto transform = site.transforms.find(kind);
                if (transform == site.transforms.end()) continue;
                const auto value = transform->second.sqnrDbMeasured.find(scheme);
                if (value == transform->second.sqnrDbMeasured.end() || !std::isfinite(value->second))
                    continue;
                sum += value->second;
                ++finite;
            }
            out["mean_sqnr_db_measured"][std::string(transformInfo(kind).id)][scheme] =
                finite > 0 ? Json(sum / finite) : Json();
        }
    return out;
}

} // namespace

Result<std::string> jsonReport(const ReportData& data) {
    const std::string stored = data.run ? encodeRun(*data.run) : encodeAnalysis(*data.analysis);
    Json out{{"schema", kResultSchema}, {"kind", data.run ? "run" : "analysis"}};
    // Written by our own encoder just now; a failure to read it back is a bug of ours.
    out["result"] = Json::parse(stored, nullptr, false);
    if (out["result"].is_discarded())
        return fail(ErrorCode::Internal, "report: our own result is not valid JSON");
    if (data.sensitivity) {
        out["sensitivity"] = Json::parse(encodeSensitivity(*data.sensitivity), nullptr, false);
        if (out["sensitivity"].is_discarded())
            return fail(ErrorCode::Internal, "report: our own sensitivity is not valid JSON");
    }
    out["derived"] = data.run ? derivedOfRun(data) : derivedOfAnalysis(*data.analysis);
    if (data.analysis) out["derived"]["ranking"] = rankingJson(data);
    out["problems"] = data.problems;
    return out.dump(kIndent, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace bdq::report
