#include "tests/fake_worker/fake_results.h"

#include <cmath>
#include <filesystem>
#include <random>

#include "engine/api/atomic_file.h"
#include "engine/io/tensor_file.h"

namespace bdq::fake {
namespace {

constexpr std::int64_t kHidden = 64;
constexpr std::int64_t kIntermediate = 128;
constexpr std::int64_t kTokens = 256;
constexpr std::int64_t kKeptTokens = 4;

std::int64_t inputsOf(Site site) {
    return site == Site::Down ? kIntermediate : kHidden;
}
std::int64_t outputsOf(Site site) {
    return site == Site::Qkv ? 2 * kHidden : site == Site::GateUp ? 2 * kIntermediate : kHidden;
}

/// Outliers shrink from transform to transform, and grow with the layer: something to see in every plot.
double outlierFactor(SiteKey key, TransformKind transform) {
    const double base = 8.0 + 4.0 * key.layer + static_cast<double>(key.site);
    return 1.0 + base / (1.0 + 2.0 * static_cast<double>(transform));
}

std::mt19937_64 generatorFor(SiteKey key, TransformKind transform) {
    return std::mt19937_64(static_cast<std::uint64_t>(key.layer) * 100 +
                           static_cast<std::uint64_t>(key.site) * 10 + static_cast<std::uint64_t>(transform));
}

ModelConfig fakeModel() {
    ModelConfig config;
    config.architecture = "llama";
    config.name = "fake-llama";
    config.layers = kLayers;
    config.hiddenSize = kHidden;
    config.intermediateSize = kIntermediate;
    config.heads = 4;
    config.kvHeads = 2;
    config.headDim = 16;
    config.vocabSize = 300;
    config.contextLength = 256;
    config.tiedEmbedding = true;
    return config;
}

Provenance fakeProvenance(const JobSpec& spec, const DeviceOptions& device) {
    Provenance provenance;
    provenance.command = commandLine(spec);
    provenance.version = "fake";
    provenance.torch = "none";
    provenance.device = device.device == "auto" ? "cpu" : device.device;
    provenance.deviceName = "fake worker";
    provenance.threads = 1;
    provenance.startedUtc = "2026-01-01T00:00:00Z";
    provenance.seconds = 1.5;
    provenance.peakHostBytes = 64u << 20;
    return provenance;
}

TextInfo fakeText(const CalibrationOptions& calibration) {
    TextInfo text;
    text.source = calibration.source;
    text.sha256 = std::string(64, '0');
    text.sequences = calibration.sequences;
    text.sequenceLength = calibration.sequenceLength;
    text.tokens = kTokens;
    return text;
}

Flatness flatnessOf(double factor, std::int64_t count) {
    Flatness flatness;
    flatness.entropyBound = -std::log(static_cast<double>(count));
    flatness.entropyNormalized = 0.02 * factor;
    flatness.entropy = flatness.entropyBound * (1.0 - flatness.entropyNormalized);
    flatness.channel = factor;
    flatness.channelNormalized = 0.05 * factor;
    flatness.figure2 = -0.1 * factor;
    return flatness;
}

/// Half of the sensitivity's error, as makeSensitivity() has it.
LossEstimate lossEstimate(double factor) {
    LossEstimate loss;
    for (std::size_t i = 0; i < loss.weightSymmetric.size(); ++i) {
        const double step = std::exp2(-2.0 * static_cast<double>(i + 2));
        loss.activationSymmetric[i] = loss.activationAsymmetric[i] = 0.2 * factor * step;
        loss.weightSymmetric[i] = loss.weightAsymmetric[i] = 0.6 * factor * step;
        loss.weightSymmetricSearched[i] = loss.weightAsymmetricSearched[i] = 0.5 * factor * step;
    }
    return loss;
}

TransformAnalysis transformAnalysis(SiteKey key, TransformKind transform, const AnalyzeSpec& spec) {
    const double factor = outlierFactor(key, transform);
    TransformAnalysis analysis;
    analysis.activation = flatnessOf(factor, inputsOf(key.site) * kTokens);
    analysis.weight = flatnessOf(0.3 * factor, inputsOf(key.site) * outputsOf(key.site));
    analysis.concentrationActivationDb = 12.0 - factor;
    analysis.concentrationWeightDb = 14.0 - 0.3 * factor;
    analysis.alignmentDb = -2.0;
    analysis.absmaxActivation = factor;
    analysis.absmaxWeight = 0.1 * factor;
    analysis.kurtosisActivation = 3.0 + factor;
    analysis.outlierShare = 0.001 * factor;
    for (std::size_t i = 0; i < analysis.activationNoiseSymmetric.size(); ++i) {
        const double step = std::exp2(-2.0 * static_cast<double>(i + 2));
        analysis.activationNoiseSymmetric[i] = factor * step;
        analysis.activationNoiseAsymmetric[i] = 0.8 * factor * step;
        analysis.weightNoiseSymmetric[i] = 0.3 * factor * step;
        analysis.weightNoiseAsymmetric[i] = 0.25 * factor * step;
    }
    if (spec.estimateLosses) analysis.loss = lossEstimate(factor);
    for (const std::string& scheme : spec.schemes) {
        analysis.sqnrDbTokenMedian[scheme] = 20.0 - factor;
        analysis.sqnrDbTokenLow[scheme] = 15.0 - factor;
        const double bits = scheme.find('8') != std::string::npos ? 24.0 : 0.0;
        analysis.sqnrDbMeasured[scheme] = 22.0 - factor + bits;
        analysis.sqnrDbPredicted[scheme] = 21.7 - factor + bits;
        analysis.sqnrDbTheorem[scheme] = 21.0 - factor + bits;
    }
    return analysis;
}

TransformDetail transformDetail(SiteKey key, TransformKind transform) {
    const auto n = static_cast<std::size_t>(inputsOf(key.site));
    const double factor = outlierFactor(key, transform);
    std::mt19937_64 generator = generatorFor(key, transform);
    std::normal_distribution<double> normal;
    TransformDetail detail;
    for (std::size_t channel = 0; channel < n; ++channel) {
        const double scale = channel % 16 == 3 ? factor : 1.0;
        for (std::int64_t token = 0; token < kTokens; ++token) {
            detail.histogramActivation.add(scale * normal(generator));
            detail.histogramWeight.add(0.05 * normal(generator));
        }
        detail.channelRmsActivation.push_back(static_cast<float>(scale));
        detail.channelAbsmaxActivation.push_back(static_cast<float>(3.0 * scale));
        detail.channelRmsWeight.push_back(0.05f);
        detail.channelAbsmaxWeight.push_back(0.15f);
    }
    for (int bits = 2; bits <= 8; ++bits) {
        const auto noise = static_cast<float>(factor * std::exp2(-2.0 * bits));
        detail.noiseActivation.insert(detail.noiseActivation.end(), n, noise);
        detail.noiseWeight.insert(detail.noiseWeight.end(), n, 0.01f * noise);
    }
    detail.hadamard = transform != TransformKind::None && transform != TransformKind::SmoothQuant;
    if (transform == TransformKind::SmoothQuant || transform == TransformKind::CatDiag ||
        transform == TransformKind::Bdq)
        detail.diagonal.assign(n, 1.0f);
    return detail;
}

SiteDetail siteDetail(SiteKey key, const std::map<TransformKind, TransformAnalysis>& transforms) {
    const auto n = static_cast<std::size_t>(inputsOf(key.site));
    SiteDetail detail;
    detail.key = key;
    detail.inFeatures = inputsOf(key.site);
    detail.hadamardSeed = 1;
    detail.kurtosisActivation.assign(n, 4.0f);
    detail.kurtosisWeight.assign(n, 3.0f);
    detail.tokenMin.assign(static_cast<std::size_t>(kTokens), -3.0f);
    detail.tokenMax.assign(static_cast<std::size_t>(kTokens), 3.5f);
    detail.keptTokens = kKeptTokens;
    detail.keptInputs.assign(static_cast<std::size_t>(kKeptTokens) * n, 0.5f);
    for (const auto& [kind, analysis] : transforms)
        detail.transforms[kind] = transformDetail(key, kind);
    return detail;
}

std::string detailFileOf(SiteKey key) {
    return "sites/layer" + std::to_string(key.layer) + "." + std::string(siteName(key.site)) + ".safetensors";
}

Status makeFolder(const std::filesystem::path& folder) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) return fail(ErrorCode::Io, folder.string() + ": cannot create the folder: " + error.message());
    return {};
}

} // namespace

AnalysisResult makeAnalysis(const AnalyzeSpec& spec) {
    AnalysisResult result;
    result.spec = spec;
    result.model = fakeModel();
    result.parameters = 100000;
    result.text = fakeText(spec.calibration);
    result.provenance = fakeProvenance(spec, spec.device);
    if (spec.estimateLosses)
        result.lossEstimate =
            LossEstimateInfo{spec.calibration.sequences, spec.calibration.sequenceLength, 4, 0.5};
    for (int layer = 0; layer < kLayers; ++layer) {
        for (Site siteKind : kLinearSites) {
            SiteAnalysis site;
            site.key = {layer, siteKind};
            site.inFeatures = inputsOf(siteKind);
            site.outFeatures = outputsOf(siteKind);
            site.tokens = kTokens;
            site.sampleTokens = kKeptTokens;
            site.signalPower = 10.0;
            site.topTokenEnergyShare = 0.03;
            site.tensors = {"model.layers." + std::to_string(layer) + "." + std::string(siteName(siteKind)) +
                            ".weight"};
            site.detailFile = detailFileOf(site.key);
            for (TransformKind kind : spec.transforms)
                site.transforms[kind] = transformAnalysis(site.key, kind, spec);
            result.sites.push_back(std::move(site));
        }
    }
    return result;
}

Status writeAnalysis(const AnalysisResult& analysis) {
    const std::filesystem::path folder = analysis.spec.outDir;
    BDQ_CHECK(makeFolder(folder / "sites"));
    for (const SiteAnalysis& site : analysis.sites)
        BDQ_CHECK(io::writeSiteDetail(folder / site.detailFile, siteDetail(site.key, site.transforms)));
    return writeFileAtomically(folder / "analysis.json", encodeAnalysis(analysis));
}

RunResult makeRun(const RunSpec& spec) {
    RunResult result;
    result.status = "finished";
    result.spec = spec;
    result.model = fakeModel();
    result.parameters = 100000;
    result.text = fakeText(spec.calibration);
    result.provenance = fakeProvenance(spec, spec.device);
    result.averageWeightBits = spec.plan.base.weight.bits + 0.25;
    for (int layer = 0; layer < kLayers; ++layer) {
        std::vector<Site> sites(kLinearSites.begin(), kLinearSites.end());
        if (spec.plan.base.kv.quantizes()) sites.insert(sites.end(), kCacheSites.begin(), kCacheSites.end());
        for (Site site : sites) {
            RunSiteResult row;
            row.key = {layer, site};
            row.scheme = formatScheme(spec.plan.at(row.key));
            const double factor = outlierFactor(row.key, TransformKind::Bdq);
            row.sqnrDb = 24.0 - factor;
            row.mse = 0.001 * factor;
            row.flatnessBefore = 0.02 * outlierFactor(row.key, TransformKind::None);
            row.flatnessAfter = 0.02 * factor;
            row.weightFlatnessBefore = 0.05;
            row.weightFlatnessAfter = 0.04;
            result.perLayer.push_back(std::move(row));
        }
    }
    if (spec.evaluation) {
        EvalSpec eval{spec.modelPath, {}, *spec.evaluation, spec.device};
        result.full = makeEval(eval);
        eval.runDir = spec.outDir;
        result.quantized = makeEval(eval);
    }
    return result;
}

Status beginRun(const RunSpec& spec) {
    const std::filesystem::path folder = spec.outDir;
    BDQ_CHECK(makeFolder(folder));
    BDQ_CHECK(writeFileAtomically(folder / "spec.json", encodeSpec(spec)));
    return writeFileAtomically(folder / "manifest.txt", "version fake\nmodel unknown\n");
}

Status writeRun(const RunResult& run) {
    const std::filesystem::path folder = run.spec.outDir;
    BDQ_CHECK(makeFolder(folder));
    return writeFileAtomically(folder / "run.json", encodeRun(run));
}

EvalResult makeEval(const EvalSpec& spec) {
    EvalResult result;
    result.modelPath = spec.modelPath;
    result.runDir = spec.runDir;
    result.text = std::filesystem::path(spec.evaluation.textPath).filename().string();
    result.nll = spec.runDir.empty() ? 3.2 : 3.4;
    result.perplexity = std::exp(result.nll);
    result.windows = 4;
    result.sequenceLength = spec.evaluation.sequenceLength;
    result.tokens = 10000;
    result.tokensPerSecond = 1000;
    result.provenance = fakeProvenance(spec, spec.device);
    return result;
}

SensitivityResult makeSensitivity(const SensitivitySpec& spec) {
    SensitivityResult result;
    result.modelPath = spec.modelPath;
    result.activation = spec.activation;
    result.rounding = spec.rounding;
    result.text = fakeText(spec.text);
    result.klTokens = kTokens;
    result.provenance = fakeProvenance(spec, spec.device);
    const std::vector<TransformKind> transforms =
        spec.transforms.empty() ? std::vector{TransformKind::Bdq} : spec.transforms;
    for (int layer = 0; layer < kLayers; ++layer)
        for (const Site site : kLinearSites)
            for (const TransformKind transform : transforms)
                for (const OperandScheme& weight : spec.weights) {
                    const double factor = outlierFactor({layer, site}, transform);
                    const double error = weight.quantizes() ? factor * std::exp2(-2.0 * weight.bits) : 0;
                    result.rows.push_back(
                        {{layer, site}, transform, weight, error, 1.2 * error, 0.5 * error});
                }
    return result;
}

Status writeSensitivity(const SensitivitySpec& spec, const SensitivityResult& result) {
    return writeFileAtomically(std::filesystem::path(spec.analysisDir) / kSensitivityFileName,
                               encodeSensitivity(result));
}

} // namespace bdq::fake
