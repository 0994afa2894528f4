// Finds the program that does the work.
#pragma once

#include <QString>

namespace bdq {

/// Path of the worker program: the environment variable BDQ_WORKER, else `bdq` beside our own executable. The
/// file need not exist: starting it tells.
QString locateWorker();

} // namespace bdq
