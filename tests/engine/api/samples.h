// Values with every field different from its default, so that a forgotten field shows.
#pragma once

#include <cmath>

#include "engine/api/results.h"

namespace bdq::samples {

inline AnalyzeSpec analyzeSpec() {
    AnalyzeSpec spec;
    spec.modelPath = "models/a b.gguf";
    spec.outDir = "out/analysis";
    spec.calibration = {"text \"quoted\".txt", 7, 512, BosMode::On};
    spec.layers = {0, 3, 29};
    spec.transforms = {TransformKind::Bdq, TransformKind::CatBlock128};
    spec.schemes = {"W3A3", "W4g128sym A4asym KV4asym"};
    spec.estimateLosses = false;
    spec.seed = 0xffffffffffffffffULL;
    spec.device = {"cuda:1", 3};
    return spec;
}

inline Plan plan() {
    Plan plan;
    plan.base = parseScheme("W4A4KV4").value();
    plan.set({2, Site::Down}, parseScheme("W8A8").value());
    plan.set({2, Site::KCache}, parseScheme("W4A4KV8").value());
    plan.set({0, Site::Qkv}, parseScheme("W2g64 A4asym").value());
    return plan;
}

inline RunSpec runSpec() {
    RunSpec spec;
    spec.modelPath = "m.gguf";
    spec.outDir = "out/run";
    spec.plan = plan();
    spec.method = Method::CatBlock;
    spec.rounding = WeightRounding::Rtn;
    spec.calibration = {"c.txt", 9, 64, BosMode::Off};
    spec.layers = {1, 2};
    spec.evaluation = EvaluationOptions{"t.txt", 256, 4, BosMode::Off};
    spec.seed = 42;
    spec.resume = true;
    spec.device = {"cpu", 2};
    return spec;
}

inline EvalSpec evalSpec() {
    return {"m.gguf", "out/run", {"t.txt", 128, 3, BosMode::On}, {"cuda", 1}, {"a b.jsonl", "c.jsonl"}, 50};
}
inline ReportSpec reportSpec() {
    return {"out/run", ReportFormat::Csv, "r.csv"};
}
inline InspectSpec inspectSpec() {
    return {"m.gguf", "out/analysis", {"cpu", 4}};
}
inline SensitivitySpec sensitivitySpec() {
    return {"out/analysis",
            "m o.gguf",
            {{3, true, 0}, {4, false, 64}, {2, true, 0}, {16, true, 0}},
            {4, false, 128},
            {TransformKind::Bdq, TransformKind::None},
            {0, 1, 5},
            WeightRounding::Rtn,
            {"t.txt", 3, 128},
            {"cuda:1", 3},
            BosMode::Off};
}

inline ModelConfig model() {
    ModelConfig config;
    config.architecture = "llama";
    config.name = "Tiny";
    config.layers = 3;
    config.hiddenSize = 64;
    config.intermediateSize = 160;
    config.heads = 4;
    config.kvHeads = 2;
    config.headDim = 16;
    config.vocabSize = 1000;
    config.contextLength = 2048;
    config.ropeTheta = 100000;
    config.ropeScaling = "linear factor 4";
    config.slidingWindow = 512;
    config.firstSlidingLayer = 1;
    config.normEpsilon = 1e-6;
    config.tiedEmbedding = true;
    config.permutedQk = true;
    return config;
}

inline TextInfo text() {
    return {"c.txt", "00ff", 4608, 9, 512, true, BosMode::On, "60 texts of JSON lines"};
}

inline Provenance provenance() {
    return {"bdq run m.gguf",       "0.1.0", "2.11.0",   "cuda:0", "A GPU", 2,
            "2026-01-02T03:04:05Z", 1.5,     1ULL << 40, 77};
}

inline Flatness flatness(double start) {
    return {-start, -9 - start, 0.1 + start, 0.2 + start, 0.3 + start, 0.4 + start};
}

inline TransformAnalysis transform(double start) {
    TransformAnalysis value;
    value.activation = flatness(start);
    value.weight = flatness(start + 1);
    value.concentrationActivationDb = start + 2;
    value.concentrationWeightDb = start + 3;
    value.alignmentDb = -start;
    value.absmaxActivation = start + 4;
    value.absmaxWeight = start + 5;
    value.kurtosisActivation = start + 6;
    value.outlierShare = 0.001 * start;
    for (std::size_t i = 0; i < value.activationNoiseSymmetric.size(); ++i) {
        const double scale = std::pow(4.0, -static_cast<double>(i));
        value.activationNoiseSymmetric[i] = 8 * scale;
        value.activationNoiseAsymmetric[i] = 4 * scale;
        value.weightNoiseSymmetric[i] = 2 * scale;
        value.weightNoiseAsymmetric[i] = scale;
    }
    LossEstimate loss;
    for (std::size_t i = 0; i < loss.weightSymmetric.size(); ++i) {
        const double scale = start * std::pow(4.0, -static_cast<double>(i));
        loss.activationSymmetric[i] = 0.6 * scale;
        loss.activationAsymmetric[i] = 0.5 * scale;
        loss.weightSymmetric[i] = 0.4 * scale;
        loss.weightAsymmetric[i] = 0.3 * scale;
        loss.weightSymmetricSearched[i] = 0.2 * scale;
        loss.weightAsymmetricSearched[i] = 0.1 * scale;
    }
    value.loss = loss;
    value.weightNoiseSymmetricSearched = value.weightNoiseAsymmetric;
    value.weightNoiseAsymmetricSearched = loss.weightSymmetric;
    value.sqnrDbTokenMedian = {{"W4A4", 15.5}};
    value.sqnrDbTokenLow = {{"W4A4", 9.5}};
    value.sqnrDbMeasured = {{"W4A4", 12.25}, {"W8A8", 36.5}};
    value.sqnrDbPredicted = {{"W4A4", 12.5}};
    value.sqnrDbTheorem = {{"W4A4", 13.0 / 3.0}};
    return value;
}

inline SiteAnalysis site(SiteKey key) {
    SiteAnalysis value;
    value.key = key;
    value.inFeatures = 64;
    value.outFeatures = 128;
    value.tokens = 4608;
    value.sampleTokens = 512;
    value.signalPower = 1000;
    value.topTokenEnergyShare = 0.75;
    value.tensors = {"blk.0.attn_q.weight", "blk.0.attn_k.weight"};
    value.notes = {"1 dead channel"};
    value.detailFile = "sites/000_qkv.safetensors";
    value.transforms = {{TransformKind::None, transform(1)}, {TransformKind::Bdq, transform(2)}};
    return value;
}

inline AnalysisResult analysis() {
    AnalysisResult result;
    result.spec = analyzeSpec();
    result.model = model();
    result.parameters = 123456;
    result.text = text();
    result.provenance = provenance();
    result.sites = {site({0, Site::Qkv}), site({2, Site::Down})};
    result.modelFingerprint = "f1";
    result.warnings = {"one", "two"};
    result.lossEstimate = LossEstimateInfo{2, 512, 4, 12.5};
    return result;
}

inline EvalResult eval() {
    return {"m.gguf",
            "out/run",
            "t.txt",
            24.145,
            3.18,
            4,
            2048,
            304978,
            812.5,
            provenance(),
            ModelComparison{0.125, 0.875, 3.0625, 21.625},
            {{"arc", 40, 0.5, 0.25, 0.0625, 0.03125, 2}, {"piqa", 3, 1, 0.75, 0.5, 0.375, 1}},
            0.0625,
            true,
            BosMode::On,
            "60 texts of JSON lines",
            {"a warning"}};
}

inline RunSiteResult runRow(SiteKey key) {
    return {key, "W4A4", 18.25, 1e-3, 0.5, 0.125, 0.25, 0.0625};
}

inline RunResult run() {
    RunResult result;
    result.status = "finished";
    result.spec = runSpec();
    result.model = model();
    result.parameters = 123456;
    result.text = text();
    result.full = eval();
    result.quantized = eval();
    result.quantized->perplexity = 39.5;
    result.averageWeightBits = 12.25;
    result.quantizedLayerBits = 4.28;
    result.modelFingerprint = "f1";
    result.warnings = {"a warning"};
    result.perLayer = {runRow({0, Site::Qkv}), runRow({0, Site::KCache})};
    result.provenance = provenance();
    return result;
}

} // namespace bdq::samples
