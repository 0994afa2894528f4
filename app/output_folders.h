// Where results go when the user chose no folder.
#pragma once

#include <QSet>
#include <QString>

#include "app/session_document.h"

namespace bdq {

/// Folder for the results of a model: name.bdqsession.d beside a named session, else a folder of the
/// application's data that belongs to the model's name and header.
QString resultsFolder(const QString& sessionPath, const QString& modelName, const ModelStamp& stamp);

/// Hands out run-0001, run-0002, ... that neither exist nor were handed out before.
class OutputFolders {
public:
    /// `kind` is "run" or "analysis".
    QString next(const QString& base, const QString& kind);

private:
    QSet<QString> m_taken;
};

} // namespace bdq
