// Words of a command line as a POSIX shell reads them.
#pragma once

#include <string>

namespace bdq {

/// The word itself when no shell would change it, else in single quotes.
std::string shellQuoted(const std::string& word);

} // namespace bdq
