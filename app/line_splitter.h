// Cuts a byte stream into lines, whatever the pieces it arrives in.
#pragma once

#include <QByteArray>

#include <cstddef>
#include <vector>

namespace bdq {

/// Incremental: feed() takes the next piece and returns the lines it completed, without their newline. A line
/// longer than the cap sets overflowed(); from then on nothing more is kept or returned, so a runaway sender
/// costs no memory.
class LineSplitter {
public:
    explicit LineSplitter(std::size_t maxLineBytes) : m_maxLineBytes(maxLineBytes) {}

    std::vector<QByteArray> feed(const QByteArray& piece);
    [[nodiscard]] bool overflowed() const { return m_overflowed; }
    /// The unfinished last line.
    [[nodiscard]] const QByteArray& rest() const { return m_rest; }
    void reset();

private:
    std::size_t m_maxLineBytes;
    QByteArray m_rest;
    bool m_overflowed = false;
};

} // namespace bdq
