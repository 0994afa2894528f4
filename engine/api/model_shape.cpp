#include "engine/api/model_shape.h"

namespace bdq {

MatrixShape stackedShape(const ModelConfig& config, Site site) {
    const std::int64_t queryRows = config.heads * config.headDim;
    switch (site) {
    case Site::Qkv:
        return {queryRows + 2 * config.kvHeads * config.headDim, config.hiddenSize};
    case Site::O:
        return {config.hiddenSize, queryRows};
    case Site::GateUp:
        return {2 * config.intermediateSize, config.hiddenSize};
    case Site::Down:
        return {config.hiddenSize, config.intermediateSize};
    case Site::KCache:
    case Site::VCache:
        break;
    }
    return {};
}

std::int64_t blockWeightCount(const ModelConfig& config) {
    std::int64_t count = 0;
    for (const Site site : kLinearSites)
        count += stackedShape(config, site).elements();
    return count;
}

} // namespace bdq
