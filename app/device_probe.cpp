#include "app/device_probe.h"

#include <string_view>

namespace bdq {

DeviceProbe::DeviceProbe(QString workerPath, QObject* parent)
    : QObject(parent), m_workerPath(std::move(workerPath)) {
    m_process.setStandardErrorFile(QProcess::nullDevice());
    connect(&m_process, &QProcess::readyReadStandardOutput, this, &DeviceProbe::read);
}

DeviceProbe::~DeviceProbe() {
    m_process.disconnect(this);
    if (m_process.state() != QProcess::NotRunning) {
        m_process.kill();
        m_process.waitForFinished(1000);
    }
}

void DeviceProbe::start() {
    if (m_asked) return;
    m_asked = true;
    m_process.start(m_workerPath, {QStringLiteral("worker")});
}

void DeviceProbe::read() {
    for (const QByteArray& line : m_lines.feed(m_process.readAllStandardOutput())) {
        const auto decoded =
            decodeEvent(std::string_view(line.constData(), static_cast<std::size_t>(line.size())));
        const auto* hello = decoded ? std::get_if<HelloEvent>(&decoded->event) : nullptr;
        if (hello && hello->protocol == kProtocolVersion) emit devicesFound(hello->devices);
        // End of input: the worker has nothing to do and leaves.
        m_process.closeWriteChannel();
    }
}

} // namespace bdq
