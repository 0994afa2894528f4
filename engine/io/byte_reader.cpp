#include "engine/io/byte_reader.h"

#include <limits>

namespace bdq::io {

std::optional<std::uint64_t> checkedProduct(std::uint64_t a, std::uint64_t b) {
    if (b != 0 && a > std::numeric_limits<std::uint64_t>::max() / b) return std::nullopt;
    return a * b;
}

std::optional<std::int64_t> checkedElements(std::span<const std::int64_t> shape) {
    std::uint64_t product = 1;
    for (const std::int64_t extent : shape) {
        if (extent < 0) return std::nullopt;
        const auto next = checkedProduct(product, static_cast<std::uint64_t>(extent));
        if (!next || *next > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
            return std::nullopt;
        product = *next;
    }
    return static_cast<std::int64_t>(product);
}

std::string inQuotes(std::string_view text) {
    constexpr std::size_t kLongest = 80;
    std::string result = "'";
    for (const char c : text.substr(0, kLongest))
        result += (c >= ' ' && c <= '~') ? c : '?';
    if (text.size() > kLongest) result += "...";
    return result + "'";
}

tl::unexpected<Error> ByteReader::endOfData(std::string_view what, std::uint64_t wanted) const {
    return fail(ErrorCode::BadFormat, m_label + ": truncated at byte " + std::to_string(m_position) + ": " +
                                          std::string(what) + " needs " + std::to_string(wanted) +
                                          " bytes, found " + std::to_string(left()));
}

Result<std::span<const std::byte>> ByteReader::take(std::uint64_t count, std::string_view what) {
    if (count > left()) return endOfData(what, count);
    const auto view = m_bytes.subspan(static_cast<std::size_t>(m_position), static_cast<std::size_t>(count));
    m_position += count;
    return view;
}

Result<std::string_view> ByteReader::takeText(std::uint64_t count, std::string_view what) {
    BDQ_TRY(const auto bytes, take(count, what));
    return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

Status ByteReader::requireItems(std::uint64_t count, std::uint64_t bytesEach, std::string_view what) const {
    if (count > left() / bytesEach)
        return fail(ErrorCode::BadFormat, m_label + ": " + std::to_string(count) + " " + std::string(what) +
                                              " at byte " + std::to_string(m_position) +
                                              " cannot fit into the " + std::to_string(left()) +
                                              " bytes left");
    return {};
}

} // namespace bdq::io
