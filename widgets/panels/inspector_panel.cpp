#include "widgets/panels/inspector_panel.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include <QComboBox>
#include <QFormLayout>
#include <QFrame>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QSignalBlocker>
#include <QStackedLayout>
#include <QTimer>
#include <QVBoxLayout>

#include "widgets/format.h"
#include "widgets/panels/column_area.h"
#include "widgets/panels/elided_label.h"
#include "widgets/panels/form_fields.h"
#include "widgets/panels/inspector_facts.h"
#include "widgets/theme.h"

namespace bdq {

namespace {

constexpr int kMarkMs = 350; ///< long enough to be noticed, too short to read as a selection
constexpr float kMarkShare = 0.25F;

std::string linearScheme(Scheme scheme) {
    scheme.kv = OperandScheme{16, false, 0};
    return formatScheme(scheme);
}

QFrame* divider(QWidget* parent) {
    auto* line = new QFrame(parent);
    line->setFrameShape(QFrame::HLine);
    line->setFrameShadow(QFrame::Plain);
    line->setForegroundRole(QPalette::Mid);
    return line;
}

/// The common value, or nothing when they differ.
std::optional<int> common(const std::vector<int>& values) {
    const bool same =
        !values.empty() && std::ranges::all_of(values, [&](int value) { return value == values.front(); });
    return same ? std::optional(values.front()) : std::nullopt;
}

} // namespace

struct InspectorPanel::Private {
    std::vector<SiteAnalysis> sites;
    Plan plan;
    TransformKind fallback = TransformKind::None;
    SiteTransforms transforms;
    std::map<std::tuple<SiteKey, TransformKind, std::string>, SiteAnswer> answers;

    QStackedLayout* stack = nullptr;
    QLabel* title = nullptr;
    QLabel* shape = nullptr;
    ElidedLabel* tensors = nullptr;
    QLabel* notes = nullptr;
    InspectorFacts* facts = nullptr;
    QLabel* predicted = nullptr;
    QLabel* measured = nullptr;
    QLabel* measuredNote = nullptr;
    QPushButton* measure = nullptr;
    QComboBox* transform = nullptr;
    BitsBox* bits[3] = {};
    QTimer mark;

    void makeFacts(InspectorPanel* panel, QVBoxLayout* layout);
    void makeSqnr(InspectorPanel* panel, QVBoxLayout* layout);
    void makeEditors(InspectorPanel* panel, QVBoxLayout* layout);
    void showFacts();
    void showSqnr();
    void showEditors();
    void refresh();
    void setMark(bool on);
    [[nodiscard]] TransformKind transformOf(SiteKey key) const;
    [[nodiscard]] SiteKeys keys() const;
    [[nodiscard]] std::optional<double> measuredOf(const SiteAnalysis& site) const;
};

InspectorPanel::InspectorPanel(QWidget* parent) : QWidget(parent), d(std::make_unique<Private>()) {
    d->stack = new QStackedLayout(this);
    auto* empty = new QLabel(tr("Facts and bits of the selected rows appear here.\n\nSelect one or more rows "
                                "of the layer table, or click a point in a plot."),
                             this);
    empty->setWordWrap(true);
    empty->setAlignment(Qt::AlignCenter);
    empty->setMargin(24);
    empty->setForegroundRole(QPalette::PlaceholderText);
    auto* area = new ColumnArea(this);
    auto* content = new QWidget(area);
    auto* layout = new QVBoxLayout(content);
    layout->setContentsMargins(12, 12, 12, 12);
    layout->setSpacing(8);
    d->makeFacts(this, layout);
    layout->addWidget(divider(content));
    d->makeSqnr(this, layout);
    layout->addWidget(divider(content));
    d->makeEditors(this, layout);
    layout->addStretch(1);
    area->setWidget(content);
    d->stack->addWidget(empty);
    d->stack->addWidget(area);
    d->mark.setSingleShot(true);
    d->mark.setInterval(kMarkMs);
    connect(&d->mark, &QTimer::timeout, this, [this] { d->setMark(false); });
}

InspectorPanel::~InspectorPanel() = default;

void InspectorPanel::Private::makeFacts(InspectorPanel* panel, QVBoxLayout* layout) {
    title = new QLabel(panel);
    title->setFont(titleFont(panel->font()));
    title->setWordWrap(true);
    shape = new QLabel(panel);
    tensors = new ElidedLabel(panel);
    tensors->setForegroundRole(QPalette::PlaceholderText);
    notes = new QLabel(panel);
    notes->setWordWrap(true);
    notes->setTextFormat(Qt::PlainText);
    facts = new InspectorFacts(panel);
    layout->addWidget(title);
    layout->addWidget(shape);
    layout->addWidget(tensors);
    layout->addWidget(notes);
    layout->addWidget(facts);
}

void InspectorPanel::Private::makeSqnr(InspectorPanel* panel, QVBoxLayout* layout) {
    auto* grid = new QGridLayout;
    grid->setHorizontalSpacing(12);
    grid->setVerticalSpacing(4);
    grid->setColumnStretch(1, 1);
    auto* predictedTitle = new QLabel(InspectorPanel::tr("SQNR predicted (dB)"), panel);
    predictedTitle->setToolTip(metricToolTip("sqnr_db_predicted"));
    auto* measuredTitle = new QLabel(InspectorPanel::tr("SQNR measured (dB)"), panel);
    measuredTitle->setToolTip(metricToolTip("sqnr_db"));
    predicted = new QLabel(panel);
    measured = new QLabel(panel);
    for (QLabel* label : {predicted, measured}) {
        label->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
        label->setFont(tabularFont(panel->font()));
        label->setMargin(2);
    }
    predicted->setAccessibleName(predictedTitle->text());
    measured->setAccessibleName(measuredTitle->text());
    measuredNote = new QLabel(panel);
    measuredNote->setForegroundRole(QPalette::PlaceholderText);
    measuredNote->setWordWrap(true);
    measure = new QPushButton(InspectorPanel::tr("Measure now"), panel);
    measure->setAutoDefault(false);
    measure->setToolTip(InspectorPanel::tr(
        "Quantizes these rows with the chosen bits and transform and measures the SQNR on kept tokens"));
    grid->addWidget(predictedTitle, 0, 0);
    grid->addWidget(predicted, 0, 1);
    grid->addWidget(measuredTitle, 1, 0);
    grid->addWidget(measured, 1, 1);
    layout->addLayout(grid);
    auto* row = new QHBoxLayout;
    row->addWidget(measuredNote, 1);
    row->addWidget(measure);
    layout->addLayout(row);
    QObject::connect(measure, &QPushButton::clicked, panel,
                     [this, panel] { emit panel->measureRequested(keys()); });
}

void InspectorPanel::Private::makeEditors(InspectorPanel* panel, QVBoxLayout* layout) {
    transform = new QComboBox(panel);
    transform->setPlaceholderText(InspectorPanel::tr("mixed"));
    transform->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    transform->setMinimumContentsLength(8);
    for (const TransformInfo& info : closedFormTransforms()) {
        transform->addItem(toQString(info.title), static_cast<int>(info.kind));
        transform->setItemData(transform->count() - 1,
                               explanationToolTip(info.title, info.explanation, info.citation),
                               Qt::ToolTipRole);
    }
    transform->setAccessibleName(InspectorPanel::tr("Transform"));
    auto* form = new QFormLayout;
    form->setHorizontalSpacing(12);
    form->setVerticalSpacing(8);
    form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
    form->addRow(InspectorPanel::tr("&Transform"), transform);
    const QString names[3] = {InspectorPanel::tr("Bits of weights"),
                              InspectorPanel::tr("Bits of activations"),
                              InspectorPanel::tr("Bits of the KV cache of these layers")};
    const QString labels[3] = {InspectorPanel::tr("&Weights"), InspectorPanel::tr("&Activations"),
                               InspectorPanel::tr("&KV cache")};
    for (int i = 0; i < 3; ++i) {
        bits[i] = new BitsBox(names[i], false, panel);
        form->addRow(labels[i], bits[i]);
        QObject::connect(bits[i], &QComboBox::activated, panel, [this, panel, i] {
            SchemeEdit edit;
            (i == 0 ? edit.weightBits : i == 1 ? edit.activationBits : edit.kvBits) = bits[i]->bits();
            emit panel->planEdited(keys(), edit);
        });
    }
    layout->addLayout(form);
    QObject::connect(transform, &QComboBox::activated, panel, [this, panel] {
        emit panel->transformChosen(keys(), static_cast<TransformKind>(transform->currentData().toInt()));
    });
}

TransformKind InspectorPanel::Private::transformOf(SiteKey key) const {
    const auto found = transforms.find(key);
    return found == transforms.end() ? fallback : found->second;
}

SiteKeys InspectorPanel::Private::keys() const {
    SiteKeys result;
    for (const SiteAnalysis& site : sites)
        result.push_back(site.key);
    return result;
}

std::optional<double> InspectorPanel::Private::measuredOf(const SiteAnalysis& site) const {
    const TransformKind kind = transformOf(site.key);
    const std::string scheme = linearScheme(plan.at(site.key));
    if (const auto found = answers.find({site.key, kind, scheme}); found != answers.end())
        return found->second.sqnrDb;
    const auto statistics = site.transforms.find(kind);
    if (statistics == site.transforms.end()) return std::nullopt;
    const auto stored = statistics->second.sqnrDbMeasured.find(scheme);
    return stored == statistics->second.sqnrDbMeasured.end() ? std::nullopt : std::optional(stored->second);
}

void InspectorPanel::Private::showFacts() {
    const bool single = sites.size() == 1;
    const SiteAnalysis& first = sites.front();
    title->setText(single ? siteText(first.key)
                          : InspectorPanel::tr("%n rows selected", nullptr, static_cast<int>(sites.size())));
    const bool sameShape = std::ranges::all_of(sites, [&](const SiteAnalysis& site) {
        return site.inFeatures == first.inFeatures && site.outFeatures == first.outFeatures;
    });
    if (first.inFeatures == 0)
        shape->setText(InspectorPanel::tr("not analysed yet"));
    else
        shape->setText(sameShape ? InspectorPanel::tr("in %1 → out %2")
                                       .arg(formatCount(first.inFeatures), formatCount(first.outFeatures))
                                 : InspectorPanel::tr("in, out: mixed"));
    QStringList names;
    for (const SiteAnalysis& site : sites)
        for (const std::string& tensor : site.tensors)
            names << toQString(tensor);
    tensors->setText(names.join(QStringLiteral(", ")));
    tensors->setVisible(!names.isEmpty());
    QStringList remarks;
    if (single)
        for (const std::string& note : first.notes)
            remarks << QStringLiteral("! ") + toQString(note);
    notes->setText(remarks.join(u'\n'));
    notes->setVisible(!remarks.isEmpty());
    std::vector<TransformKind> kinds;
    for (const SiteAnalysis& site : sites)
        kinds.push_back(transformOf(site.key));
    facts->show(sites, kinds);
}

void InspectorPanel::Private::showSqnr() {
    std::vector<double> predictions;
    std::vector<double> measurements;
    for (const SiteAnalysis& site : sites) {
        if (site.transforms.contains(transformOf(site.key)))
            predictions.push_back(predictedSqnrDb(site, transformOf(site.key), plan.at(site.key)));
        if (const auto value = measuredOf(site)) measurements.push_back(*value);
    }
    setNumbers(predicted, predictions, true, true);
    setNumbers(measured, measurements, true, true);
    for (auto* label : {predicted, measured}) {
        const auto& values = label == predicted ? predictions : measurements;
        const QString sign = values.empty() ? QString() : sqnrSign(*std::ranges::min_element(values));
        if (!sign.isEmpty()) label->setText(sign + u' ' + label->text());
    }
    const auto missing = static_cast<int>(sites.size() - measurements.size());
    measuredNote->setText(missing == 0 ? QString()
                          : missing == 1
                              ? InspectorPanel::tr("1 row not measured with these bits")
                              : InspectorPanel::tr("%n rows not measured with these bits", nullptr, missing));
}

void InspectorPanel::Private::showEditors() {
    std::vector<int> kinds;
    std::vector<int> values[3];
    for (const SiteAnalysis& site : sites) {
        const Scheme scheme = schemeOfRow(plan, site.key);
        kinds.push_back(static_cast<int>(transformOf(site.key)));
        values[0].push_back(scheme.weight.bits);
        values[1].push_back(scheme.activation.bits);
        values[2].push_back(scheme.kv.bits);
    }
    const QSignalBlocker blocker(transform);
    const std::optional<int> kind = common(kinds);
    transform->setCurrentIndex(kind ? transform->findData(*kind) : -1);
    transform->setToolTip(transform->currentData(Qt::ToolTipRole).toString());
    for (int i = 0; i < 3; ++i)
        bits[i]->setBits(common(values[i]));
}

void InspectorPanel::Private::setMark(bool on) {
    QPalette marked = measured->parentWidget()->palette();
    if (on) {
        QColor ground = PlotTheme::from(marked).after;
        ground.setAlphaF(kMarkShare);
        marked.setColor(QPalette::Window, ground);
    }
    measured->setPalette(marked);
    measured->setAutoFillBackground(on);
}

void InspectorPanel::Private::refresh() {
    stack->setCurrentIndex(sites.empty() ? 0 : 1);
    if (sites.empty()) return;
    showFacts();
    showSqnr();
    showEditors();
}

void InspectorPanel::setSites(const std::vector<SiteAnalysis>& sites) {
    d->sites = sites;
    d->setMark(false);
    d->refresh();
}

void InspectorPanel::setPlan(const Plan& plan) {
    d->plan = plan;
    d->refresh();
}

void InspectorPanel::setTransform(TransformKind fallback, const SiteTransforms& transforms) {
    d->fallback = fallback;
    d->transforms = transforms;
    d->refresh();
}

void InspectorPanel::setMeasured(const SiteAnswer& answer) {
    const Result<Scheme> scheme = parseScheme(answer.scheme);
    if (!scheme) return;
    const std::string text = linearScheme(*scheme);
    d->answers[{answer.key, answer.transform, text}] = answer;
    const bool shown = std::ranges::any_of(d->sites, [&](const SiteAnalysis& site) {
        return site.key == answer.key && d->transformOf(site.key) == answer.transform &&
               linearScheme(d->plan.at(site.key)) == text;
    });
    if (!shown) return;
    d->showSqnr();
    d->setMark(true);
    d->mark.start();
}

void InspectorPanel::clearMeasured() {
    d->answers.clear();
    d->setMark(false);
    d->refresh();
}

void InspectorPanel::setMeasuring(bool busy) {
    d->measure->setEnabled(!busy);
    d->measure->setText(busy ? tr("Measuring…") : tr("Measure now"));
}

void InspectorPanel::focusBits() {
    d->bits[0]->setFocus(Qt::ShortcutFocusReason);
}

} // namespace bdq
