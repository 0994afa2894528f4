#include "engine/io/unicode.h"

#include <cstdlib>
#include <memory>

#include <utf8proc.h>

namespace bdq::io {
namespace {

constexpr char32_t kCapitalDottedI = 0x130; // the one character whose lower case is two: i and U+0307
constexpr char32_t kCombiningDot = 0x307;

struct FreeMemory {
    void operator()(utf8proc_uint8_t* bytes) const { std::free(bytes); }
};

utf8proc_option_t optionsOf(UnicodeForm form) {
    constexpr int kStable = UTF8PROC_STABLE;
    switch (form) {
    case UnicodeForm::Nfc:
        return static_cast<utf8proc_option_t>(kStable | UTF8PROC_COMPOSE);
    case UnicodeForm::Nfd:
        return static_cast<utf8proc_option_t>(kStable | UTF8PROC_DECOMPOSE);
    case UnicodeForm::Nfkc:
        return static_cast<utf8proc_option_t>(kStable | UTF8PROC_COMPOSE | UTF8PROC_COMPAT);
    case UnicodeForm::Nfkd:
        break;
    }
    return static_cast<utf8proc_option_t>(kStable | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT);
}

utf8proc_category_t categoryOf(char32_t code) {
    return utf8proc_category(static_cast<utf8proc_int32_t>(code));
}

bool isMark(char32_t code) {
    const auto category = categoryOf(code);
    return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_MC ||
           category == UTF8PROC_CATEGORY_ME;
}

/// Property Other_Alphabetic outside of the marks: circled and squared letters.
bool isEnclosedLetter(char32_t code) {
    return (code >= 0x24b6 && code <= 0x24e9) || (code >= 0x1f130 && code <= 0x1f149) ||
           (code >= 0x1f150 && code <= 0x1f169) || (code >= 0x1f170 && code <= 0x1f189);
}

} // namespace

Result<std::string> normalized(std::string_view text, UnicodeForm form) {
    utf8proc_uint8_t* raw = nullptr;
    const utf8proc_ssize_t length =
        utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                     static_cast<utf8proc_ssize_t>(text.size()), &raw, optionsOf(form));
    const std::unique_ptr<utf8proc_uint8_t, FreeMemory> bytes(raw);
    if (length < 0)
        return fail(length == UTF8PROC_ERROR_NOMEM ? ErrorCode::HostOom : ErrorCode::BadFormat,
                    "Unicode normalization of " + std::to_string(text.size()) +
                        " bytes of text: " + utf8proc_errmsg(length));
    return std::string(reinterpret_cast<const char*>(bytes.get()), static_cast<std::size_t>(length));
}

std::string lowercased(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    while (!text.empty()) {
        const Character c = firstCharacter(text);
        text.remove_prefix(c.bytes);
        if (c.code != kCapitalDottedI) {
            appendUtf8(static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c.code))),
                       result);
            continue;
        }
        appendUtf8(U'i', result);
        appendUtf8(kCombiningDot, result);
    }
    return result;
}

std::string withoutMarks(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    while (!text.empty()) {
        const Character c = firstCharacter(text);
        if (!isMark(c.code)) result += text.substr(0, c.bytes);
        text.remove_prefix(c.bytes);
    }
    return result;
}

Character firstCharacter(std::string_view text) {
    if (text.empty()) return {};
    const auto first = static_cast<unsigned char>(text.front());
    const std::size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    char32_t code = length == 1 ? first : first & (0xffu >> (length + 1));
    for (std::size_t k = 1; k < length && k < text.size(); ++k)
        code = code << 6 | (static_cast<unsigned char>(text[k]) & 0x3fu);
    return {code, std::min(length, text.size())};
}

Character lastCharacter(std::string_view text) {
    std::size_t begin = text.size();
    while (begin > 0 && (static_cast<unsigned char>(text[begin - 1]) & 0xc0) == 0x80)
        --begin;
    return begin == 0 ? Character{} : firstCharacter(text.substr(begin - 1));
}

void appendUtf8(char32_t code, std::string& text) {
    utf8proc_uint8_t bytes[4];
    const auto count = utf8proc_encode_char(static_cast<utf8proc_int32_t>(code), bytes);
    text.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(count));
}

bool isSpace(char32_t code) {
    return (code >= 0x9 && code <= 0xd) || code == 0x20 || code == 0x85 || code == 0xa0 || code == 0x1680 ||
           (code >= 0x2000 && code <= 0x200a) || code == 0x2028 || code == 0x2029 || code == 0x202f ||
           code == 0x205f || code == 0x3000;
}

bool isWordCharacter(char32_t code) {
    switch (categoryOf(code)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_PC:
        return true;
    default:
        return isMark(code) || isEnclosedLetter(code) || code == 0x200c || code == 0x200d;
    }
}

std::size_t leadingSpace(std::string_view text) {
    std::size_t bytes = 0;
    for (Character c = firstCharacter(text); c.bytes > 0 && isSpace(c.code);
         c = firstCharacter(text.substr(bytes)))
        bytes += c.bytes;
    return bytes;
}

std::size_t trailingSpace(std::string_view text) {
    std::size_t bytes = 0;
    for (Character c = lastCharacter(text); c.bytes > 0 && isSpace(c.code);
         c = lastCharacter(text.substr(0, text.size() - bytes)))
        bytes += c.bytes;
    return bytes;
}

} // namespace bdq::io
