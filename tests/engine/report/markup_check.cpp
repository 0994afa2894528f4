#include "tests/engine/report/markup_check.h"

#include <algorithm>
#include <cctype>
#include <regex>
#include <set>
#include <vector>

namespace bdq::report {
namespace {

bool isEntity(std::string_view text, std::size_t at) {
    static const std::regex kEntity("&(amp|lt|gt|quot|#[0-9]{1,6});");
    const std::string part(text.substr(at, 10));
    return std::regex_search(part, kEntity, std::regex_constants::match_continuous);
}

std::string textProblem(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '>') return "a bare > in text";
        if (text[i] == '&' && !isEntity(text, i))
            return "a bare & in text: " + std::string(text.substr(i, 20));
    }
    return {};
}

std::string tagProblem(const std::string& tag) {
    static const std::regex kTag(R"re(/?[A-Za-z][A-Za-z0-9]*(\s+[A-Za-z][A-Za-z0-9:-]*="[^"<]*")*\s*/?)re");
    return std::regex_match(tag, kTag) ? textProblem("") : "a malformed tag <" + tag.substr(0, 120) + ">";
}

} // namespace

std::string markupProblem(std::string_view text, bool html) {
    static const std::set<std::string> kVoid{"meta", "link", "br"};
    std::vector<std::string> open;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t less = text.find('<', at);
        const std::string problem = textProblem(text.substr(at, less - at));
        if (!problem.empty()) return problem;
        if (less == std::string_view::npos) break;
        const std::size_t more = text.find('>', less);
        if (more == std::string_view::npos) return "an unclosed tag";
        const std::string tag(text.substr(less + 1, more - less - 1));
        at = more + 1;
        if (html && tag == "!DOCTYPE html") continue;
        if (std::string wrong = tagProblem(tag); !wrong.empty()) return wrong;
        const bool closing = tag.front() == '/';
        const std::size_t start = closing ? 1 : 0;
        std::string name = tag.substr(start, tag.find_first_of(" /", start) - start);
        if (closing) {
            if (open.empty() || open.back() != name)
                return "</" + name + "> closes " + (open.empty() ? "nothing" : "<" + open.back() + ">");
            open.pop_back();
        } else if (tag.back() != '/' && !(html && kVoid.contains(name))) {
            open.push_back(name);
            if (html && name == "style") at = text.find("</style>", at);
        }
    }
    return open.empty() ? std::string() : "<" + open.back() + "> is never closed";
}

std::string outsideReference(std::string_view html) {
    std::string lower(html);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    for (const char* banned :
         {"<script", "<link", "<iframe", "<object", "<embed", "<img", "<image", "<use", "<foreignobject",
          "<base", "<form", "@import", "url(", "@font-face", "javascript:", " src=", "xlink:"})
        if (lower.find(banned) != std::string::npos) return banned;
    // Inside tags only: a model may well be named "onload=".
    const std::regex handler(R"(<[^>]*\son[a-z]+=)");
    if (std::regex_search(lower, handler)) return "an event handler";
    for (std::size_t at = lower.find("href="); at != std::string::npos; at = lower.find("href=", at + 1))
        if (lower.compare(at, 7, "href=\"#") != 0) return lower.substr(at, 40);
    for (std::size_t at = lower.find("http"); at != std::string::npos; at = lower.find("http", at + 1)) {
        const bool namespaceOnly =
            at >= 7 && lower.compare(at - 7, 34, "xmlns=\"http://www.w3.org/2000/svg\"") == 0;
        if (!namespaceOnly && lower.compare(at, 10, "http-equiv") != 0) return lower.substr(at, 40);
    }
    return {};
}

} // namespace bdq::report
