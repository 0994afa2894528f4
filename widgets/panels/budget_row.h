// Average bits a weight as a slider: what a solver chooses single sites' bits for.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include <QWidget>

#include "widgets/types.h"

namespace bdq {

class BudgetRow : public QWidget {
    Q_OBJECT
public:
    explicit BudgetRow(QWidget* parent = nullptr);
    ~BudgetRow() override;

    /// Empty = nothing can be chosen, for this reason.
    void setRange(const std::optional<BudgetRange>& range, const QString& reason = {});
    /// Average of the plan, or the budget it was chosen for; emits nothing.
    void setBits(double averageBits);
    /// One line about the choice; the explanation is rich text for the tooltip. After setRange(): without a
    /// choice it says what the slider does.
    void setOutcome(const QString& text, const QString& explanation);
    /// Bit widths that a site can get, ascending; emits nothing.
    void setCandidates(const std::vector<int>& bits);
    enum class Measuring { Hidden, Possible, Running };
    void setMeasuring(Measuring state);
    [[nodiscard]] QWidget* focusTarget() const; ///< for a label's shortcut
    [[nodiscard]] int controlsHeight() const;   ///< of the line above the outcome, for a label beside it

signals:
    /// Within the range; while the slider is dragged, too.
    void bitsChosen(double averageBits);
    /// At least one of 2..8, ascending.
    void candidatesChosen(const std::vector<int>& bits);
    void measureRequested();
    void cancelRequested();

private:
    struct Private;
    std::unique_ptr<Private> d;
};

} // namespace bdq
