#pragma once
#include <string_view>
namespace bdq {
/// Version of BDQ Studio, e.g. "0.1.0".
std::string_view version();
} // namespace bdq
