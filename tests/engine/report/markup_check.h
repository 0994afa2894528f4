// Enough of an XML parser to tell whether our markup is well formed: tags balance, attributes are quoted,
// text is escaped.
#pragma once

#include <string>
#include <string_view>

namespace bdq::report {

/// Empty when well formed, else what is wrong and where. `html` allows the doctype and the void elements
/// meta, link and br, and does not look into <style>.
std::string markupProblem(std::string_view text, bool html);

/// What a self-contained page must not hold (scripts, event handlers, anything loaded from elsewhere); empty
/// = nothing.
std::string outsideReference(std::string_view html);

} // namespace bdq::report
