// Where the tokenizer of an open model comes from.
#pragma once

#include <optional>
#include <string>

#include "engine/io/gguf.h"
#include "engine/io/model_reader.h"

namespace bdq::io {

/// Filled while a model is opened without reading vocabularies. Views point into the reader's mapped files.
struct ModelReader::TokenizerSource {
    std::string label;                      ///< file or folder, for messages
    std::optional<GgufHeader> gguf;         ///< metadata of a GGUF file (first shard)
    std::string tokenizerJson;              ///< path of tokenizer.json; empty = none
    std::string sentencePieceModel;         ///< path of tokenizer.model; empty = none
    std::string vocabularyJson, mergesText; ///< paths of vocab.json and merges.txt; both or none
    std::string folder;    ///< of a Hugging Face model, with tokenizer_config.json and others
    std::string modelType; ///< of config.json
    std::optional<std::int32_t> bosId, eosId; ///< from config.json; GGUF has them in its metadata
};

} // namespace bdq::io
