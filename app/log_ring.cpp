#include "app/log_ring.h"

namespace bdq {

void LogRing::append(const QByteArray& text) {
    m_text.append(text);
    if (m_text.size() <= m_capacity) return;
    const qsizetype surplus = m_text.size() - m_capacity;
    const qsizetype newline = m_text.indexOf('\n', surplus);
    m_text.remove(0, newline < 0 ? surplus : newline + 1);
}

QByteArray LogRing::lastLine() const {
    const QByteArray trimmed = m_text.trimmed();
    return trimmed.mid(trimmed.lastIndexOf('\n') + 1);
}

} // namespace bdq
