// An open model as the two container formats build it; internal to engine/io.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/io/mapped_file.h"
#include "engine/io/sha256.h"
#include "engine/io/tokenizer_source.h"

namespace bdq::io {

struct OpenModel {
    ModelIndex index;
    std::vector<MappedFile> files;                            ///< as index.files
    std::unordered_map<std::string, std::size_t> byCanonical; ///< canonical name -> index.tensors
    std::map<std::string, std::string> otherTypeNames; ///< tensors of TensorType::Other: name of the type
    ModelReader::TokenizerSource tokenizer;
    std::string fingerprint;
};

/// Opens all shards of a GGUF model, given any of them.
Result<OpenModel> openGguf(const std::filesystem::path& path);
/// Opens the named weight files with the config.json of `folder`.
Result<OpenModel> openSafetensors(const std::filesystem::path& folder,
                                  const std::vector<std::filesystem::path>& weightFiles);
/// Weight files named by a model.safetensors.index.json, each once, in the order of their names.
Result<std::vector<std::filesystem::path>> filesOfIndex(const std::filesystem::path& indexFile);

/// Adds a tensor; BadFormat when its name or canonical name is taken.
Status addTensor(OpenModel& model, TensorEntry entry, std::string_view typeName);
/// Ties the head when the model has none, counts parameters and file sizes, checks the numbers of the
/// configuration.
Status finishModel(OpenModel& model, const std::string& label);

} // namespace bdq::io
