// A whole LLaMA model in plain double loops, one sequence at a time and all logits at once, and what is
// measured on it: the truth for engine/eval. Multiple choice as lm-evaluation-harness scores it (arXiv
// 2405.14782).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/reference/reference_block.h"

namespace bdq::reference {

struct LanguageModel {
    Matrix embedding, head, norm;
    std::vector<BlockMatrices> blocks;
    BlockShape shape;
};

/// One row of logits a token.
inline Matrix logits(const LanguageModel& model, const std::vector<std::int32_t>& tokens) {
    Matrix x = zeros(tokens.size(), model.embedding.columns);
    for (std::size_t t = 0; t < tokens.size(); ++t)
        for (std::size_t c = 0; c < x.columns; ++c)
            x.at(t, c) = model.embedding.at(static_cast<std::size_t>(tokens[t]), c);
    for (const BlockMatrices& weights : model.blocks)
        x = block(x, weights, model.shape);
    return linear(rmsNorm(x, model.norm, model.shape.epsilon), model.head);
}

/// log softmax of one row.
inline std::vector<double> logProbabilities(const Matrix& logits, std::size_t row) {
    double largest = logits.at(row, 0);
    for (std::size_t v = 1; v < logits.columns; ++v)
        largest = std::max(largest, logits.at(row, v));
    double sum = 0;
    for (std::size_t v = 0; v < logits.columns; ++v)
        sum += std::exp(logits.at(row, v) - largest);
    std::vector<double> result(logits.columns);
    for (std::size_t v = 0; v < logits.columns; ++v)
        result[v] = logits.at(row, v) - largest - std::log(sum);
    return result;
}

/// KL(p || q) from log-probabilities.
inline double divergence(const std::vector<double>& p, const std::vector<double>& q) {
    double sum = 0;
    for (std::size_t v = 0; v < p.size(); ++v)
        sum += std::exp(p[v]) * (p[v] - q[v]);
    return sum;
}

inline std::size_t argmax(const std::vector<double>& values) {
    return static_cast<std::size_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

/// log P(continuation | context): the model reads all but the last token, at most `longest` of them.
inline double continuationLogProbability(const LanguageModel& model, const std::vector<std::int32_t>& context,
                                         const std::vector<std::int32_t>& continuation, std::size_t longest) {
    std::vector<std::int32_t> read = context;
    read.insert(read.end(), continuation.begin(), continuation.end() - 1);
    if (read.size() > longest) read.erase(read.begin(), read.end() - static_cast<std::ptrdiff_t>(longest));
    const Matrix all = logits(model, read);
    double sum = 0;
    for (std::size_t i = 0; i < continuation.size(); ++i)
        sum += logProbabilities(all, all.rows - continuation.size() +
                                         i)[static_cast<std::size_t>(continuation[i])];
    return sum;
}

} // namespace bdq::reference
