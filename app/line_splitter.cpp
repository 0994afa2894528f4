#include "app/line_splitter.h"

namespace bdq {

std::vector<QByteArray> LineSplitter::feed(const QByteArray& piece) {
    std::vector<QByteArray> lines;
    qsizetype begin = 0;
    while (!m_overflowed && begin < piece.size()) {
        const qsizetype newline = piece.indexOf('\n', begin);
        const qsizetype end = newline < 0 ? piece.size() : newline;
        if (static_cast<std::size_t>(m_rest.size() + end - begin) > m_maxLineBytes) {
            m_overflowed = true;
            m_rest = QByteArray();
            break;
        }
        m_rest.append(piece.constData() + begin, end - begin);
        if (newline < 0) break;
        lines.push_back(m_rest);
        m_rest = QByteArray();
        begin = newline + 1;
    }
    return lines;
}

void LineSplitter::reset() {
    m_rest = QByteArray();
    m_overflowed = false;
}

} // namespace bdq
