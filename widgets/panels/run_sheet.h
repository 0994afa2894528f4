// Everything a run needs before it starts, with messages beside the fields, the memory it will take and the
// command line that does the same.
#pragma once

#include <memory>
#include <vector>

#include "engine/api/job_event.h"
#include "widgets/panels/job_sheet.h"
#include "widgets/types.h"

namespace bdq {

class RunSheet : public JobSheet {
    Q_OBJECT
public:
    enum class PathField { Calibration, Evaluation, OutDir };

    explicit RunSheet(QWidget* parent = nullptr);
    ~RunSheet() override;

    /// Fills the fields. The spec's model path, layers, seed and resume flag are kept as they are.
    void setSpec(const RunSpec& spec);
    [[nodiscard]] RunSpec spec() const;
    /// Devices the worker reported; "auto" is always offered.
    void setDevices(const std::vector<DeviceInfo>& devices);
    /// For the memory estimate.
    void setModel(const ModelConfig& model, std::int64_t parameters);
    /// Answer to browseRequested().
    void setPath(PathField field, const QString& path);

public slots:
    void focusFirst();

signals:
    void browseRequested(bdq::RunSheet::PathField field);
    void startRequested(const bdq::RunSpec& spec);

private:
    struct Private;
    std::unique_ptr<Private> d;
};

/// Bytes of host (or device) memory a run is expected to take at its peak: one block in fp32 with its moments
/// and the activations of the calibration tokens before and after it, plus embedding and head for evaluation.
std::uint64_t estimateRunBytes(const ModelConfig& model, const CalibrationOptions& calibration,
                               bool evaluates);

} // namespace bdq
