#include "engine/api/version.h"
namespace bdq {
std::string_view version() {
    return BDQ_VERSION;
}
} // namespace bdq
