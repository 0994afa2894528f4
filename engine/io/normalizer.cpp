#include "engine/io/normalizer.h"

#include <optional>

#include "engine/io/byte_reader.h"
#include "engine/io/json_guard.h"
#include "engine/io/regex.h"
#include "engine/io/tokenizer_json.h"
#include "engine/io/unicode.h"

namespace bdq::io {
namespace {

using nlohmann::json;
using Step = Normalizer::Step;

Step formStep(UnicodeForm form) {
    return [form](std::string& text) -> Status {
        BDQ_TRY(text, normalized(text, form));
        return {};
    };
}

std::optional<UnicodeForm> formNamed(std::string_view name) {
    if (name == "NFC") return UnicodeForm::Nfc;
    if (name == "NFD") return UnicodeForm::Nfd;
    if (name == "NFKC") return UnicodeForm::Nfkc;
    if (name == "NFKD") return UnicodeForm::Nfkd;
    return std::nullopt;
}

Step prependStep(std::string prefix) {
    return [prefix = std::move(prefix)](std::string& text) -> Status {
        if (!text.empty()) text.insert(0, prefix);
        return {};
    };
}

Step replaceStep(TextPattern pattern, std::string content) {
    return [pattern = std::move(pattern), content = std::move(content)](std::string& text) -> Status {
        std::vector<Range> matches;
        if (!text.empty()) BDQ_CHECK(pattern.findAll(text, matches));
        if (matches.empty()) return {};
        std::string result;
        result.reserve(text.size());
        std::size_t done = 0;
        for (const Range& match : matches) {
            result.append(text, done, match.begin - done);
            result += content;
            done = match.end;
        }
        text = result.append(text, done);
        return {};
    };
}

Step stripStep(bool left, bool right) {
    return [left, right](std::string& text) -> Status {
        if (right) text.resize(text.size() - trailingSpace(text));
        if (left) text.erase(0, leadingSpace(text));
        return {};
    };
}

Status addSteps(const json& object, const std::string& label, std::vector<Step>& steps);

Status addSequence(const json& object, const std::string& label, std::vector<Step>& steps) {
    const json* list = member(object, "normalizers");
    if (list == nullptr || !list->is_array())
        return fail(ErrorCode::BadFormat, label + ": 'normalizers' of a Sequence is missing or no array");
    for (const json& part : *list)
        BDQ_CHECK(addSteps(part, label, steps));
    return {};
}

Status addSteps(const json& object, const std::string& label, std::vector<Step>& steps) {
    const std::string type = textOf(member(object, "type"));
    if (type == "Sequence") return addSequence(object, label, steps);
    if (const auto form = formNamed(type)) {
        steps.push_back(formStep(*form));
    } else if (type == "Lowercase") {
        steps.emplace_back([](std::string& text) -> Status {
            text = lowercased(text);
            return {};
        });
    } else if (type == "StripAccents") {
        steps.emplace_back([](std::string& text) -> Status {
            text = withoutMarks(text);
            return {};
        });
    } else if (type == "Prepend") {
        steps.push_back(prependStep(textOf(member(object, "prepend"))));
    } else if (type == "Strip") {
        steps.push_back(
            stripStep(isTrue(member(object, "strip_left")), isTrue(member(object, "strip_right"))));
    } else if (type == "Replace") {
        BDQ_TRY(TextPattern pattern, patternFromJson(member(object, "pattern"), label));
        steps.push_back(replaceStep(std::move(pattern), textOf(member(object, "content"))));
    } else {
        return fail(ErrorCode::Unsupported, label + ": normalizer " + inQuotes(type) + " is not supported");
    }
    return {};
}

} // namespace

Result<std::string> Normalizer::apply(std::string_view text) const {
    std::string result(text);
    for (const Step& step : m_steps)
        BDQ_CHECK(step(result));
    return result;
}

Result<Normalizer> normalizerFromJson(const json* object, const std::string& label) {
    std::vector<Step> steps;
    if (object != nullptr && !object->is_null()) BDQ_CHECK(addSteps(*object, label, steps));
    return Normalizer(std::move(steps));
}

Normalizer nfcNormalizer() {
    return Normalizer({formStep(UnicodeForm::Nfc)});
}

} // namespace bdq::io
