// An open model as the two container formats build it; internal to engine/io.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/io/mapped_file.h"
#include "engine/io/tokenizer_source.h"

namespace bdq::io {

struct OpenModel {
    ModelIndex index;
    std::vector<MappedFile> files;                            ///< as index.files
    std::unordered_map<std::string, std::size_t> byCanonical; ///< canonical name -> index.tensors
    std::map<std::string, std::string> otherTypeNames; ///< tensors of TensorType::Other: name of the type
    ModelReader::TokenizerSource tokenizer;
    std::string configuration;    ///< what the fingerprint covers beside tensors: config.json, GGUF metadata
    std::optional<Error> refusal; ///< why the model can be listed but not computed
};

/// Opens all shards of a GGUF model, given any of them.
Result<OpenModel> openGguf(const std::filesystem::path& path);
/// Opens the named weight files with the config.json of `folder`, if it has one. `named`: the path that the
/// model is called by where nothing else names it.
Result<OpenModel> openSafetensors(const std::filesystem::path& folder,
                                  const std::vector<std::filesystem::path>& weightFiles,
                                  const std::filesystem::path& named);
/// Opens what a path stands for: a file by its bytes, a folder by what it holds (model_files.cpp).
Result<OpenModel> openPath(const std::filesystem::path& path);
/// Weight files named by a model.safetensors.index.json, each once, in the order of their names.
Result<std::vector<std::filesystem::path>> filesOfIndex(const std::filesystem::path& indexFile);

/// Name that people call a model in this file or folder by: of a Hugging Face cache the repository's, else
/// the last part of the path, without .gguf or .safetensors.
std::string nameOfPath(const std::filesystem::path& path);

/// SHA-256 over the configuration and, by name, type, shape and content of the tensors: all bytes of small
/// ones, blocks at fixed places of the others.
std::string fingerprintOf(const OpenModel& model);

/// Adds a tensor; BadFormat when its name or canonical name is taken.
Status addTensor(OpenModel& model, TensorEntry entry, std::string_view typeName);
/// Ties the head when the model has none, counts parameters and file sizes, and notes what keeps the model
/// from being computed.
void finishModel(OpenModel& model, const std::string& label);

} // namespace bdq::io
