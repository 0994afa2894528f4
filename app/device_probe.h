// Which devices the worker can compute on, asked once without starting a job.
#pragma once

#include <QObject>
#include <QProcess>

#include <vector>

#include "app/line_splitter.h"
#include "engine/api/job_event.h"

namespace bdq {

/// Starts a worker, reads its `hello` and lets it go. Silent when that fails: the first real job says why.
class DeviceProbe : public QObject {
    Q_OBJECT
public:
    explicit DeviceProbe(QString workerPath, QObject* parent = nullptr);
    ~DeviceProbe() override;
    /// Does nothing once it was asked.
    void start();

signals:
    void devicesFound(const std::vector<bdq::DeviceInfo>& devices);

private:
    void read();

    QString m_workerPath;
    QProcess m_process;
    LineSplitter m_lines{kMaxLineBytes};
    bool m_asked = false;
};

} // namespace bdq
