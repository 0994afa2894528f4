// No end without a word: signals that would end a process silently.
#pragma once

namespace bdq {

/// For the first lines of main(). From now on
///   - a file that reaches a limit on file sizes (SIGXFSZ) and a pipe that nobody reads (SIGPIPE) are errors
///     of the write that met them, with their own messages;
///   - memory of a mapped file that is no longer there, since the file became shorter or its disk failed
///     (SIGBUS), ends the process with one line on stderr and exit code 3 (bad input): nothing that was read
///     can be trusted then.
/// `program` begins that line and must outlive the process' work. What the parent told us to ignore stays so.
void handleFaultSignals(const char* program);

} // namespace bdq
