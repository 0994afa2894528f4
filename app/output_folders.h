// Where results go when the user chose no folder, and where they may lie.
#pragma once

#include <QSet>
#include <QString>

#include <string>
#include <vector>

#include "app/result_scan.h"
#include "app/session_document.h"

namespace bdq {

class Settings;

/// Folder for the results of a model: name.bdqsession.d beside a named session, else a folder in `base` that
/// belongs to the model's name and weights.
QString resultsFolder(const QString& sessionPath, const QString& base, const QString& modelName,
                      const ModelStamp& stamp);
/// Where earlier versions kept results: hidden in the application's data.
QString earlierResultsFolder();

/// Where sessions without a name are kept, one a model.
QString autosaveFolder();
/// `fingerprint` names the model; without one, its path does.
QString autosaveFile(const std::string& fingerprint, const std::string& modelPath);

/// Every folder below which results of any model may lie: the chosen one, the earlier one, those of recent
/// sessions and of results that were opened or made elsewhere.
std::vector<ResultPlace> resultPlaces(const Settings& settings);

/// Hands out run-0001, run-0002, ... that neither exist nor were handed out before.
class OutputFolders {
public:
    /// `kind` is "run" or "analysis".
    QString next(const QString& base, const QString& kind);

private:
    QSet<QString> m_taken;
};

} // namespace bdq
