// SHA-256 (FIPS 180-4).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace bdq::io {

/// Hash of bytes that arrive in pieces.
class Sha256 {
public:
    void update(std::span<const std::byte> bytes);
    /// Digest as 64 lower-case hex digits; call once, last.
    std::string finishHex();

private:
    void compress(const std::byte* block);

    std::array<std::uint32_t, 8> m_state{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    std::array<std::byte, 64> m_pending{};
    std::size_t m_pendingBytes = 0;
    std::uint64_t m_totalBytes = 0;
};

/// Digest of one buffer as 64 lower-case hex digits.
std::string sha256Hex(std::span<const std::byte> bytes);

} // namespace bdq::io
