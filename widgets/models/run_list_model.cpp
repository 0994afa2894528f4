#include "widgets/models/run_list_model.h"

#include <algorithm>

#include <QDateTime>
#include <QGuiApplication>
#include <QLocale>
#include <QPalette>

#include "widgets/format.h"

namespace bdq {

QString runStateText(RunState state) {
    switch (state) {
    case RunState::Queued:
        return RunListModel::tr("queued");
    case RunState::Running:
        return RunListModel::tr("running");
    case RunState::Finished:
        return RunListModel::tr("finished");
    case RunState::Failed:
        return RunListModel::tr("failed");
    case RunState::Cancelled:
        return RunListModel::tr("cancelled");
    }
    return {};
}

namespace {

QString stateSign(RunState state) {
    switch (state) {
    case RunState::Queued:
        return QStringLiteral("…");
    case RunState::Running:
        return QStringLiteral("▶");
    case RunState::Finished:
        return QStringLiteral("✓");
    case RunState::Failed:
        return QStringLiteral("!!");
    case RunState::Cancelled:
        return QStringLiteral("✕");
    }
    return {};
}

QString progressText(const RunInfo& run) {
    if (run.state != RunState::Running || run.progress < 0) return {};
    return RunListModel::tr("%1 %").arg(static_cast<int>(std::clamp(run.progress, 0.0, 1.0) * 100));
}

/// As short as a cell is.
QString stateText(const RunInfo& run) {
    if (run.state == RunState::Queued && run.held) return RunListModel::tr("waiting");
    if (run.state == RunState::Cancelled && run.resumable) return RunListModel::tr("resumable");
    return runStateText(run.state);
}

QString longStateText(const RunInfo& run) {
    if (run.state == RunState::Queued && run.held) return RunListModel::tr("waits to be started");
    if (run.state == RunState::Cancelled && run.resumable)
        return RunListModel::tr("cancelled, can be resumed");
    return runStateText(run.state);
}

QString timeText(const RunInfo& run) {
    if (run.state == RunState::Running)
        return run.secondsLeft < 0 ? RunListModel::tr("estimating")
                                   : RunListModel::tr("%1 left").arg(formatDuration(run.secondsLeft));
    return run.elapsedSeconds < 0 ? QString() : formatDuration(run.elapsedSeconds);
}

QString cellText(const RunInfo& run, int column) {
    switch (column) {
    case RunListModel::TitleColumn:
        return run.title.isEmpty() ? run.id : run.title;
    case RunListModel::StateColumn:
        return (stateSign(run.state) + u' ' + stateText(run) + u' ' + progressText(run)).trimmed();
    case RunListModel::MethodColumn:
        return run.method.isEmpty() ? run.kind : run.method;
    case RunListModel::SchemeColumn:
        return run.scheme;
    case RunListModel::PerplexityColumn:
        return perplexityText(run.perplexityFull, run.perplexity, run.perplexitySize);
    case RunListModel::ProgressColumn:
        return progressText(run);
    case RunListModel::TimeColumn:
        return timeText(run);
    default:
        return {};
    }
}

QString toolTipText(const RunInfo& run, int column) {
    if (column == RunListModel::PerplexityColumn && run.perplexity) {
        const QString full = run.perplexityFull ? formatExact(*run.perplexityFull) : QStringLiteral("–");
        return RunListModel::tr("Perplexity of the model as it is: %1; quantized: %2. Lower is better.")
            .arg(full, formatExact(*run.perplexity));
    }
    QStringList lines{longStateText(run)};
    if (run.createdMs > 0)
        lines << QLocale().toString(QDateTime::fromMSecsSinceEpoch(run.createdMs), QLocale::ShortFormat);
    for (const QString& line : {run.stage, run.error, run.device, run.outDir})
        if (!line.isEmpty()) lines << line;
    return plainToolTip(lines.join(u'\n'));
}

QVariant sortValue(const RunInfo& run, int column, int row) {
    if (column == RunListModel::PerplexityColumn)
        return run.perplexity ? QVariant(*run.perplexity) : QVariant();
    if (column == RunListModel::ProgressColumn) return run.progress;
    if (column == RunListModel::TimeColumn) return run.elapsedSeconds;
    return column == RunListModel::TitleColumn ? QVariant(row) : QVariant(cellText(run, column));
}

} // namespace

RunListModel::RunListModel(QObject* parent) : QAbstractTableModel(parent) {}

void RunListModel::addOrUpdate(const RunInfo& run) {
    const int row = rowOf(run.id);
    if (row >= 0) {
        m_runs[static_cast<std::size_t>(row)] = run;
        emit dataChanged(index(row, 0), index(row, ColumnCount - 1));
        return;
    }
    // Newest first; among equals, as they come.
    const auto place =
        std::ranges::find_if(m_runs, [&](const RunInfo& other) { return other.createdMs < run.createdMs; });
    const auto at = static_cast<int>(place - m_runs.begin());
    beginInsertRows({}, at, at);
    m_runs.insert(place, run);
    endInsertRows();
}

void RunListModel::remove(const QString& id) {
    const int row = rowOf(id);
    if (row < 0) return;
    beginRemoveRows({}, row, row);
    m_runs.erase(m_runs.begin() + row);
    endRemoveRows();
}

void RunListModel::clear() {
    beginResetModel();
    m_runs.clear();
    endResetModel();
}

const RunInfo* RunListModel::find(const QString& id) const {
    const int row = rowOf(id);
    return row < 0 ? nullptr : &m_runs[static_cast<std::size_t>(row)];
}

QString RunListModel::idAt(int row) const {
    return row >= 0 && row < rowCount() ? m_runs[static_cast<std::size_t>(row)].id : QString();
}

int RunListModel::rowOf(const QString& id) const {
    const auto found = std::ranges::find(m_runs, id, &RunInfo::id);
    return found == m_runs.end() ? -1 : static_cast<int>(found - m_runs.begin());
}

int RunListModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(m_runs.size());
}

int RunListModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : ColumnCount;
}

QVariant RunListModel::data(const QModelIndex& index, int role) const {
    if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid)) return {};
    const RunInfo& run = m_runs[static_cast<std::size_t>(index.row())];
    const bool number = index.column() >= PerplexityColumn;
    switch (role) {
    case Qt::DisplayRole:
        return cellText(run, index.column());
    case Qt::ToolTipRole:
        return toolTipText(run, index.column());
    case Qt::TextAlignmentRole:
        return static_cast<int>((number ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    case Qt::ForegroundRole:
        return index.column() == PerplexityColumn && run.perplexitySize.isSmall()
                   ? QVariant(QGuiApplication::palette().brush(QPalette::PlaceholderText))
                   : QVariant();
    case IdRole:
        return run.id;
    case SortRole:
        return sortValue(run, index.column(), index.row());
    case ProgressRole:
        return run.state == RunState::Running ? QVariant(run.progress) : QVariant();
    default:
        return {};
    }
}

QVariant RunListModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal) return {};
    if (role == Qt::TextAlignmentRole)
        return static_cast<int>((section >= PerplexityColumn ? Qt::AlignRight : Qt::AlignLeft) |
                                Qt::AlignVCenter);
    if (role == Qt::ToolTipRole && section == PerplexityColumn) return metricToolTip("perplexity");
    if (role != Qt::DisplayRole) return {};
    switch (section) {
    case TitleColumn:
        return tr("Run");
    case StateColumn:
        return tr("State");
    case MethodColumn:
        return tr("Method");
    case SchemeColumn:
        return tr("Scheme");
    case PerplexityColumn:
        return tr("Perplexity");
    case ProgressColumn:
        return tr("Progress");
    case TimeColumn:
        return tr("Time");
    default:
        return {};
    }
}

} // namespace bdq
