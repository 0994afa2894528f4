// What to analyse and on which text.
#pragma once

#include <memory>
#include <vector>

#include <QWidget>

#include "engine/api/job_event.h"
#include "widgets/types.h"

namespace bdq {

class AnalyzeSheet : public QWidget {
    Q_OBJECT
public:
    explicit AnalyzeSheet(QWidget* parent = nullptr);
    ~AnalyzeSheet() override;

    void setSpec(const AnalyzeSpec& spec);
    [[nodiscard]] AnalyzeSpec spec() const;
    void setDevices(const std::vector<DeviceInfo>& devices);
    void setCalibrationPath(const QString& path); ///< answer to browseRequested()
    void setProblem(const QString& text);

signals:
    void browseRequested();
    void startRequested(const bdq::AnalyzeSpec& spec);
    void cancelRequested();

protected:
    void keyPressEvent(QKeyEvent* event) override;

private:
    struct Private;
    std::unique_ptr<Private> d;
};

} // namespace bdq
