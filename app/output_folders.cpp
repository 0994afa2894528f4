#include "app/output_folders.h"

#include <QCryptographicHash>
#include <QDir>
#include <QFileInfo>
#include <QRegularExpression>
#include <QStandardPaths>

#include "app/settings.h"

namespace bdq {

namespace {

QString dataFolder(const QString& name) {
    return QDir(QStandardPaths::writableLocation(QStandardPaths::AppDataLocation)).filePath(name);
}

} // namespace

QString resultsFolder(const QString& sessionPath, const QString& base, const QString& modelName,
                      const ModelStamp& stamp) {
    if (!sessionPath.isEmpty()) return sessionPath + QStringLiteral(".d");
    static const QRegularExpression unfit(QStringLiteral("[^A-Za-z0-9._-]+"));
    const QString name = QString(modelName).replace(unfit, QStringLiteral("_")).left(80);
    const QString mark = QString::fromStdString(stamp.fingerprint).left(8);
    return QDir(base).filePath(QStringLiteral("%1-%2").arg(name, mark));
}

QString earlierResultsFolder() {
    return dataFolder(QStringLiteral("models"));
}

QString autosaveFolder() {
    return dataFolder(QStringLiteral("sessions"));
}

QString autosaveFile(const std::string& fingerprint, const std::string& modelPath) {
    const std::string name = fingerprint.empty() ? modelPath : fingerprint;
    // Hashed: a fingerprint may hold what a file name may not.
    const QByteArray hash =
        QCryptographicHash::hash(QByteArray::fromStdString(name), QCryptographicHash::Sha256).toHex();
    return QDir(autosaveFolder())
        .filePath(QString::fromLatin1(hash.left(32)) + QStringLiteral(".bdqsession"));
}

std::vector<ResultPlace> resultPlaces(const Settings& settings) {
    // The folders of models, and in them those of jobs.
    std::vector<ResultPlace> places{{settings.resultsFolder().toStdString(), 2},
                                    {earlierResultsFolder().toStdString(), 2}};
    for (const RecentEntry& entry : settings.recent())
        if (entry.path.endsWith(QStringLiteral(".bdqsession")))
            places.push_back({entry.path.toStdString() + ".d", 1});
    for (const QString& folder : settings.knownFolders())
        places.push_back({folder.toStdString(), 1});
    return places;
}

QString OutputFolders::next(const QString& base, const QString& kind) {
    for (int number = 1;; ++number) {
        const QString path =
            QDir(base).filePath(QStringLiteral("%1-%2").arg(kind).arg(number, 4, 10, QLatin1Char('0')));
        if (m_taken.contains(path) || QFileInfo::exists(path)) continue;
        m_taken.insert(path);
        return path;
    }
}

} // namespace bdq
