#include "engine/quant/parallel.h"

#include <algorithm>
#include <atomic>
#include <memory>

#include <ATen/Parallel.h>

namespace bdq::quant {

namespace {

/// Lives until the last helper has looked at it, which may be after the caller has returned.
struct Work {
    std::atomic<std::int64_t> next{0};
    std::atomic<std::int64_t> done{0};
    std::int64_t chunks = 0;
    std::int64_t grain = 1;
    std::int64_t total = 0;
    const std::function<void(std::int64_t, std::int64_t)>* body = nullptr; ///< valid while done < chunks

    void drain() {
        for (std::int64_t chunk = next.fetch_add(1); chunk < chunks; chunk = next.fetch_add(1)) {
            (*body)(chunk * grain, std::min(total, (chunk + 1) * grain));
            if (done.fetch_add(1) + 1 == chunks) done.notify_all();
        }
    }
};

} // namespace

void parallelRanges(std::int64_t total, std::int64_t grain,
                    const std::function<void(std::int64_t, std::int64_t)>& body) {
    if (total <= 0) return;
    auto work = std::make_shared<Work>();
    work->grain = std::max<std::int64_t>(grain, 1);
    work->chunks = (total - 1) / work->grain + 1;
    work->total = total;
    work->body = &body;
    const std::int64_t helpers = std::min<std::int64_t>(at::get_num_threads(), work->chunks) - 1;
    for (std::int64_t i = 0; i < helpers; ++i)
        at::launch([work] { work->drain(); });
    work->drain();
    // Helpers that never got a thread hold no chunk, so this cannot wait for the pool itself.
    for (std::int64_t done = work->done.load(); done < work->chunks; done = work->done.load())
        work->done.wait(done);
}

} // namespace bdq::quant
