#include "widgets/panels/budget_row.h"

#include <algorithm>
#include <cmath>

#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QPushButton>
#include <QSignalBlocker>
#include <QSlider>
#include <QVBoxLayout>

#include "widgets/format.h"
#include "widgets/panels/elided_label.h"

namespace bdq {

namespace {

constexpr int kStepsPerBit = 20;
constexpr int kStepsPerPage = 10;

int stepsOf(double bits) {
    return static_cast<int>(std::lround(bits * kStepsPerBit));
}

} // namespace

struct BudgetRow::Private {
    BudgetRange range;
    QSlider* slider = nullptr;
    QDoubleSpinBox* bits = nullptr;
    ElidedLabel* outcome = nullptr;
    QPushButton* measure = nullptr;
    Measuring measuring = Measuring::Hidden;

    void choose(BudgetRow* row, double averageBits) {
        const double within = std::clamp(averageBits, range.leastBits, range.mostBits);
        row->setBits(within);
        emit row->bitsChosen(within);
    }
};

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
    d->outcome = new ElidedLabel(this);
    d->outcome->setForegroundRole(QPalette::PlaceholderText);
    d->measure = new QPushButton(this);
    d->measure->setAutoDefault(false);
    auto* top = new QHBoxLayout;
    top->setSpacing(8);
    top->addWidget(d->slider, 1);
    top->addWidget(d->bits);
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
                     "and bit width (sensitivity). Until then predicted errors are compared."));
}

QWidget* BudgetRow::focusTarget() const {
    return d->slider;
}

int BudgetRow::controlsHeight() const {
    return std::max(d->bits->sizeHint().height(), d->measure->sizeHint().height());
}

} // namespace bdq
