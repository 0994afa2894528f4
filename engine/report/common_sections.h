// Sections that run reports, analysis reports and comparisons share.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/results.h"
#include "engine/report/document.h"

namespace bdq::report {

/// Adds make() unless `section` is left out.
template <class Make>
void addSection(Document& document, ReportSection section, const std::vector<ReportSection>& leaveOut,
                const Make& make) {
    if (std::ranges::find(leaveOut, section) == leaveOut.end()) document.sections.push_back(make());
}
/// "layer 3 down"
std::string siteText(SiteKey key);
/// Title and definition from metricTable(); `title` replaces the title when given.
Column metricColumn(std::string_view metricId, std::string title = {});
/// Definitions of the named metrics.
Section definitionsSection(const std::vector<std::string_view>& metricIds);
/// Two columns of names and values.
Table factTable(const std::vector<std::pair<std::string, std::string>>& facts);
/// Where results come from.
struct Sources {
    const ModelConfig& model;
    std::int64_t parameters = 0;
    std::string modelPath;
    std::string modelFingerprint; ///< may be empty
    const TextInfo& text;
    std::optional<EvalResult> evaluation{};
};
/// Model, text, tokens.
Section sourcesSection(const Sources& sources);
/// "46.12 ± 0.53": a perplexity with its standard error, where it has one.
std::string perplexityText(const EvalResult& evaluation);
/// "8,192 tokens, 6 of 30 layers": what a perplexity of a run was measured on, and of how much of the model.
std::string perplexitySize(const RunResult& run, const EvalResult& evaluation);
/// Versions, device, command.
Section reproductionSection(const Provenance& provenance, std::uint64_t seed);
/// Notes, or a sentence that there are none.
Section notesSection(const std::vector<std::string>& notes);
/// Last part of a path: reports go to others, whose folders are not ours. The command that repeats a job
/// keeps the whole.
std::string lastName(const std::string& path);
/// Names of folders, each as short as tells them apart: "run-1", "b/run-1".
std::vector<std::string> shortNames(const std::vector<std::string>& folders);
/// Name of a model for titles.
std::string modelTitle(const ModelConfig& model, const std::string& modelPath);

} // namespace bdq::report
