// Everything the analysis says about one (layer, site): moments in, then the inputs once more, then the
// result.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "engine/api/site_analysis.h"
#include "engine/calibration/input_statistics.h"
#include "engine/transform/site_transform.h"

namespace bdq {

struct SiteAnalyzerOptions {
    std::vector<TransformKind> transforms;
    std::map<TransformKind, transform::SiteTransform> given; ///< used as they are instead of a closed form
    std::vector<Scheme> schemes;                             ///< measured and predicted
    OperandScheme weights{4, true, 0}; ///< for which a transform that depends on it is made (AWQ, WUSH)
    std::uint64_t seed = 0;            ///< of the job; layer and site are mixed in
    std::int64_t sampleTokens = 4096;  ///< tokens behind SQNR and Flatness
    std::int64_t keptTokens = 128;     ///< tokens stored for the measured what-if
};

/// What the statistics behind closed forms of these transforms must remember.
transform::MomentNeeds momentNeeds(const SiteAnalyzerOptions& options);

/// Seed of a site's Hadamard signs.
std::uint64_t siteSeed(std::uint64_t jobSeed, SiteKey key);

class SiteAnalyzer {
public:
    /// Builds the transforms from the first pass. `weight` fp32 [out, n], stacked. Errors: buildTransform's.
    static Result<SiteAnalyzer> create(SiteKey key, const InputStatistics& statistics,
                                       const at::Tensor& weight, const SiteAnalyzerOptions& options);

    /// Second pass: the same inputs in the same order, fp32 [tokens, n], on the weight's device.
    void add(const at::Tensor& inputs);
    /// Errors: NonFinite naming the transform.
    Result<SiteAnalysis> finish();
    /// Arrays that belong to finish()'s result; valid after it.
    [[nodiscard]] const SiteDetail& detail() const { return m_detail; }
    /// Raw inputs of the sample, fp32 [sample, n].
    [[nodiscard]] at::Tensor sample() const;
    [[nodiscard]] const transform::SiteTransform& siteTransform(TransformKind kind) const {
        return m_transforms.at(kind);
    }

private:
    SiteAnalyzer(SiteKey key, const InputStatistics& statistics, const at::Tensor& weight,
                 const SiteAnalyzerOptions& options);
    void addSample(const at::Tensor& inputs);
    void storeParameters();
    void keepTokens(const at::Tensor& sample);
    Result<TransformAnalysis> analyzeTransform(TransformKind kind, const at::Tensor& sample,
                                               const at::Tensor& outputs, double signalPower);
    Status measureSchemes(TransformAnalysis& result, const at::Tensor& inputs, const at::Tensor& weight,
                          const at::Tensor& outputs) const;

    SiteKey m_key;
    SiteAnalyzerOptions m_options;
    at::Tensor m_weight;
    std::int64_t m_tokens = 0;
    std::int64_t m_seen = 0;
    std::map<TransformKind, transform::SiteTransform> m_transforms;
    std::map<TransformKind, ColumnMoments> m_streamed; ///< of the transformed inputs
    std::vector<at::Tensor> m_sample;
    std::vector<std::string> m_notes;
    SiteDetail m_detail;
};

} // namespace bdq
