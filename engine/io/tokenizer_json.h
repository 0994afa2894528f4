// What the readers of the parts of a tokenizer.json share.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "engine/api/result.h"
#include "engine/io/added_tokens.h"
#include "engine/io/regex.h"
#include "engine/io/text_encoder.h"

namespace bdq::io {

/// The string, or nothing for other values.
std::string textOf(const nlohmann::json* value);
bool isTrue(const nlohmann::json* value);
/// An id below 2^31, or -1.
std::int32_t idOf(const nlohmann::json* value);

/// {"String": ...} or {"Regex": ...}. Errors: BadFormat, Unsupported.
Result<TextPattern> patternFromJson(const nlohmann::json* object, const std::string& label);

/// One entry of 'added_tokens' or 'added_tokens_decoder'; its id is -1 when the entry has none. Error:
/// BadFormat when it has no content.
Result<AddedToken> addedTokenFromJson(const nlohmann::json& object, const std::string& label);

/// What 'post_processor' puts around a text: TemplateProcessing, BertProcessing, RobertaProcessing and
/// sequences of them; null = nothing. Errors: Unsupported (another kind), BadFormat.
Result<TextFrame> frameFromJson(const nlohmann::json* object, const std::string& label);

} // namespace bdq::io
