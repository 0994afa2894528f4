// A message of the window: how bad it is, and how that looks.
#pragma once

#include <QColor>
#include <QDateTime>
#include <QList>
#include <QString>

class QAction;

namespace bdq {

struct PlotTheme;

/// From the least to the most urgent.
enum class MessageSeverity { Info, Success, Warning, Error };

struct Message {
    MessageSeverity severity = MessageSeverity::Info;
    QString text;
    QString details; ///< may be empty
    QList<QAction*> actions;
    QDateTime time;
};

/// Name for themedIcon().
QString severityIcon(MessageSeverity severity);
QString severityText(MessageSeverity severity);
QColor severityColor(MessageSeverity severity, const PlotTheme& theme);

} // namespace bdq
