#include "widgets/models/site_row_values.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "widgets/format.h"

namespace bdq {

namespace {

using Table = SiteTableModel;

constexpr std::array<SiteColumnInfo, Table::ColumnCount> kColumns{{
    {QT_TRANSLATE_NOOP("bdq::SiteTableModel", "Layer"), "layer", {}},
    {QT_TRANSLATE_NOOP("bdq::SiteTableModel", "Site"), "site", {}},
    {QT_TRANSLATE_NOOP("bdq::SiteTableModel", "Bits"), "bits", {}},
    {QT_TRANSLATE_NOOP("bdq::SiteTableModel", "Loss (nats)"), "loss_nats", "kl_site"},
    {QT_TRANSLATE_NOOP("bdq::SiteTableModel", "SQNR pred. (dB)"), "sqnr_db_predicted", "sqnr_db_predicted"},
    {QT_TRANSLATE_NOOP("bdq::SiteTableModel", "SQNR meas. (dB)"), "sqnr_db_measured", "sqnr_db"},
    {QT_TRANSLATE_NOOP("bdq::SiteTableModel", "SQNR token (dB)"), "sqnr_db_token_median",
     "sqnr_db_token_median"},
    {QT_TRANSLATE_NOOP("bdq::SiteTableModel", "SQNR token, 5 % (dB)"), "sqnr_db_token_low",
     "sqnr_db_token_low"},
    {QT_TRANSLATE_NOOP("bdq::SiteTableModel", "Flat. x before"), "flatness_activation_before",
     "flatness_activation"},
    {QT_TRANSLATE_NOOP("bdq::SiteTableModel", "Flat. x after"), "flatness_activation_after",
     "flatness_activation"},
    {QT_TRANSLATE_NOOP("bdq::SiteTableModel", "Flat. W before"), "flatness_weight_before", "flatness_weight"},
    {QT_TRANSLATE_NOOP("bdq::SiteTableModel", "Flat. W after"), "flatness_weight_after", "flatness_weight"},
    {QT_TRANSLATE_NOOP("bdq::SiteTableModel", "Outliers (%)"), "outlier_share", "outlier_share"},
    {QT_TRANSLATE_NOOP("bdq::SiteTableModel", "Kurtosis"), "kurtosis_activation", "kurtosis_activation"},
    {QT_TRANSLATE_NOOP("bdq::SiteTableModel", "Abs. max"), "absmax_activation", "absmax_activation"},
    {QT_TRANSLATE_NOOP("bdq::SiteTableModel", "Top tokens (%)"), "top_token_energy", "top_token_energy"},
}};

constexpr double kFullBarDb = 50;   // 8 bits with a good transform reach about 45 dB
constexpr double kFullKurtosis = 4; // log10: 10^4 fills the cell

std::optional<double> lookUp(const std::map<std::string, double>& values, const std::string& scheme) {
    const auto found = values.find(scheme);
    return found == values.end() ? std::nullopt : std::optional(found->second);
}

} // namespace

const SiteColumnInfo& siteColumnInfo(int column) {
    return kColumns[static_cast<std::size_t>(column)];
}

bool isSqnrColumn(int column) {
    return column >= Table::SqnrPredictedColumn && column <= Table::SqnrTokenLowColumn;
}

TransformKind SiteRowValues::transformOf(SiteKey key) const {
    const auto found = transforms.find(key);
    return found == transforms.end() ? fallback : found->second;
}

const TransformAnalysis* SiteRowValues::statistics(const SiteRow& row, TransformKind kind) const {
    if (!row.site) return nullptr;
    const auto found = row.site->transforms.find(kind);
    return found == row.site->transforms.end() ? nullptr : &found->second;
}

MeasuredQuery SiteRowValues::query(SiteKey key) const {
    return {key, transformOf(key), linearSchemeText(plan.at(key))};
}

QString SiteRowValues::csvName(int column) const {
    QString name = QString::fromLatin1(siteColumnInfo(column).csvName);
    if (column == Table::LossColumn && ranking.basis != RankingBasis::None)
        name += ranking.basis == RankingBasis::Measured ? QStringLiteral("_measured")
                                                        : QStringLiteral("_estimated");
    if (column == Table::SqnrMeasuredColumn && source.kind != MeasuredKind::Analysis)
        name += source.kind == MeasuredKind::Live ? QStringLiteral("_live") : QStringLiteral("_run");
    return name;
}

std::optional<double> SiteRowValues::sqnr(const SiteRow& row, int column) const {
    const MeasuredQuery asked = query(row.key);
    if (column == Table::SqnrMeasuredColumn)
        return measured->value(source, asked, row.site ? &*row.site : nullptr, rounding);
    const TransformAnalysis* after = statistics(row, asked.transform);
    if (!after) return std::nullopt;
    if (column == Table::SqnrTokenMedianColumn) return lookUp(after->sqnrDbTokenMedian, asked.scheme);
    if (column == Table::SqnrTokenLowColumn) return lookUp(after->sqnrDbTokenLow, asked.scheme);
    return predictedSqnrDb(*row.site, asked.transform, plan.at(row.key), rounding);
}

std::optional<double> SiteRowValues::number(const SiteRow& row, int column) const {
    if (isSqnrColumn(column)) return sqnr(row, column);
    if (column == Table::LossColumn) {
        const SiteLoss* loss = ranking.find(row.key);
        return loss ? std::optional(loss->nats) : std::nullopt;
    }
    const TransformAnalysis* before = statistics(row, TransformKind::None);
    const TransformAnalysis* after = statistics(row, transformOf(row.key));
    const auto of = [](const TransformAnalysis* statistics, auto get) {
        return statistics ? std::optional<double>(get(*statistics)) : std::nullopt;
    };
    switch (column) {
    case Table::FlatnessActivationBeforeColumn:
        return of(before, [](const auto& s) { return s.activation.entropyNormalized; });
    case Table::FlatnessActivationAfterColumn:
        return of(after, [](const auto& s) { return s.activation.entropyNormalized; });
    case Table::FlatnessWeightBeforeColumn:
        return of(before, [](const auto& s) { return s.weight.entropyNormalized; });
    case Table::FlatnessWeightAfterColumn:
        return of(after, [](const auto& s) { return s.weight.entropyNormalized; });
    case Table::OutlierShareColumn:
        return of(before, [](const auto& s) { return s.outlierShare * 100; });
    case Table::KurtosisColumn:
        return of(before, [](const auto& s) { return s.kurtosisActivation; });
    case Table::AbsmaxColumn:
        return of(before, [](const auto& s) { return s.absmaxActivation; });
    case Table::TopTokensColumn:
        if (!row.site || std::isnan(row.site->topTokenEnergyShare)) return std::nullopt;
        return row.site->topTokenEnergyShare * 100;
    default:
        return std::nullopt;
    }
}

QString SiteRowValues::text(const SiteRow& row, int column) const {
    switch (column) {
    case Table::LayerColumn:
        return QString::number(row.key.layer);
    case Table::SiteColumn:
        return siteTitle(row.key.site);
    case Table::BitsColumn:
        return bitsText(schemeOfRow(plan, row.key), row.key.site == Site::Qkv);
    default:
        break;
    }
    const std::optional<double> value = number(row, column);
    if (!value) return {};
    return isSqnrColumn(column) ? formatDb(*value) : formatNumber(*value);
}

QString SiteRowValues::unknownText(int column) const {
    if (column == Table::LossColumn)
        return SiteTableModel::tr(
            "Not ranked: measure losses, or analyse the model again; the loss of every row must "
            "be known as the plan has it.");
    if (column == Table::SqnrMeasuredColumn)
        return SiteTableModel::tr(
                   "Not measured by the chosen kind (%1) with these bits, this transform and this "
                   "rounding. The inspector lists what other kinds measured.")
            .arg(measuredSourceText(source));
    return SiteTableModel::tr("Not known yet: analyse the model's activations, or measure this row.");
}

QString SiteRowValues::toolTip(const SiteRow& row, int column) const {
    if (column == Table::BitsColumn) {
        const QString scheme = toQString(formatScheme(schemeOfRow(plan, row.key)));
        return locked.contains(row.key)
                   ? SiteTableModel::tr(
                         "%1; locked: the slider of average bits leaves these weights alone (L unlocks)")
                         .arg(scheme)
                   : scheme;
    }
    if (column == Table::LayerColumn || column == Table::SiteColumn) {
        QString text = siteText(row.key).toHtmlEscaped();
        if (row.site)
            for (const std::string& tensor : row.site->tensors)
                text += QStringLiteral("<br>") + toQString(tensor).toHtmlEscaped();
        return QStringLiteral("<p>%1</p>").arg(text);
    }
    const std::optional<double> value = number(row, column);
    if (!value) return unknownText(column);
    QString under = toQString(transformInfo(transformOf(row.key)).title);
    if (column == Table::LossColumn) {
        const SiteLoss& loss = *ranking.find(row.key);
        under = SiteTableModel::tr("%1 of the sum, place %2 of %3, %4")
                    .arg(formatShare(loss.share))
                    .arg(loss.place)
                    .arg(ranking.losses.size())
                    .arg(rankingBasisText(ranking.basis));
    } else if (column == Table::SqnrPredictedColumn) {
        under += QStringLiteral(" · ") + predictionText(rounding, *statistics(row, transformOf(row.key)));
    } else if (column == Table::SqnrMeasuredColumn) {
        under += QStringLiteral(" · ") + measuredSourceText(source);
    }
    const QString head =
        QStringLiteral("<p><b>%1</b> · %2</p>").arg(formatExact(*value), under.toHtmlEscaped());
    return head + (column == Table::LossColumn ? rankingToolTip(ranking.basis)
                                               : metricToolTip(siteColumnInfo(column).metric));
}

QVariant SiteRowValues::bar(const SiteRow& row, int column) const {
    const std::optional<double> value = number(row, column);
    if (!value || std::isnan(*value)) return {};
    if (isSqnrColumn(column)) return std::clamp(*value / kFullBarDb, 0.0, 1.0);
    switch (column) {
    case Table::LossColumn: {
        // The largest fills its cell: the shares of a hundred sites are all small.
        const double largest = ranking.find(*ranking.largest)->nats;
        return largest > 0 ? *value / largest : 0.0;
    }
    case Table::KurtosisColumn:
        return std::clamp(std::log10(std::max(1.0, *value)) / kFullKurtosis, 0.0, 1.0);
    case Table::TopTokensColumn:
        return std::clamp(*value / 100, 0.0, 1.0);
    case Table::FlatnessActivationBeforeColumn:
    case Table::FlatnessActivationAfterColumn:
    case Table::FlatnessWeightBeforeColumn:
    case Table::FlatnessWeightAfterColumn:
        return std::clamp(*value, 0.0, 1.0);
    default:
        return {};
    }
}

QVariant SiteRowValues::sort(const SiteRow& row, int column) const {
    if (column == Table::LayerColumn || column == Table::SiteColumn) {
        const int site = static_cast<int>(row.key.site);
        return column == Table::LayerColumn ? row.key.layer * 16 + site : site * 100000 + row.key.layer;
    }
    if (column == Table::BitsColumn) {
        const Scheme scheme = schemeOfRow(plan, row.key);
        return scheme.weight.bits * 10000 + scheme.activation.bits * 100 + scheme.kv.bits;
    }
    const std::optional<double> value = number(row, column);
    return value && !std::isnan(*value) ? QVariant(*value) : QVariant();
}

QString SiteRowValues::sign(const SiteRow& row, int column) const {
    if (column == Table::TopTokensColumn && row.site && row.site->topTokenEnergyShare > kLoneTokenShare)
        return QStringLiteral("!");
    const SiteLoss* loss = column == Table::LossColumn ? ranking.find(row.key) : nullptr;
    return loss ? lossSign(loss->share, ranking.losses.size()) : QString();
}

} // namespace bdq
