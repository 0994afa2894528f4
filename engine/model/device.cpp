#include "engine/model/device.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <thread>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>
#include <malloc.h>
#include <sched.h>
#include <torch/headeronly/version.h>

#include "engine/model/device_list.h"

namespace bdq {
namespace {

int availableCores() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

std::string cpuName() {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);)
        if (line.rfind("model name", 0) == 0 && line.find(':') != std::string::npos)
            return line.substr(line.find(':') + 2);
    return "CPU";
}

int cudaDeviceCount() {
    return at::hasCUDA() ? at::detail::getCUDAHooks().getNumGPUs() : 0;
}

// The CUDA runtime is loaded with libtorch_cuda; asking it by name keeps the CUDA toolkit out of our build.
template <class Function> Function cudaSymbol(const char* name) {
    return reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name)); // NOLINT: dlsym returns void*
}

std::string cudaDeviceName(int device) {
    // The device name is the first member, char[256], of cudaDeviceProp in every CUDA version.
    std::array<char, 8192> properties{};
    using GetProperties = int (*)(void*, int);
    for (const char* symbol : {"cudaGetDeviceProperties_v2", "cudaGetDeviceProperties"})
        if (auto get = cudaSymbol<GetProperties>(symbol);
            get != nullptr && get(properties.data(), device) == 0) {
            properties[255] = '\0';
            return properties.data();
        }
    return "CUDA device " + std::to_string(device);
}

std::uint64_t cudaTotalBytes(int device) {
    using SetDevice = int (*)(int);
    using GetInfo = int (*)(std::size_t*, std::size_t*);
    auto setDevice = cudaSymbol<SetDevice>("cudaSetDevice");
    auto getInfo = cudaSymbol<GetInfo>("cudaMemGetInfo");
    std::size_t freeBytes = 0;
    std::size_t totalBytes = 0;
    if (setDevice == nullptr || getInfo == nullptr || setDevice(device) != 0 ||
        getInfo(&freeBytes, &totalBytes) != 0)
        return 0;
    return totalBytes;
}

std::uint64_t hostTotalBytes() {
    std::ifstream file("/proc/meminfo");
    std::string key;
    std::uint64_t kib = 0;
    file >> key >> kib;
    return kib * 1024;
}

Result<c10::Device> parseDevice(const std::string& text) {
    const int count = cudaDeviceCount();
    if (text == "cpu" || (text == "auto" && count == 0)) return c10::Device(c10::kCPU);
    if (text == "auto") return c10::Device(c10::kCUDA, 0);
    int number = 0;
    if (text.rfind("cuda:", 0) == 0) {
        const char* begin = text.data() + 5;
        const char* end = text.data() + text.size();
        if (auto [stop, error] = std::from_chars(begin, end, number);
            error != std::errc{} || stop != end || number < 0)
            return fail(ErrorCode::InvalidSpec, "device '" + text + "': expected auto, cpu, cuda or cuda:N");
    } else if (text != "cuda") {
        return fail(ErrorCode::InvalidSpec, "device '" + text + "': expected auto, cpu, cuda or cuda:N");
    }
    if (number >= count)
        return fail(ErrorCode::Unsupported, "device '" + text + "': this machine has " +
                                                std::to_string(count) +
                                                " usable CUDA devices; use --device cpu or auto");
    return c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(number));
}

} // namespace

std::string torchVersion() {
    return std::to_string(TORCH_VERSION_MAJOR) + "." + std::to_string(TORCH_VERSION_MINOR) + "." +
           std::to_string(TORCH_VERSION_PATCH);
}

std::vector<DeviceInfo> listDevices() {
    std::vector<DeviceInfo> devices{{"cpu", cpuName(), hostTotalBytes()}};
    for (int i = 0; i < cudaDeviceCount(); ++i)
        devices.push_back({"cuda:" + std::to_string(i), cudaDeviceName(i), cudaTotalBytes(i)});
    return devices;
}

Result<ComputeDevice> openDevice(const DeviceOptions& options) {
    BDQ_TRY(const c10::Device device, parseDevice(options.device));
    ComputeDevice result;
    result.device = device;
    result.threads = options.threads > 0 ? options.threads : availableCores();
    at::set_num_threads(result.threads);
    at::globalContext().setFloat32MatmulPrecision("highest");
    at::globalContext().setAllowTF32CuDNN(false);
    if (device.is_cuda()) {
        result.id = "cuda:" + std::to_string(static_cast<int>(device.index()));
        result.name = cudaDeviceName(device.index());
    } else {
        result.name = cpuName();
    }
    return result;
}

void synchronize(const ComputeDevice& device) {
    if (device.isCuda()) c10::impl::VirtualGuardImpl(c10::kCUDA).synchronizeDevice(device.device.index());
}

void releaseFreedMemory() {
    ::malloc_trim(0);
}

std::uint64_t peakHostBytes() {
    std::ifstream file("/proc/self/status");
    for (std::string line; std::getline(file, line);)
        if (line.rfind("VmHWM:", 0) == 0) return std::strtoull(line.c_str() + 6, nullptr, 10) * 1024;
    return 0;
}

} // namespace bdq
