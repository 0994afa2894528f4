#include "engine/api/model_index.h"

#include <array>

namespace bdq {

std::string_view tensorTypeName(TensorType type) {
    // In the order of the enumeration.
    static constexpr std::array<std::string_view, 22> kNames{
        "F32",  "F16",  "BF16", "F64",  "I8",   "U8",   "I16",  "I32",  "I64",  "BOOL", "F8_E4M3",
        "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "other"};
    static_assert(kNames.size() == static_cast<std::size_t>(TensorType::Other) + 1);
    return kNames[static_cast<std::size_t>(type)];
}

} // namespace bdq
