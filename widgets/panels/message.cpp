#include "widgets/panels/message.h"

#include <QCoreApplication>

#include "widgets/theme.h"

namespace bdq {

QString severityIcon(MessageSeverity severity) {
    switch (severity) {
    case MessageSeverity::Info:
        return QStringLiteral("info");
    case MessageSeverity::Success:
        return QStringLiteral("success");
    case MessageSeverity::Warning:
        return QStringLiteral("warning");
    case MessageSeverity::Error:
        return QStringLiteral("error");
    }
    return {};
}

QString severityText(MessageSeverity severity) {
    switch (severity) {
    case MessageSeverity::Info:
        return QCoreApplication::translate("bdq::MessageBar", "Information");
    case MessageSeverity::Success:
        return QCoreApplication::translate("bdq::MessageBar", "Done");
    case MessageSeverity::Warning:
        return QCoreApplication::translate("bdq::MessageBar", "Warning");
    case MessageSeverity::Error:
        return QCoreApplication::translate("bdq::MessageBar", "Error");
    }
    return {};
}

QColor severityColor(MessageSeverity severity, const PlotTheme& theme) {
    switch (severity) {
    case MessageSeverity::Info:
        return theme.after;
    case MessageSeverity::Success:
        return theme.series(2);
    case MessageSeverity::Warning:
        return theme.warning;
    case MessageSeverity::Error:
        return theme.error;
    }
    return theme.text;
}

} // namespace bdq
