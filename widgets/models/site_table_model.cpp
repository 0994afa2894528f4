#include "widgets/models/site_table_model.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include <QColor>

#include "widgets/format.h"
#include "widgets/theme.h"

namespace bdq {

namespace {

struct Row {
    SiteKey key;
    std::optional<SiteAnalysis> site;
};

/// What a column shows: metric of metricTable(), and the transform it is taken under.
struct ColumnInfo {
    const char* title;
    const char* csvName;
    std::string_view metric;
};

constexpr std::array<ColumnInfo, SiteTableModel::ColumnCount> kColumns{{
    {QT_TRANSLATE_NOOP("bdq::SiteTableModel", "Layer"), "layer", {}},
    {QT_TRANSLATE_NOOP("bdq::SiteTableModel", "Site"), "site", {}},
    {QT_TRANSLATE_NOOP("bdq::SiteTableModel", "Bits"), "bits", {}},
    {QT_TRANSLATE_NOOP("bdq::SiteTableModel", "SQNR pred. (dB)"), "sqnr_db_predicted", "sqnr_db_predicted"},
    {QT_TRANSLATE_NOOP("bdq::SiteTableModel", "SQNR meas. (dB)"), "sqnr_db_measured", "sqnr_db"},
    {QT_TRANSLATE_NOOP("bdq::SiteTableModel", "Model loss (KL)"), "kl_site", "kl_site"},
    {QT_TRANSLATE_NOOP("bdq::SiteTableModel", "Flat. x before"), "flatness_activation_before",
     "flatness_activation"},
    {QT_TRANSLATE_NOOP("bdq::SiteTableModel", "Flat. x after"), "flatness_activation_after",
     "flatness_activation"},
    {QT_TRANSLATE_NOOP("bdq::SiteTableModel", "Flat. W before"), "flatness_weight_before", "flatness_weight"},
    {QT_TRANSLATE_NOOP("bdq::SiteTableModel", "Flat. W after"), "flatness_weight_after", "flatness_weight"},
    {QT_TRANSLATE_NOOP("bdq::SiteTableModel", "Outliers (%)"), "outlier_share", "outlier_share"},
    {QT_TRANSLATE_NOOP("bdq::SiteTableModel", "Kurtosis"), "kurtosis_activation", "kurtosis_activation"},
    {QT_TRANSLATE_NOOP("bdq::SiteTableModel", "Abs. max"), "absmax_activation", "absmax_activation"},
}};

using MeasuredKey = std::tuple<SiteKey, TransformKind, std::string>;

std::string linearScheme(Scheme scheme) {
    scheme.kv = OperandScheme{16, false, 0};
    return formatScheme(scheme);
}

} // namespace

struct SiteTableModel::Private {
    std::vector<Row> rows; ///< by key
    Plan plan;
    TransformKind fallback = TransformKind::None;
    SiteTransforms transforms;
    std::map<MeasuredKey, double> measured;
    std::shared_ptr<const SensitivityResult> sensitivity;

    [[nodiscard]] TransformKind transformOf(SiteKey key) const {
        const auto found = transforms.find(key);
        return found == transforms.end() ? fallback : found->second;
    }
    [[nodiscard]] const TransformAnalysis* statistics(const Row& row, TransformKind kind) const {
        if (!row.site) return nullptr;
        const auto found = row.site->transforms.find(kind);
        return found == row.site->transforms.end() ? nullptr : &found->second;
    }
    [[nodiscard]] std::optional<double> measuredSqnr(const Row& row) const;
    [[nodiscard]] std::optional<double> modelLoss(const Row& row) const;
    [[nodiscard]] std::optional<double> number(const Row& row, int column) const;
    [[nodiscard]] QString text(const Row& row, int column) const;
    [[nodiscard]] QString toolTip(const Row& row, int column) const;
    [[nodiscard]] QVariant bar(const Row& row, int column) const;
    [[nodiscard]] QVariant sort(const Row& row, int column) const;
};

std::optional<double> SiteTableModel::Private::measuredSqnr(const Row& row) const {
    const TransformKind kind = transformOf(row.key);
    const std::string scheme = linearScheme(plan.at(row.key));
    if (const auto found = measured.find({row.key, kind, scheme}); found != measured.end())
        return found->second;
    const TransformAnalysis* after = statistics(row, kind);
    if (!after) return std::nullopt;
    const auto stored = after->sqnrDbMeasured.find(scheme);
    return stored == after->sqnrDbMeasured.end() ? std::nullopt : std::optional(stored->second);
}

std::optional<double> SiteTableModel::Private::modelLoss(const Row& row) const {
    if (!sensitivity) return std::nullopt;
    const SensitivityRow* found = sensitivity->find(row.key, transformOf(row.key), plan.at(row.key).weight);
    return found == nullptr ? std::nullopt : std::optional(found->klDivergence);
}

std::optional<double> SiteTableModel::Private::number(const Row& row, int column) const {
    const TransformAnalysis* before = statistics(row, TransformKind::None);
    const TransformAnalysis* after = statistics(row, transformOf(row.key));
    const auto of = [](const TransformAnalysis* statistics, auto get) {
        return statistics ? std::optional<double>(get(*statistics)) : std::nullopt;
    };
    switch (column) {
    case SqnrPredictedColumn:
        return after ? std::optional(predictedSqnrDb(*row.site, transformOf(row.key), plan.at(row.key)))
                     : std::nullopt;
    case SqnrMeasuredColumn:
        return measuredSqnr(row);
    case LossColumn:
        return modelLoss(row);
    case FlatnessActivationBeforeColumn:
        return of(before, [](const auto& s) { return s.activation.entropyNormalized; });
    case FlatnessActivationAfterColumn:
        return of(after, [](const auto& s) { return s.activation.entropyNormalized; });
    case FlatnessWeightBeforeColumn:
        return of(before, [](const auto& s) { return s.weight.entropyNormalized; });
    case FlatnessWeightAfterColumn:
        return of(after, [](const auto& s) { return s.weight.entropyNormalized; });
    case OutlierShareColumn:
        return of(before, [](const auto& s) { return s.outlierShare * 100; });
    case KurtosisColumn:
        return of(before, [](const auto& s) { return s.kurtosisActivation; });
    case AbsmaxColumn:
        return of(before, [](const auto& s) { return s.absmaxActivation; });
    default:
        return std::nullopt;
    }
}

QString SiteTableModel::Private::text(const Row& row, int column) const {
    switch (column) {
    case LayerColumn:
        return QString::number(row.key.layer);
    case SiteColumn:
        return siteTitle(row.key.site);
    case BitsColumn:
        return bitsText(schemeOfRow(plan, row.key), row.key.site == Site::Qkv);
    default:
        break;
    }
    const std::optional<double> value = number(row, column);
    if (!value) return {};
    return column == SqnrPredictedColumn || column == SqnrMeasuredColumn ? formatDb(*value)
                                                                         : formatNumber(*value);
}

QString SiteTableModel::Private::toolTip(const Row& row, int column) const {
    if (column == BitsColumn) return toQString(formatScheme(schemeOfRow(plan, row.key)));
    if (column == LayerColumn || column == SiteColumn) {
        QString text = siteText(row.key).toHtmlEscaped();
        if (row.site)
            for (const std::string& tensor : row.site->tensors)
                text += QStringLiteral("<br>") + toQString(tensor).toHtmlEscaped();
        return QStringLiteral("<p>%1</p>").arg(text);
    }
    const std::optional<double> value = number(row, column);
    if (!value)
        return SiteTableModel::tr("Not known yet: analyse the model's activations, or measure this row.");
    const QString under = toQString(transformInfo(transformOf(row.key)).title).toHtmlEscaped();
    return QStringLiteral("<p><b>%1</b> · %2</p>").arg(formatExact(*value), under) +
           metricToolTip(kColumns[static_cast<std::size_t>(column)].metric);
}

QVariant SiteTableModel::Private::bar(const Row& row, int column) const {
    const std::optional<double> value = number(row, column);
    if (!value || std::isnan(*value)) return {};
    constexpr double kFullBarDb = 50;   // 8 bits with a good transform reach about 45 dB
    constexpr double kFullKurtosis = 4; // log10: 10^4 fills the cell
    switch (column) {
    case SqnrPredictedColumn:
    case SqnrMeasuredColumn:
        return std::clamp(*value / kFullBarDb, 0.0, 1.0);
    case KurtosisColumn:
        return std::clamp(std::log10(std::max(1.0, *value)) / kFullKurtosis, 0.0, 1.0);
    case FlatnessActivationBeforeColumn:
    case FlatnessActivationAfterColumn:
    case FlatnessWeightBeforeColumn:
    case FlatnessWeightAfterColumn:
        return std::clamp(*value, 0.0, 1.0);
    default:
        return {};
    }
}

QVariant SiteTableModel::Private::sort(const Row& row, int column) const {
    if (column == LayerColumn || column == SiteColumn) {
        const int site = static_cast<int>(row.key.site);
        return column == LayerColumn ? row.key.layer * 16 + site : site * 100000 + row.key.layer;
    }
    if (column == BitsColumn) {
        const Scheme scheme = schemeOfRow(plan, row.key);
        return scheme.weight.bits * 10000 + scheme.activation.bits * 100 + scheme.kv.bits;
    }
    const std::optional<double> value = number(row, column);
    return value && !std::isnan(*value) ? QVariant(*value) : QVariant();
}

SiteTableModel::SiteTableModel(QObject* parent)
    : QAbstractTableModel(parent), d(std::make_unique<Private>()) {}
SiteTableModel::~SiteTableModel() = default;

void SiteTableModel::clear() {
    beginResetModel();
    d->rows.clear();
    d->measured.clear();
    endResetModel();
}

void SiteTableModel::setLayerCount(int layers) {
    beginResetModel();
    d->rows.clear();
    d->measured.clear();
    for (int layer = 0; layer < layers; ++layer)
        for (Site site : kLinearSites)
            d->rows.push_back(Row{SiteKey{layer, site}, std::nullopt});
    endResetModel();
}

void SiteTableModel::setAnalysis(std::shared_ptr<const AnalysisResult> analysis) {
    std::map<SiteKey, Row> byKey;
    if (analysis) {
        for (int layer = 0; layer < analysis->model.layers; ++layer)
            for (Site site : kLinearSites)
                byKey[SiteKey{layer, site}] = Row{SiteKey{layer, site}, std::nullopt};
        for (const SiteAnalysis& site : analysis->sites)
            byKey[site.key] = Row{site.key, site};
    }
    std::vector<Row> rows;
    for (auto& [key, row] : byKey)
        rows.push_back(std::move(row));
    d->measured.clear();
    // The same rows with other numbers: views keep their selection.
    if (!rows.empty() && std::ranges::equal(rows, d->rows, {}, &Row::key, &Row::key)) {
        d->rows = std::move(rows);
        emit dataChanged(index(0, 0), index(rowCount() - 1, ColumnCount - 1));
        return;
    }
    beginResetModel();
    d->rows = std::move(rows);
    endResetModel();
}

void SiteTableModel::addOrUpdate(const SiteAnalysis& site) {
    const auto place = std::ranges::lower_bound(d->rows, site.key, {}, &Row::key);
    const int row = static_cast<int>(place - d->rows.begin());
    if (place != d->rows.end() && place->key == site.key) {
        place->site = site;
        emit dataChanged(index(row, 0), index(row, ColumnCount - 1));
        return;
    }
    beginInsertRows({}, row, row);
    d->rows.insert(place, Row{site.key, site});
    endInsertRows();
}

void SiteTableModel::setPlan(const Plan& plan) {
    d->plan = plan;
    if (!d->rows.empty()) emit dataChanged(index(0, BitsColumn), index(rowCount() - 1, LossColumn));
}

void SiteTableModel::setSensitivity(std::shared_ptr<const SensitivityResult> sensitivity) {
    d->sensitivity = std::move(sensitivity);
    if (!d->rows.empty()) emit dataChanged(index(0, LossColumn), index(rowCount() - 1, LossColumn));
}

void SiteTableModel::setTransform(TransformKind fallback, const SiteTransforms& transforms) {
    d->fallback = fallback;
    d->transforms = transforms;
    if (!d->rows.empty())
        emit dataChanged(index(0, SqnrPredictedColumn), index(rowCount() - 1, ColumnCount - 1));
}

void SiteTableModel::setMeasured(const SiteAnswer& answer) {
    const Result<Scheme> scheme = parseScheme(answer.scheme);
    const int row = rowOf(answer.key);
    if (!scheme || row < 0) return;
    d->measured[{answer.key, answer.transform, linearScheme(*scheme)}] = answer.sqnrDb;
    emit dataChanged(index(row, SqnrMeasuredColumn), index(row, SqnrMeasuredColumn));
}

void SiteTableModel::clearMeasured() {
    if (d->measured.empty()) return;
    d->measured.clear();
    emit dataChanged(index(0, SqnrMeasuredColumn), index(rowCount() - 1, SqnrMeasuredColumn));
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
    const auto place = std::ranges::lower_bound(d->rows, key, {}, &Row::key);
    return place != d->rows.end() && place->key == key ? static_cast<int>(place - d->rows.begin()) : -1;
}

TransformKind SiteTableModel::transformAt(SiteKey key) const {
    return d->transformOf(key);
}

QString SiteTableModel::toTsv(const std::vector<int>& rows, const std::vector<int>& columns) const {
    QStringList lines;
    QStringList cells;
    for (int column : columns)
        cells << QString::fromLatin1(kColumns[static_cast<std::size_t>(column)].csvName);
    lines << cells.join(u'\t');
    for (int rowIndex : rows) {
        cells.clear();
        const Row& row = d->rows.at(static_cast<std::size_t>(rowIndex));
        for (int column : columns) {
            const std::optional<double> value = d->number(row, column);
            if (column == SiteColumn)
                cells << toQString(siteName(row.key.site));
            else if (column < SqnrPredictedColumn)
                cells << d->text(row, column);
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
    const Row& row = d->rows[static_cast<std::size_t>(index.row())];
    const int column = index.column();
    switch (role) {
    case Qt::DisplayRole:
        return d->text(row, column);
    case Qt::ToolTipRole:
        return d->toolTip(row, column);
    case Qt::TextAlignmentRole:
        return static_cast<int>((column == SiteColumn ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
    case SortRole:
        return d->sort(row, column);
    case BarRole:
        return d->bar(row, column);
    case SignRole:
    case ColorRole: {
        if (column != SqnrPredictedColumn && column != SqnrMeasuredColumn) return {};
        const std::optional<double> value = d->number(row, column);
        if (!value) return {};
        return role == SignRole ? QVariant(sqnrSign(*value)) : QVariant(sqnrColor(*value));
    }
    case LayerRole:
        return row.key.layer;
    case SiteNameRole:
        return toQString(siteName(row.key.site));
    case FilterTextRole:
        return siteFilterText(row.key);
    case MetricRole: {
        const std::string_view metric = kColumns[static_cast<std::size_t>(column)].metric;
        return metric.empty() ? QVariant() : QVariant(toQString(metric));
    }
    case Qt::AccessibleTextRole: {
        const QString sign = data(index, SignRole).toString();
        const QString what = headerData(column, Qt::Horizontal, Qt::DisplayRole).toString();
        const QString value = d->text(row, column).isEmpty() ? tr("unknown") : d->text(row, column);
        return sign.isEmpty() ? tr("%1: %2").arg(what, value) : tr("%1: %2, poor").arg(what, value);
    }
    default:
        return {};
    }
}

QVariant SiteTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || section < 0 || section >= ColumnCount) return {};
    const ColumnInfo& column = kColumns[static_cast<std::size_t>(section)];
    if (role == Qt::DisplayRole) return tr(column.title);
    if (role == Qt::TextAlignmentRole)
        return static_cast<int>((section == SiteColumn ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter) |
               Qt::TextWordWrap;
    if (role != Qt::ToolTipRole) return {};
    if (section == BitsColumn) return tr("Bits of weights / activations (/ KV cache) in the current plan");
    return column.metric.empty() ? QVariant() : QVariant(metricToolTip(column.metric));
}

} // namespace bdq
