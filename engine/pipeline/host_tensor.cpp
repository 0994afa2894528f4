#include "engine/pipeline/host_tensor.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <ATen/ATen.h>

namespace bdq {
namespace {

using Type = io::HostTensor::Type;

struct TypePair {
    Type host;
    at::ScalarType torch;
};
constexpr std::array kTypes{TypePair{Type::F32, at::kFloat}, TypePair{Type::F64, at::kDouble},
                            TypePair{Type::I8, at::kChar},   TypePair{Type::U8, at::kByte},
                            TypePair{Type::I16, at::kShort}, TypePair{Type::I32, at::kInt},
                            TypePair{Type::I64, at::kLong}};

} // namespace

at::ScalarType scalarType(Type type) {
    return std::find_if(kTypes.begin(), kTypes.end(), [&](const TypePair& pair) { return pair.host == type; })
        ->torch;
}

io::HostTensor toHostTensor(const at::Tensor& tensor) {
    const at::Tensor values = tensor.cpu().contiguous();
    const auto* const found = std::find_if(kTypes.begin(), kTypes.end(), [&](const TypePair& pair) {
        return pair.torch == values.scalar_type();
    });
    TORCH_CHECK(found != kTypes.end(), "no tensor file holds ", values.scalar_type());
    io::HostTensor result{found->host, values.sizes().vec(), {}};
    result.bytes.resize(values.nbytes());
    if (!result.bytes.empty()) std::memcpy(result.bytes.data(), values.const_data_ptr(), values.nbytes());
    return result;
}

at::Tensor toTorchTensor(const io::HostTensor& tensor) {
    at::Tensor result = at::empty(tensor.shape, scalarType(tensor.type));
    if (!tensor.bytes.empty())
        std::memcpy(result.mutable_data_ptr(), tensor.bytes.data(), tensor.bytes.size());
    return result;
}

} // namespace bdq
