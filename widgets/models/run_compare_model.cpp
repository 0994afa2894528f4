#include "widgets/models/run_compare_model.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "widgets/format.h"
#include "widgets/theme.h"

namespace bdq {

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// "+1.2": a difference says its direction.
QString withSign(double value, const QString& text) {
    return value > 0 ? u'+' + text : text;
}

QString sqnrText(double decibel) {
    return (sqnrSign(decibel) + u' ' + formatDb(decibel)).trimmed();
}

} // namespace

RunCompareModel::RunCompareModel(QObject* parent) : QAbstractTableModel(parent) {}

void RunCompareModel::setRuns(RunPtr first, RunPtr second) {
    beginResetModel();
    m_runs = {std::move(first), std::move(second)};
    std::map<SiteKey, Row> rows;
    for (std::size_t side = 0; side < m_runs.size(); ++side) {
        if (!m_runs[side]) continue;
        for (const RunSiteResult& site : m_runs[side]->perLayer) {
            Row& row = rows.try_emplace(site.key, Row{site.key, {}, {kNaN, kNaN}}).first->second;
            row.scheme[side] = toQString(site.scheme);
            row.sqnrDb[side] = site.sqnrDb;
        }
    }
    m_rows.clear();
    for (const auto& [key, row] : rows)
        m_rows.push_back(row);
    endResetModel();
}

SiteKey RunCompareModel::keyAt(int row) const {
    return row >= 0 && row < rowCount() ? m_rows[static_cast<std::size_t>(row)].key : SiteKey{};
}

int RunCompareModel::rowOf(SiteKey key) const {
    const auto found = std::ranges::find(m_rows, key, &Row::key);
    return found == m_rows.end() ? -1 : static_cast<int>(found - m_rows.begin());
}

double RunCompareModel::number(const Row& row, int column) {
    switch (column) {
    case LayerColumn:
        return row.key.layer;
    case SiteColumn:
        return static_cast<double>(row.key.site);
    case FirstSqnrColumn:
        return row.sqnrDb[0];
    case SecondSqnrColumn:
        return row.sqnrDb[1];
    case DifferenceColumn:
        return row.sqnrDb[1] - row.sqnrDb[0];
    default:
        return kNaN;
    }
}

QString RunCompareModel::text(const Row& row, int column) {
    const double value = number(row, column);
    switch (column) {
    case LayerColumn:
        return formatCount(row.key.layer);
    case SiteColumn:
        return siteTitle(row.key.site);
    case FirstSchemeColumn:
        return row.scheme[0];
    case SecondSchemeColumn:
        return row.scheme[1];
    case DifferenceColumn:
        return withSign(value, formatDb(value));
    default:
        return std::isnan(value) ? formatNumber(value) : sqnrText(value);
    }
}

QString RunCompareModel::toTsv(const std::vector<int>& rows) const {
    QString tsv =
        QStringLiteral("layer\tsite\tscheme_1\tscheme_2\tsqnr_db_1\tsqnr_db_2\tsqnr_db_difference\n");
    for (const int index : rows) {
        const Row& row = m_rows[static_cast<std::size_t>(index)];
        QStringList fields{QString::number(row.key.layer), toQString(siteName(row.key.site)), row.scheme[0],
                           row.scheme[1]};
        for (int column = FirstSqnrColumn; column <= DifferenceColumn; ++column) {
            const double value = number(row, column);
            fields << (std::isnan(value) ? QString() : QString::number(value, 'g', 17));
        }
        tsv += fields.join(u'\t') + u'\n';
    }
    return tsv;
}

int RunCompareModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

int RunCompareModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : ColumnCount;
}

QVariant RunCompareModel::data(const QModelIndex& index, int role) const {
    if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid)) return {};
    const Row& row = m_rows[static_cast<std::size_t>(index.row())];
    const int column = index.column();
    const bool words = column == SiteColumn || column >= FirstSchemeColumn;
    const bool decibels = column >= FirstSqnrColumn && column <= DifferenceColumn;
    const double value = number(row, column);
    switch (role) {
    case Qt::DisplayRole:
        return text(row, column);
    case Qt::ToolTipRole:
        return decibels && !std::isnan(value) ? tr("%1 dB").arg(formatExact(value)) : QVariant();
    case Qt::TextAlignmentRole:
        return static_cast<int>((words ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
    case SortRole:
        if (column == FirstSchemeColumn || column == SecondSchemeColumn) return text(row, column);
        // Rows of one run only go to one end, whatever the order of the rest.
        return std::isnan(value) ? std::numeric_limits<double>::infinity() : value;
    default:
        return {};
    }
}

QVariant RunCompareModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal) return {};
    if (role == Qt::ToolTipRole && section == DifferenceColumn)
        return tr("SQNR of B minus SQNR of A in dB; positive = B is better.");
    if (role == Qt::ToolTipRole && (section == FirstSqnrColumn || section == SecondSqnrColumn))
        return metricToolTip("sqnr_db");
    if (role != Qt::DisplayRole) return {};
    switch (section) {
    case LayerColumn:
        return tr("#");
    case SiteColumn:
        return tr("Site");
    case FirstSchemeColumn:
        return tr("Bits A");
    case SecondSchemeColumn:
        return tr("Bits B");
    case FirstSqnrColumn:
        return tr("A (dB)");
    case SecondSqnrColumn:
        return tr("B (dB)");
    case DifferenceColumn:
        return tr("B − A");
    default:
        return {};
    }
}

namespace {

RunFigure wordFigure(const QString& name, const RunPtr& first, const RunPtr& second,
                     QString (*text)(const RunResult&)) {
    return {name, {}, {first ? text(*first) : QString(), second ? text(*second) : QString()}, {}};
}

RunFigure numberFigure(const QString& name, const QString& toolTip, const RunPtr& first, const RunPtr& second,
                       double (*value)(const RunResult&), QString (*format)(double)) {
    RunFigure figure{name, toolTip, {}, {}};
    const double values[] = {first ? value(*first) : kNaN, second ? value(*second) : kNaN};
    for (std::size_t side = 0; side < 2; ++side)
        figure.values[side] = format(values[side]);
    const double difference = values[1] - values[0];
    if (!std::isnan(difference)) figure.difference = withSign(difference, formatNumber(difference));
    return figure;
}

double meanSqnrDb(const RunResult& run) {
    double sum = 0;
    int count = 0;
    for (const RunSiteResult& row : run.perLayer)
        if (std::isfinite(row.sqnrDb)) {
            sum += row.sqnrDb;
            ++count;
        }
    return count > 0 ? sum / count : kNaN;
}

double fullPerplexity(const RunResult& run) {
    return run.full ? run.full->perplexity : kNaN;
}

double quantizedPerplexity(const RunResult& run) {
    return run.quantized ? run.quantized->perplexity : kNaN;
}

double averageBits(const RunResult& run) {
    return run.averageWeightBits;
}

double runSeconds(const RunResult& run) {
    return run.provenance.seconds;
}

QString methodText(const RunResult& run) {
    return QStringLiteral("%1, %2").arg(toQString(methodInfo(run.spec.method).title),
                                        toQString(presetName(run.spec.preset)));
}

QString schemeText(const RunResult& run) {
    return toQString(formatScheme(run.spec.plan.base));
}

QString roundingText(const RunResult& run) {
    return toQString(roundingName(effectiveRounding(run.spec)));
}

} // namespace

std::vector<RunFigure> runFigures(const RunPtr& first, const RunPtr& second) {
    return {
        wordFigure(RunCompareModel::tr("Method"), first, second, methodText),
        wordFigure(RunCompareModel::tr("Scheme"), first, second, schemeText),
        wordFigure(RunCompareModel::tr("Weight rounding"), first, second, roundingText),
        numberFigure(RunCompareModel::tr("Average weight bits"), metricToolTip("average_weight_bits"), first,
                     second, averageBits, formatNumber),
        numberFigure(RunCompareModel::tr("Perplexity before"), metricToolTip("perplexity"), first, second,
                     fullPerplexity, formatNumber),
        numberFigure(RunCompareModel::tr("Perplexity after"), metricToolTip("perplexity"), first, second,
                     quantizedPerplexity, formatNumber),
        numberFigure(RunCompareModel::tr("Mean SQNR (dB)"), metricToolTip("sqnr_db"), first, second,
                     meanSqnrDb, formatDb),
        numberFigure(RunCompareModel::tr("Time (s)"), {}, first, second, runSeconds, formatNumber),
    };
}

QStringList comparisonWarnings(const RunResult& first, const RunResult& second) {
    QStringList warnings;
    if (first.model.name != second.model.name || first.parameters != second.parameters)
        warnings << RunCompareModel::tr("The runs are of different models: the numbers do not compare.");
    if (first.text.sha256 != second.text.sha256)
        warnings << RunCompareModel::tr("The SQNR was measured on different calibration tokens.");
    if (!first.quantized || !second.quantized) return warnings;
    const EvalResult& a = *first.quantized;
    const EvalResult& b = *second.quantized;
    if (a.text != b.text || a.tokens != b.tokens)
        warnings << RunCompareModel::tr("The perplexities are of different texts and do not compare.");
    else if (a.sequenceLength != b.sequenceLength || a.windows != b.windows)
        warnings << RunCompareModel::tr("The perplexities are over different windows and do not compare.");
    return warnings;
}

} // namespace bdq
