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
    int row = 1;
    for (const Fact& fact : kFacts) {
        auto* title = new QLabel(tr(fact.title), this);
        title->setToolTip(metricToolTip(fact.metric));
        m_rows.push_back(Row{numberLabel(this), numberLabel(this)});
        m_rows.back().before->setAccessibleName(tr("%1, before").arg(title->text()));
        m_rows.back().after->setAccessibleName(tr("%1, after").arg(title->text()));
        grid->addWidget(title, row, 0);
        grid->addWidget(m_rows.back().before, row, 1);
        grid->addWidget(m_rows.back().after, row, 2);
        ++row;
    }
}

void InspectorFacts::show(const std::vector<SiteAnalysis>& sites,
                          const std::vector<TransformKind>& transforms) {
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
