// Measured SQNR of sites, kept apart by how it was measured: values of different kinds cannot be compared.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <QString>

#include "engine/api/results.h"

namespace bdq {

enum class MeasuredKind {
    Analysis, ///< by the analysis on its sample, nearest codes with ranges from the extremes
    Live,     ///< by the resident worker on kept tokens, rounded as the plan says
    Run       ///< by a run on its calibration text, with its own rounding
};

struct MeasuredSource {
    MeasuredKind kind = MeasuredKind::Analysis;
    QString run = {};   ///< folder of the run; empty unless Run
    QString title = {}; ///< "run #3"; empty unless Run
    /// The title does not tell sources apart.
    bool operator==(const MeasuredSource& other) const { return kind == other.kind && run == other.run; }
};
/// "analysis", "live" or the title of the run.
QString measuredSourceText(const MeasuredSource& source);

/// How a value was asked for: of a site under a transform and a scheme without its KV part.
struct MeasuredQuery {
    SiteKey key;
    TransformKind transform = TransformKind::None;
    std::string scheme;
};
/// formatScheme() of a linear site: its cache does not matter.
std::string linearSchemeText(Scheme scheme);

/// How predictions from `statistics` round weights for a plan with this rounding: what GPTQ and output errors
/// gain beyond the range search is not predicted, and older analyses know no range search.
QString predictionText(WeightRounding rounding, const TransformAnalysis& statistics);

struct MeasuredSqnr {
    MeasuredSource source;
    WeightRounding rounding = WeightRounding::Rtn;
    std::int64_t tokens = 0;
    double sqnrDb = 0;
};

/// All that was measured of one model, except what its analysis holds.
class MeasuredSqnrStore {
public:
    void clear();
    void clearLive();
    void clearRuns();
    /// `rounding` = what was asked for. Newer answers to the same question replace older ones.
    void addLive(const SiteAnswer& answer, WeightRounding rounding);
    /// Rows of the linear sites of a run; replaces what the same folder had.
    void addRun(const QString& folder, const QString& title, const RunResult& run);

    /// Runs in the order they came.
    [[nodiscard]] const std::vector<MeasuredSource>& runs() const { return m_runs; }
    /// Every value that answers the query: of the analysis (`site` may be null), live, of runs.
    [[nodiscard]] std::vector<MeasuredSqnr> of(const MeasuredQuery& query, const SiteAnalysis* site) const;
    /// The one value of `source`; of live values the one with `rounding`.
    [[nodiscard]] std::optional<double> value(const MeasuredSource& source, const MeasuredQuery& query,
                                              const SiteAnalysis* site, WeightRounding rounding) const;

private:
    struct Entry {
        TransformKind transform;
        std::string scheme;
        MeasuredSqnr value;
    };
    void add(SiteKey key, Entry entry);

    std::map<SiteKey, std::vector<Entry>> m_entries;
    std::vector<MeasuredSource> m_runs;
};

} // namespace bdq
