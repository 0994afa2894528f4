// Private to bdq::api: ranges of job options, shared by the codec and validate().
#pragma once

namespace bdq {

inline constexpr int kMaxLayer = 100000;
inline constexpr int kMaxSequences = 1 << 20;
inline constexpr int kMinSequenceLength = 16;
inline constexpr int kMaxSequenceLength = 1 << 20;
inline constexpr int kMaxWindows = 1 << 30;
inline constexpr int kMaxTaskItems = 1 << 30;
inline constexpr int kMaxThreads = 4096;
inline constexpr int kMaxWeightSchemes = 32; // of a sensitivity
inline constexpr int kMaxEpochs = 10000;
inline constexpr int kMaxSteps = 10'000'000; // over the whole model
inline constexpr int kMaxBatch = 4096;
inline constexpr double kMaxRate = 1;

} // namespace bdq
