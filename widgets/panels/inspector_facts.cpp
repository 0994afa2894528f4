#include "widgets/panels/inspector_facts.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <QGridLayout>
#include <QLabel>

#include "widgets/format.h"
#include "widgets/theme.h"

namespace bdq {

namespace {

struct Fact {
    const char* title;
    std::string_view metric;
    double (*value)(const TransformAnalysis&);
    bool decibel;
};

constexpr std::array kFacts{
    Fact{QT_TRANSLATE_NOOP("bdq::InspectorFacts", "Outliers (%)"), "outlier_share",
         [](const TransformAnalysis& s) { return s.outlierShare * 100; }, false},
    Fact{QT_TRANSLATE_NOOP("bdq::InspectorFacts", "Kurtosis"), "kurtosis_activation",
         [](const TransformAnalysis& s) { return s.kurtosisActivation; }, false},
    Fact{QT_TRANSLATE_NOOP("bdq::InspectorFacts", "Largest |x|"), "absmax_activation",
         [](const TransformAnalysis& s) { return s.absmaxActivation; }, false},
    Fact{QT_TRANSLATE_NOOP("bdq::InspectorFacts", "Largest |w|"), "absmax_weight",
         [](const TransformAnalysis& s) { return s.absmaxWeight; }, false},
    Fact{QT_TRANSLATE_NOOP("bdq::InspectorFacts", "Flatness x"), "flatness_activation",
         [](const TransformAnalysis& s) { return s.activation.entropyNormalized; }, false},
    Fact{QT_TRANSLATE_NOOP("bdq::InspectorFacts", "Flatness W"), "flatness_weight",
         [](const TransformAnalysis& s) { return s.weight.entropyNormalized; }, false},
    Fact{QT_TRANSLATE_NOOP("bdq::InspectorFacts", "C(x) (dB)"), "concentration_activation_db",
         [](const TransformAnalysis& s) { return s.concentrationActivationDb; }, true},
    Fact{QT_TRANSLATE_NOOP("bdq::InspectorFacts", "C(W) (dB)"), "concentration_weight_db",
         [](const TransformAnalysis& s) { return s.concentrationWeightDb; }, true},
    Fact{QT_TRANSLATE_NOOP("bdq::InspectorFacts", "A (dB)"), "alignment_db",
         [](const TransformAnalysis& s) { return s.alignmentDb; }, true},
};

/// Place of "largest / RMS": beside the share of outliers, which forgets how far one of them is out.
constexpr std::size_t kLargestRow = 1;

/// Largest |x| over the RMS of all entries; empty when the arrays do not hold the transform.
std::vector<double> largestOverRms(const SiteDetail* detail, TransformKind transform) {
    if (detail == nullptr) return {};
    const auto found = detail->transforms.find(transform);
    if (found == detail->transforms.end() || found->second.channelRmsActivation.empty()) return {};
    double energy = 0;
    for (const float rms : found->second.channelRmsActivation)
        energy += static_cast<double>(rms) * static_cast<double>(rms);
    const double rms = std::sqrt(energy / static_cast<double>(found->second.channelRmsActivation.size()));
    const double largest = static_cast<double>(std::ranges::max(found->second.channelAbsmaxActivation));
    return rms > 0 ? std::vector{largest / rms} : std::vector<double>{};
}

QLabel* numberLabel(QWidget* parent) {
    auto* label = new QLabel(parent);
    label->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    label->setFont(tabularFont(parent->font()));
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    return label;
}

QLabel* columnTitle(const QString& text, QWidget* parent) {
    auto* label = new QLabel(text, parent);
    label->setAlignment(Qt::AlignRight);
    label->setForegroundRole(QPalette::PlaceholderText);
    return label;
}

} // namespace

void setNumbers(QLabel* label, const std::vector<double>& values, bool decibel, bool range) {
    const auto format = [decibel](double value) { return decibel ? formatDb(value) : formatNumber(value); };
    if (values.empty()) {
        label->setText(QStringLiteral("–"));
        label->setToolTip(InspectorFacts::tr("Not known yet"));
        return;
    }
    const auto [low, high] = std::ranges::minmax(values);
    if (format(low) == format(high)) {
        label->setText(format(low));
        label->setToolTip(formatExact(low));
        return;
    }
    label->setText(range ? InspectorFacts::tr("%1 … %2").arg(format(low), format(high))
                         : InspectorFacts::tr("mixed"));
    label->setToolTip(InspectorFacts::tr("from %1 to %2").arg(formatExact(low), formatExact(high)));
}

InspectorFacts::InspectorFacts(QWidget* parent) : QWidget(parent) {
    auto* grid = new QGridLayout(this);
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setHorizontalSpacing(12);
    grid->setVerticalSpacing(4);
    grid->setColumnStretch(1, 1);
    grid->setColumnStretch(2, 1);
    grid->addWidget(columnTitle(tr("before"), this), 0, 1);
    m_afterTitle = columnTitle(tr("after"), this);
    grid->addWidget(m_afterTitle, 0, 2);
    for (const Fact& fact : kFacts) {
        if (m_rows.size() == kLargestRow) m_largest = addRow(grid, tr("Largest / RMS"), "absmax_over_rms");
        m_rows.push_back(addRow(grid, tr(fact.title), fact.metric));
    }
}

InspectorFacts::Row InspectorFacts::addRow(QGridLayout* grid, const QString& title, std::string_view metric) {
    auto* label = new QLabel(title, this);
    label->setToolTip(metricToolTip(metric));
    const Row row{numberLabel(this), numberLabel(this)};
    row.before->setAccessibleName(tr("%1, before").arg(title));
    row.after->setAccessibleName(tr("%1, after").arg(title));
    const int place = grid->rowCount();
    grid->addWidget(label, place, 0);
    grid->addWidget(row.before, place, 1);
    grid->addWidget(row.after, place, 2);
    return row;
}

void InspectorFacts::showLargest(const SiteDetail* detail, TransformKind transform) {
    setNumbers(m_largest.before, largestOverRms(detail, TransformKind::None), false);
    setNumbers(m_largest.after, largestOverRms(detail, transform), false);
}

void InspectorFacts::show(const std::vector<SiteAnalysis>& sites,
                          const std::vector<TransformKind>& transforms, const SiteDetail* detail) {
    showLargest(detail, transforms.empty() ? TransformKind::None : transforms.front());
    for (std::size_t i = 0; i < kFacts.size(); ++i) {
        std::vector<double> before;
        std::vector<double> after;
        for (std::size_t s = 0; s < sites.size(); ++s) {
            const auto& table = sites[s].transforms;
            if (const auto found = table.find(TransformKind::None); found != table.end())
                before.push_back(kFacts[i].value(found->second));
            if (const auto found = table.find(transforms[s]); found != table.end())
                after.push_back(kFacts[i].value(found->second));
        }
        setNumbers(m_rows[i].before, before, kFacts[i].decibel);
        setNumbers(m_rows[i].after, after, kFacts[i].decibel);
    }
    const bool same = !transforms.empty() && std::ranges::all_of(transforms, [&](TransformKind kind) {
        return kind == transforms.front();
    });
    m_afterTitle->setToolTip(same ? toQString(transformInfo(transforms.front()).title) : tr("mixed"));
}

} // namespace bdq
