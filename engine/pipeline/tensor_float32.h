// Matrix products of the training in TF32 on GPUs.
#pragma once

#include <ATen/Context.h>

namespace bdq {

/// TF32 for matmuls while it lives: its noise is far below that of the quantizers that are learned. Nothing
/// on the CPU.
class TensorFloat32 {
public:
    TensorFloat32() : m_before(at::globalContext().allowTF32CuBLAS()) {
        at::globalContext().setAllowTF32CuBLAS(true);
    }
    ~TensorFloat32() { at::globalContext().setAllowTF32CuBLAS(m_before); }
    TensorFloat32(const TensorFloat32&) = delete;
    TensorFloat32& operator=(const TensorFloat32&) = delete;

private:
    bool m_before;
};

} // namespace bdq
