// SIGINT and SIGTERM as a wish to stop.
#pragma once

namespace bdq::cli {

/// From now on the first SIGINT or SIGTERM only sets a flag; a second one ends the process at once with exit
/// code 130. A signal that the parent told us to ignore stays ignored.
void catchCancelSignals();
/// True after SIGINT or SIGTERM.
bool cancelSignalled();

} // namespace bdq::cli
