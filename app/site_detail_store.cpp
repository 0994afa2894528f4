#include "app/site_detail_store.h"

#include <algorithm>
#include <filesystem>

#include "app/background.h"
#include "engine/io/tensor_file.h"

namespace bdq {
namespace {

Result<DetailPtr> readDetail(const std::filesystem::path& path) {
    BDQ_TRY(SiteDetail detail, io::readSiteDetail(path));
    // Kept tokens are for the resident worker; they are the largest array and nothing here shows them.
    detail.keptInputs = {};
    return DetailPtr(std::make_shared<const SiteDetail>(std::move(detail)));
}

std::size_t bytesOf(const SiteDetail& detail) {
    std::size_t values = detail.kurtosisActivation.size() + detail.kurtosisWeight.size() +
                         detail.tokenMin.size() + detail.tokenMax.size();
    for (const auto& [kind, part] : detail.transforms)
        values += part.channelRmsActivation.size() + part.channelAbsmaxActivation.size() +
                  part.channelRmsWeight.size() + part.channelAbsmaxWeight.size() +
                  part.noiseActivation.size() + part.noiseWeight.size() + part.diagonal.size() +
                  part.blocks.size() + part.inverseBlocks.size() + part.secondBlocks.size() +
                  part.permutation.size();
    return values * sizeof(float) + detail.transforms.size() * sizeof(TransformDetail);
}

} // namespace

SiteDetailStore::SiteDetailStore(QObject* parent) : QObject(parent) {}

void SiteDetailStore::setSource(const std::string& analysisDir) {
    ++m_generation;
    m_dir = analysisDir;
    m_entries.clear();
    m_bytes = 0;
    m_loading.clear();
    m_wanted.clear();
}

DetailPtr SiteDetailStore::request(const SiteAnalysis& site) {
    if (DetailPtr detail = take(site.key)) return detail;
    m_wanted.insert(site.key);
    load(site);
    return nullptr;
}

void SiteDetailStore::prefetch(const std::vector<SiteAnalysis>& sites) {
    for (const SiteAnalysis& site : sites)
        if (!take(site.key)) load(site);
}

DetailPtr SiteDetailStore::take(SiteKey key) {
    const auto found = std::find_if(m_entries.begin(), m_entries.end(),
                                    [&](const Entry& entry) { return entry.key == key; });
    if (found == m_entries.end()) return nullptr;
    m_entries.splice(m_entries.begin(), m_entries, found);
    return found->detail;
}

void SiteDetailStore::load(const SiteAnalysis& site) {
    if (site.detailFile.empty() || !m_loading.insert(site.key).second) return;
    const auto path = std::filesystem::path(m_dir) / site.detailFile;
    runInPool(
        this, [path] { return readDetail(path); },
        [this, key = site.key, generation = m_generation](Result<DetailPtr> read) {
            if (generation != m_generation) return;
            m_loading.erase(key);
            const bool wanted = m_wanted.erase(key) > 0;
            if (read) store(key, *read);
            if (wanted && read)
                emit loaded(key, *read);
            else if (wanted)
                emit failed(key, read.error());
        });
}

void SiteDetailStore::store(SiteKey key, DetailPtr detail) {
    const std::size_t bytes = bytesOf(*detail);
    m_entries.push_front({key, std::move(detail), bytes});
    m_bytes += bytes;
    while (m_bytes > kCapacityBytes && m_entries.size() > 1) {
        m_bytes -= m_entries.back().bytes;
        m_entries.pop_back();
    }
}

} // namespace bdq
