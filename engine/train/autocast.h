// Matrix products and attention in bfloat16 while parameters, residual stream and sums stay fp32.
#pragma once

#include <ATen/autocast_mode.h>

namespace bdq::train {

/// ATen's autocast to bfloat16 for its lifetime on the type of one device, when `enabled`.
class Autocast {
public:
    Autocast(at::Device device, bool enabled)
        : m_device(device.type()), m_before(at::autocast::is_autocast_enabled(m_device)),
          m_typeBefore(at::autocast::get_autocast_dtype(m_device)) {
        if (!enabled) return;
        at::autocast::set_autocast_enabled(m_device, true);
        at::autocast::set_autocast_dtype(m_device, at::kBFloat16);
    }
    ~Autocast() {
        at::autocast::set_autocast_enabled(m_device, m_before);
        at::autocast::set_autocast_dtype(m_device, m_typeBefore);
        at::autocast::clear_cache();
    }
    Autocast(const Autocast&) = delete;
    Autocast& operator=(const Autocast&) = delete;

private:
    at::DeviceType m_device;
    bool m_before;
    at::ScalarType m_typeBefore;
};

} // namespace bdq::train
