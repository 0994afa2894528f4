#include "widgets/panels/budget_row.h"

#include <algorithm>
#include <cmath>

#include <QAction>
#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QMenu>
#include <QPushButton>
#include <QSignalBlocker>
#include <QSlider>
#include <QToolButton>
#include <QVBoxLayout>

#include "widgets/format.h"
#include "widgets/panels/elided_label.h"

namespace bdq {

namespace {

constexpr int kStepsPerBit = 20;
constexpr int kStepsPerPage = 10;
constexpr int kFewestBits = 2;
constexpr int kMostBits = 8;

int stepsOf(double bits) {
    return static_cast<int>(std::lround(bits * kStepsPerBit));
}

} // namespace

struct BudgetRow::Private {
    BudgetRange range;
    QSlider* slider = nullptr;
    QDoubleSpinBox* bits = nullptr;
    QToolButton* candidates = nullptr;
    QMenu* widths = nullptr; ///< one checkable action a width
    ElidedLabel* outcome = nullptr;
    QPushButton* measure = nullptr;
    Measuring measuring = Measuring::Hidden;

    void makeCandidates(BudgetRow* row);
    [[nodiscard]] std::vector<int> checkedWidths() const;
    void choose(BudgetRow* row, double averageBits) {
        const double within = std::clamp(averageBits, range.leastBits, range.mostBits);
        row->setBits(within);
        emit row->bitsChosen(within);
    }
};

void BudgetRow::Private::makeCandidates(BudgetRow* row) {
    candidates = new QToolButton(row);
    candidates->setPopupMode(QToolButton::InstantPopup);
    candidates->setAccessibleName(BudgetRow::tr("Bit widths that a row can get"));
    candidates->setToolTip(BudgetRow::tr("Bit widths that the slider chooses from"));
    widths = new QMenu(candidates);
    candidates->setMenu(widths);
    for (int width = kFewestBits; width <= kMostBits; ++width) {
        QAction* action = widths->addAction(BudgetRow::tr("%1 bits").arg(width));
        action->setCheckable(true);
        action->setData(width);
        QObject::connect(action, &QAction::triggered, row, [this, row, action] {
            if (checkedWidths().empty()) action->setChecked(true); // something must be left to choose
            const std::vector<int> chosen = checkedWidths();
            row->setCandidates(chosen);
            emit row->candidatesChosen(chosen);
        });
    }
}

std::vector<int> BudgetRow::Private::checkedWidths() const {
    std::vector<int> checked;
    for (const QAction* action : widths->actions())
        if (action->isChecked()) checked.push_back(action->data().toInt());
    return checked;
}

BudgetRow::BudgetRow(QWidget* parent) : QWidget(parent), d(std::make_unique<Private>()) {
    d->slider = new QSlider(Qt::Horizontal, this);
    d->slider->setAccessibleName(tr("Average bits of weights"));
    d->slider->setPageStep(kStepsPerPage);
    d->slider->setMinimumWidth(96);
    d->bits = new QDoubleSpinBox(this);
    d->bits->setAccessibleName(tr("Average bits of weights"));
    d->bits->setDecimals(2);
    d->bits->setSingleStep(1.0 / kStepsPerBit);
    d->bits->setSuffix(tr(" bit"));
    d->bits->setKeyboardTracking(false);
    d->makeCandidates(this);
    d->outcome = new ElidedLabel(this);
    d->outcome->setForegroundRole(QPalette::PlaceholderText);
    d->measure = new QPushButton(this);
    d->measure->setAutoDefault(false);
    auto* top = new QHBoxLayout;
    top->setSpacing(8);
    top->addWidget(d->slider, 1);
    top->addWidget(d->bits);
    top->addWidget(d->candidates);
    top->addWidget(d->measure);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(2);
    layout->addLayout(top);
    layout->addWidget(d->outcome);
    connect(d->slider, &QSlider::valueChanged, this,
            [this](int steps) { d->choose(this, static_cast<double>(steps) / kStepsPerBit); });
    connect(d->bits, &QDoubleSpinBox::valueChanged, this, [this](double bits) { d->choose(this, bits); });
    connect(d->measure, &QPushButton::clicked, this, [this] {
        if (d->measuring == Measuring::Running)
            emit cancelRequested();
        else
            emit measureRequested();
    });
    setCandidates({2, 3, 4, 8});
    setRange({});
    setOutcome({}, {});
    setMeasuring(Measuring::Hidden);
}

BudgetRow::~BudgetRow() = default;

void BudgetRow::setRange(const std::optional<BudgetRange>& range, const QString& reason) {
    const QSignalBlocker noSteps(d->slider);
    const QSignalBlocker noBits(d->bits);
    d->range = range.value_or(BudgetRange{});
    d->slider->setRange(static_cast<int>(std::floor(d->range.leastBits * kStepsPerBit)),
                        static_cast<int>(std::ceil(d->range.mostBits * kStepsPerBit)));
    // Two decimals, rounded so that the ends themselves can be chosen.
    d->bits->setRange(std::floor(d->range.leastBits * 100) / 100, std::ceil(d->range.mostBits * 100) / 100);
    d->bits->setSpecialValueText(range ? QString() : QStringLiteral("–"));
    const QString toolTip =
        range ? tr("Average bits of all weights, scales and zero points counted. Every site gets the bits "
                   "with which the sum of the losses is smallest.")
              : reason;
    for (QWidget* widget : {static_cast<QWidget*>(d->slider), static_cast<QWidget*>(d->bits)}) {
        widget->setEnabled(range.has_value());
        widget->setToolTip(toolTip);
    }
}

void BudgetRow::setBits(double averageBits) {
    const QSignalBlocker noSteps(d->slider);
    const QSignalBlocker noBits(d->bits);
    d->slider->setValue(stepsOf(averageBits));
    d->bits->setValue(averageBits);
}

void BudgetRow::setCandidates(const std::vector<int>& bits) {
    QStringList names;
    for (QAction* action : d->widths->actions()) {
        const int width = action->data().toInt();
        action->setChecked(std::ranges::find(bits, width) != bits.end());
        if (action->isChecked()) names << QString::number(width);
    }
    d->candidates->setText(names.join(u' '));
}

void BudgetRow::setOutcome(const QString& text, const QString& explanation) {
    const bool hint = text.isEmpty() && d->slider->isEnabled();
    d->outcome->setText(hint ? tr("Move it: every site gets the bits that cost the model least") : text);
    if (!explanation.isEmpty()) d->outcome->setToolTip(explanation);
}

void BudgetRow::setMeasuring(Measuring state) {
    d->measuring = state;
    d->measure->setVisible(state != Measuring::Hidden);
    const bool running = state == Measuring::Running;
    d->measure->setText(running ? tr("Cancel") : tr("Meas&ure losses"));
    d->measure->setToolTip(
        running ? tr("Stops the measurement; nothing of it is kept")
                : tr("Measures what the whole model loses when one site alone is quantized, for every site "
                     "and bit width (sensitivity). Until then estimated losses are compared, where the "
                     "analysis has them; without either nothing is ranked."));
}

QWidget* BudgetRow::focusTarget() const {
    return d->slider;
}

int BudgetRow::controlsHeight() const {
    return std::max(d->bits->sizeHint().height(), d->measure->sizeHint().height());
}

} // namespace bdq
