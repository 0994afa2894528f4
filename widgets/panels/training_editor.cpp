#include "widgets/panels/training_editor.h"

#include <QComboBox>
#include <QGridLayout>
#include <QLabel>
#include <QSignalBlocker>
#include <QSpinBox>

#include "widgets/format.h"

namespace bdq {

namespace {

constexpr int kPresets = -1; ///< stands for the preset's value in every field
constexpr int kMostEpochs = 10000;
constexpr int kMostSteps = 10000000;

std::optional<int> chosen(const QSpinBox* box) {
    return box->value() == kPresets ? std::nullopt : std::optional(box->value());
}

} // namespace

TrainingEditor::TrainingEditor(QWidget* parent) : QWidget(parent) {
    m_epochs = new QSpinBox(this);
    m_epochs->setRange(kPresets, kMostEpochs);
    m_epochs->setAccessibleName(tr("Epochs"));
    m_epochs->setToolTip(
        tr("Passes over the calibration text, block by block; over the whole model where the "
           "preset trains only that"));
    m_steps = new QSpinBox(this);
    m_steps->setRange(kPresets, kMostSteps);
    m_steps->setAccessibleName(tr("Steps over the whole model"));
    m_steps->setToolTip(tr("After the blocks: training of the whole model on its output"));
    m_loss = new QComboBox(this);
    m_loss->setAccessibleName(tr("Loss of these steps"));
    m_loss->addItem(QString(), kPresets);
    for (const LogitLossInfo& info : logitLossTable()) {
        m_loss->addItem(toQString(info.id), static_cast<int>(info.loss));
        m_loss->setItemData(m_loss->count() - 1, plainToolTip(toQString(info.explanation)), Qt::ToolTipRole);
    }
    auto* layout = new QGridLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setHorizontalSpacing(8);
    layout->setVerticalSpacing(4);
    int row = 0;
    for (QWidget* editor :
         {static_cast<QWidget*>(m_epochs), static_cast<QWidget*>(m_steps), static_cast<QWidget*>(m_loss)}) {
        layout->addWidget(new QLabel(editor->accessibleName(), this), row, 0);
        layout->addWidget(editor, row++, 1);
    }
    layout->setColumnStretch(1, 1);
    setFocusProxy(m_epochs);
    for (QSpinBox* box : {m_epochs, m_steps})
        connect(box, &QSpinBox::valueChanged, this, &TrainingEditor::changed);
    connect(m_loss, &QComboBox::currentIndexChanged, this, &TrainingEditor::changed);
}

void TrainingEditor::setPreset(Method method, Preset preset, int sequences) {
    RunSpec plain;
    plain.method = method;
    plain.preset = preset;
    plain.calibration.sequences = sequences;
    const TrainingRecipe recipe = effectiveRecipe(plain);
    const int epochs = recipe.epochs + trainingRecipe(method, preset).endToEndEpochs;
    m_trains = recipe.trains();
    m_epochs->setSpecialValueText(tr("preset's: %1").arg(epochs));
    m_steps->setSpecialValueText(tr("preset's: %1").arg(recipe.endToEndSteps));
    m_loss->setItemText(0, tr("preset's: %1").arg(toQString(logitLossName(recipe.loss))));
    m_loss->setEnabled(chosen(m_steps).value_or(recipe.endToEndSteps) > 0);
}

void TrainingEditor::setChanges(const TrainingOverrides& changes) {
    const QSignalBlocker blocker(this);
    m_epochs->setValue(changes.epochs.value_or(kPresets));
    m_steps->setValue(changes.endToEndSteps.value_or(kPresets));
    m_loss->setCurrentIndex(m_loss->findData(changes.loss ? static_cast<int>(*changes.loss) : kPresets));
}

TrainingOverrides TrainingEditor::changes() const {
    TrainingOverrides changes;
    if (!m_trains) return changes;
    changes.epochs = chosen(m_epochs);
    changes.endToEndSteps = chosen(m_steps);
    if (m_loss->isEnabled() && m_loss->currentData().toInt() != kPresets)
        changes.loss = static_cast<LogitLoss>(m_loss->currentData().toInt());
    return changes;
}

} // namespace bdq
