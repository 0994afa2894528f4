// How a preset trains: fields that a run sheet shows when the preset trains at all.
#pragma once

#include <vector>

#include <QWidget>

#include "engine/api/job_spec.h"

class QComboBox;
class QSpinBox;

namespace bdq {

/// Epochs, steps over the whole model and their loss, and the recipe's switches; every field offers the
/// preset's value first.
class TrainingEditor : public QWidget {
    Q_OBJECT
public:
    explicit TrainingEditor(QWidget* parent);
    /// What the fields name as the preset's values, for so many calibration sequences.
    void setPreset(Method method, Preset preset, int sequences);
    void setChanges(const TrainingOverrides& changes);
    /// What the fields show, other members as setChanges() had them; none when the preset does not train.
    [[nodiscard]] TrainingOverrides changes() const;

signals:
    void changed();

private:
    void makeSwitches();

    TrainingOverrides m_given;
    QSpinBox* m_epochs = nullptr;
    QSpinBox* m_steps = nullptr;
    QComboBox* m_loss = nullptr;
    std::vector<QComboBox*> m_switches; ///< in the order of their table
    bool m_trains = false;
};

} // namespace bdq
