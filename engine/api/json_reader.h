// Private to the codecs of bdq::api: strict, bounded reading of JSON. No other target includes this.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "engine/api/result.h"

namespace bdq::json {

/// Keeps the order of keys, so that files read well and rows survive the pipe unchanged.
using Json = nlohmann::ordered_json;

inline constexpr std::size_t kMaxDocumentBytes = std::size_t{512} << 20;
/// Deepest nesting of objects and arrays; ours need 7.
inline constexpr int kMaxDepth = 32;

/// Parses one JSON object. Errors: `code`, naming label, position and reason; nothing is thrown.
Result<Json> parseObject(std::string_view text, const std::string& label, ErrorCode code,
                         std::size_t maxBytes = kMaxDocumentBytes);
/// Text of a value; invalid UTF-8 is replaced, non-finite numbers become null. indent < 0 = one line.
std::string dump(const Json& value, int indent = -1);

/// What all readers of one document share: its name and the first thing that was wrong.
struct ReadState {
    std::string label;
    ErrorCode code = ErrorCode::BadFormat;
    std::optional<Error> error;
};

/// Reads the members of one object. After the first error (kept in ReadState) every read returns its
/// fallback, so that codecs read straight through and check status() once.
class Reader {
public:
    Reader(const Json& object, ReadState& state, std::string path = {});

    [[nodiscard]] bool ok() const { return !m_state->error; }
    [[nodiscard]] Status status() const;
    /// Present and not null.
    [[nodiscard]] bool has(std::string_view key) const;

    std::string text(std::string_view key, const std::optional<std::string>& fallback = {});
    /// null reads as NaN: JSON cannot hold non-finite numbers.
    double number(std::string_view key, std::optional<double> fallback = {});
    bool flag(std::string_view key, std::optional<bool> fallback = {});
    std::uint64_t unsignedNumber(std::string_view key, std::optional<std::uint64_t> fallback = {});
    template <class T = int>
    T integer(std::string_view key, std::int64_t least, std::int64_t most, std::optional<T> fallback = {}) {
        return static_cast<T>(
            readInteger(key, least, most, fallback ? std::optional<std::int64_t>(*fallback) : std::nullopt));
    }
    /// A name that `parse` (std::optional<E>(std::string_view)) must know; `allowed` lists the names for the
    /// message.
    template <class E, class Parse>
    E choice(std::string_view key, Parse parse, std::string_view allowed, std::optional<E> fallback = {}) {
        if (fallback && !has(key)) return *fallback;
        const std::string name = text(key);
        const std::optional<E> value = ok() ? parse(name) : std::nullopt;
        if (!value) refuse(key, "\"" + name + "\"", allowed);
        return value.value_or(E{});
    }

    Reader object(std::string_view key);
    std::vector<Reader> objects(std::string_view key);
    /// Members of an object whose keys are data.
    std::vector<std::pair<std::string, Reader>> objectMap(std::string_view key);
    std::vector<std::pair<std::string, double>> numberMap(std::string_view key);
    std::vector<std::string> texts(std::string_view key);
    std::vector<double> numbers(std::string_view key, std::size_t count);
    std::vector<int> integers(std::string_view key, std::int64_t least, std::int64_t most);

    /// Refuses members that are not listed.
    void allowOnly(std::initializer_list<std::string_view> keys);
    /// Records "label: path.key: found ..., expected ...".
    void refuse(std::string_view key, std::string_view found, std::string_view expected);
    /// Reads "schema" and refuses anything but 1..newest, naming both versions.
    void checkSchema(int newest);

private:
    const Json* find(std::string_view key, bool required, std::string_view expected);
    const Json* findArray(std::string_view key);
    std::int64_t readInteger(std::string_view key, std::int64_t least, std::int64_t most,
                             std::optional<std::int64_t> fallback);
    [[nodiscard]] std::string pathOf(std::string_view key) const;

    const Json* m_object;
    ReadState* m_state;
    std::string m_path;
};

} // namespace bdq::json
