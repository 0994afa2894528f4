#include "app/settings.h"

#include <QDir>
#include <QStandardPaths>

#include <algorithm>

namespace bdq {
namespace {

constexpr qsizetype kMaxRecent = 12;
constexpr qsizetype kMaxKnownFolders = 100;

/// A first analysis should answer in about a minute on two cores; a first run in a few.
constexpr CalibrationOptions kFirstAnalysis{"self", 8, 512};
constexpr CalibrationOptions kFirstRun{"self", 8, 2048};

QString key(const QString& group, const QString& name) {
    return group + QLatin1Char('/') + name;
}

/// Stored as job text, so that the codec of engine/api stays the only one.
template <class Spec> std::optional<Spec> decode(const QString& text) {
    const auto spec = decodeSpec(text.toStdString());
    if (!spec || !std::holds_alternative<Spec>(*spec)) return std::nullopt;
    return std::get<Spec>(*spec);
}

} // namespace

QByteArray Settings::layout(const QString& part) const {
    return m_store.value(key(QStringLiteral("layout"), part)).toByteArray();
}

void Settings::setLayout(const QString& part, const QByteArray& state) {
    m_store.setValue(key(QStringLiteral("layout"), part), state);
}

void Settings::clearLayout() {
    m_store.remove(QStringLiteral("layout"));
}

std::vector<RecentEntry> Settings::recent() const {
    std::vector<RecentEntry> entries;
    for (const QVariant& row : m_store.value(QStringLiteral("recent")).toList()) {
        const QStringList parts = row.toStringList();
        if (parts.size() == 3) entries.push_back({parts[0], parts[1], parts[2]});
    }
    return entries;
}

void Settings::addRecent(const RecentEntry& entry) {
    RecentEntry front = entry;
    QVariantList rows;
    for (const RecentEntry& old : recent()) {
        if (old.path == entry.path) {
            if (front.detail.isEmpty()) front.detail = old.detail;
        } else if (rows.size() < kMaxRecent - 1) {
            rows.append(QStringList{old.path, old.title, old.detail});
        }
    }
    rows.prepend(QStringList{front.path, front.title, front.detail});
    m_store.setValue(QStringLiteral("recent"), rows);
}

void Settings::removeRecent(const QString& path) {
    QVariantList rows;
    for (const RecentEntry& old : recent())
        if (old.path != path) rows.append(QStringList{old.path, old.title, old.detail});
    m_store.setValue(QStringLiteral("recent"), rows);
}

QString Settings::language() const {
    return m_store.value(QStringLiteral("language")).toString();
}

void Settings::setLanguage(const QString& code) {
    m_store.setValue(QStringLiteral("language"), code);
}

QString Settings::lastFolder(const QString& purpose) const {
    return m_store.value(key(QStringLiteral("folders"), purpose)).toString();
}

void Settings::setLastFolder(const QString& purpose, const QString& folder) {
    m_store.setValue(key(QStringLiteral("folders"), purpose), folder);
}

QString Settings::resultsFolder() const {
    const QString chosen = m_store.value(QStringLiteral("results/folder")).toString();
    if (!chosen.isEmpty()) return chosen;
    return QDir(QStandardPaths::writableLocation(QStandardPaths::DocumentsLocation))
        .filePath(QStringLiteral("BDQ Studio"));
}

void Settings::setResultsFolder(const QString& folder) {
    addKnownFolder(resultsFolder());
    m_store.setValue(QStringLiteral("results/folder"), QDir::cleanPath(folder));
}

QStringList Settings::knownFolders() const {
    return m_store.value(QStringLiteral("results/known")).toStringList();
}

void Settings::addKnownFolder(const QString& folder) {
    const QString path = QDir::cleanPath(folder);
    QStringList folders = knownFolders();
    if (path.isEmpty() || folders.value(0) == path) return;
    folders.removeAll(path);
    folders.prepend(path);
    m_store.setValue(QStringLiteral("results/known"), QStringList(folders.mid(0, kMaxKnownFolders)));
}

int Settings::takeRunNumber() {
    const int number = m_store.value(QStringLiteral("results/last_number")).toInt() + 1;
    m_store.setValue(QStringLiteral("results/last_number"), number);
    return number;
}

void Settings::keepRunNumber(int taken) {
    if (taken > m_store.value(QStringLiteral("results/last_number")).toInt())
        m_store.setValue(QStringLiteral("results/last_number"), taken);
}

double Settings::secondsPerLossToken() const {
    return m_store.value(QStringLiteral("speed/loss_token_seconds")).toDouble();
}

void Settings::setSecondsPerLossToken(double seconds) {
    m_store.setValue(QStringLiteral("speed/loss_token_seconds"), seconds);
}

RunSpec Settings::runOptions() const {
    if (auto spec = decode<RunSpec>(m_store.value(QStringLiteral("options/run")).toString())) return *spec;
    RunSpec spec;
    spec.calibration = kFirstRun;
    return spec;
}

void Settings::setRunOptions(const RunSpec& spec) {
    m_store.setValue(QStringLiteral("options/run"), QString::fromStdString(encodeSpec(spec)));
}

AnalyzeSpec Settings::analyzeOptions() const {
    if (auto spec = decode<AnalyzeSpec>(m_store.value(QStringLiteral("options/analyze")).toString()))
        return *spec;
    AnalyzeSpec spec;
    spec.calibration = kFirstAnalysis;
    return spec;
}

void Settings::setAnalyzeOptions(const AnalyzeSpec& spec) {
    m_store.setValue(QStringLiteral("options/analyze"), QString::fromStdString(encodeSpec(spec)));
}

} // namespace bdq
