#include "app/session_bundle.h"

#include <map>

namespace bdq {

namespace {

namespace fs = std::filesystem;

Status copyFile(const fs::path& from, const fs::path& to) {
    std::error_code error;
    // A resumed run goes on in its other files; arrays are replaced as a whole, never written into.
    if (from.extension() == ".safetensors") {
        fs::create_hard_link(from, to, error);
        if (!error) return {};
        error.clear();
    }
    fs::copy_file(from, to, error);
    if (!error) return {};
    const bool full = error == std::errc::no_space_on_device;
    return fail(full ? ErrorCode::DiskFull : ErrorCode::Io,
                from.string() + ": cannot be copied to " + to.string() + ": " + error.message());
}

Status copyFolder(const fs::path& from, const fs::path& to) {
    std::error_code error;
    fs::create_directories(to, error);
    auto entry = error ? fs::recursive_directory_iterator() : fs::recursive_directory_iterator(from, error);
    for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
        const fs::path target = to / entry->path().lexically_relative(from);
        if (entry->is_directory(error))
            fs::create_directories(target, error);
        else
            BDQ_CHECK(copyFile(entry->path(), target));
        if (error) break;
    }
    if (error) return fail(ErrorCode::Io, from.string() + ": cannot be copied: " + error.message());
    return {};
}

/// A name that nothing in the folder has yet.
fs::path freeName(const fs::path& folder, const fs::path& name) {
    fs::path target = folder / name;
    for (int number = 2; fs::exists(target); ++number)
        target = folder / (name.string() + "-" + std::to_string(number));
    return target;
}

/// Copies folders once each; what was made goes again unless it is kept.
class Bundle {
public:
    explicit Bundle(fs::path base) : m_base(std::move(base)) {}
    ~Bundle() {
        std::error_code ignored;
        for (const fs::path& made : m_made)
            fs::remove_all(made, ignored);
    }
    Bundle(const Bundle&) = delete;
    Bundle& operator=(const Bundle&) = delete;

    Result<std::string> bring(const std::string& folder) {
        const fs::path from = fs::path(folder).lexically_normal();
        if (from.parent_path() == m_base) return from.string();
        const auto known = m_places.find(from);
        if (known != m_places.end()) return known->second.string();
        const fs::path target = freeName(m_base, from.filename());
        m_made.push_back(target);
        BDQ_CHECK(copyFolder(from, target));
        m_places[from] = target;
        return target.string();
    }
    void keep() { m_made.clear(); }

private:
    fs::path m_base;
    std::map<fs::path, fs::path> m_places;
    std::vector<fs::path> m_made;
};

} // namespace

Status saveWithResults(SessionDocument document, const std::vector<std::string>& folders,
                       const fs::path& path) {
    Bundle bundle(fs::path(path.string() + ".d").lexically_normal());
    if (!document.analysisDir.empty()) {
        BDQ_TRY(document.analysisDir, bundle.bring(document.analysisDir));
    }
    std::vector<std::string> runs;
    for (const std::string& run : document.runDirs) {
        BDQ_TRY(const std::string place, bundle.bring(run));
        runs.push_back(place);
    }
    document.runDirs = runs;
    for (const std::string& folder : folders)
        BDQ_CHECK(bundle.bring(folder));
    BDQ_CHECK(saveSession(document, path));
    bundle.keep();
    return {};
}

} // namespace bdq
