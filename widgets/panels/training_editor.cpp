#include "widgets/panels/training_editor.h"

#include <array>

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

/// A switch of the recipe that a run may turn.
struct Switch {
    const char* name;
    const char* explanation;
    bool TrainingRecipe::*preset;
    std::optional<bool> TrainingOverrides::*change;
    bool ofBlocks; ///< has no effect on steps over the whole model
};
constexpr std::array kSwitches{
    Switch{
        QT_TRANSLATE_NOOP("bdq::TrainingEditor", "Learned rounding"),
        QT_TRANSLATE_NOOP("bdq::TrainingEditor",
                          "The loss decides which of its two neighbouring codes every weight takes, instead "
                          "of the nearest. Pays at 2 and 3 bits; costs memory and time."),
        &TrainingRecipe::learnRounding, &TrainingOverrides::learnRounding, false},
    Switch{QT_TRANSLATE_NOOP("bdq::TrainingEditor", "Quantized inputs"),
           QT_TRANSLATE_NOOP("bdq::TrainingEditor",
                             "Blocks learn from what the quantized blocks before them put out, so that they "
                             "make good the errors of these. Off: from the full model's states."),
           &TrainingRecipe::quantizedInputs, &TrainingOverrides::quantizedInputs, true},
    Switch{QT_TRANSLATE_NOOP("bdq::TrainingEditor", "bfloat16 products"),
           QT_TRANSLATE_NOOP("bdq::TrainingEditor",
                             "Matrix products of the training in bfloat16: faster where the hardware has it, "
                             "less exact. Parameters stay in fp32."),
           &TrainingRecipe::autocast, &TrainingOverrides::autocast, false}};

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
    makeSwitches();
    auto* layout = new QGridLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setHorizontalSpacing(8);
    layout->setVerticalSpacing(4);
    int row = 0;
    std::vector<QWidget*> editors{m_epochs, m_steps, m_loss};
    editors.insert(editors.end(), m_switches.begin(), m_switches.end());
    for (QWidget* editor : editors) {
        layout->addWidget(new QLabel(editor->accessibleName(), this), row, 0);
        layout->addWidget(editor, row++, 1);
    }
    layout->setColumnStretch(1, 1);
    setFocusProxy(m_epochs);
    for (QSpinBox* box : {m_epochs, m_steps})
        connect(box, &QSpinBox::valueChanged, this, &TrainingEditor::changed);
    connect(m_loss, &QComboBox::currentIndexChanged, this, &TrainingEditor::changed);
}

void TrainingEditor::makeSwitches() {
    for (const Switch& row : kSwitches) {
        auto* box = new QComboBox(this);
        box->setAccessibleName(tr(row.name));
        box->setToolTip(plainToolTip(tr(row.explanation)));
        box->addItem(QString());
        box->addItem(tr("on"), true);
        box->addItem(tr("off"), false);
        connect(box, &QComboBox::currentIndexChanged, this, &TrainingEditor::changed);
        m_switches.push_back(box);
    }
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
    const bool blocks = recipe.epochs > 0 && chosen(m_epochs).value_or(recipe.epochs) > 0;
    for (std::size_t i = 0; i < kSwitches.size(); ++i) {
        const bool standard = recipe.*kSwitches[i].preset;
        m_switches[i]->setItemText(0, tr("preset's: %1").arg(standard ? tr("on") : tr("off")));
        m_switches[i]->setEnabled(blocks || !kSwitches[i].ofBlocks);
    }
}

void TrainingEditor::setChanges(const TrainingOverrides& changes) {
    const QSignalBlocker blocker(this);
    m_given = changes;
    m_epochs->setValue(changes.epochs.value_or(kPresets));
    m_steps->setValue(changes.endToEndSteps.value_or(kPresets));
    m_loss->setCurrentIndex(m_loss->findData(changes.loss ? static_cast<int>(*changes.loss) : kPresets));
    for (std::size_t i = 0; i < kSwitches.size(); ++i) {
        const std::optional<bool>& change = changes.*kSwitches[i].change;
        m_switches[i]->setCurrentIndex(change ? m_switches[i]->findData(*change) : 0);
    }
}

TrainingOverrides TrainingEditor::changes() const {
    if (!m_trains) return {};
    TrainingOverrides changes = m_given;
    changes.epochs = chosen(m_epochs);
    changes.endToEndSteps = chosen(m_steps);
    changes.loss.reset();
    if (m_loss->isEnabled() && m_loss->currentData().toInt() != kPresets)
        changes.loss = static_cast<LogitLoss>(m_loss->currentData().toInt());
    for (std::size_t i = 0; i < kSwitches.size(); ++i) {
        const QVariant choice = m_switches[i]->currentData();
        const bool given = m_switches[i]->isEnabled() && choice.isValid();
        changes.*kSwitches[i].change = given ? std::optional(choice.toBool()) : std::nullopt;
    }
    return changes;
}

} // namespace bdq
