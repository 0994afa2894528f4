// bdq analyze MODEL --out DIR: outliers, Flatness and predicted error of every layer under every transform.
#include <algorithm>
#include <limits>

#include "engine/cli/job_command.h"
#include "engine/cli/job_options.h"
#include "engine/cli/text.h"

namespace bdq::cli {
namespace {

constexpr std::size_t kWorstSites = 10;

std::string transformNames() {
    std::string names;
    for (const TransformInfo& info : closedFormTransforms())
        names += (names.empty() ? "" : ", ") + std::string(info.id);
    return names;
}

std::string transformHelp() {
    std::string text = "Transforms:\n";
    for (const TransformInfo& info : closedFormTransforms())
        text += "  " + std::string(info.id) + ": " + std::string(info.title) + ". " +
                std::string(info.explanation) + "\n";
    return text;
}

/// Measured SQNR of a site in dB, or NaN when it was not measured.
double sqnrOf(const SiteAnalysis& site, TransformKind kind, const std::string& scheme) {
    const auto transform = site.transforms.find(kind);
    if (transform == site.transforms.end()) return std::numeric_limits<double>::quiet_NaN();
    const auto value = transform->second.sqnrDbMeasured.find(scheme);
    return value == transform->second.sqnrDbMeasured.end() ? std::numeric_limits<double>::quiet_NaN()
                                                           : value->second;
}

double flatnessOf(const SiteAnalysis& site, TransformKind kind) {
    const auto transform = site.transforms.find(kind);
    return transform == site.transforms.end() ? std::numeric_limits<double>::quiet_NaN()
                                              : transform->second.activation.entropyNormalized;
}

std::string worstSites(const AnalysisResult& result) {
    const std::string scheme = result.spec.schemes.front();
    const TransformKind first = result.spec.transforms.front();
    const TransformKind last = result.spec.transforms.back();
    std::vector<const SiteAnalysis*> sites;
    for (const SiteAnalysis& site : result.sites)
        sites.push_back(&site);
    std::stable_sort(sites.begin(), sites.end(), [&](const SiteAnalysis* a, const SiteAnalysis* b) {
        return sortKey(sqnrOf(*a, first, scheme)) < sortKey(sqnrOf(*b, first, scheme));
    });
    sites.resize(std::min(sites.size(), kWorstSites));

    std::vector<std::string> heading{"layer", "site"};
    for (const TransformKind kind : result.spec.transforms)
        heading.emplace_back(transformInfo(kind).id);
    heading.push_back("flatness " + std::string(transformInfo(first).id));
    if (last != first) heading.push_back("flatness " + std::string(transformInfo(last).id));
    TextTable table(heading);
    for (const SiteAnalysis* site : sites) {
        std::vector<std::string> row{std::to_string(site->key.layer), std::string(siteName(site->key.site))};
        for (const TransformKind kind : result.spec.transforms)
            row.push_back(formatNumber(sqnrOf(*site, kind, scheme), 1));
        row.push_back(formatNumber(flatnessOf(*site, first), 3));
        if (last != first) row.push_back(formatNumber(flatnessOf(*site, last), 3));
        table.add(std::move(row));
    }
    return "Worst " + std::to_string(sites.size()) + " of " + std::to_string(result.sites.size()) +
           " sites at " + scheme +
           ": measured SQNR in dB by transform, Flatness of the activation (0 = flat)\n" + table.render();
}

std::string describe(const AnalysisResult& result) {
    const Provenance& made = result.provenance;
    return result.model.name + ": " + std::to_string(result.model.layers) + " layers, " +
           std::to_string(result.text.sequences) + " x " + std::to_string(result.text.sequenceLength) +
           " tokens of " + result.text.source + " (" + bosText(result.text) +
           (result.text.form.empty() ? std::string() : "; " + result.text.form) + "), " + made.device + "\n" +
           (result.sites.empty() ? std::string() : worstSites(result)) + "Time " +
           formatDuration(made.seconds) + ", peak memory " + formatBytes(made.peakHostBytes) +
           "\nAnalysis in " + result.spec.outDir + "\n";
}

class AnalyzeCommand : public JobCommand {
public:
    AnalyzeCommand()
        : JobCommand("analyze", "measure outliers, Flatness and SQNR of every layer under every transform") {}

    void declare(Arguments& arguments) override {
        arguments.word("MODEL", "GGUF file, safetensors file or Hugging Face folder", m_spec.modelPath);
        arguments.option({"--out", "DIR", "folder for analysis.json and its detail files"}, m_spec.outDir,
                         true);
        declareCalibration(arguments, m_spec.calibration, std::to_string(m_spec.calibration.sequences));
        declareLayers(arguments, m_spec.layers, "layers to analyse, e.g. 0-3,7 (default all)");
        arguments.option({"--transforms", "LIST", "comma-separated: " + transformNames() + " (default all)"},
                         [this](const std::string& text) { return takeTransforms(text); });
        arguments.option({"--schemes", "LIST", "comma-separated bit widths to measure (default W4A4,W8A8)"},
                         [this](const std::string& text) -> Status {
                             m_spec.schemes = splitList(text);
                             return {};
                         });
        declareSwitch(
            arguments,
            {"--estimate", "on|off",
             "estimate what the whole model loses by every site, from one backward pass (default on)"},
            [this](bool on) { m_spec.estimateLosses = on; });
        declareSeed(arguments, m_spec.seed,
                    "seed of random signs, of drawn labels and of self-generated text");
        declareDevice(arguments, m_spec.device);
        declareJson(arguments);
        arguments.footer(transformHelp());
    }

protected:
    Result<JobSpec> spec() override { return m_spec; }

    std::string printed(const JobResult& result) override {
        const auto& analysis = std::get<AnalysisResult>(result);
        return json() ? endLine(encodeAnalysis(analysis)) : describe(analysis);
    }

private:
    Status takeTransforms(const std::string& text) {
        m_spec.transforms.clear();
        for (const std::string& id : splitList(text)) {
            const std::optional<TransformKind> kind = transformFromName(id);
            if (!kind)
                return fail(ErrorCode::InvalidSpec,
                            "--transforms: unknown transform \"" + id + "\", expected " + transformNames());
            m_spec.transforms.push_back(*kind);
        }
        return {};
    }

    AnalyzeSpec m_spec;
};

} // namespace

std::unique_ptr<Command> makeAnalyzeCommand() {
    return std::make_unique<AnalyzeCommand>();
}

} // namespace bdq::cli
