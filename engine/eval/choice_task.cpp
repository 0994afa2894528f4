#include "engine/eval/choice_task.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "engine/api/atomic_file.h"
#include "engine/io/json_guard.h"
#include "engine/io/utf8.h"

namespace bdq {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxTaskBytes = std::size_t{1} << 30;

std::string described(const json* value) {
    constexpr std::size_t kShown = 80;
    if (value == nullptr) return "nothing";
    if (value->is_structured()) return std::string(value->type_name());
    const std::string text = value->dump(-1, ' ', false, json::error_handler_t::replace);
    return text.size() <= kShown ? text : text.substr(0, kShown) + "...";
}

/// One line of the file and how to complain about it.
class Line {
public:
    Line(json document, std::string label) : m_document(std::move(document)), m_label(std::move(label)) {}

    Result<std::string> context() const {
        const json* value = io::member(m_document, "context");
        if (value == nullptr || !value->is_string()) return refuse("context", described(value), "a text");
        return value->get<std::string>();
    }

    Result<std::vector<std::string>> choices() const {
        const json* value = io::member(m_document, "choices");
        if (value == nullptr || !value->is_array())
            return refuse("choices", described(value), "a list of at least two texts");
        if (value->size() < 2)
            return refuse("choices", std::to_string(value->size()) + " of them", "at least two");
        std::vector<std::string> choices;
        for (const json& choice : *value) {
            if (!choice.is_string() || choice.get_ref<const std::string&>().empty())
                return refuse("choices[" + std::to_string(choices.size()) + "]", described(&choice),
                              "a text that is not empty");
            choices.push_back(choice.get<std::string>());
        }
        return choices;
    }

    Result<int> label(std::size_t choices) const {
        const json* value = io::member(m_document, "label");
        const bool integer = value != nullptr && value->is_number_integer();
        // Negative numbers are integers, but not unsigned ones.
        if (!integer || !value->is_number_unsigned() || value->get<std::uint64_t>() >= choices)
            return refuse("label", described(value), "0 to " + std::to_string(choices - 1));
        return value->get<int>();
    }

private:
    tl::unexpected<Error> refuse(const std::string& key, const std::string& found,
                                 const std::string& expected) const {
        return fail(ErrorCode::BadFormat,
                    m_label + ": " + key + ": found " + found + ", expected " + expected);
    }
    json m_document;
    std::string m_label;
};

Result<ChoiceItem> readItem(std::string_view text, const std::string& path, int number) {
    const std::string label = path + ":" + std::to_string(number);
    if (const std::size_t byte = io::invalidUtf8At(text); byte != std::string_view::npos)
        return fail(ErrorCode::BadFormat, label + ": found no valid UTF-8 at byte " + std::to_string(byte) +
                                              " of the line, expected UTF-8 text");
    BDQ_TRY(json document, io::parseJson(text, label));
    if (!document.is_object())
        return fail(ErrorCode::BadFormat, label + ": found " + described(&document) +
                                              ", expected an object with context, choices and label");
    const Line line(std::move(document), label);
    ChoiceItem item;
    BDQ_TRY(item.context, line.context());
    BDQ_TRY(item.choices, line.choices());
    BDQ_TRY(item.label, line.label(item.choices.size()));
    item.line = number;
    return item;
}

bool isBlank(std::string_view line) {
    return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

/// sqrt of the sample variance of a 0/1 value over the count.
double standardError(double share, int items) {
    return std::sqrt(share * (1 - share) / (items - 1));
}

/// Checked before: every choice has characters, every score is finite.
bool rightIsLargest(const ChoiceItem& item, std::span<const double> scores, bool normalized) {
    std::vector<double> values(scores.begin(), scores.end());
    if (normalized)
        for (std::size_t i = 0; i < values.size(); ++i)
            values[i] /= static_cast<double>(characterCount(item.choices[i]));
    return std::ranges::max_element(values) - values.begin() == item.label;
}

} // namespace

std::size_t characterCount(std::string_view text) {
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

Result<ChoiceTask> readChoiceTask(const std::string& path, int limit) {
    BDQ_TRY(const std::string text, readTextFile(path, kMaxTaskBytes));
    ChoiceTask task{path, std::filesystem::path(path).stem().string(), {}};
    std::string_view rest = text;
    for (int number = 1; !rest.empty(); ++number) {
        const std::size_t end = rest.find('\n');
        const std::string_view line = rest.substr(0, end);
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        if (isBlank(line)) continue;
        BDQ_TRY(ChoiceItem item, readItem(line, path, number));
        task.items.push_back(std::move(item));
        if (limit > 0 && task.items.size() == static_cast<std::size_t>(limit)) break;
    }
    if (task.items.empty())
        return fail(ErrorCode::MissingCalibration,
                    path + ": found no item, expected lines such as {\"context\": ..., \"choices\": [...], "
                           "\"label\": 0}");
    return task;
}

Result<TaskResult> rateChoices(const ChoiceTask& task, std::span<const double> scores) {
    int right = 0;
    int rightNormalized = 0;
    std::size_t first = 0;
    for (const ChoiceItem& item : task.items) {
        const auto own = scores.subspan(first, item.choices.size());
        first += own.size();
        if (!std::ranges::all_of(own, [](double score) { return std::isfinite(score); }))
            return fail(ErrorCode::NonFinite, task.path + ":" + std::to_string(item.line) +
                                                  ": the log-probability of a choice is not a finite number");
        right += rightIsLargest(item, own, false) ? 1 : 0;
        rightNormalized += rightIsLargest(item, own, true) ? 1 : 0;
    }
    TaskResult result;
    result.name = task.name;
    result.items = static_cast<int>(task.items.size());
    result.accuracy = static_cast<double>(right) / result.items;
    result.accuracyNormalized = static_cast<double>(rightNormalized) / result.items;
    result.accuracyError = standardError(result.accuracy, result.items);
    result.accuracyNormalizedError = standardError(result.accuracyNormalized, result.items);
    return result;
}

} // namespace bdq
