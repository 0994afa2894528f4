// Bounded reading of untrusted bytes: every count is compared with the bytes left before anything is
// allocated.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/api/result.h"

namespace bdq::io {

static_assert(std::endian::native == std::endian::little,
              "model files are little-endian and are read in place");

/// a * b, or nothing when it does not fit in 64 bits.
std::optional<std::uint64_t> checkedProduct(std::uint64_t a, std::uint64_t b);
/// Number of elements of a shape; nothing when an extent is negative or the product exceeds 2^63 - 1. Empty
/// shape: 1.
std::optional<std::int64_t> checkedElements(std::span<const std::int64_t> shape);
/// Text from a file, fit for a message: in quotes, at most 80 characters, unprintable ones replaced.
std::string inQuotes(std::string_view text);

/// Positional reader over bytes in memory (a mapped file or a test's buffer); never reads past the end. Does
/// not own the bytes; views it hands out live as long as they do.
class ByteReader {
public:
    /// `label` names the source in messages, usually the file name.
    ByteReader(std::span<const std::byte> bytes, std::string label)
        : m_bytes(bytes), m_label(std::move(label)) {}

    [[nodiscard]] const std::string& label() const { return m_label; }
    [[nodiscard]] std::uint64_t position() const { return m_position; }
    [[nodiscard]] std::uint64_t left() const { return m_bytes.size() - m_position; }

    /// One little-endian number. `what` names it in the message. Error: BadFormat at the end of the data.
    template <class T> Result<T> read(std::string_view what) {
        if (left() < sizeof(T)) return endOfData(what, sizeof(T));
        T value;
        std::memcpy(&value, m_bytes.data() + m_position, sizeof(T));
        m_position += sizeof(T);
        return value;
    }
    /// View of the next `count` bytes. Error: BadFormat when fewer are left.
    Result<std::span<const std::byte>> take(std::uint64_t count, std::string_view what);
    /// The same as characters.
    Result<std::string_view> takeText(std::uint64_t count, std::string_view what);
    /// Refuses a count of items that cannot fit into the bytes left when each takes at least `bytesEach` > 0.
    [[nodiscard]] Status requireItems(std::uint64_t count, std::uint64_t bytesEach,
                                      std::string_view what) const;

private:
    [[nodiscard]] tl::unexpected<Error> endOfData(std::string_view what, std::uint64_t wanted) const;

    std::span<const std::byte> m_bytes;
    std::string m_label;
    std::uint64_t m_position = 0;
};

} // namespace bdq::io
