#include "widgets/panels/inspector_sqnr.h"

#include <algorithm>
#include <cmath>

#include <QGridLayout>
#include <QLabel>
#include <QVBoxLayout>

#include "widgets/format.h"
#include "widgets/panels/form_fields.h"
#include "widgets/panels/inspector_facts.h"
#include "widgets/theme.h"

namespace bdq {

namespace {

constexpr int kMarkMs = 350; ///< long enough to be noticed, too short to read as a selection

/// What one kind measured of the selected rows.
struct KindValues {
    MeasuredSource source;
    WeightRounding rounding = WeightRounding::Rtn;
    std::vector<std::int64_t> tokens;
    std::vector<double> values;
};

std::vector<KindValues> valuesByKind(const std::vector<SiteAnalysis>& sites, const InspectedPlan& plan,
                                     const MeasuredSqnrStore& store) {
    std::vector<KindValues> kinds;
    for (const SiteAnalysis& site : sites) {
        const MeasuredQuery query{site.key, plan.transformOf(site.key),
                                  linearSchemeText(plan.plan.at(site.key))};
        for (const MeasuredSqnr& value : store.of(query, &site)) {
            auto kind = std::ranges::find_if(kinds, [&](const KindValues& known) {
                return known.source == value.source && known.rounding == value.rounding;
            });
            if (kind == kinds.end())
                kind = kinds.insert(kinds.end(), KindValues{value.source, value.rounding, {}, {}});
            kind->tokens.push_back(value.tokens);
            kind->values.push_back(value.sqnrDb);
        }
    }
    return kinds;
}

template <class Value, class Format> QString rangeText(const std::vector<Value>& values, Format format) {
    const auto [low, high] = std::ranges::minmax(values);
    const QString first = format(low);
    const QString last = format(high);
    return first == last ? first : InspectorSqnr::tr("%1 … %2").arg(first, last);
}

/// The resident worker answers GPTQ with searched ranges: its tokens are too few to fit it (SiteRequest).
WeightRounding answeredRounding(const KindValues& kind) {
    const bool live = kind.source.kind == MeasuredKind::Live;
    return live && kind.rounding == WeightRounding::Gptq ? WeightRounding::Mse : kind.rounding;
}

QString cells(const QStringList& texts, const char* tag) {
    QString row;
    for (qsizetype i = 0; i < texts.size(); ++i)
        row +=
            QStringLiteral("<%1 align=\"%2\" style=\"padding-right: 8px\">%3</%1>")
                .arg(QLatin1String(tag), i == 0 || i == 2 ? QStringLiteral("left") : QStringLiteral("right"),
                     texts[i].toHtmlEscaped());
    return QStringLiteral("<tr>%1</tr>").arg(row);
}

QString tableText(const std::vector<KindValues>& kinds, std::size_t rows) {
    if (kinds.empty()) return QStringLiteral("–");
    QString html = cells({InspectorSqnr::tr("measured"), InspectorSqnr::tr("tokens"),
                          InspectorSqnr::tr("rounding"), InspectorSqnr::tr("SQNR (dB)")},
                         "th");
    for (const KindValues& kind : kinds) {
        QString value = rangeText(kind.values, [](double number) { return formatDb(number); });
        if (kind.values.size() < rows)
            value += InspectorSqnr::tr(" (%1 of %2 rows)").arg(kind.values.size()).arg(rows);
        html += cells({measuredSourceText(kind.source),
                       rangeText(kind.tokens, [](std::int64_t count) { return formatCount(count); }),
                       roundingTitle(answeredRounding(kind)), value},
                      "td");
    }
    return QStringLiteral("<table cellspacing=\"0\">%1</table>").arg(html);
}

QString exactText(const std::vector<KindValues>& kinds) {
    QString html;
    for (const KindValues& kind : kinds)
        html += QStringLiteral("<br>%1: %2")
                    .arg(measuredSourceText(kind.source).toHtmlEscaped(),
                         rangeText(kind.values, [](double number) { return formatExact(number); }));
    return metricToolTip("sqnr_db") + QStringLiteral("<p>%1</p>").arg(html.mid(4));
}

} // namespace

TransformKind InspectedPlan::transformOf(SiteKey key) const {
    const auto found = transforms.find(key);
    return found == transforms.end() ? fallback : found->second;
}

InspectorSqnr::InspectorSqnr(QWidget* parent)
    : QWidget(parent), m_measured(std::make_shared<MeasuredSqnrStore>()) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    auto* grid = new QGridLayout;
    grid->setHorizontalSpacing(12);
    grid->setVerticalSpacing(4);
    grid->setColumnStretch(1, 1);
    layout->addLayout(grid);
    addRow(grid, 0, tr("Share of the loss"), {}, m_loss);
    addRow(grid, 1, tr("SQNR predicted (dB)"), metricToolTip("sqnr_db_predicted"), m_predicted);
    addRow(grid, 2, tr("SQNR of a token (dB)"),
           metricToolTip("sqnr_db_token_median") + metricToolTip("sqnr_db_token_low"), m_token);
    addRow(grid, 3, tr("Energy in top 0.5 % of tokens"), metricToolTip("top_token_energy"), m_topTokens);
    m_values = new QLabel(this);
    m_values->setAccessibleName(tr("SQNR measured (dB)"));
    m_values->setTextFormat(Qt::RichText);
    m_values->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_values->setMargin(2);
    m_values->setWordWrap(true);
    m_values->setMinimumWidth(160); // a narrow window cuts the table; its tool tip says all
    m_missing = new QLabel(this);
    m_prediction = new QLabel(this);
    for (QLabel* note : {m_prediction, m_missing}) {
        note->setForegroundRole(QPalette::PlaceholderText);
        note->setWordWrap(true);
    }
    layout->addWidget(m_prediction);
    layout->addWidget(m_values);
    layout->addWidget(m_missing);
    m_mark.setSingleShot(true);
    m_mark.setInterval(kMarkMs);
    connect(&m_mark, &QTimer::timeout, this, [this] { setMark(false); });
}

void InspectorSqnr::addRow(QGridLayout* grid, int row, const QString& title, const QString& toolTip,
                           QLabel*& value) {
    auto* label = new QLabel(title, this);
    label->setToolTip(toolTip);
    label->setWordWrap(true);
    value = new QLabel(this);
    value->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    value->setFont(tabularFont(font()));
    value->setWordWrap(true);
    value->setAccessibleName(title);
    grid->addWidget(label, row, 0);
    grid->addWidget(value, row, 1);
}

void InspectorSqnr::setMeasured(std::shared_ptr<const MeasuredSqnrStore> measured) {
    m_measured = std::move(measured);
}

void InspectorSqnr::setRanking(const SiteRanking& ranking) {
    m_ranking = ranking;
}

void InspectorSqnr::show(const std::vector<SiteAnalysis>& sites, const InspectedPlan& plan) {
    showLoss(sites);
    std::vector<double> predictions;
    QString how;
    for (const SiteAnalysis& site : sites) {
        const auto found = site.transforms.find(plan.transformOf(site.key));
        if (found == site.transforms.end()) continue;
        predictions.push_back(predictedSqnrDb(site, found->first, plan.plan.at(site.key), plan.rounding));
        how = predictionText(plan.rounding, found->second);
    }
    setNumbers(m_predicted, predictions, true, true);
    m_prediction->setText(how.isEmpty() ? QString() : tr("predicted: %1").arg(how));
    showTokens(sites, plan);
    showMeasured(sites, plan);
}

void InspectorSqnr::showLoss(const std::vector<SiteAnalysis>& sites) {
    double share = 0;
    double nats = 0;
    bool known = !sites.empty();
    QString sign;
    for (const SiteAnalysis& site : sites) {
        const SiteLoss* loss = m_ranking.find(site.key);
        known = known && loss != nullptr;
        if (!known) break;
        share += loss->share;
        nats += loss->nats;
        sign = std::max(sign, lossSign(loss->share, m_ranking.losses.size()));
    }
    m_loss->setToolTip(rankingToolTip(m_ranking.basis));
    if (!known) return m_loss->setText(tr("not ranked"));
    QString text = tr("%1, %2 nats").arg(formatShare(share), formatNumber(nats));
    if (sites.size() == 1) text += tr(", #%1").arg(m_ranking.find(sites.front().key)->place);
    m_loss->setText((sign + u' ' + text).trimmed());
}

void InspectorSqnr::showTokens(const std::vector<SiteAnalysis>& sites, const InspectedPlan& plan) {
    std::vector<double> medians;
    std::vector<double> lows;
    std::vector<double> shares;
    for (const SiteAnalysis& site : sites) {
        if (!std::isnan(site.topTokenEnergyShare)) shares.push_back(site.topTokenEnergyShare);
        const auto transform = site.transforms.find(plan.transformOf(site.key));
        if (transform == site.transforms.end()) continue;
        const std::string scheme = linearSchemeText(plan.plan.at(site.key));
        const auto median = transform->second.sqnrDbTokenMedian.find(scheme);
        const auto low = transform->second.sqnrDbTokenLow.find(scheme);
        if (median == transform->second.sqnrDbTokenMedian.end() ||
            low == transform->second.sqnrDbTokenLow.end())
            continue;
        medians.push_back(median->second);
        lows.push_back(low->second);
    }
    const auto decibel = [](double value) { return formatDb(value); };
    m_token->setText(medians.empty()
                         ? QStringLiteral("–")
                         : tr("%1, 5 % below %2").arg(rangeText(medians, decibel), rangeText(lows, decibel)));
    if (shares.empty()) return m_topTokens->setText(QStringLiteral("–"));
    const QString sign = std::ranges::max(shares) > kLoneTokenShare ? QStringLiteral("! ") : QString();
    m_topTokens->setText(sign + rangeText(shares, [](double share) { return formatShare(share); }));
}

void InspectorSqnr::showMeasured(const std::vector<SiteAnalysis>& sites, const InspectedPlan& plan) {
    const std::vector<KindValues> kinds = valuesByKind(sites, plan, *m_measured);
    m_values->setText(tableText(kinds, sites.size()));
    m_values->setToolTip(exactText(kinds));
    std::size_t most = 0;
    for (const KindValues& kind : kinds)
        most = std::max(most, kind.values.size());
    const int missing = static_cast<int>(sites.size() - most);
    m_missing->setText(missing == 0   ? QString()
                       : missing == 1 ? tr("1 row not measured with these bits")
                                      : tr("%n rows not measured with these bits", nullptr, missing));
}

void InspectorSqnr::markNew() {
    setMark(true);
    m_mark.start();
}

void InspectorSqnr::setMark(bool on) {
    m_values->setAutoFillBackground(on);
    m_values->setBackgroundRole(on ? QPalette::Highlight : QPalette::NoRole);
    m_values->setForegroundRole(on ? QPalette::HighlightedText : QPalette::NoRole);
}

} // namespace bdq
