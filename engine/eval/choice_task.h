// Multiple-choice tasks as JSON lines, and what the scores of a model say about them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/api/results.h"

namespace bdq {

struct ChoiceItem {
    std::string context;
    std::vector<std::string> choices; ///< >= 2, none empty
    int label = 0;                    ///< index of the right choice
    int line = 0;                     ///< in the file, from 1
};

struct ChoiceTask {
    std::string path;
    std::string name; ///< file name without its extension
    std::vector<ChoiceItem> items;
};

/// Reads {"context": TEXT, "choices": [TEXT, ...], "label": N} line by line; other keys and empty lines are
/// passed over; `limit` > 0 reads only that many items. Errors: NotFound, Io, BadFormat as
/// "file:line: key: found ..., expected ...", MissingCalibration when there is no item.
Result<ChoiceTask> readChoiceTask(const std::string& path, int limit);

/// Accuracies from log P(" " + choice | context): `scores` holds one value for every choice of every item, in
/// order. The first of equal values counts, as in NumPy's argmax. Errors: NonFinite naming the item's line.
Result<TaskResult> rateChoices(const ChoiceTask& task, std::span<const double> scores);

/// Code points of valid UTF-8.
std::size_t characterCount(std::string_view text);

} // namespace bdq
