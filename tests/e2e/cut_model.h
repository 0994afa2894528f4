// The first blocks of a real model as a model of their own: real outliers, seconds instead of minutes.
#pragma once

#include <filesystem>
#include <string>

namespace bdq::e2e {

/// Writes a GGUF file with the first `layers` blocks of another, its embedding, norm, head and tokenizer, all
/// as they are; ends the test program when that fails.
void writeCutModel(const std::string& source, const std::filesystem::path& target, int layers);

} // namespace bdq::e2e
