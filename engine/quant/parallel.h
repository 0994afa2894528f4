// Row loops on ATen's inter-operation thread pool. at::parallel_for is not used: without OpenMP in our own
// compilation it is serial, and with it a second OpenMP runtime beside the wheel's would ignore
// at::set_num_threads.
#pragma once

#include <cstdint>
#include <functional>

namespace bdq::quant {

/// Calls body(begin, end) for disjoint ranges that cover [0, total), on up to at::get_num_threads() threads
/// including the caller; every range but the last has `grain` (>= 1) items. Returns when all are done. Body
/// must not throw and must not depend on how ranges meet threads.
void parallelRanges(std::int64_t total, std::int64_t grain,
                    const std::function<void(std::int64_t, std::int64_t)>& body);

} // namespace bdq::quant
