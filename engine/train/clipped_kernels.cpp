#include "engine/train/clipped_kernels.h"

#include <array>
#include <cfloat>
#include <cmath>
#include <string>
#include <utility>

#include <ATen/ATen.h>
#include <ATen/ExpandUtils.h>

#ifdef BDQ_TORCH_CUDA
#include <ATen/cuda/jiterator.h>
#endif

// The text of a function, compiled here and kept as a string for CUDA's run-time compiler. `rint` and `exp`
// are found in the namespace here and among CUDA's built-in functions there; anything else must be plain
// arithmetic.
#define BDQ_ELEMENT_FUNCTION(name, ...)                                                                      \
    __VA_ARGS__                                                                                              \
    constexpr const char* name##_text = #__VA_ARGS__;

namespace bdq::train {

namespace {

using std::exp;
using std::rint;

// Options of every function, in this order: symmetric, clipped, clamps, lowest code, highest code (= number
// of steps), absmax floor, smallest scale. Comparisons are written so that NaN stays NaN.

BDQ_ELEMENT_FUNCTION(
    clipped_grid,
    template <typename T>
    void clipped_grid(T highest, T lowest, T clip_high, T clip_low, T symmetric, T clipped, T clamps,
                      T low_code, T high_code, T floor, T tiny, T& low, T& high, T& scale, T& zero) {
        (void)clamps;
        (void)low_code;
        high = highest < T(0) ? T(0) : highest;
        low = lowest > T(0) ? T(0) : lowest;
        if (clipped > T(0)) {
            high = high * (T(1) / (T(1) + exp(-clip_high)));
            low = low * (T(1) / (T(1) + exp(-clip_low)));
        }
        zero = T(0);
        if (symmetric > T(0)) {
            T reach = high > -low ? high : -low;
            reach = reach < floor ? floor : reach;
            scale = reach / high_code;
            scale = scale < tiny ? T(1) : scale;
        } else {
            T start = low;
            scale = (high - low) / high_code;
            if (scale < tiny) {
                start = T(-1);
                scale = T(2) / high_code;
            }
            zero = rint(-start / scale);
        }
    })

BDQ_ELEMENT_FUNCTION(
    clipped_values,
    template <typename T> void clipped_values(T x, T low, T high, T scale, T zero, T symmetric, T clipped,
                                              T clamps, T low_code, T high_code, T floor, T tiny, T& y) {
        (void)symmetric;
        (void)clipped;
        (void)floor;
        (void)tiny;
        T bottom = low_code - zero;
        T top = high_code - zero;
        if (clamps > T(0)) {
            T bottom_of_range = rint(low / scale);
            T top_of_range = rint(high / scale);
            bottom = bottom_of_range > bottom ? bottom_of_range : bottom;
            top = top_of_range < top ? top_of_range : top;
        }
        T steps = rint(x / scale);
        steps = steps < bottom ? bottom : steps;
        steps = steps > top ? top : steps;
        y = steps * scale;
    })

BDQ_ELEMENT_FUNCTION(
    symmetric_slope,
    template <typename T> void symmetric_slope(T g, T x, T scale, T symmetric, T clipped, T clamps,
                                               T low_code, T high_code, T floor, T tiny, T& dx, T& dscale) {
        (void)symmetric;
        (void)clipped;
        (void)clamps;
        (void)floor;
        (void)tiny;
        T v = x / scale;
        T code = rint(v);
        T limited = code < low_code ? low_code : code;
        limited = limited > high_code ? high_code : limited;
        dx = code == limited ? g : T(0);
        dscale = g * limited - dx * v;
    })

BDQ_ELEMENT_FUNCTION(
    clipped_slope,
    template <typename T>
    void clipped_slope(T g, T x, T low, T high, T scale, T zero, T symmetric, T clipped, T clamps, T low_code,
                       T high_code, T floor, T tiny, T& dx, T& dhigh, T& dlow) {
        (void)clipped;
        bool above = clamps > T(0) && x > high;
        bool below = clamps > T(0) && x < low;
        T v = (above ? high : below ? low : x) / scale;
        T code = rint(v);
        T limited = code < low_code - zero ? low_code - zero : code;
        limited = limited > high_code - zero ? high_code - zero : limited;
        T through = code == limited ? g : T(0);
        T by_scale = g * limited - through * v;
        dx = above || below ? T(0) : through;
        dhigh = above ? through : T(0);
        dlow = below ? through : T(0);
        if (symmetric > T(0)) {
            T reach = high > -low ? high : -low;
            if (reach >= floor && reach >= high_code * tiny) {
                T share = high > -low ? T(1) : high < -low ? T(0) : T(0.5);
                dhigh += by_scale * share / high_code;
                dlow -= by_scale * (T(1) - share) / high_code;
            }
        } else if (high - low >= high_code * tiny) {
            T by_zero = through - g;
            T by_spread = (by_scale + by_zero * low / scale) / high_code;
            dhigh += by_spread;
            dlow -= by_spread + by_zero;
        }
    })

BDQ_ELEMENT_FUNCTION(
    clipped_ends, template <typename T>
                  void clipped_ends(T dhigh, T dlow, T highest, T lowest, T clip_high, T clip_low,
                                    T symmetric, T clipped, T clamps, T low_code, T high_code, T floor,
                                    T tiny, T& dhighest, T& dlowest, T& dclip_high, T& dclip_low) {
                      (void)low_code;
                      T high_factor = clipped > T(0) ? T(1) / (T(1) + exp(-clip_high)) : T(1);
                      T low_factor = clipped > T(0) ? T(1) / (T(1) + exp(-clip_low)) : T(1);
                      T full_high = highest < T(0) ? T(0) : highest;
                      T full_low = lowest > T(0) ? T(0) : lowest;
                      T by_high = dhigh;
                      T by_low = dlow;
                      if (symmetric > T(0) && !(clamps > T(0))) {
                          T high = full_high * high_factor;
                          T low = full_low * low_factor;
                          T reach = high > -low ? high : -low;
                          T share = high > -low ? T(1) : high < -low ? T(0) : T(0.5);
                          T slope = reach >= floor && reach >= high_code * tiny ? dhigh / high_code : T(0);
                          by_high = slope * share;
                          by_low = -slope * (T(1) - share);
                      }
                      dhighest = highest >= T(0) ? by_high * high_factor : T(0);
                      dlowest = lowest <= T(0) ? by_low * low_factor : T(0);
                      dclip_high = by_high * full_high * high_factor * (T(1) - high_factor);
                      dclip_low = by_low * full_low * low_factor * (T(1) - low_factor);
                  })

constexpr std::size_t kOptions = 7;

std::array<double, kOptions> numbers(const ClippedKernelOptions& options) {
    return {options.symmetric ? 1.0 : 0.0,
            options.clipped ? 1.0 : 0.0,
            options.clamps ? 1.0 : 0.0,
            options.lowCode,
            options.highCode,
            options.floor,
            static_cast<double>(FLT_MIN)};
}

struct KernelText {
    const char* name;
    const char* text;
    std::size_t inputs;
    std::size_t outputs;
};

KernelText textOf(ClippedKernel kernel) {
    switch (kernel) {
    case ClippedKernel::Grid:
        return {"clipped_grid", clipped_grid_text, 4, 4};
    case ClippedKernel::Values:
        return {"clipped_values", clipped_values_text, 5, 1};
    case ClippedKernel::SymmetricSlope:
        return {"symmetric_slope", symmetric_slope_text, 3, 2};
    case ClippedKernel::Slope:
        return {"clipped_slope", clipped_slope_text, 6, 3};
    case ClippedKernel::Ends:
        break;
    }
    return {"clipped_ends", clipped_ends_text, 6, 4};
}

/// function(inputs[i]..., options..., outputs[i]...) for every i.
template <std::size_t Inputs, std::size_t Outputs, typename T, typename Function>
void loop(const Function& function, const std::vector<at::Tensor>& inputs, std::vector<at::Tensor>& outputs,
          const std::array<double, kOptions>& options) {
    const std::int64_t count = outputs[0].numel();
    [&]<std::size_t... I, std::size_t... O, std::size_t... J>(
        std::index_sequence<I...>, std::index_sequence<O...>, std::index_sequence<J...>) {
        const std::array<const T*, Inputs> in{inputs[I].const_data_ptr<T>()...};
        const std::array<T*, Outputs> out{outputs[J].mutable_data_ptr<T>()...};
        for (std::int64_t i = 0; i < count; ++i)
            function(in[I][i]..., static_cast<T>(options[O])..., out[J][i]...);
    }
    (std::make_index_sequence<Inputs>(), std::make_index_sequence<kOptions>(),
     std::make_index_sequence<Outputs>());
}

template <typename T>
void runOnCpu(ClippedKernel kernel, const std::vector<at::Tensor>& inputs, std::vector<at::Tensor>& outputs,
              const std::array<double, kOptions>& options) {
    switch (kernel) {
    case ClippedKernel::Grid:
        return loop<4, 4, T>(clipped_grid<T>, inputs, outputs, options);
    case ClippedKernel::Values:
        return loop<5, 1, T>(clipped_values<T>, inputs, outputs, options);
    case ClippedKernel::SymmetricSlope:
        return loop<3, 2, T>(symmetric_slope<T>, inputs, outputs, options);
    case ClippedKernel::Slope:
        return loop<6, 3, T>(clipped_slope<T>, inputs, outputs, options);
    case ClippedKernel::Ends:
        return loop<6, 4, T>(clipped_ends<T>, inputs, outputs, options);
    }
}

std::vector<at::Tensor> runOnCuda(const KernelText& text, const std::vector<at::Tensor>& inputs,
                                  const std::array<double, kOptions>& options) {
#ifdef BDQ_TORCH_CUDA
    c10::SmallVector<at::Scalar> scalars;
    for (const double option : options)
        scalars.emplace_back(option);
    const c10::SmallVector<at::Tensor> tensors(inputs.begin(), inputs.end());
    const auto outputs = at::cuda::CompileAndLaunchKernel(
        text.text, text.name, static_cast<int>(text.outputs), tensors, scalars, true);
    return {outputs.begin(), outputs.end()};
#else
    TORCH_CHECK(false, text.name, ": a tensor is on ", inputs[0].device(), ", with ", options.size(),
                " options; this libtorch was built for the CPU only");
#endif
}

} // namespace

std::vector<at::Tensor> runKernel(ClippedKernel kernel, const std::vector<at::Tensor>& inputs,
                                  const ClippedKernelOptions& options) {
    const KernelText text = textOf(kernel);
    TORCH_CHECK(inputs.size() == text.inputs, text.name, ": ", inputs.size(), " inputs; expected ",
                text.inputs);
    if (!inputs[0].device().is_cpu()) return runOnCuda(text, inputs, numbers(options));
    at::ScalarType type = at::kFloat;
    std::vector<std::int64_t> sizes;
    for (const at::Tensor& input : inputs) {
        if (input.scalar_type() == at::kDouble) type = at::kDouble;
        const auto joined = at::infer_size(sizes, input.sizes());
        sizes.assign(joined.begin(), joined.end());
    }
    std::vector<at::Tensor> whole;
    for (const at::Tensor& input : inputs)
        whole.push_back(input.to(type).expand(sizes).contiguous());
    std::vector<at::Tensor> outputs;
    for (std::size_t i = 0; i < text.outputs; ++i)
        outputs.push_back(at::empty(sizes, whole[0].options()));
    if (type == at::kDouble)
        runOnCpu<double>(kernel, whole, outputs, numbers(options));
    else
        runOnCpu<float>(kernel, whole, outputs, numbers(options));
    return outputs;
}

} // namespace bdq::train
