#include "widgets/panels/inspector_panel.h"

#include <algorithm>
#include <set>

#include <QComboBox>
#include <QFormLayout>
#include <QFrame>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QSignalBlocker>
#include <QStackedLayout>
#include <QVBoxLayout>

#include "widgets/format.h"
#include "widgets/panels/column_area.h"
#include "widgets/panels/elided_label.h"
#include "widgets/panels/form_fields.h"
#include "widgets/panels/inspector_facts.h"
#include "widgets/panels/inspector_sqnr.h"
#include "widgets/panels/transform_box.h"
#include "widgets/theme.h"

namespace bdq {

namespace {

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
    InspectedPlan plan;
    std::shared_ptr<const SiteDetail> detail; ///< of the only site; null = not known
    double secondsPerLayer = -1;

    QStackedLayout* stack = nullptr;
    QLabel* title = nullptr;
    QLabel* shape = nullptr;
    ElidedLabel* tensors = nullptr;
    QLabel* notes = nullptr;
    InspectorFacts* facts = nullptr;
    InspectorSqnr* sqnr = nullptr;
    QPushButton* measure = nullptr;
    TransformBox* transform = nullptr;
    BitsBox* bits[3] = {};

    void makeFacts(InspectorPanel* panel, QVBoxLayout* layout);
    void makeSqnr(InspectorPanel* panel, QVBoxLayout* layout);
    void makeEditors(InspectorPanel* panel, QVBoxLayout* layout);
    void showFacts();
    void showEditors();
    void refresh();
    void showTransforms();
    [[nodiscard]] SiteKeys keys() const;
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
    sqnr = new InspectorSqnr(panel);
    measure = new QPushButton(InspectorPanel::tr("Measure now"), panel);
    measure->setAutoDefault(false);
    measure->setToolTip(InspectorPanel::tr(
        "Quantizes these rows with the chosen bits and transform and measures the SQNR on kept tokens"));
    layout->addWidget(sqnr);
    layout->addWidget(measure, 0, Qt::AlignRight);
    QObject::connect(measure, &QPushButton::clicked, panel,
                     [this, panel] { emit panel->measureRequested(keys()); });
}

void InspectorPanel::Private::makeEditors(InspectorPanel* panel, QVBoxLayout* layout) {
    transform = new TransformBox(panel);
    auto* form = new QFormLayout;
    form->setHorizontalSpacing(12);
    form->setVerticalSpacing(8);
    form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
    form->setRowWrapPolicy(QFormLayout::WrapLongRows); // long titles in large letters
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
    QObject::connect(transform, &TransformBox::transformChosen, panel,
                     [this, panel](TransformKind kind) { emit panel->transformChosen(keys(), kind); });
    QObject::connect(transform, &TransformBox::analysisWanted, panel,
                     [this, panel](TransformKind kind) { emit panel->analysisWanted(keys(), kind); });
}

SiteKeys InspectorPanel::Private::keys() const {
    SiteKeys result;
    for (const SiteAnalysis& site : sites)
        result.push_back(site.key);
    return result;
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
        kinds.push_back(plan.transformOf(site.key));
    facts->show(sites, kinds, single ? detail.get() : nullptr);
}

/// Offers what all shown rows were analysed under.
void InspectorPanel::Private::showTransforms() {
    std::vector<TransformKind> analysed;
    for (const TransformInfo& info : transformTable())
        if (std::ranges::all_of(
                sites, [&](const SiteAnalysis& site) { return site.transforms.contains(info.kind); }))
            analysed.push_back(info.kind);
    std::vector<int> kinds;
    std::set<int> layers;
    for (const SiteAnalysis& site : sites) {
        kinds.push_back(static_cast<int>(plan.transformOf(site.key)));
        layers.insert(site.key.layer);
    }
    const std::optional<int> kind = common(kinds);
    transform->show(analysed, kind ? std::optional(static_cast<TransformKind>(*kind)) : std::nullopt,
                    secondsPerLayer * static_cast<double>(layers.size()));
}

void InspectorPanel::Private::showEditors() {
    std::vector<int> values[3];
    for (const SiteAnalysis& site : sites) {
        const Scheme scheme = schemeOfRow(plan.plan, site.key);
        values[0].push_back(scheme.weight.bits);
        values[1].push_back(scheme.activation.bits);
        values[2].push_back(scheme.kv.bits);
    }
    for (int i = 0; i < 3; ++i)
        bits[i]->setBits(common(values[i]));
}

void InspectorPanel::Private::refresh() {
    stack->setCurrentIndex(sites.empty() ? 0 : 1);
    if (sites.empty()) return;
    showFacts();
    sqnr->show(sites, plan);
    showTransforms();
    showEditors();
}

void InspectorPanel::setSites(const std::vector<SiteAnalysis>& sites) {
    if (sites.size() != 1 || !d->detail || d->detail->key != sites.front().key) d->detail.reset();
    d->sites = sites;
    d->refresh();
}

void InspectorPanel::setPlan(const Plan& plan) {
    d->plan.plan = plan;
    d->refresh();
}

void InspectorPanel::setRounding(WeightRounding rounding) {
    if (rounding == d->plan.rounding) return;
    d->plan.rounding = rounding;
    d->refresh();
}

void InspectorPanel::setTransform(TransformKind fallback, const SiteTransforms& transforms) {
    d->plan.fallback = fallback;
    d->plan.transforms = transforms;
    d->refresh();
}

void InspectorPanel::setRanking(const SiteRanking& ranking) {
    d->sqnr->setRanking(ranking);
    d->refresh();
}

void InspectorPanel::setMeasured(std::shared_ptr<const MeasuredSqnrStore> measured) {
    d->sqnr->setMeasured(std::move(measured));
    d->refresh();
}

void InspectorPanel::showNewValue(const SiteAnswer& answer) {
    const Result<Scheme> scheme = parseScheme(answer.scheme);
    const bool shown = scheme && std::ranges::any_of(d->sites, [&](const SiteAnalysis& site) {
                           return site.key == answer.key &&
                                  d->plan.transformOf(site.key) == answer.transform &&
                                  linearSchemeText(d->plan.plan.at(site.key)) == linearSchemeText(*scheme);
                       });
    if (!shown) return;
    d->sqnr->show(d->sites, d->plan);
    d->sqnr->markNew();
}

void InspectorPanel::setDetail(SiteKey key, std::shared_ptr<const SiteDetail> detail) {
    if (d->sites.size() != 1 || d->sites.front().key != key || d->detail == detail) return;
    d->detail = std::move(detail);
    d->showFacts();
}

void InspectorPanel::setAnalysisSeconds(double secondsPerLayer) {
    d->secondsPerLayer = secondsPerLayer;
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
