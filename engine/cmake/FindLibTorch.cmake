# Finds libtorch inside a Python virtual environment (the PyPI wheel `torch`), a Python installation, or an unpacked
# libtorch archive, and makes one imported target, LibTorch::LibTorch.
#
# The wheel's own TorchConfig.cmake asks for a CUDA toolkit, which users of a CPU-only machine do not have; linking the
# wheel's libraries directly needs none. CUDA support is compiled into the wheel and found at run time.
#
# Input:  BDQ_LIBTORCH_DIR (virtual environment, site-packages/torch, or libtorch folder)
# Output: LibTorch_FOUND, LibTorch_VERSION, LibTorch::LibTorch, LibTorch_HAS_CUDA

set(_candidates "")
if(BDQ_LIBTORCH_DIR)
    file(GLOB _from_venv "${BDQ_LIBTORCH_DIR}/lib/python3*/site-packages/torch")
    list(APPEND _candidates ${_from_venv} "${BDQ_LIBTORCH_DIR}/torch" "${BDQ_LIBTORCH_DIR}")
endif()
if(NOT EXISTS "${LibTorch_ROOT_DIR}/include/ATen/ATen.h")
    unset(LibTorch_ROOT_DIR CACHE)
    foreach(_dir IN LISTS _candidates)
        if(EXISTS "${_dir}/include/ATen/ATen.h")
            set(LibTorch_ROOT_DIR "${_dir}" CACHE PATH "Folder that holds libtorch's include and lib" FORCE)
            break()
        endif()
    endforeach()
endif()
if(NOT LibTorch_ROOT_DIR)
    # A machine whose python3 already has torch (typical GPU machines).
    execute_process(COMMAND python3 -c "import importlib.util as u; print(u.find_spec('torch').submodule_search_locations[0])"
        OUTPUT_VARIABLE _python_torch OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    if(EXISTS "${_python_torch}/include/ATen/ATen.h")
        set(LibTorch_ROOT_DIR "${_python_torch}" CACHE PATH "Folder that holds libtorch's include and lib" FORCE)
    endif()
endif()

find_library(LibTorch_CPU_LIBRARY torch_cpu PATHS "${LibTorch_ROOT_DIR}/lib" NO_DEFAULT_PATH)
find_library(LibTorch_C10_LIBRARY c10 PATHS "${LibTorch_ROOT_DIR}/lib" NO_DEFAULT_PATH)
find_library(LibTorch_TORCH_LIBRARY torch PATHS "${LibTorch_ROOT_DIR}/lib" NO_DEFAULT_PATH)
find_library(LibTorch_CUDA_LIBRARY torch_cuda PATHS "${LibTorch_ROOT_DIR}/lib" NO_DEFAULT_PATH)
mark_as_advanced(LibTorch_CPU_LIBRARY LibTorch_C10_LIBRARY LibTorch_TORCH_LIBRARY LibTorch_CUDA_LIBRARY)

set(LibTorch_VERSION "")
if(EXISTS "${LibTorch_ROOT_DIR}/include/torch/headeronly/version.h")
    set(_version_header "${LibTorch_ROOT_DIR}/include/torch/headeronly/version.h")
else()
    set(_version_header "${LibTorch_ROOT_DIR}/include/torch/csrc/api/include/torch/version.h")
endif()
if(EXISTS "${_version_header}")
    foreach(_part MAJOR MINOR PATCH)
        file(STRINGS "${_version_header}" _line REGEX "define TORCH_VERSION_${_part} [0-9]+")
        string(REGEX REPLACE ".* ([0-9]+).*" "\\1" _${_part} "${_line}")
    endforeach()
    set(LibTorch_VERSION "${_MAJOR}.${_MINOR}.${_PATCH}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch
    REQUIRED_VARS LibTorch_ROOT_DIR LibTorch_CPU_LIBRARY LibTorch_C10_LIBRARY LibTorch_TORCH_LIBRARY
    VERSION_VAR LibTorch_VERSION
    REASON_FAILURE_MESSAGE "Run 'bash resources/setup.sh', or set BDQ_LIBTORCH_DIR to a virtual environment with torch >= 2.6")

if(LibTorch_FOUND AND NOT TARGET LibTorch::LibTorch)
    set(LibTorch_HAS_CUDA FALSE)
    set(_libraries "${LibTorch_TORCH_LIBRARY}" "${LibTorch_CPU_LIBRARY}" "${LibTorch_C10_LIBRARY}")
    if(LibTorch_CUDA_LIBRARY)
        set(LibTorch_HAS_CUDA TRUE)
        list(APPEND _libraries "${LibTorch_CUDA_LIBRARY}" "${LibTorch_ROOT_DIR}/lib/libc10_cuda.so")
    endif()
    add_library(LibTorch::LibTorch INTERFACE IMPORTED)
    # -idirafter, not -isystem: the wheel ships its own fmt, which must not hide Debian's from units that use spdlog.
    target_compile_options(LibTorch::LibTorch INTERFACE
        "SHELL:-idirafter ${LibTorch_ROOT_DIR}/include"
        "SHELL:-idirafter ${LibTorch_ROOT_DIR}/include/torch/csrc/api/include")
    # The CUDA libraries register their kernels when loaded and no symbol of ours names them: keep them linked.
    target_link_options(LibTorch::LibTorch INTERFACE "LINKER:--no-as-needed")
    # libstdc++ first: libtorch.so exports a few std::filesystem symbols of its own that crash when ours bind to them.
    target_link_libraries(LibTorch::LibTorch INTERFACE stdc++ ${_libraries})
    # The wheel's libraries find one another through their own RUNPATH; ours must find the first of them.
    target_link_options(LibTorch::LibTorch INTERFACE "LINKER:-rpath,${LibTorch_ROOT_DIR}/lib"
        "LINKER:--allow-shlib-undefined")
endif()
