// Which files make a model, by what a path or a folder holds.
#include <algorithm>
#include <array>
#include <cstring>
#include <regex>

#include "engine/io/byte_reader.h"
#include "engine/io/open_model.h"
#include "engine/io/text_file.h"

namespace bdq::io {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kCachePrefix = "models--"; // of repositories in Hugging Face's cache

Result<std::vector<fs::path>> filesWithExtension(const fs::path& folder, const std::string& extension) {
    std::vector<fs::path> files;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
        if (entry->path().extension() == extension) files.push_back(entry->path());
    if (error) return fail(ErrorCode::Io, folder.string() + ": cannot list the folder: " + error.message());
    std::sort(files.begin(), files.end());
    return files;
}

bool isThere(const fs::path& path) {
    std::error_code ignored;
    return fs::exists(path, ignored);
}

/// True when these are all parts of one set "NAME-00001-of-00003.ENDING".
bool areOneSet(const std::vector<fs::path>& files) {
    static const std::regex kPart("^(.*)-([0-9]{5})-of-([0-9]{5})\\.[a-z]+$");
    std::string set;
    for (const fs::path& file : files) {
        std::smatch match;
        const std::string name = file.filename().string();
        if (!std::regex_match(name, match, kPart)) return false;
        const std::string own = match[1].str() + "/" + match[3].str();
        if (!set.empty() && own != set) return false;
        set = own;
    }
    return !set.empty() && std::stoul(set.substr(set.rfind('/') + 1)) == files.size();
}

/// Weights in formats that are not read, so that a refusal can name what is there.
std::vector<std::string> otherWeights(const fs::path& folder) {
    constexpr std::array<std::string_view, 10> kEndings{".bin",  ".pt",      ".pth", ".ckpt", ".h5",
                                                        ".onnx", ".msgpack", ".npz", ".pkl",  ".ggml"};
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        const std::string ending = entry->path().extension().string();
        if (std::find(kEndings.begin(), kEndings.end(), ending) != kEndings.end())
            names.push_back(entry->path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

tl::unexpected<Error> noModel(const fs::path& folder, const std::vector<fs::path>& weights,
                              const std::vector<fs::path>& ggufs) {
    const std::vector<std::string> others = otherWeights(folder);
    if (weights.empty() && ggufs.empty() && !others.empty())
        return fail(ErrorCode::Unsupported,
                    folder.string() + ": found " + others.front() +
                        (others.size() > 1 ? " and " + std::to_string(others.size() - 1) + " more files"
                                           : std::string()) +
                        ", expected safetensors or GGUF; convert with transformers: "
                        "save_pretrained(..., safe_serialization=True)");
    std::string found =
        std::to_string(weights.size()) + " .safetensors and " + std::to_string(ggufs.size()) + " .gguf files";
    for (const std::vector<fs::path>& files : {weights, ggufs})
        for (std::size_t i = 0; i < files.size() && i < 4; ++i)
            found += ", " + files[i].filename().string();
    return fail(ErrorCode::NotFound,
                folder.string() + ": no model in this folder: found " + found +
                    "; expected model.safetensors, model.safetensors.index.json or one .gguf model");
}

/// The snapshot that a repository's folder in Hugging Face's cache stands for: refs/main, another ref if it
/// is the only one, or the only snapshot.
Result<fs::path> snapshotOf(const fs::path& repository) {
    const fs::path snapshots = repository / "snapshots";
    std::error_code error;
    std::vector<fs::path> refs;
    for (fs::directory_iterator entry(repository / "refs", error), end; !error && entry != end;
         entry.increment(error))
        if (entry->is_regular_file(error)) refs.push_back(entry->path());
    const fs::path main = repository / "refs" / "main";
    if (isThere(main)) refs = {main};
    if (refs.size() == 1) {
        constexpr std::size_t kMaxRefBytes = 4096;
        BDQ_TRY(std::string commit, readModelText(refs.front(), kMaxRefBytes));
        commit.erase(commit.find_last_not_of(" \t\r\n") + 1);
        if (!commit.empty() && commit.find('/') == std::string::npos && isThere(snapshots / commit))
            return snapshots / commit;
    }
    std::vector<fs::path> found;
    error.clear();
    for (fs::directory_iterator entry(snapshots, error), end; !error && entry != end; entry.increment(error))
        found.push_back(entry->path());
    if (found.size() == 1) return found.front();
    return fail(ErrorCode::NotFound,
                repository.string() + ": " + std::to_string(found.size()) +
                    " snapshots and no refs/main that names one of them; name the snapshot");
}

Result<OpenModel> openFolder(const fs::path& folder) {
    if (isThere(folder / "snapshots") && isThere(folder / "refs")) {
        BDQ_TRY(const fs::path snapshot, snapshotOf(folder));
        return openFolder(snapshot);
    }
    // As transformers: the one file comes before the index.
    if (const fs::path single = folder / "model.safetensors"; isThere(single))
        return openSafetensors(folder, {single}, folder);
    if (const fs::path index = folder / "model.safetensors.index.json"; isThere(index)) {
        BDQ_TRY(const auto shards, filesOfIndex(index));
        return openSafetensors(folder, shards, folder);
    }
    BDQ_TRY(const auto weights, filesWithExtension(folder, ".safetensors"));
    if (weights.size() == 1 || areOneSet(weights)) return openSafetensors(folder, weights, folder);
    BDQ_TRY(auto ggufs, filesWithExtension(folder, ".gguf"));
    // The projector of a vision model lies beside its language model.
    std::erase_if(ggufs, [](const fs::path& file) { return file.filename().string().starts_with("mmproj"); });
    if (ggufs.size() == 1 || areOneSet(ggufs)) return openGguf(ggufs.front());
    return noModel(folder, weights, ggufs);
}

/// What the first bytes of a file say.
enum class FileKind { Gguf, Safetensors, Json, Other };

Result<FileKind> kindOf(const fs::path& path) {
    BDQ_TRY(const MappedFile file, MappedFile::open(path));
    const std::string_view text(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
    if (text.starts_with("GGUF")) return FileKind::Gguf;
    std::uint64_t length = 0;
    if (text.size() > sizeof(length)) {
        std::memcpy(&length, text.data(), sizeof(length));
        if (text[sizeof(length)] == '{' && length <= text.size()) return FileKind::Safetensors;
    }
    if (text.starts_with('{')) return FileKind::Json;
    return FileKind::Other;
}

Result<OpenModel> openFile(const fs::path& path) {
    const std::string name = path.filename().string();
    const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
    BDQ_TRY(const FileKind kind, kindOf(path));
    if (kind == FileKind::Gguf || (kind == FileKind::Other && name.ends_with(".gguf"))) return openGguf(path);
    if (kind == FileKind::Safetensors || (kind == FileKind::Other && name.ends_with(".safetensors")))
        return openSafetensors(folder, {path}, path);
    if (kind == FileKind::Json && name.ends_with(".safetensors.index.json")) {
        BDQ_TRY(const auto shards, filesOfIndex(path));
        return openSafetensors(folder, shards, folder);
    }
    BDQ_TRY(const MappedFile file, MappedFile::open(path));
    if (file.bytes().size() > 0) BDQ_CHECK(checkNotAnotherKind(file.bytes(), name));
    return fail(ErrorCode::Unsupported, path.string() + ": expected a GGUF or safetensors file, a "
                                                        ".safetensors.index.json or a folder");
}

} // namespace

Result<OpenModel> openPath(const fs::path& path) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (!fs::exists(status)) return fail(ErrorCode::NotFound, path.string() + ": no such file or folder");
    return fs::is_directory(status) ? openFolder(path) : openFile(path);
}

std::string nameOfPath(const fs::path& path) {
    std::error_code error;
    fs::path whole = fs::absolute(path.empty() ? fs::path(".") : path, error).lexically_normal();
    if (!whole.has_filename()) whole = whole.parent_path();
    for (const fs::path& part : whole) {
        // models--ORGANISATION--NAME
        const std::string text = part.string();
        const std::size_t name = text.rfind("--");
        if (text.starts_with(kCachePrefix) && name + 2 < text.size()) return text.substr(name + 2);
    }
    const std::string ending = whole.extension().string();
    return (ending == ".gguf" || ending == ".safetensors" ? whole.stem() : whole.filename()).string();
}

} // namespace bdq::io
