// The frame of a sheet that starts a job: heading, a form that scrolls, and pinned below it the command line,
// the problem of starting, what the job needs, Cancel and Start.
#pragma once

#include <QWidget>

class QFormLayout;
class QLabel;
class QPushButton;

namespace bdq {

class CommandBox;
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
    /// The same job on the command line; empty takes its row away.
    void setCommand(const QString& text);
    /// What the job needs, e.g. "about 3.2 GB at the peak"; stands beside the buttons.
    void setEstimate(const QString& text, const QString& toolTip);
    void keyPressEvent(QKeyEvent* event) override;

private:
    [[nodiscard]] QWidget* makeForm(const QString& lead);
    [[nodiscard]] QWidget* makeButtons(const QString& startText);

    QFormLayout* m_form = nullptr;
    CommandBox* m_command = nullptr;
    FieldMessage* m_problem = nullptr;
    QLabel* m_estimate = nullptr;
    QPushButton* m_start = nullptr;
};

} // namespace bdq
