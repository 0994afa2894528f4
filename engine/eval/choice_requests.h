// Multiple-choice items as token sequences: what a model reads and which of its predictions count.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/api/job_context.h"
#include "engine/eval/choice_task.h"
#include "engine/io/tokenizer.h"

namespace bdq {

/// One choice of one item: row `first` + i of the model's output on inputs[input] predicts targets[i].
struct ChoiceRequest {
    std::size_t input = 0;
    std::int64_t first = 0;
    std::vector<std::int32_t> targets;
};

struct ChoiceRequests {
    std::vector<std::vector<std::int32_t>> inputs;
    std::vector<ChoiceRequest> requests; ///< task by task, item by item, choice by choice
};

/// Appends the requests of a task; returns how many items were cut. As lm-evaluation-harness: blanks (of
/// ASCII) at the end of the context belong to the choice; the tokens of a choice are those of
/// context + " " + choice after as many as the context alone has; an empty context is the BOS, else the EOS
/// token; what is longer than `contextLength` (0 = not known, nothing is too long) loses tokens on the left.
/// `bos`: Auto puts a BOS in front of every context where the tokenizer puts one in front of texts, On
/// always, and never a second one; an EOS that a tokenizer puts at the end of texts is left out. An input
/// that begins another one of the same item is not repeated: attention is causal. Errors: the tokenizer's;
/// BadFormat naming file and line when a choice is longer than `contextLength` or has no token of its own;
/// Unsupported when an empty context meets a tokenizer without BOS and EOS, or On one without BOS; Cancelled.
Result<int> addRequests(const ChoiceTask& task, const io::Tokenizer& tokenizer, std::int64_t contextLength,
                        const JobContext& context, ChoiceRequests& all, BosMode bos = BosMode::Off);

} // namespace bdq
