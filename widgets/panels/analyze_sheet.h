// What to analyse and on which text.
#pragma once

#include <memory>
#include <vector>

#include "engine/api/job_event.h"
#include "widgets/panels/job_sheet.h"
#include "widgets/types.h"

namespace bdq {

class AnalyzeSheet : public JobSheet {
    Q_OBJECT
public:
    explicit AnalyzeSheet(QWidget* parent = nullptr);
    ~AnalyzeSheet() override;

    void setSpec(const AnalyzeSpec& spec);
    [[nodiscard]] AnalyzeSpec spec() const;
    void setDevices(const std::vector<DeviceInfo>& devices);
    void focusFirst();
    void setCalibrationPath(const QString& path); ///< answer to browseRequested()

signals:
    void browseRequested();
    void startRequested(const bdq::AnalyzeSpec& spec);

private:
    struct Private;
    std::unique_ptr<Private> d;
};

} // namespace bdq
