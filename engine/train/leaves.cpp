#include "engine/train/leaves.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

namespace bdq::train {

at::Tensor leaf(const at::Tensor& values, at::Device device, at::ScalarType type) {
    return values.detach().to(device, type).clone(at::MemoryFormat::Contiguous).requires_grad_(true);
}

std::vector<at::Tensor> tensorsOf(const NamedTensors& leaves) {
    std::vector<at::Tensor> tensors;
    for (const auto& [name, tensor] : leaves)
        tensors.push_back(tensor);
    return tensors;
}

NamedTensors copyOf(const NamedTensors& leaves) {
    NamedTensors copies;
    for (const auto& [name, tensor] : leaves)
        copies[name] = tensor.detach().clone();
    return copies;
}

Status assign(const NamedTensors& leaves, const NamedTensors& values, const std::string& owner) {
    for (const auto& [name, value] : values)
        if (leaves.count(name) == 0)
            return fail(ErrorCode::BadFormat,
                        owner + ": found tensor '" + name + "'; expected none of that name");
    for (const auto& [name, parameter] : leaves) {
        const auto found = values.find(name);
        if (found == values.end() || !found->second.defined())
            return fail(ErrorCode::BadFormat, owner + ": tensor '" + name + "' is missing");
        const at::Tensor& value = found->second;
        if (value.sizes() != parameter.sizes() || value.scalar_type() != parameter.scalar_type())
            return fail(ErrorCode::ShapeMismatch,
                        owner + ": tensor '" + name + "' is " + at::toString(value.scalar_type()) +
                            c10::str(value.sizes()) + "; expected " + at::toString(parameter.scalar_type()) +
                            c10::str(parameter.sizes()));
        if (!at::isfinite(value).all().item<bool>())
            return fail(ErrorCode::NonFinite,
                        owner + ": tensor '" + name + "' holds NaN or infinity; expected finite numbers");
    }
    const c10::NoGradGuard noGrad;
    for (const auto& [name, parameter] : leaves)
        at::Tensor(parameter).copy_(values.at(name));
    return {};
}

void addLeaves(NamedTensors& leaves, const std::string& prefix, const NamedTensors& part) {
    for (const auto& [name, tensor] : part)
        leaves[prefix + name] = tensor;
}

} // namespace bdq::train
