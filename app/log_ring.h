// The last part of a process' log text.
#pragma once

#include <QByteArray>

namespace bdq {

/// Keeps at most `capacity` bytes, dropping whole lines from the front.
class LogRing {
public:
    explicit LogRing(qsizetype capacity = 256 * 1024) : m_capacity(capacity) {}

    void append(const QByteArray& text);
    [[nodiscard]] const QByteArray& text() const { return m_text; }
    /// Last line that is not blank; empty when there is none.
    [[nodiscard]] QByteArray lastLine() const;
    void clear() { m_text.clear(); }

private:
    qsizetype m_capacity;
    QByteArray m_text;
};

} // namespace bdq
