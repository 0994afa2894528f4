// What the window remembers between starts, typed. Passed in by main(): nothing below app/ reads settings.
#pragma once

#include <QByteArray>
#include <QSettings>
#include <QString>
#include <QStringList>

#include <vector>

#include "engine/api/job_spec.h"

namespace bdq {

/// One line of the start page.
struct RecentEntry {
    QString path;
    QString title;
    QString detail;
};

/// A thin typed face over one QSettings store, which must outlive it.
class Settings {
public:
    explicit Settings(QSettings& store) : m_store(store) {}

    [[nodiscard]] QByteArray layout(const QString& part) const;
    void setLayout(const QString& part, const QByteArray& state);
    /// Forgets geometry, docks, splitters and columns.
    void clearLayout();

    [[nodiscard]] std::vector<RecentEntry> recent() const;
    /// Puts the entry in front; an entry with the same path is replaced, an empty detail keeps the old one.
    void addRecent(const RecentEntry& entry);
    void removeRecent(const QString& path);

    /// ISO 639-1 code; empty = the system's.
    [[nodiscard]] QString language() const;
    void setLanguage(const QString& code);

    /// Where results of models without a session go; "BDQ Studio" in the user's documents unless chosen.
    [[nodiscard]] QString resultsFolder() const;
    /// The folder so far stays among knownFolders().
    void setResultsFolder(const QString& folder);
    /// Folders outside of resultsFolder() that hold result folders, newest first.
    [[nodiscard]] QStringList knownFolders() const;
    void addKnownFolder(const QString& folder);
    /// Counts jobs over all models and starts: 1, 2, 3, ...
    int takeRunNumber();
    /// Numbers up to this one are taken.
    void keepRunNumber(int taken);

    /// Measured cost of losses of single sites: seconds for a token in a layer's pass; 0 = not measured yet.
    [[nodiscard]] double secondsPerLossToken() const;
    void setSecondsPerLossToken(double seconds);

    /// Folder that the file dialog for `purpose` starts in.
    [[nodiscard]] QString lastFolder(const QString& purpose) const;
    void setLastFolder(const QString& purpose, const QString& folder);

    /// Options of the last run and the last analysis as job descriptions; model and folders are the caller's.
    [[nodiscard]] RunSpec runOptions() const;
    void setRunOptions(const RunSpec& spec);
    [[nodiscard]] AnalyzeSpec analyzeOptions() const;
    void setAnalyzeOptions(const AnalyzeSpec& spec);

private:
    QSettings& m_store;
};

} // namespace bdq
