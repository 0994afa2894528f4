// What to measure of single sites' losses, on how much text, and how long it takes.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "engine/api/job_event.h"
#include "widgets/panels/job_sheet.h"
#include "widgets/types.h"

namespace bdq {

class LossesSheet : public JobSheet {
    Q_OBJECT
public:
    /// Seconds that a measurement takes; < 0 = unknown.
    using Estimate = std::function<double(const SensitivitySpec&)>;

    explicit LossesSheet(QWidget* parent = nullptr);
    ~LossesSheet() override;

    /// `layers` = of the model.
    void setSpec(const SensitivitySpec& spec, int layers, Estimate estimate);
    [[nodiscard]] SensitivitySpec spec() const;
    void setDevices(const std::vector<DeviceInfo>& devices);

signals:
    void startRequested(const bdq::SensitivitySpec& spec);

private:
    struct Private;
    std::unique_ptr<Private> d;
};

} // namespace bdq
