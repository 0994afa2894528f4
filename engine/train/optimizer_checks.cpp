#include "engine/train/optimizer_checks.h"

#include <string>

#include <ATen/ATen.h>

namespace bdq::train {

void requireLeaf(const at::Tensor& parameter, const char* who) {
    TORCH_CHECK(parameter.defined(), who, ": a parameter is undefined; expected a leaf with requires_grad");
    TORCH_CHECK(parameter.is_leaf() && parameter.requires_grad() &&
                    (parameter.scalar_type() == at::kFloat || parameter.scalar_type() == at::kDouble),
                who, ": a parameter is ", parameter.scalar_type(), " of ", parameter.sizes(),
                parameter.is_leaf() ? "" : ", computed from others",
                "; expected an fp32 or fp64 leaf with requires_grad");
}

void requireSquareLeaf(const at::Tensor& parameter, const char* who) {
    requireLeaf(parameter, who);
    TORCH_CHECK(parameter.dim() >= 2 && parameter.size(-1) == parameter.size(-2), who, ": a parameter is of ",
                parameter.sizes(), "; expected [..., n, n]");
}

Status checkSame(const at::Tensor& found, const at::Tensor& expected, const char* who, std::size_t index) {
    if (found.defined() && found.sizes() == expected.sizes() && found.scalar_type() == expected.scalar_type())
        return {};
    const auto text = [](const at::Tensor& tensor) {
        std::string shape = std::string(at::toString(tensor.scalar_type())) + " [";
        for (std::int64_t i = 0; i < tensor.dim(); ++i)
            shape += (i == 0 ? "" : ", ") + std::to_string(tensor.size(i));
        return shape + "]";
    };
    return fail(ErrorCode::ShapeMismatch, std::string(who) + ": state tensor " + std::to_string(index) +
                                              " is " + (found.defined() ? text(found) : "nothing") +
                                              "; expected " + text(expected));
}

Status checkCount(std::size_t found, std::size_t expected, const char* who) {
    if (found == expected) return {};
    return fail(ErrorCode::ShapeMismatch, std::string(who) + ": state has " + std::to_string(found) +
                                              " tensors; expected " + std::to_string(expected));
}

at::Tensor orthogonalFactor(const at::Tensor& x) {
    const auto [q, r] = at::linalg_qr(x);
    const at::Tensor diagonal = r.diagonal(0, -2, -1);
    return q * at::where(diagonal < 0, -at::ones_like(diagonal), at::ones_like(diagonal)).unsqueeze(-2);
}

} // namespace bdq::train
