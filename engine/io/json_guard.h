// Parsing of untrusted JSON: no exceptions, bounded depth, duplicate keys refused.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "engine/api/result.h"

namespace bdq::io {

/// Deeper nesting than any model file needs.
inline constexpr std::size_t kMaxJsonDepth = 64;

/// Parses a whole document. Errors: BadFormat naming `label`, the byte and the reason.
Result<nlohmann::json> parseJson(std::string_view text, const std::string& label);

/// Text with NaN, Infinity and -Infinity outside of strings, which Python's json module writes and JSON does
/// not know, replaced by null.
std::string withoutPythonNumbers(std::string_view text);

/// Member of an object, or null when the value is no object or has no such member.
const nlohmann::json* member(const nlohmann::json& object, const char* key);

} // namespace bdq::io
