// Plans as JSON: files of their own, and a part of what describes a run.
#include "engine/api/json_codec.h"

namespace bdq {
namespace json {
namespace {

constexpr int kPlanSchema = 1;

} // namespace

void putPlan(Json& out, const Plan& plan) {
    out["scheme"] = formatScheme(plan.base);
    Json rows = Json::array();
    for (const auto& [key, scheme] : plan.overrides) {
        Json row = keyToJson(key);
        row["scheme"] = formatScheme(scheme);
        rows.push_back(std::move(row));
    }
    out["overrides"] = std::move(rows);
}

Plan readPlan(Reader& in) {
    Plan plan;
    plan.base = readScheme(in, "scheme");
    if (!in.has("overrides")) return plan;
    for (Reader& row : in.objects("overrides")) {
        row.allowOnly({"layer", "site", "scheme"});
        const SiteKey key = readKey(row);
        const Scheme scheme = readScheme(row, "scheme");
        if (plan.overrides.contains(key))
            row.refuse({},
                       "a second entry for layer " + std::to_string(key.layer) + " " +
                           std::string(siteName(key.site)),
                       "one entry per layer and site");
        plan.set(key, scheme);
    }
    return plan;
}

} // namespace json

std::string encodePlan(const Plan& plan) {
    json::Json out{{"schema", json::kPlanSchema}};
    json::putPlan(out, plan);
    return json::dump(out, 1);
}

Result<Plan> decodePlan(std::string_view text, const std::string& label) {
    BDQ_TRY(const json::Json document, json::parseObject(text, label, ErrorCode::BadFormat));
    json::ReadState state{label, ErrorCode::BadFormat, {}};
    json::Reader reader(document, state);
    reader.checkSchema(json::kPlanSchema);
    Plan plan;
    if (reader.has("job")) {
        JobSpec spec = json::readSpec(reader);
        if (RunSpec* run = std::get_if<RunSpec>(&spec))
            plan = std::move(run->plan);
        else
            reader.refuse("job", "\"" + std::string(jobName(spec)) + "\"", "run");
    } else {
        reader.allowOnly({"schema", "scheme", "overrides"});
        plan = json::readPlan(reader);
    }
    BDQ_CHECK(reader.status());
    return plan;
}

} // namespace bdq
