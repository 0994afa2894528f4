#include "engine/calibration/token_source.h"

#include <algorithm>
#include <filesystem>

#include <ATen/ATen.h>

#include "engine/calibration/generate.h"
#include "engine/calibration/text_file.h"
#include "engine/io/sha256.h"
#include "engine/io/tokenizer.h"

namespace bdq {
namespace {

CalibrationTokens fromList(const std::vector<std::int32_t>& tokens, int sequences, int length,
                           std::string source) {
    const std::vector<std::int32_t> used(tokens.begin(),
                                         tokens.begin() + static_cast<std::ptrdiff_t>(sequences) * length);
    CalibrationTokens result;
    result.ids = at::tensor(used, at::kInt).to(at::kLong).view({sequences, length});
    result.info.source = std::move(source);
    result.info.sha256 = tokenHash(used);
    result.info.tokens = static_cast<std::int64_t>(used.size());
    result.info.sequences = sequences;
    result.info.sequenceLength = length;
    return result;
}

/// Ids that the tokenizer or config.json names, and that generation looks up and forbids.
Status checkSpecialIds(const ModelWeights& weights, const GenerationOptions& options) {
    std::vector<std::int32_t> ids;
    for (const std::optional<std::int32_t>& id : {options.bosId, options.eosId})
        if (id) ids.push_back(*id);
    return io::checkTokenIds(ids, weights.config().vocabSize, weights.path() + ": BOS and EOS token");
}

Result<CalibrationTokens> generated(const ModelWeights& weights, const CalibrationOptions& options,
                                    std::uint64_t seed, const ComputeDevice& device, JobContext& context) {
    BDQ_TRY(const io::Tokenizer tokenizer, io::Tokenizer::create(weights.reader()));
    GenerationOptions generation;
    generation.sequences = options.sequences;
    generation.length = options.sequenceLength;
    generation.seed = seed;
    generation.bosId = tokenizer.bosId();
    generation.eosId = tokenizer.eosId();
    BDQ_CHECK(checkSpecialIds(weights, generation));
    BDQ_TRY(const at::Tensor ids, generateTokens(weights, generation, device, context));
    const at::Tensor flat = ids.to(at::kInt).contiguous();
    const std::vector<std::int32_t> tokens(flat.data_ptr<std::int32_t>(),
                                           flat.data_ptr<std::int32_t>() + flat.numel());
    CalibrationTokens result = fromList(tokens, options.sequences, options.sequenceLength, "self");
    result.info.bos = generation.bosId.has_value();
    result.info.bosMode = options.bos;
    return result;
}

} // namespace

std::string tokenHash(const std::vector<std::int32_t>& tokens) {
    return io::sha256Hex(std::as_bytes(std::span(tokens)));
}

void warnBeyondContext(const ModelConfig& model, int length, const std::string& what, JobContext& context) {
    if (model.contextLength <= 0 || length <= model.contextLength) return;
    context.warning(what + " of " + std::to_string(length) +
                    " tokens are longer than the model's context of " + std::to_string(model.contextLength) +
                    ": figures beyond it do not say how good the model is");
}

Result<TextTokens> tokenizeFile(const ModelWeights& weights, const std::string& path, BosMode bos,
                                JobContext& context) {
    BDQ_TRY(const FileText file, readTextOf(path));
    if (!file.warning.empty()) context.warning(file.warning);
    // Who meant the braces would not find them in the tokens otherwise.
    if (!file.form.empty())
        context.warning(path + ": holds JSON, of which the texts are taken: " + file.form);
    BDQ_TRY(const io::Tokenizer tokenizer, io::Tokenizer::create(weights.reader()));
    auto ids = tokenizer.encode(file.text, bos);
    if (!ids) return passOn(std::move(ids).error(), path);
    TextTokens tokens{std::move(*ids), bos == BosMode::On || (bos == BosMode::Auto && tokenizer.addsBos()),
                      file.form};
    return tokens;
}

Result<CalibrationTokens> calibrationTokens(const ModelWeights& weights, const CalibrationOptions& options,
                                            std::uint64_t seed, const ComputeDevice& device,
                                            JobContext& context) {
    warnBeyondContext(weights.config(), options.sequenceLength, "calibration sequences", context);
    if (options.source == "self") return generated(weights, options, seed, device, context);
    context.stage("tokenizing " + std::filesystem::path(options.source).filename().string());
    BDQ_TRY(const TextTokens text, tokenizeFile(weights, options.source, options.bos, context));
    const std::size_t count = text.ids.size();
    const int available = static_cast<int>(
        std::min<std::size_t>(count / static_cast<std::size_t>(options.sequenceLength), 1 << 20));
    if (available == 0)
        return fail(ErrorCode::MissingCalibration, options.source + ": " + std::to_string(count) +
                                                       " tokens, expected at least one sequence of " +
                                                       std::to_string(options.sequenceLength));
    if (available < options.sequences)
        context.warning(options.source + ": " + std::to_string(count) + " tokens give " +
                        std::to_string(available) + " sequences of " +
                        std::to_string(options.sequenceLength) + ", " + std::to_string(options.sequences) +
                        " were asked for");
    CalibrationTokens result =
        fromList(text.ids, std::min(available, options.sequences), options.sequenceLength,
                 std::filesystem::path(options.source).filename().string());
    result.info.bos = text.bos;
    result.info.bosMode = options.bos;
    result.info.form = text.form;
    return result;
}

} // namespace bdq
