// Building blocks that the sheets and editors share.
#pragma once

#include <initializer_list>
#include <optional>
#include <vector>

#include <QComboBox>
#include <QLabel>
#include <QWidget>

#include "engine/api/job_event.h"
#include "widgets/types.h"

class QLineEdit;
class QRadioButton;
class QSpinBox;

namespace bdq {

QString roundingTitle(WeightRounding rounding);
QString roundingExplanation(WeightRounding rounding);

/// Choice of 2..8 or 16 bits. `keep` adds a first entry that means "do not change".
class BitsBox : public QComboBox {
    Q_OBJECT
public:
    BitsBox(const QString& accessibleName, bool keep, QWidget* parent);
    void setBits(std::optional<int> bits); ///< empty = mixed, or "keep"
    [[nodiscard]] std::optional<int> bits() const;
};

/// What a method is, what stays online, where it differs from its paper, and the source: rich text from the
/// table.
QString methodFacts(const MethodInfo& info);
void fillMethods(QComboBox* box);
/// The presets of `method`; `chosen`, or the method's default when it has no such preset, becomes current.
void fillPresets(QComboBox* box, Method method, Preset chosen);
/// First entry: the default of the preset.
void fillRoundings(QComboBox* box, Method method, Preset preset);
void chooseRounding(QComboBox* box, std::optional<WeightRounding> rounding);
[[nodiscard]] std::optional<WeightRounding> chosenRounding(const QComboBox* box);
void fillDevices(QComboBox* box, const std::vector<DeviceInfo>& devices, const std::string& current);

/// Lets boxes with long entries become narrower than these.
void letShrink(std::initializer_list<QComboBox*> boxes);

/// Text field that shows a problem under a field with a sign; takes no room while there is none.
class FieldMessage : public QLabel {
    Q_OBJECT
public:
    explicit FieldMessage(QWidget* parent);
    void setProblem(const QString& text);

protected:
    void changeEvent(QEvent* event) override;

private:
    void recolor();
    bool m_recoloring = false;
};

/// Path with a Browse button; shows what it has from the end, the whole path in the tooltip.
class PathEdit : public QWidget {
    Q_OBJECT
public:
    PathEdit(const QString& accessibleName, QWidget* parent);
    void setPath(const QString& path);
    [[nodiscard]] QString path() const;

signals:
    void changed();
    void browseRequested();

private:
    QLineEdit* m_edit = nullptr;
};

/// Text the model writes itself or a file, and how much of it.
class CalibrationEditor : public QWidget {
    Q_OBJECT
public:
    explicit CalibrationEditor(QWidget* parent);
    void setOptions(const CalibrationOptions& options);
    [[nodiscard]] CalibrationOptions options() const;
    void setPath(const QString& path); ///< also chooses the file

signals:
    void changed();
    void browseRequested();

private:
    void updateTotal();

    QRadioButton* m_self = nullptr;
    QRadioButton* m_file = nullptr;
    PathEdit* m_path = nullptr;
    QSpinBox* m_sequences = nullptr;
    QSpinBox* m_length = nullptr;
    QLabel* m_total = nullptr;
};

/// A command line to read and to copy: one line, the whole of it in the tooltip.
class CommandBox : public QWidget {
    Q_OBJECT
public:
    explicit CommandBox(QWidget* parent);
    void setCommand(const QString& text);

private:
    QLineEdit* m_text = nullptr;
};

/// An editor with its message below, for a row of a form.
QWidget* withMessage(QWidget* editor, FieldMessage* message);

} // namespace bdq
