#include "engine/io/json_guard.h"

#include <algorithm>
#include <vector>

#include "engine/io/byte_reader.h"

namespace bdq::io {
namespace {

using nlohmann::json;

/// Builds the document from parser events; a callback that returns false stops the parser.
class TreeBuilder final : public nlohmann::json_sax<json> {
public:
    explicit TreeBuilder(const std::string& label) : m_label(label) {}

    bool null() override { return add(nullptr); }
    bool boolean(bool value) override { return add(value); }
    bool number_integer(number_integer_t value) override { return add(value); }
    bool number_unsigned(number_unsigned_t value) override { return add(value); }
    bool number_float(number_float_t value, const string_t&) override { return add(value); }
    bool string(string_t& value) override { return add(std::move(value)); }
    bool binary(binary_t&) override { return false; }
    bool start_object(std::size_t) override { return open(json::object()); }
    bool start_array(std::size_t) override { return open(json::array()); }
    bool end_object() override { return close(); }
    bool end_array() override { return close(); }

    bool key(string_t& name) override {
        const auto [place, inserted] = m_open.back()->get_ref<json::object_t&>().emplace(name, nullptr);
        if (!inserted) return refuse("key " + inQuotes(name) + " appears twice");
        m_member = &place->second;
        return true;
    }
    bool parse_error(std::size_t position, const std::string&,
                     const nlohmann::detail::exception& error) override {
        // The library's text starts with "[json.exception...] parse error at line ..., column ...: reason".
        const std::string_view text = error.what();
        const std::size_t reason = text.rfind(": ");
        return refuse("invalid JSON at byte " + std::to_string(position) + ": " +
                      std::string(reason == std::string_view::npos ? text : text.substr(reason + 2)));
    }

    json takeRoot() { return std::move(m_root); }
    [[nodiscard]] const std::string& reason() const { return m_reason; }

private:
    template <class T> json* place(T&& value) {
        if (m_open.empty()) {
            m_root = std::forward<T>(value);
            return &m_root;
        }
        if (m_open.back()->is_array()) {
            m_open.back()->get_ref<json::array_t&>().emplace_back(std::forward<T>(value));
            return &m_open.back()->back();
        }
        *m_member = std::forward<T>(value);
        return m_member;
    }
    template <class T> bool add(T&& value) {
        place(std::forward<T>(value));
        return true;
    }
    bool open(json container) {
        if (m_open.size() >= kMaxJsonDepth)
            return refuse("nested deeper than " + std::to_string(kMaxJsonDepth) + " levels");
        m_open.push_back(place(std::move(container)));
        return true;
    }
    bool close() {
        m_open.pop_back();
        return true;
    }
    bool refuse(const std::string& reason) {
        if (m_reason.empty()) m_reason = m_label + ": " + reason;
        return false;
    }

    const std::string& m_label;
    std::string m_reason;
    json m_root;
    json* m_member = nullptr;
    std::vector<json*> m_open; ///< containers around the current value, outermost first
};

} // namespace

Result<json> parseJson(std::string_view text, const std::string& label) {
    TreeBuilder builder(label);
    if (!json::sax_parse(text.begin(), text.end(), &builder))
        return fail(ErrorCode::BadFormat, builder.reason());
    return builder.takeRoot();
}

std::string withoutPythonNumbers(std::string_view text) {
    std::string result;
    bool inString = false;
    for (std::size_t i = 0; i < text.size();) {
        const char c = text[i];
        if (inString && c == '\\' && i + 1 < text.size()) {
            result += text.substr(i, 2);
            i += 2;
            continue;
        }
        if (c == '"') inString = !inString;
        std::size_t length = 0;
        if (!inString)
            for (const std::string_view word : {"-Infinity", "Infinity", "NaN"})
                if (text.substr(i).starts_with(word)) length = std::max(length, word.size());
        result += length > 0 ? std::string_view("null") : text.substr(i, 1);
        i += std::max<std::size_t>(length, 1);
    }
    return result;
}

const json* member(const json& object, const char* key) {
    if (!object.is_object()) return nullptr;
    const auto found = object.find(key);
    return found == object.end() ? nullptr : &*found;
}

} // namespace bdq::io
