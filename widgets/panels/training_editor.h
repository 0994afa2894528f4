// How long a preset trains: fields that a run sheet shows when the preset trains at all.
#pragma once

#include <QWidget>

#include "engine/api/job_spec.h"

class QComboBox;
class QSpinBox;

namespace bdq {

/// Epochs, steps over the whole model and their loss; every field offers the preset's value first.
class TrainingEditor : public QWidget {
    Q_OBJECT
public:
    explicit TrainingEditor(QWidget* parent);
    /// What the fields name as the preset's values, for so many calibration sequences.
    void setPreset(Method method, Preset preset, int sequences);
    void setChanges(const TrainingOverrides& changes);
    /// Epochs, steps and loss; none when the preset does not train.
    [[nodiscard]] TrainingOverrides changes() const;

signals:
    void changed();

private:
    QSpinBox* m_epochs = nullptr;
    QSpinBox* m_steps = nullptr;
    QComboBox* m_loss = nullptr;
    bool m_trains = false;
};

} // namespace bdq
