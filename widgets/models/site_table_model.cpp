#include "widgets/models/site_table_model.h"

#include <algorithm>

#include <QColor>

#include "widgets/format.h"
#include "widgets/models/site_row_values.h"
#include "widgets/theme.h"

namespace bdq {

struct SiteTableModel::Private {
    std::vector<SiteRow> rows; ///< by key
    SiteRowValues values;
    std::vector<MeasuredSource> sources;

    [[nodiscard]] bool analysed() const {
        return std::ranges::any_of(rows, [](const SiteRow& row) { return row.site.has_value(); });
    }
    /// The analysis that a run brings holds the run's own scheme, KV cache included: nothing of linear layers
    /// alone.
    [[nodiscard]] bool analysisMeasured() const {
        const auto measured = [](const auto& entry) {
            return std::ranges::any_of(entry.second.sqnrDbMeasured, [](const auto& value) {
                return value.first.find("KV") == std::string::npos;
            });
        };
        return std::ranges::any_of(rows, [&](const SiteRow& row) {
            return row.site && std::ranges::any_of(row.site->transforms, measured);
        });
    }
};

SiteTableModel::SiteTableModel(QObject* parent)
    : QAbstractTableModel(parent), d(std::make_unique<Private>()) {
    updateSources();
}
SiteTableModel::~SiteTableModel() = default;

void SiteTableModel::clear() {
    setLayerCount(0);
}

void SiteTableModel::setLayerCount(int layers) {
    beginResetModel();
    d->rows.clear();
    d->values.measured->clear();
    d->values.ranking = {};
    for (int layer = 0; layer < layers; ++layer)
        for (Site site : kLinearSites)
            d->rows.push_back(SiteRow{SiteKey{layer, site}, std::nullopt});
    endResetModel();
    updateSources();
}

void SiteTableModel::setAnalysis(std::shared_ptr<const AnalysisResult> analysis) {
    std::map<SiteKey, SiteRow> byKey;
    if (analysis) {
        for (int layer = 0; layer < analysis->model.layers; ++layer)
            for (Site site : kLinearSites)
                byKey[SiteKey{layer, site}] = SiteRow{SiteKey{layer, site}, std::nullopt};
        for (const SiteAnalysis& site : analysis->sites)
            byKey[site.key] = SiteRow{site.key, site};
    }
    std::vector<SiteRow> rows;
    for (auto& [key, row] : byKey)
        rows.push_back(std::move(row));
    d->values.measured->clearLive(); // on the kept tokens of another analysis
    // The same rows with other numbers: views keep their selection.
    const bool same = !rows.empty() && std::ranges::equal(rows, d->rows, {}, &SiteRow::key, &SiteRow::key);
    if (!same) beginResetModel();
    d->rows = std::move(rows);
    if (same)
        changed(0, ColumnCount - 1);
    else
        endResetModel();
    updateSources();
    emit numbersArrived();
}

void SiteTableModel::addOrUpdate(const SiteAnalysis& site) {
    const auto place = std::ranges::lower_bound(d->rows, site.key, {}, &SiteRow::key);
    const int row = static_cast<int>(place - d->rows.begin());
    if (place != d->rows.end() && place->key == site.key) {
        place->site = site;
        emit dataChanged(index(row, 0), index(row, ColumnCount - 1));
    } else {
        beginInsertRows({}, row, row);
        d->rows.insert(place, SiteRow{site.key, site});
        endInsertRows();
    }
    updateSources();
    emit numbersArrived();
}

void SiteTableModel::changed(int firstColumn, int lastColumn) {
    if (!d->rows.empty()) emit dataChanged(index(0, firstColumn), index(rowCount() - 1, lastColumn));
}

void SiteTableModel::setPlan(const Plan& plan) {
    d->values.plan = plan;
    changed(BitsColumn, SqnrTokenLowColumn);
}

void SiteTableModel::setRounding(WeightRounding rounding) {
    if (rounding == d->values.rounding) return;
    d->values.rounding = rounding;
    changed(SqnrPredictedColumn, SqnrMeasuredColumn);
}

void SiteTableModel::setRanking(const SiteRanking& ranking) {
    if (ranking == d->values.ranking) return;
    const bool otherBasis = ranking.basis != d->values.ranking.basis;
    d->values.ranking = ranking;
    changed(LossColumn, LossColumn);
    if (otherBasis) emit headerDataChanged(Qt::Horizontal, LossColumn, LossColumn);
}

const SiteRanking& SiteTableModel::ranking() const {
    return d->values.ranking;
}

void SiteTableModel::setTransform(TransformKind fallback, const SiteTransforms& transforms) {
    d->values.fallback = fallback;
    d->values.transforms = transforms;
    changed(SqnrPredictedColumn, ColumnCount - 1);
}

void SiteTableModel::setLocked(const std::set<SiteKey>& locked) {
    if (locked == d->values.locked) return;
    d->values.locked = locked;
    changed(BitsColumn, BitsColumn);
}

bool SiteTableModel::isLocked(SiteKey key) const {
    return d->values.locked.contains(key);
}

void SiteTableModel::addLive(const SiteAnswer& answer, WeightRounding rounding) {
    const int row = rowOf(answer.key);
    if (row < 0) return;
    d->values.measured->addLive(answer, rounding);
    emit dataChanged(index(row, SqnrMeasuredColumn), index(row, SqnrMeasuredColumn));
}

void SiteTableModel::addRun(const QString& folder, const QString& title, const RunResult& run) {
    d->values.measured->addRun(folder, title, run);
    updateSources();
    changed(SqnrMeasuredColumn, SqnrMeasuredColumn);
}

void SiteTableModel::clearRuns() {
    d->values.measured->clearRuns();
    updateSources();
}

std::shared_ptr<const MeasuredSqnrStore> SiteTableModel::measured() const {
    return d->values.measured;
}

std::vector<MeasuredSource> SiteTableModel::sources() const {
    return d->sources;
}

const MeasuredSource& SiteTableModel::source() const {
    return d->values.source;
}

void SiteTableModel::setSource(const MeasuredSource& source) {
    if (source == d->values.source || std::ranges::find(d->sources, source) == d->sources.end()) return;
    d->values.source = source;
    changed(SqnrMeasuredColumn, SqnrMeasuredColumn);
    emit sourcesChanged();
}

/// The chosen kind stays while it is there; else the analysis, or the newest run where the analysis measured
/// nothing.
void SiteTableModel::updateSources() {
    std::vector<MeasuredSource> sources;
    if (d->analysed()) sources = {{MeasuredKind::Analysis}, {MeasuredKind::Live}};
    const std::vector<MeasuredSource>& runs = d->values.measured->runs();
    sources.insert(sources.end(), runs.begin(), runs.end());
    if (sources == d->sources) return;
    d->sources = std::move(sources);
    const bool onlyRuns = !runs.empty() && !d->analysisMeasured();
    const bool gone = std::ranges::find(d->sources, d->values.source) == d->sources.end();
    if (gone || (onlyRuns && d->values.source.kind == MeasuredKind::Analysis)) {
        d->values.source = onlyRuns ? runs.back() : MeasuredSource{};
        changed(SqnrMeasuredColumn, SqnrMeasuredColumn);
    }
    emit sourcesChanged();
}

const SiteAnalysis* SiteTableModel::find(SiteKey key) const {
    const int row = rowOf(key);
    if (row < 0) return nullptr;
    const auto& site = d->rows[static_cast<std::size_t>(row)].site;
    return site ? &*site : nullptr;
}

SiteKey SiteTableModel::keyAt(int row) const {
    return d->rows.at(static_cast<std::size_t>(row)).key;
}

int SiteTableModel::rowOf(SiteKey key) const {
    const auto place = std::ranges::lower_bound(d->rows, key, {}, &SiteRow::key);
    return place != d->rows.end() && place->key == key ? static_cast<int>(place - d->rows.begin()) : -1;
}

TransformKind SiteTableModel::transformAt(SiteKey key) const {
    return d->values.transformOf(key);
}

QString SiteTableModel::toTsv(const std::vector<int>& rows, const std::vector<int>& columns) const {
    QStringList lines;
    QStringList cells;
    for (int column : columns)
        cells << d->values.csvName(column);
    lines << cells.join(u'\t');
    for (int rowIndex : rows) {
        cells.clear();
        const SiteRow& row = d->rows.at(static_cast<std::size_t>(rowIndex));
        for (int column : columns) {
            const std::optional<double> value = d->values.number(row, column);
            if (column == SiteColumn)
                cells << toQString(siteName(row.key.site));
            else if (column <= BitsColumn)
                cells << d->values.text(row, column);
            else
                cells << (value ? QString::number(*value, 'g', 9) : QString());
        }
        lines << cells.join(u'\t');
    }
    return lines.join(u'\n') + u'\n';
}

int SiteTableModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(d->rows.size());
}

int SiteTableModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : ColumnCount;
}

QVariant SiteTableModel::data(const QModelIndex& index, int role) const {
    if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid)) return {};
    const SiteRow& row = d->rows[static_cast<std::size_t>(index.row())];
    const int column = index.column();
    switch (role) {
    case Qt::DisplayRole:
        return d->values.text(row, column);
    case Qt::ToolTipRole:
        return d->values.toolTip(row, column);
    case Qt::TextAlignmentRole:
        return static_cast<int>((column == SiteColumn ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
    case SortRole:
        return d->values.sort(row, column);
    case BarRole:
        return d->values.bar(row, column);
    case SignRole:
        return d->values.sign(row, column);
    case ColorRole: {
        const auto value = isSqnrColumn(column) ? d->values.number(row, column) : std::nullopt;
        return value ? QVariant(sqnrColor(*value)) : QVariant();
    }
    case LockedRole:
        return column == BitsColumn && isLocked(row.key);
    case LayerRole:
        return row.key.layer;
    case SiteNameRole:
        return toQString(siteName(row.key.site));
    case FilterTextRole:
        return siteFilterText(row.key);
    case MetricRole: {
        const std::string_view metric = siteColumnInfo(column).metric;
        return metric.empty() ? QVariant() : QVariant(toQString(metric));
    }
    case Qt::AccessibleTextRole:
        return accessibleText(index);
    default:
        return {};
    }
}

QString SiteTableModel::accessibleText(const QModelIndex& index) const {
    const QString what = headerData(index.column(), Qt::Horizontal, Qt::DisplayRole).toString();
    const QString shown = index.data().toString();
    const QString value = shown.isEmpty() ? tr("unknown") : shown;
    if (index.data(LockedRole).toBool()) return tr("%1: %2, locked").arg(what, value);
    return index.data(SignRole).toString().isEmpty() ? tr("%1: %2").arg(what, value)
                                                     : tr("%1: %2, stands out").arg(what, value);
}

QVariant SiteTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || section < 0 || section >= ColumnCount) return {};
    const SiteColumnInfo& column = siteColumnInfo(section);
    const RankingBasis basis = d->values.ranking.basis;
    if (role == Qt::DisplayRole)
        return section == LossColumn && basis == RankingBasis::Estimated ? tr("Loss, est. (nats)")
                                                                         : tr(column.title);
    if (role == Qt::TextAlignmentRole)
        return static_cast<int>((section == SiteColumn ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter) |
               Qt::TextWordWrap;
    if (role != Qt::ToolTipRole) return {};
    if (section == BitsColumn)
        return tr("Bits of weights / activations (/ KV cache) in the current plan; a padlock: the slider of "
                  "average bits leaves these weights alone (L)");
    if (section == LossColumn) return rankingToolTip(basis);
    return column.metric.empty() ? QVariant() : QVariant(metricToolTip(column.metric));
}

} // namespace bdq
