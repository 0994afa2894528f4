#include "engine/pipeline/run_folder.h"

#include <map>
#include <span>

#include <ATen/ATen.h>

#include "engine/api/atomic_file.h"
#include "engine/api/version.h"
#include "engine/io/tensor_file.h"
#include "engine/io/tokenizer.h"
#include "engine/pipeline/host_tensor.h"
#include "engine/pipeline/job_support.h"
#include "engine/pipeline/layer_checkpoint.h"

namespace bdq {
namespace {

constexpr std::size_t kMaxManifestBytes = std::size_t{1} << 24;
constexpr const char* kTokensFile = "tokens.safetensors";
constexpr const char* kManifestFile = "manifest.txt";

// Where and how wide it computes does not change what is computed, nor does the wish to resume.
std::string comparableSpec(RunSpec spec) {
    spec.resume = false;
    spec.device = {};
    return encodeSpec(spec);
}

// What finished layers depend on, one "key value" line each; the values hold no newlines.
std::string manifestText(const RunSpec& spec, const std::string& modelFingerprint) {
    std::string json = comparableSpec(spec);
    std::erase(json, '\n');
    return "version " + std::string(version()) + "\nmodel " + modelFingerprint + "\nspec " + json + "\n";
}

std::map<std::string, std::string> parseManifest(const std::string& text) {
    std::map<std::string, std::string> values;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        const std::string line = text.substr(begin, end - begin);
        const std::size_t space = line.find(' ');
        if (space != std::string::npos) values[line.substr(0, space)] = line.substr(space + 1);
        begin = end + 1;
    }
    return values;
}

Status compareManifest(const std::filesystem::path& folder, const std::string& found,
                       const std::string& expected) {
    const auto before = parseManifest(found);
    for (const auto& [key, value] : parseManifest(expected)) {
        const auto old = before.find(key);
        if (old == before.end() || old->second != value)
            return fail(ErrorCode::InvalidSpec,
                        folder.string() + ": cannot resume, the run's " + key + " differs: it has '" +
                            (old == before.end() ? "" : old->second) + "', this job has '" + value + "'");
    }
    return {};
}

} // namespace

Result<RunFolder> RunFolder::open(const RunSpec& spec, const std::string& modelFingerprint) {
    const std::filesystem::path folder = spec.outDir;
    const std::string text = manifestText(spec, modelFingerprint);
    const bool started = std::filesystem::exists(folder / kManifestFile);
    if (started && !spec.resume)
        return fail(ErrorCode::InvalidSpec,
                    folder.string() +
                        ": the folder already holds a run; resume it (--resume) or choose another folder");
    if (!started && spec.resume)
        return fail(ErrorCode::InvalidSpec, folder.string() + ": there is no run to resume in this folder");
    BDQ_CHECK(prepareFolder(folder));
    BDQ_TRY(FolderLock lock, FolderLock::take(folder));
    if (std::filesystem::exists(folder / kManifestFile) != started)
        return fail(ErrorCode::InvalidSpec, folder.string() + ": another job has just " +
                                                (started ? "removed" : "made") +
                                                " the run in this folder; expected one job a folder");
    BDQ_CHECK(prepareFolder(folder / "layers"));
    if (effectiveRecipe(spec).trains()) BDQ_CHECK(prepareFolder(folder / "training"));
    BDQ_CHECK(prepareFolder(folder / "analysis" / "sites"));
    if (started) {
        BDQ_TRY(const std::string found, readTextFile(folder / kManifestFile, kMaxManifestBytes));
        BDQ_CHECK(compareManifest(folder, found, text));
    } else {
        BDQ_CHECK(writeFileAtomically(folder / "spec.json", encodeSpec(spec)));
        BDQ_CHECK(writeFileAtomically(folder / kManifestFile, text));
    }
    return RunFolder(folder, std::move(lock));
}

std::filesystem::path RunFolder::layerPath(int layer) const {
    return m_path / layerFileName(layer);
}

Result<std::optional<CalibrationTokens>> RunFolder::tokens() const {
    const std::filesystem::path path = m_path / kTokensFile;
    if (!std::filesystem::exists(path)) return std::optional<CalibrationTokens>{};
    BDQ_TRY(io::TensorFile file, io::readTensorFile(path));
    const auto ids = file.tensors.find("ids");
    if (ids == file.tensors.end() || ids->second.type != io::HostTensor::Type::I32 ||
        ids->second.shape.size() != 2)
        return fail(ErrorCode::BadFormat,
                    path.string() + ": expected one I32 tensor 'ids' [sequences, length]");
    const at::Tensor values = toTorchTensor(ids->second);
    CalibrationTokens tokens;
    tokens.ids = values.to(at::kLong);
    tokens.info.source = file.metadata["source"];
    tokens.info.sha256 = file.metadata["sha256"];
    tokens.info.tokens = values.numel();
    tokens.info.sequences = static_cast<int>(values.size(0));
    tokens.info.sequenceLength = static_cast<int>(values.size(1));
    tokens.info.bos = file.metadata["bos"] == "1";
    tokens.info.bosMode = bosModeFromName(file.metadata["bos_mode"]).value_or(BosMode::Off);
    tokens.info.form = file.metadata["form"];
    return std::optional(std::move(tokens));
}

Status RunFolder::saveTokens(const CalibrationTokens& tokens) {
    io::TensorFile file;
    file.tensors.emplace("ids", toHostTensor(tokens.ids.to(at::kInt)));
    file.metadata = {{"source", tokens.info.source},
                     {"sha256", tokens.info.sha256},
                     {"bos", tokens.info.bos ? "1" : "0"},
                     {"bos_mode", std::string(bosModeName(tokens.info.bosMode))},
                     {"form", tokens.info.form}};
    return io::writeTensorFile(m_path / kTokensFile, file);
}

Status RunFolder::checkTokens(const CalibrationTokens& tokens, const ModelConfig& model) const {
    const at::Tensor ids = tokens.ids.to(at::kInt).contiguous();
    const auto* const first = ids.const_data_ptr<std::int32_t>();
    return io::checkTokenIds(std::span(first, static_cast<std::size_t>(ids.numel())), model.vocabSize,
                             (m_path / kTokensFile).string());
}

} // namespace bdq
