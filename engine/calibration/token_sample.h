// A bounded sample of a stream of tokens, the same for every split of the stream.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace bdq {

/// Keeps every k-th token, k doubling as the stream grows, and the tokens with the largest entries: those
/// carry the outliers that an even sample misses.
class TokenSample {
public:
    static constexpr std::int64_t kEven = 256; ///< between half of it and all of it, for longer streams
    static constexpr std::int64_t kLargest = 32;

    /// x fp32 [tokens, n]; n the same in every call.
    void add(const at::Tensor& x);
    /// fp32 [at most kEven + kLargest, n] on the stream's device, the even ones first; a token may be in both
    /// parts. Undefined before the first add().
    [[nodiscard]] at::Tensor tokens() const;

private:
    void addEven(const at::Tensor& x);
    void addLargest(const at::Tensor& x);

    std::int64_t m_seen = 0;
    std::int64_t m_stride = 1;
    at::Tensor m_even;
    at::Tensor m_largest;
};

} // namespace bdq
