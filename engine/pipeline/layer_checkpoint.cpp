#include "engine/pipeline/layer_checkpoint.h"

#include <charconv>
#include <cstdio>

#include <ATen/ATen.h>

#include "engine/io/tensor_file.h"
#include "engine/pipeline/host_tensor.h"
#include "engine/pipeline/residual_rotation.h"

namespace bdq {
namespace {

using io::HostTensor;

constexpr const char* kKeyRotation = "key_rotation.matrix";
constexpr const char* kInputTurned = "turned_input"; ///< "1": by the run's rotation of the residual stream
constexpr const char* kOutputTurned = "turned_output";
constexpr const char* kOuterDiagonal = "outer_diagonal";

HostTensor floatsToHost(const std::vector<float>& values) {
    return toHostTensor(at::tensor(at::ArrayRef<float>(values), at::kFloat));
}

constexpr const char* kModelFingerprint = "model_fingerprint";

/// Reads named parts of one checkpoint file; errors name the file and the part.
class PartReader {
public:
    PartReader(const std::filesystem::path& path, const io::TensorFile& file) : m_path(path), m_file(file) {}

    [[nodiscard]] bool has(const std::string& name) const { return m_file.tensors.count(name) != 0; }
    [[nodiscard]] bool flag(const std::string& name) const { return m_file.metadata.count(name) != 0; }
    [[nodiscard]] std::filesystem::path folder() const { return m_path.parent_path(); }
    Result<at::Tensor> tensor(const std::string& name, HostTensor::Type type) const {
        const auto found = m_file.tensors.find(name);
        if (found == m_file.tensors.end())
            return fail(ErrorCode::BadFormat, m_path.string() + ": tensor '" + name + "' is missing");
        if (found->second.type != type)
            return fail(ErrorCode::BadFormat, m_path.string() + ": tensor '" + name + "' has type " +
                                                  c10::toString(scalarType(found->second.type)) +
                                                  ", expected " + c10::toString(scalarType(type)));
        return toTorchTensor(found->second);
    }
    Result<std::vector<float>> floats(const std::string& name) const {
        if (!has(name)) return std::vector<float>{};
        BDQ_TRY(const at::Tensor values, tensor(name, HostTensor::Type::F32));
        return std::vector<float>(values.const_data_ptr<float>(),
                                  values.const_data_ptr<float>() + values.numel());
    }
    Result<std::vector<std::int32_t>> integers(const std::string& name) const {
        if (!has(name)) return std::vector<std::int32_t>{};
        BDQ_TRY(const at::Tensor values, tensor(name, HostTensor::Type::I32));
        return std::vector<std::int32_t>(values.const_data_ptr<std::int32_t>(),
                                         values.const_data_ptr<std::int32_t>() + values.numel());
    }
    Result<std::string> text(const std::string& name) const {
        const auto found = m_file.metadata.find(name);
        if (found == m_file.metadata.end())
            return fail(ErrorCode::BadFormat, m_path.string() + ": metadata '" + name + "' is missing");
        return found->second;
    }
    Result<std::uint64_t> number(const std::string& name) const {
        BDQ_TRY(const std::string value, text(name));
        std::uint64_t result = 0;
        const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), result);
        if (error != std::errc{} || end != value.data() + value.size())
            return fail(ErrorCode::BadFormat,
                        m_path.string() + ": metadata '" + name + "' is '" + value + "', expected a number");
        return result;
    }

private:
    const std::filesystem::path& m_path;
    const io::TensorFile& m_file;
};

// Operand schemes travel as scheme text, each in the place of the operand it belongs to.
std::string schemeText(const OperandScheme& weight, const OperandScheme& activation,
                       const OperandScheme& kv) {
    return formatScheme({weight, activation, kv});
}

// [2] high, low; left out where nothing is clipped.
void putClip(io::TensorFile& file, const std::string& name, quant::RangeFactors clip) {
    if (clip.high != 1 || clip.low != 1) file.tensors[name] = floatsToHost({clip.high, clip.low});
}

Result<quant::RangeFactors> getClip(const PartReader& parts, const std::string& name) {
    BDQ_TRY(const std::vector<float> values, parts.floats(name));
    if (values.empty()) return quant::RangeFactors{};
    const auto valid = [](float factor) { return factor > 0 && factor <= 1; };
    if (values.size() != 2 || !valid(values[0]) || !valid(values[1]))
        return fail(ErrorCode::BadFormat, "tensor '" + name + "' holds " +
                                              c10::str(at::ArrayRef<float>(values)) +
                                              ", expected two factors in (0, 1]");
    return quant::RangeFactors{values[0], values[1]};
}

void putSite(io::TensorFile& file, Site site, const QuantizedSite& quantized) {
    const std::string prefix = std::string(siteName(site)) + ".";
    if (quantized.weight) {
        file.tensors[prefix + "codes"] = toHostTensor(quantized.weight->codes);
        file.tensors[prefix + "scales"] = toHostTensor(quantized.weight->scales);
        file.tensors[prefix + "zeros"] = toHostTensor(quantized.weight->zeros);
    } else {
        file.tensors[prefix + "weight"] = toHostTensor(quantized.fullWeight);
    }
    if (quantized.bias.defined()) file.tensors[prefix + "bias"] = toHostTensor(quantized.bias);
    TransformDetail detail;
    quantized.siteTransform.toDetail(detail);
    if (!detail.diagonal.empty()) file.tensors[prefix + "diagonal"] = floatsToHost(detail.diagonal);
    if (!detail.blocks.empty()) {
        file.tensors[prefix + "blocks"] = floatsToHost(detail.blocks);
        file.tensors[prefix + "inverse_blocks"] = floatsToHost(detail.inverseBlocks);
    }
    if (!detail.kroneckerLeft.empty()) {
        file.tensors[prefix + "kronecker_left"] = floatsToHost(detail.kroneckerLeft);
        file.tensors[prefix + "kronecker_right"] = floatsToHost(detail.kroneckerRight);
    }
    if (!detail.permutation.empty())
        file.tensors[prefix + "permutation"] =
            toHostTensor(at::tensor(at::ArrayRef<std::int32_t>(detail.permutation), at::kInt));
    if (!detail.secondBlocks.empty()) {
        file.tensors[prefix + "second_blocks"] = floatsToHost(detail.secondBlocks);
        file.metadata[prefix + "second_block_size"] = std::to_string(detail.secondBlockSize);
    }
    // One rotation serves the whole run, in a file of its own: engine/pipeline/residual_rotation.h.
    const transform::TransformParts parts = quantized.siteTransform.parts();
    if (parts.rotation.defined()) file.metadata[prefix + kInputTurned] = "1";
    if (quantized.outputRotation.defined()) file.metadata[prefix + kOutputTurned] = "1";
    if (parts.outerDiagonal.defined())
        file.tensors[prefix + kOuterDiagonal] = toHostTensor(parts.outerDiagonal.to(at::kFloat));
    putClip(file, prefix + "clip", quantized.clip);
    file.metadata[prefix + "block_size"] = std::to_string(detail.blockSize);
    file.metadata[prefix + "hadamard"] = detail.hadamard ? "1" : "0";
    file.metadata[prefix + "hadamard_seed"] = std::to_string(quantized.siteTransform.hadamardSeed());
    file.metadata[prefix + "scheme"] = schemeText(
        quantized.weight ? quantized.weight->scheme : OperandScheme{}, quantized.activation, {16, false, 0});
}

Result<int> blockSize(const PartReader& parts, const std::string& name) {
    BDQ_TRY(const std::uint64_t size, parts.number(name));
    return static_cast<int>(std::min<std::uint64_t>(size, 1 << 20));
}

Result<transform::SiteTransform> getTransform(const PartReader& parts, const std::string& prefix,
                                              std::int64_t features) {
    TransformDetail detail;
    BDQ_TRY(detail.diagonal, parts.floats(prefix + "diagonal"));
    BDQ_TRY(detail.blocks, parts.floats(prefix + "blocks"));
    BDQ_TRY(detail.inverseBlocks, parts.floats(prefix + "inverse_blocks"));
    BDQ_TRY(detail.kroneckerLeft, parts.floats(prefix + "kronecker_left"));
    BDQ_TRY(detail.kroneckerRight, parts.floats(prefix + "kronecker_right"));
    BDQ_TRY(detail.blockSize, blockSize(parts, prefix + "block_size"));
    BDQ_TRY(detail.permutation, parts.integers(prefix + "permutation"));
    if (parts.has(prefix + "second_blocks")) {
        BDQ_TRY(detail.secondBlocks, parts.floats(prefix + "second_blocks"));
        BDQ_TRY(detail.secondBlockSize, blockSize(parts, prefix + "second_block_size"));
    }
    BDQ_TRY(const std::uint64_t hadamard, parts.number(prefix + "hadamard"));
    detail.hadamard = hadamard != 0;
    BDQ_TRY(const std::uint64_t seed, parts.number(prefix + "hadamard_seed"));
    return transform::SiteTransform::fromDetail(detail, features, seed);
}

Result<QuantizedSite> getSite(const PartReader& parts, Site site, MatrixShape shape) {
    const std::string prefix = std::string(siteName(site)) + ".";
    QuantizedSite quantized;
    BDQ_TRY(const std::string text, parts.text(prefix + "scheme"));
    BDQ_TRY(const Scheme scheme, parseScheme(text));
    quantized.activation = scheme.activation;
    BDQ_TRY(quantized.clip, getClip(parts, prefix + "clip"));
    BDQ_TRY(quantized.siteTransform, getTransform(parts, prefix, shape.columns));
    at::Tensor values;
    if (parts.has(prefix + "codes")) {
        quant::QuantizedWeight weight;
        weight.scheme = scheme.weight;
        BDQ_TRY(weight.codes, parts.tensor(prefix + "codes", HostTensor::Type::I8));
        BDQ_TRY(weight.scales, parts.tensor(prefix + "scales", HostTensor::Type::F32));
        BDQ_TRY(weight.zeros, parts.tensor(prefix + "zeros", HostTensor::Type::I32));
        BDQ_CHECK(weight.validate());
        values = weight.codes;
        quantized.weight = std::move(weight);
    } else {
        BDQ_TRY(quantized.fullWeight, parts.tensor(prefix + "weight", HostTensor::Type::F32));
        values = quantized.fullWeight;
    }
    if (values.sizes() != at::IntArrayRef{shape.rows, shape.columns})
        return fail(ErrorCode::ShapeMismatch, prefix + "weight has shape " + c10::str(values.sizes()) +
                                                  ", the model expects [" + std::to_string(shape.rows) +
                                                  ", " + std::to_string(shape.columns) + "]");
    if (!parts.has(prefix + "bias")) return quantized;
    BDQ_TRY(quantized.bias, parts.tensor(prefix + "bias", HostTensor::Type::F32));
    if (quantized.bias.sizes() != at::IntArrayRef{shape.rows})
        return fail(ErrorCode::ShapeMismatch, prefix + "bias has shape " + c10::str(quantized.bias.sizes()) +
                                                  ", the model expects [" + std::to_string(shape.rows) + "]");
    return quantized;
}

/// Puts the run's rotation where the layer refers to it.
Status turnSite(const PartReader& parts, Site site, const at::Tensor& rotation, QuantizedSite& quantized) {
    const std::string prefix = std::string(siteName(site)) + ".";
    transform::TransformParts whole = quantized.siteTransform.parts();
    if (parts.flag(prefix + kInputTurned)) whole.rotation = rotation;
    if (parts.has(prefix + kOuterDiagonal)) {
        BDQ_TRY(whole.outerDiagonal, parts.tensor(prefix + kOuterDiagonal, HostTensor::Type::F32));
    }
    if (whole.rotation.defined() || whole.outerDiagonal.defined()) {
        const std::int64_t features =
            (quantized.weight ? quantized.weight->codes : quantized.fullWeight).size(1);
        BDQ_TRY(quantized.siteTransform, transform::SiteTransform::create(features, whole));
    }
    if (parts.flag(prefix + kOutputTurned)) quantized.outputRotation = rotation;
    return {};
}

bool isTurned(const PartReader& parts) {
    for (const Site site : kLinearSites)
        for (const char* side : {kInputTurned, kOutputTurned})
            if (parts.flag(std::string(siteName(site)) + "." + side)) return true;
    return false;
}

Result<transform::HeadRotation> getKeyRotation(const PartReader& parts, std::int64_t headDim) {
    if (!parts.has(kKeyRotation)) { // files from before learned matrices hold the seed of a Hadamard
        BDQ_TRY(const std::uint64_t seed, parts.number("key_rotation_seed"));
        return transform::HeadRotation::create(headDim, seed);
    }
    BDQ_TRY(const at::Tensor matrix, parts.tensor(kKeyRotation, HostTensor::Type::F32));
    if (matrix.sizes() != at::IntArrayRef{headDim, headDim})
        return fail(ErrorCode::ShapeMismatch, std::string("tensor '") + kKeyRotation + "' has shape " +
                                                  c10::str(matrix.sizes()) + ", the model's heads have " +
                                                  std::to_string(headDim) + " channels");
    return transform::HeadRotation::fromMatrix(matrix);
}

Result<LayerCheckpoint> decode(const PartReader& parts, const ModelConfig& config, const std::string& label) {
    LayerCheckpoint checkpoint;
    QuantizedBlock& block = checkpoint.block;
    for (Site site : kLinearSites) {
        BDQ_TRY(block.at(site), getSite(parts, site, stackedShape(config, site)));
    }
    at::Tensor rotation;
    if (isTurned(parts)) {
        BDQ_TRY(rotation, readResidualRotation(parts.folder(), config.hiddenSize));
    }
    for (Site site : kLinearSites)
        BDQ_CHECK(turnSite(parts, site, rotation, block.at(site)));
    for (auto [name, operand] :
         {std::pair{"k_cache.scheme", &block.keys}, std::pair{"v_cache.scheme", &block.values}}) {
        BDQ_TRY(const std::string text, parts.text(name));
        BDQ_TRY(const Scheme scheme, parseScheme(text));
        *operand = scheme.kv;
    }
    BDQ_TRY(const std::uint64_t rotated, parts.number("key_rotation"));
    if (rotated != 0) {
        BDQ_TRY(block.keyRotation, getKeyRotation(parts, config.headDim));
    }
    BDQ_TRY(block.keyClip, getClip(parts, "k_cache.clip"));
    BDQ_TRY(block.valueClip, getClip(parts, "v_cache.clip"));
    BDQ_TRY(const std::uint64_t rows, parts.number("rows"));
    constexpr std::size_t kSites = kLinearSites.size() + kCacheSites.size();
    if (rows > kSites)
        return fail(ErrorCode::BadFormat, label + ": found " + std::to_string(rows) +
                                              " result rows, expected one a site, at most " +
                                              std::to_string(kSites));
    for (std::uint64_t i = 0; i < rows; ++i) {
        BDQ_TRY(const std::string json, parts.text("row." + std::to_string(i)));
        BDQ_TRY(RunSiteResult row, decodeRunRow(json, label));
        checkpoint.rows.push_back(std::move(row));
    }
    if (parts.flag(kModelFingerprint)) {
        BDQ_TRY(checkpoint.modelFingerprint, parts.text(kModelFingerprint));
    }
    return checkpoint;
}

} // namespace

std::string layerFileName(int layer) {
    char name[40];
    std::snprintf(name, sizeof name, "layers/L%03d.safetensors", layer);
    return name;
}

Status writeLayerCheckpoint(const std::filesystem::path& path, const LayerCheckpoint& checkpoint) {
    io::TensorFile file;
    const QuantizedBlock& block = checkpoint.block;
    for (Site site : kLinearSites)
        putSite(file, site, block.at(site));
    file.metadata["k_cache.scheme"] = schemeText({}, {}, block.keys);
    file.metadata["v_cache.scheme"] = schemeText({}, {}, block.values);
    file.metadata["key_rotation"] = block.keyRotation ? "1" : "0";
    if (block.keyRotation)
        file.tensors[kKeyRotation] = toHostTensor(block.keyRotation->matrix().to(at::kFloat));
    putClip(file, "k_cache.clip", block.keyClip);
    putClip(file, "v_cache.clip", block.valueClip);
    file.metadata["rows"] = std::to_string(checkpoint.rows.size());
    for (std::size_t i = 0; i < checkpoint.rows.size(); ++i)
        file.metadata["row." + std::to_string(i)] = encodeRunRow(checkpoint.rows[i]);
    file.metadata[kModelFingerprint] = checkpoint.modelFingerprint;
    return io::writeTensorFile(path, file);
}

Result<LayerCheckpoint> readLayerCheckpoint(const std::filesystem::path& path, const ModelConfig& config) {
    BDQ_TRY(const io::TensorFile file, io::readTensorFile(path));
    const PartReader parts(path, file);
    auto checkpoint = decode(parts, config, path.string());
    if (!checkpoint) return passOn(std::move(checkpoint).error(), path.string());
    return checkpoint;
}

} // namespace bdq
