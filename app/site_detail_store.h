// Arrays of single sites, read off the GUI thread and kept while there is room.
#pragma once

#include <QObject>

#include <cstdint>
#include <list>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/api/result.h"
#include "engine/api/site_analysis.h"

namespace bdq {

using DetailPtr = std::shared_ptr<const SiteDetail>;

/// Least recently used details go first. After setSource() nothing of the old source is delivered.
class SiteDetailStore : public QObject {
    Q_OBJECT
public:
    static constexpr std::size_t kCapacityBytes = std::size_t{256} << 20;

    explicit SiteDetailStore(QObject* parent = nullptr);

    /// Folder that SiteAnalysis::detailFile is relative to.
    void setSource(const std::string& analysisDir);
    /// At once from the store, else null and loaded() or failed() follows.
    DetailPtr request(const SiteAnalysis& site);
    /// Reads ahead; says nothing when it fails.
    void prefetch(const std::vector<SiteAnalysis>& sites);

signals:
    void loaded(const bdq::SiteKey& key, const std::shared_ptr<const bdq::SiteDetail>& detail);
    void failed(const bdq::SiteKey& key, const bdq::Error& error);

private:
    struct Entry {
        SiteKey key;
        DetailPtr detail;
        std::size_t bytes = 0;
    };
    DetailPtr take(SiteKey key);
    void load(const SiteAnalysis& site);
    void store(SiteKey key, DetailPtr detail);

    std::string m_dir;
    quint64 m_generation = 0;
    std::list<Entry> m_entries; ///< most recently used first
    std::size_t m_bytes = 0;
    std::set<SiteKey> m_loading;
    std::set<SiteKey> m_wanted; ///< somebody waits for these
};

} // namespace bdq
