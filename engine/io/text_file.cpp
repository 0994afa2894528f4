#include "engine/io/text_file.h"

#include <string_view>

#include "engine/api/atomic_file.h"

namespace bdq::io {

Status checkNotAnotherKind(std::span<const std::byte> bytes, const std::string& label) {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (text.empty()) return fail(ErrorCode::BadFormat, label + ": the file is empty");
    if (text.starts_with("version https://git-lfs.github.com/spec/") ||
        text.starts_with("version https://hawser"))
        return fail(ErrorCode::BadFormat,
                    label + ": is a Git LFS pointer, not the file itself: fetch it with 'git lfs pull'");
    const std::string_view begin = text.substr(0, 16);
    if (begin.starts_with("<!DOCTYPE") || begin.starts_with("<!doctype") || begin.starts_with("<html"))
        return fail(ErrorCode::BadFormat,
                    label + ": is an HTML page, not the file itself: the download gave an error page");
    // A zip archive, or a pickle of protocol 2 to 5 (and not the length in front of a safetensors header).
    const bool pickle = begin.size() > 8 && begin[0] == '\x80' && begin[1] >= 2 && begin[1] <= 5;
    if (begin.starts_with("PK\x03\x04") || (pickle && begin[8] != '{'))
        return fail(ErrorCode::Unsupported,
                    label +
                        ": is a PyTorch checkpoint (pickle), expected safetensors or GGUF; convert it with "
                        "transformers: save_pretrained(..., safe_serialization=True)");
    for (const std::string_view magic : {"lmgg", "fmgg", "tjgg", "algg", "ggml", "ggmf", "ggjt"})
        if (begin.starts_with(magic))
            return fail(ErrorCode::Unsupported,
                        label +
                            ": is a GGML file of before GGUF (August 2023), expected GGUF or safetensors");
    return {};
}

Result<std::string> readModelText(const std::filesystem::path& path, std::size_t maxBytes) {
    BDQ_TRY(std::string text, readTextFile(path, maxBytes));
    if (!text.empty())
        BDQ_CHECK(checkNotAnotherKind(std::as_bytes(std::span(text.data(), text.size())),
                                      path.filename().string()));
    return text;
}

} // namespace bdq::io
