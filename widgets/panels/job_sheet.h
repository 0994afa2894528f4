// The frame of a sheet that starts a job: heading, a form that scrolls, the problem of starting, Cancel and
// Start.
#pragma once

#include <QWidget>

class QFormLayout;
class QPushButton;

namespace bdq {

class FieldMessage;

class JobSheet : public QWidget {
    Q_OBJECT
public:
    /// Outcome of starting, e.g. "folder is not writable"; empty clears.
    void setProblem(const QString& text);

signals:
    void cancelRequested();

protected:
    /// `lead` says in a sentence what the job does; may be empty.
    JobSheet(const QString& title, const QString& lead, const QString& startText, QWidget* parent);

    /// Rows of the form; their editors belong to its parentWidget().
    [[nodiscard]] QFormLayout* form() const { return m_form; }
    [[nodiscard]] QPushButton* startButton() const { return m_start; }
    void keyPressEvent(QKeyEvent* event) override;

private:
    [[nodiscard]] QWidget* makeForm();

    QFormLayout* m_form = nullptr;
    FieldMessage* m_problem = nullptr;
    QPushButton* m_start = nullptr;
};

} // namespace bdq
