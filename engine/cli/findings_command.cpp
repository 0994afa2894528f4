// bdq findings ANALYSIS [RUN...]: what was found, in words.
#include <algorithm>
#include <filesystem>
#include <optional>

#include <nlohmann/json.hpp>

#include "engine/api/atomic_file.h"
#include "engine/cli/command.h"
#include "engine/cli/findings.h"
#include "engine/cli/job_options.h"
#include "engine/cli/text.h"

namespace bdq::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxBytes = std::size_t{1} << 28;

Json asJson(const AnalysisFindings& findings) {
    Json out{{"schema", kResultSchema},
             {"scheme", formatScheme(findings.scheme)},
             {"transform", transformInfo(findings.transform).id},
             {"basis", lossBasisName(findings.ranking.basis)}};
    out["sum"] = findings.ranking.sum;
    out["worst"] = Json::array();
    for (const WorstSite& site : findings.worst)
        out["worst"].push_back({{"layer", site.ranked.key.layer},
                                {"site", siteName(site.ranked.key.site)},
                                {"loss", site.ranked.loss},
                                {"share", site.ranked.share},
                                {"reason", site.reason}});
    out["more_bits"] = nullptr;
    if (const auto& more = findings.moreBits)
        out["more_bits"] = {{"bits_before", more->bitsBefore},
                            {"bits_after", more->bitsAfter},
                            {"loss_before", more->lossBefore},
                            {"loss_after", more->lossAfter},
                            {"sites", more->sites}};
    return out;
}

Json asJson(const std::vector<RunResult>& runs) {
    Json choices = Json::array();
    for (const RunResult& run : runs) {
        Json row{{"name", choiceName(run)},
                 {"scheme", formatScheme(run.spec.plan.base)},
                 {"perplexity", nullptr},
                 {"perplexity_full", nullptr}};
        if (run.full) row["perplexity_full"] = run.full->perplexity;
        if (run.quantized) {
            row["perplexity"] = run.quantized->perplexity;
            row["measured_on"] = run.quantized->text;
            row["measured_tokens"] = run.quantized->measuredTokens();
        }
        row["calibrated_on"] = run.text.source;
        row["calibration_tokens"] = run.text.tokens;
        row["seconds"] = run.provenance.seconds;
        choices.push_back(std::move(row));
    }
    return choices;
}

class FindingsCommand : public Command {
public:
    FindingsCommand()
        : Command("findings", "say in words which sites cost most and why, and what each choice gives") {}

    void declare(Arguments& arguments) override {
        arguments.words(
            "DIR",
            "folder of an analysis (its sensitivity.json counts, if there is one), then, if wanted, "
            "folders of finished runs",
            m_dirs);
        arguments.option({"--scheme", "S", "bits to judge by (default: the first that was analysed)"},
                         [this](const std::string& text) -> Status {
                             BDQ_TRY(m_scheme, parseScheme(text));
                             return {};
                         });
        arguments.option({"--transform", "NAME", "whose losses count (default: the last that was analysed)"},
                         [this](const std::string& text) -> Status {
                             BDQ_TRY(m_transform, readTransformName(text, "--transform"));
                             return {};
                         });
        declareJson(arguments);
    }

    Result<int> execute(Console& console, EngineServices*) override {
        BDQ_TRY(const AnalysisResult analysis, readAnalysis());
        BDQ_TRY(const std::optional<SensitivityResult> sensitivity, readSensitivity());
        BDQ_TRY(const Scheme scheme, schemeOf(analysis));
        BDQ_TRY(const TransformKind transform, transformOf(analysis));
        auto findings = findAnalysis(analysis, sensitivity ? &*sensitivity : nullptr, scheme, transform);
        if (!findings) return passOn(std::move(findings).error(), m_dirs.front());
        Json out = asJson(*findings);
        std::string text = describeFindings(*findings, analysis, m_dirs.front());
        if (m_dirs.size() > 1) {
            BDQ_TRY(const std::vector<RunResult> runs, readRuns());
            out["choices"] = asJson(runs);
            text += describeChoices(runs);
        }
        BDQ_CHECK(console.print(json() ? endLine(out.dump()) : text));
        return 0;
    }

private:
    [[nodiscard]] Result<AnalysisResult> readAnalysis() const {
        const std::string path = (fs::path(m_dirs.front()) / "analysis.json").string();
        BDQ_TRY(const std::string text, readTextFile(path, kMaxBytes));
        return decodeAnalysis(text, path);
    }
    [[nodiscard]] Result<std::optional<SensitivityResult>> readSensitivity() const {
        const fs::path path = fs::path(m_dirs.front()) / kSensitivityFileName;
        std::error_code error;
        if (!fs::exists(path, error)) return std::optional<SensitivityResult>();
        BDQ_TRY(const std::string text, readTextFile(path, kMaxBytes));
        BDQ_TRY(SensitivityResult result, decodeSensitivity(text, path.string()));
        return std::optional(std::move(result));
    }
    [[nodiscard]] Result<std::vector<RunResult>> readRuns() const {
        std::vector<RunResult> runs;
        for (auto dir = m_dirs.begin() + 1; dir != m_dirs.end(); ++dir) {
            const std::string path = (fs::path(*dir) / "run.json").string();
            BDQ_TRY(const std::string text, readTextFile(path, kMaxBytes));
            BDQ_TRY(RunResult run, decodeRun(text, path));
            runs.push_back(std::move(run));
        }
        return runs;
    }
    [[nodiscard]] Result<Scheme> schemeOf(const AnalysisResult& analysis) const {
        if (m_scheme) return *m_scheme;
        if (!analysis.spec.schemes.empty()) return parseScheme(analysis.spec.schemes.front());
        return fail(ErrorCode::InvalidSpec,
                    m_dirs.front() + ": the analysis measured no bits, expected --scheme");
    }
    [[nodiscard]] Result<TransformKind> transformOf(const AnalysisResult& analysis) const {
        const auto& analysed = analysis.spec.transforms;
        const TransformKind kind =
            m_transform.value_or(analysed.empty() ? TransformKind::None : analysed.back());
        if (std::find(analysed.begin(), analysed.end(), kind) != analysed.end()) return kind;
        return fail(ErrorCode::InvalidSpec, "--transform: " + std::string(transformInfo(kind).id) +
                                                " was not analysed in " + m_dirs.front());
    }

    std::vector<std::string> m_dirs;
    std::optional<Scheme> m_scheme;
    std::optional<TransformKind> m_transform;
};

} // namespace

std::unique_ptr<Command> makeFindingsCommand() {
    return std::make_unique<FindingsCommand>();
}

} // namespace bdq::cli
