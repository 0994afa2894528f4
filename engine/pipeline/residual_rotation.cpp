#include "engine/pipeline/residual_rotation.h"

#include <ATen/ATen.h>

#include "engine/io/tensor_file.h"
#include "engine/pipeline/host_tensor.h"

namespace bdq {
namespace {

constexpr const char* kFileName = "residual_rotation.safetensors";
constexpr const char* kTensor = "rotation";

} // namespace

Status writeResidualRotation(const std::filesystem::path& layersFolder, const at::Tensor& rotation) {
    io::TensorFile file;
    file.tensors[kTensor] = toHostTensor(rotation.to(at::kFloat));
    return io::writeTensorFile(layersFolder / kFileName, file);
}

Result<at::Tensor> readResidualRotation(const std::filesystem::path& layersFolder, std::int64_t hidden) {
    const std::filesystem::path path = layersFolder / kFileName;
    if (!std::filesystem::exists(path))
        return fail(ErrorCode::NotFound,
                    path.string() + ": file is missing; expected the rotation of the residual stream that "
                                    "the layers of this run refer to");
    BDQ_TRY(const io::TensorFile file, io::readTensorFile(path));
    const auto found = file.tensors.find(kTensor);
    if (found == file.tensors.end() || found->second.type != io::HostTensor::Type::F32)
        return fail(ErrorCode::BadFormat,
                    path.string() + ": expected one F32 tensor '" + kTensor + "' [hidden, hidden]");
    const at::Tensor rotation = toTorchTensor(found->second);
    if (rotation.sizes() != at::IntArrayRef{hidden, hidden})
        return fail(ErrorCode::ShapeMismatch, path.string() + ": tensor '" + kTensor + "' has shape " +
                                                  c10::str(rotation.sizes()) + ", the model expects [" +
                                                  std::to_string(hidden) + ", " + std::to_string(hidden) +
                                                  "]");
    return rotation;
}

} // namespace bdq
