#include "engine/calibration/token_source.h"

#include <algorithm>
#include <filesystem>

#include <ATen/ATen.h>

#include "engine/api/atomic_file.h"
#include "engine/calibration/generate.h"
#include "engine/io/sha256.h"
#include "engine/io/tokenizer.h"

namespace bdq {
namespace {

constexpr std::size_t kMaxTextBytes = std::size_t{1} << 30;

CalibrationTokens fromList(const std::vector<std::int32_t>& tokens, int sequences, int length,
                           std::string source) {
    const std::vector<std::int32_t> used(tokens.begin(),
                                         tokens.begin() + static_cast<std::ptrdiff_t>(sequences) * length);
    CalibrationTokens result;
    result.ids = at::tensor(used, at::kInt).to(at::kLong).view({sequences, length});
    result.info = {std::move(source), tokenHash(used), static_cast<std::int64_t>(used.size()), sequences,
                   length};
    return result;
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
    BDQ_TRY(const at::Tensor ids, generateTokens(weights, generation, device, context));
    const at::Tensor flat = ids.to(at::kInt).contiguous();
    const std::vector<std::int32_t> tokens(flat.data_ptr<std::int32_t>(),
                                           flat.data_ptr<std::int32_t>() + flat.numel());
    return fromList(tokens, options.sequences, options.sequenceLength, "self");
}

} // namespace

std::string tokenHash(const std::vector<std::int32_t>& tokens) {
    return io::sha256Hex(std::as_bytes(std::span(tokens)));
}

Result<std::vector<std::int32_t>> tokenizeFile(const ModelWeights& weights, const std::string& path) {
    BDQ_TRY(const std::string text, readTextFile(path, kMaxTextBytes));
    if (text.empty())
        return fail(ErrorCode::MissingCalibration, path + ": the file is empty, expected UTF-8 text");
    BDQ_TRY(const io::Tokenizer tokenizer, io::Tokenizer::create(weights.reader()));
    auto tokens = tokenizer.encode(text);
    if (!tokens) return passOn(std::move(tokens).error(), path);
    return tokens;
}

Result<CalibrationTokens> calibrationTokens(const ModelWeights& weights, const CalibrationOptions& options,
                                            std::uint64_t seed, const ComputeDevice& device,
                                            JobContext& context) {
    if (options.source == "self") return generated(weights, options, seed, device, context);
    context.stage("tokenizing " + std::filesystem::path(options.source).filename().string());
    BDQ_TRY(const std::vector<std::int32_t> tokens, tokenizeFile(weights, options.source));
    const int available = static_cast<int>(
        std::min<std::size_t>(tokens.size() / static_cast<std::size_t>(options.sequenceLength), 1 << 20));
    if (available == 0)
        return fail(ErrorCode::MissingCalibration, options.source + ": " + std::to_string(tokens.size()) +
                                                       " tokens, expected at least one sequence of " +
                                                       std::to_string(options.sequenceLength));
    if (available < options.sequences)
        context.warning(options.source + ": " + std::to_string(tokens.size()) + " tokens give " +
                        std::to_string(available) + " sequences of " +
                        std::to_string(options.sequenceLength) + ", " + std::to_string(options.sequences) +
                        " were asked for");
    return fromList(tokens, std::min(available, options.sequences), options.sequenceLength,
                    std::filesystem::path(options.source).filename().string());
}

} // namespace bdq
