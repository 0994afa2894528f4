#include "widgets/measured_sqnr.h"

#include <algorithm>

#include <QCoreApplication>

namespace bdq {

QString measuredSourceText(const MeasuredSource& source) {
    switch (source.kind) {
    case MeasuredKind::Analysis:
        return QCoreApplication::translate("bdq::MeasuredSource", "analysis");
    case MeasuredKind::Live:
        return QCoreApplication::translate("bdq::MeasuredSource", "live");
    case MeasuredKind::Run:
        break;
    }
    return source.title;
}

std::string linearSchemeText(Scheme scheme) {
    scheme.kv = OperandScheme{16, false, 0};
    return formatScheme(scheme);
}

QString predictionText(WeightRounding rounding, const TransformAnalysis& statistics) {
    const auto text = [](const char* source) {
        return QCoreApplication::translate("bdq::MeasuredSource", source);
    };
    if (rounding != WeightRounding::Rtn && !statistics.weightNoiseSymmetricSearched)
        return text(QT_TRANSLATE_NOOP(
            "bdq::MeasuredSource", "nearest, ranges from the extremes: this analysis knows no range search"));
    switch (rounding) {
    case WeightRounding::Rtn:
        return text(QT_TRANSLATE_NOOP("bdq::MeasuredSource", "nearest, ranges from the extremes"));
    case WeightRounding::Mse:
        return text(QT_TRANSLATE_NOOP("bdq::MeasuredSource", "nearest with range search"));
    case WeightRounding::OutputMse:
        return text(QT_TRANSLATE_NOOP("bdq::MeasuredSource",
                                      "nearest with range search; ranges by output error gain more"));
    case WeightRounding::Gptq:
        break;
    }
    return text(QT_TRANSLATE_NOOP("bdq::MeasuredSource", "nearest with range search; GPTQ gains more"));
}

void MeasuredSqnrStore::clear() {
    m_entries.clear();
    m_runs.clear();
}

void MeasuredSqnrStore::clearLive() {
    for (auto& [key, entries] : m_entries)
        std::erase_if(entries,
                      [](const Entry& entry) { return entry.value.source.kind == MeasuredKind::Live; });
}

void MeasuredSqnrStore::clearRuns() {
    for (auto& [key, entries] : m_entries)
        std::erase_if(entries,
                      [](const Entry& entry) { return entry.value.source.kind == MeasuredKind::Run; });
    m_runs.clear();
}

void MeasuredSqnrStore::add(SiteKey key, Entry entry) {
    std::vector<Entry>& entries = m_entries[key];
    const auto same = std::ranges::find_if(entries, [&](const Entry& other) {
        return other.transform == entry.transform && other.scheme == entry.scheme &&
               other.value.source == entry.value.source && other.value.rounding == entry.value.rounding;
    });
    if (same == entries.end())
        entries.push_back(std::move(entry));
    else
        *same = std::move(entry);
}

void MeasuredSqnrStore::addLive(const SiteAnswer& answer, WeightRounding rounding) {
    const Result<Scheme> scheme = parseScheme(answer.scheme);
    if (!scheme) return;
    add(answer.key, {answer.transform,
                     linearSchemeText(*scheme),
                     {{MeasuredKind::Live}, rounding, answer.tokens, answer.sqnrDb}});
}

void MeasuredSqnrStore::addRun(const QString& folder, const QString& title, const RunResult& run) {
    const MeasuredSource source{MeasuredKind::Run, folder, title};
    for (auto& [key, entries] : m_entries)
        std::erase_if(entries, [&](const Entry& entry) { return entry.value.source == source; });
    std::erase(m_runs, source);
    m_runs.push_back(source);
    for (const RunSiteResult& row : run.perLayer) {
        const Result<Scheme> scheme = parseScheme(row.scheme);
        if (!scheme || row.key.site == Site::KCache || row.key.site == Site::VCache) continue;
        add(row.key, {methodInfo(run.spec.method).transform,
                      linearSchemeText(*scheme),
                      {source, effectiveRounding(run.spec), run.text.tokens, row.sqnrDb}});
    }
}

std::vector<MeasuredSqnr> MeasuredSqnrStore::of(const MeasuredQuery& query, const SiteAnalysis* site) const {
    std::vector<MeasuredSqnr> values;
    if (site != nullptr) {
        const auto transform = site->transforms.find(query.transform);
        if (transform != site->transforms.end()) {
            const auto& measured = transform->second.sqnrDbMeasured;
            if (const auto found = measured.find(query.scheme); found != measured.end())
                values.push_back(
                    {{MeasuredKind::Analysis}, WeightRounding::Rtn, site->sampleTokens, found->second});
        }
    }
    const auto entries = m_entries.find(query.key);
    if (entries == m_entries.end()) return values;
    for (const MeasuredKind kind : {MeasuredKind::Live, MeasuredKind::Run})
        for (const Entry& entry : entries->second)
            if (entry.value.source.kind == kind && entry.transform == query.transform &&
                entry.scheme == query.scheme)
                values.push_back(entry.value);
    return values;
}

std::optional<double> MeasuredSqnrStore::value(const MeasuredSource& source, const MeasuredQuery& query,
                                               const SiteAnalysis* site, WeightRounding rounding) const {
    for (const MeasuredSqnr& value : of(query, site))
        if (value.source == source && (source.kind != MeasuredKind::Live || value.rounding == rounding))
            return value.sqnrDb;
    return std::nullopt;
}

} // namespace bdq
