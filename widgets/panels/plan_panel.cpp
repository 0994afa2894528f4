#include "widgets/panels/plan_panel.h"

#include <QAction>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QPushButton>
#include <QSignalBlocker>
#include <QToolButton>
#include <QVBoxLayout>

#include "widgets/format.h"
#include "widgets/panels/budget_row.h"
#include "widgets/panels/elided_label.h"
#include "widgets/panels/form_fields.h"
#include "widgets/panels/header_strip.h"
#include "widgets/tab_order.h"
#include "widgets/theme.h"

namespace bdq {

struct PlanPanel::Private {
    Plan plan;
    int layerCount = 0;
    QComboBox* method = nullptr;
    QComboBox* preset = nullptr;
    QComboBox* rounding = nullptr;
    BitsBox* bits[3] = {};      ///< W, A, KV of the whole model
    BitsBox* layerBits[3] = {}; ///< the same for a range of layers
    QLineEdit* layers = nullptr;
    QPushButton* apply = nullptr;
    FieldMessage* layersProblem = nullptr;
    BudgetRow* budget = nullptr;
    ElidedLabel* totals = nullptr;
    QLabel* overrides = nullptr;
    QToolButton* reset = nullptr;
    QHBoxLayout* actions = nullptr;
    QPushButton* start = nullptr;

    void makeMethodRow(PlanPanel* panel, QGridLayout* grid);
    void makeBitsRows(PlanPanel* panel, QGridLayout* grid);
    void makeOverrides(PlanPanel* panel, QHBoxLayout* row);
    void makeTotals(PlanPanel* panel, QGridLayout* grid);
    void applyLayers(PlanPanel* panel);
    void showMethod(Method shown);
    void showPreset(Preset shown);
    void updateMethodToolTip() const;
    [[nodiscard]] SchemeEdit layerEdit() const;
};

namespace {

constexpr int kRoundingLetters = 15; ///< names the usual default

QLabel* rowLabel(const QString& text, QWidget* buddy, QWidget* parent) {
    auto* label = new QLabel(text, parent);
    label->setBuddy(buddy);
    return label;
}

QHBoxLayout* makeBits(BitsBox* (&boxes)[3], bool keep, QWidget* parent) {
    auto* row = new QHBoxLayout;
    row->setSpacing(4);
    const QString names[3] = {PlanPanel::tr("Bits of weights"), PlanPanel::tr("Bits of activations"),
                              PlanPanel::tr("Bits of the KV cache")};
    const QString labels[3] = {QStringLiteral("W"), QStringLiteral("A"), QStringLiteral("KV")};
    for (int i = 0; i < 3; ++i) {
        boxes[i] = new BitsBox(names[i], keep, parent);
        if (i > 0) row->addSpacing(8);
        row->addWidget(rowLabel(labels[i], boxes[i], parent));
        row->addWidget(boxes[i]);
    }
    return row;
}

} // namespace

PlanPanel::PlanPanel(QWidget* parent) : QWidget(parent), d(std::make_unique<Private>()) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(12, 8, 12, 8);
    layout->setSpacing(8);
    auto* grid = new QGridLayout;
    grid->setHorizontalSpacing(12);
    grid->setVerticalSpacing(8);
    grid->setColumnStretch(1, 1);
    layout->addLayout(grid);
    d->makeMethodRow(this, grid);
    d->makeBitsRows(this, grid);
    d->makeTotals(this, grid);
    layout->addStretch(1);
    setMethod(RunSpec().method);
    setPlan({});
    setSummary({}, {});
    setLayerCount(0);
    orderTabs(this);
}

PlanPanel::~PlanPanel() = default;

void PlanPanel::Private::makeMethodRow(PlanPanel* panel, QGridLayout* grid) {
    method = new QComboBox(panel);
    method->setAccessibleName(PlanPanel::tr("Method"));
    fillMethods(method);
    method->setMinimumWidth(96);
    preset = new QComboBox(panel);
    preset->setAccessibleName(PlanPanel::tr("Preset"));
    fillPresets(preset, RunSpec().method, RunSpec().preset);
    rounding = new QComboBox(panel);
    rounding->setAccessibleName(PlanPanel::tr("Weight rounding"));
    rounding->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    rounding->setMinimumContentsLength(kRoundingLetters);
    fillRoundings(rounding, RunSpec().method, RunSpec().preset);
    auto* row = new QHBoxLayout;
    row->setSpacing(8);
    row->addWidget(method, 1);
    row->addWidget(preset);
    row->addWidget(rowLabel(PlanPanel::tr("Roundin&g"), rounding, panel));
    row->addWidget(rounding);
    grid->addWidget(rowLabel(PlanPanel::tr("&Method"), method, panel), 0, 0);
    grid->addLayout(row, 0, 1);
    QObject::connect(method, &QComboBox::activated, panel, [this, panel] {
        const auto chosen = static_cast<Method>(method->currentData().toInt());
        showMethod(chosen);
        emit panel->methodChosen(chosen);
    });
    QObject::connect(preset, &QComboBox::activated, panel, [this, panel] {
        const auto chosen = static_cast<Preset>(preset->currentData().toInt());
        showPreset(chosen);
        emit panel->presetChosen(chosen);
    });
    QObject::connect(rounding, &QComboBox::activated, panel, [this, panel] {
        rounding->setToolTip(rounding->currentData(Qt::ToolTipRole).toString());
        emit panel->roundingChosen(chosenRounding(rounding));
    });
    updateMethodToolTip();
}

void PlanPanel::Private::makeBitsRows(PlanPanel* panel, QGridLayout* grid) {
    QHBoxLayout* whole = makeBits(bits, false, panel);
    whole->addStretch(1);
    makeOverrides(panel, whole);
    grid->addWidget(rowLabel(PlanPanel::tr("&Whole model"), bits[0], panel), 1, 0);
    grid->addLayout(whole, 1, 1);
    layers = new QLineEdit(panel);
    layers->setPlaceholderText(PlanPanel::tr("0-3,7"));
    layers->setToolTip(
        PlanPanel::tr("Layers to change, counted from 0: single numbers and ranges, for example 0-3,7"));
    layers->setAccessibleName(PlanPanel::tr("Layers to change"));
    layers->setMinimumWidth(72);
    apply = new QPushButton(PlanPanel::tr("&Apply"), panel);
    apply->setAutoDefault(false);
    QHBoxLayout* range = makeBits(layerBits, true, panel);
    auto* row = new QHBoxLayout;
    row->setSpacing(8);
    row->addLayout(range);
    row->addWidget(rowLabel(PlanPanel::tr("to layers"), layers, panel));
    row->addWidget(layers, 1);
    row->addWidget(apply);
    layersProblem = new FieldMessage(panel);
    grid->addWidget(rowLabel(PlanPanel::tr("So&me layers"), layerBits[0], panel), 2, 0);
    grid->addLayout(row, 2, 1);
    grid->addWidget(layersProblem, 3, 1);
    budget = new BudgetRow(panel);
    QLabel* average = rowLabel(PlanPanel::tr("A&verage bits"), budget->focusTarget(), panel);
    average->setFixedHeight(budget->controlsHeight());
    grid->addWidget(average, 4, 0, Qt::AlignTop);
    grid->addWidget(budget, 4, 1);
    for (BitsBox* box : bits)
        QObject::connect(box, &QComboBox::activated, panel, [this, panel] {
            const Scheme next =
                withEdit(plan.base, SchemeEdit{bits[0]->bits(), bits[1]->bits(), bits[2]->bits()});
            if (next != plan.base) emit panel->baseSchemeEdited(next);
        });
    const auto update = [this] {
        layersProblem->setProblem({});
        apply->setEnabled(layerCount > 0 && !layers->text().trimmed().isEmpty() &&
                          layerEdit() != SchemeEdit{});
    };
    for (BitsBox* box : layerBits)
        QObject::connect(box, &QComboBox::currentIndexChanged, panel, update);
    QObject::connect(layers, &QLineEdit::textChanged, panel, update);
    QObject::connect(layers, &QLineEdit::returnPressed, panel, [this, panel] { applyLayers(panel); });
    QObject::connect(apply, &QPushButton::clicked, panel, [this, panel] { applyLayers(panel); });
}

void PlanPanel::Private::makeOverrides(PlanPanel* panel, QHBoxLayout* row) {
    overrides = new QLabel(panel);
    overrides->setForegroundRole(QPalette::PlaceholderText);
    reset = new QToolButton(panel);
    reset->setText(PlanPanel::tr("Reset rows"));
    reset->setToolTip(PlanPanel::tr("All rows take the bits of the whole model again"));
    reset->setFocusPolicy(Qt::StrongFocus);
    row->addSpacing(8);
    row->addWidget(overrides);
    row->addWidget(reset);
    QObject::connect(reset, &QToolButton::clicked, panel, &PlanPanel::overridesClearRequested);
}

void PlanPanel::Private::makeTotals(PlanPanel* panel, QGridLayout* grid) {
    totals = new ElidedLabel(panel);
    start = new QPushButton(PlanPanel::tr("&Start run…"), panel);
    actions = new QHBoxLayout;
    actions->setSpacing(4);
    auto* row = new QHBoxLayout;
    row->setSpacing(8);
    row->addWidget(totals, 1);
    row->addLayout(actions);
    row->addWidget(start);
    grid->addWidget(new QLabel(PlanPanel::tr("Total"), panel), 5, 0);
    grid->addLayout(row, 5, 1);
    QObject::connect(start, &QPushButton::clicked, panel, &PlanPanel::runRequested);
}

SchemeEdit PlanPanel::Private::layerEdit() const {
    return SchemeEdit{layerBits[0]->bits(), layerBits[1]->bits(), layerBits[2]->bits()};
}

void PlanPanel::Private::applyLayers(PlanPanel* panel) {
    if (!apply->isEnabled()) return;
    const Result<std::vector<int>> parsed = parseLayers(layers->text().trimmed().toStdString(), layerCount);
    if (!parsed) return layersProblem->setProblem(toQString(parsed.error().text()));
    emit panel->layersEdited(*parsed, layerEdit());
}

void PlanPanel::Private::showMethod(Method shown) {
    const auto current = static_cast<Preset>(preset->currentData().toInt());
    fillPresets(preset, shown, current);
    fillRoundings(rounding, shown, current);
    updateMethodToolTip();
}

void PlanPanel::Private::showPreset(Preset shown) {
    const auto current = static_cast<Method>(method->currentData().toInt());
    fillPresets(preset, current, shown);
    fillRoundings(rounding, current, shown);
}

void PlanPanel::Private::updateMethodToolTip() const {
    method->setToolTip(methodFacts(methodInfo(static_cast<Method>(method->currentData().toInt()))));
}

void PlanPanel::setPlan(const Plan& plan) {
    d->plan = plan;
    d->bits[0]->setBits(plan.base.weight.bits);
    d->bits[1]->setBits(plan.base.activation.bits);
    d->bits[2]->setBits(plan.base.kv.bits);
}

void PlanPanel::setMethod(Method method) {
    const QSignalBlocker blocker(d->method);
    d->method->setCurrentIndex(d->method->findData(static_cast<int>(method)));
    d->showMethod(method);
}

void PlanPanel::setPreset(Preset preset) {
    d->showPreset(preset);
}

void PlanPanel::setRounding(std::optional<WeightRounding> rounding) {
    chooseRounding(d->rounding, rounding);
}

void PlanPanel::setLayerCount(int layers) {
    d->layerCount = layers;
    const bool known = layers > 0;
    for (int i = 0; i < 3; ++i) {
        d->bits[i]->setEnabled(known);
        d->layerBits[i]->setEnabled(known);
    }
    d->layers->setEnabled(known);
    d->apply->setEnabled(false);
    setRunEnabled(known, known ? QString() : tr("Open a model first"));
}

void PlanPanel::setSummary(const PlanSummary& summary, const SiteRanking& ranking) {
    QStringList parts{tr("average %1").arg(averageBitsText(summary))};
    if (summary.modelBytes > 0) parts << formatBytes(summary.modelBytes);
    parts << rankingText(ranking);
    d->totals->setText(parts.join(QStringLiteral("  ·  ")));
    d->totals->setToolTip(rankingToolTip(ranking.basis));
    d->overrides->setText(summary.overrides == 1 ? tr("1 row differs")
                                                 : tr("%n rows differ", nullptr, summary.overrides));
    d->overrides->setVisible(summary.overrides > 0);
    d->reset->setVisible(summary.overrides > 0);
}

void PlanPanel::setUndoActions(QAction* undo, QAction* redo) {
    for (QAction* action : {undo, redo}) {
        auto* button = new QToolButton(this);
        button->setDefaultAction(action);
        button->setToolButtonStyle(action->icon().isNull() ? Qt::ToolButtonTextOnly : Qt::ToolButtonIconOnly);
        button->setAutoRaise(true);
        button->setFocusPolicy(Qt::StrongFocus);
        d->actions->addWidget(button);
    }
    orderTabs(this);
}

BudgetRow* PlanPanel::budget() const {
    return d->budget;
}

void PlanPanel::setRunEnabled(bool enabled, const QString& reason) {
    d->start->setEnabled(enabled);
    d->start->setToolTip(reason);
}

} // namespace bdq
