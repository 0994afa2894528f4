# Settings and helper functions that every target shares. No global include paths or definitions here.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")

find_program(BDQ_CCACHE ccache)
if(BDQ_CCACHE)
    # Precompiled headers are cached only with these two sloppiness settings (ccache manual, "Precompiled headers").
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
        CCACHE_NOHASHDIR=1 CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} ${BDQ_CCACHE})
endif()

add_library(bdq_warnings INTERFACE)
target_compile_options(bdq_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wold-style-cast
    $<$<BOOL:${BDQ_WERROR}>:-Werror>)
# GCC 12 warns wrongly about assigning a literal to a std::string (GCC bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    target_compile_options(bdq_warnings INTERFACE -Wno-restrict)
endif()

add_library(bdq_sanitize INTERFACE)
if(BDQ_SANITIZE)
    target_compile_options(bdq_sanitize INTERFACE -fsanitize=${BDQ_SANITIZE} -fno-omit-frame-pointer
        -fno-sanitize-recover=undefined)
    target_link_options(bdq_sanitize INTERFACE -fsanitize=${BDQ_SANITIZE})
endif()

# bdq_library(name sources...): static library bdq_<name> with alias bdq::<name>; includes start at the repository root,
# e.g. #include "engine/api/result.h".
function(bdq_library name)
    add_library(bdq_${name} STATIC ${ARGN})
    add_library(bdq::${name} ALIAS bdq_${name})
    target_include_directories(bdq_${name} PUBLIC "${PROJECT_SOURCE_DIR}")
    target_link_libraries(bdq_${name} PRIVATE bdq_warnings PUBLIC bdq_sanitize)
endfunction()

# bdq_add_test(name LABEL label [SOURCES ...] [LIBS ...] [TIMEOUT seconds]): one executable, one ctest entry.
# Default source: <name>.cpp. Tests whose figures come from libtorch's kernels, which are others on another processor, get
# the label "kernels" beside their own: they link the engine or start it.
function(bdq_add_test name)
    cmake_parse_arguments(ARG "" "LABEL;TIMEOUT" "SOURCES;LIBS" ${ARGN})
    if(NOT ARG_SOURCES)
        set(ARG_SOURCES ${name}.cpp)
    endif()
    if(NOT ARG_TIMEOUT)
        set(ARG_TIMEOUT 120)
    endif()
    if("bdq::engine" IN_LIST ARG_LIBS OR ARG_LABEL MATCHES "^(e2e|slow)$")
        list(APPEND ARG_LABEL kernels)
    endif()
    add_executable(${name} ${ARG_SOURCES})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
    target_link_libraries(${name} PRIVATE ${ARG_LIBS} bdq_warnings)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABEL}" TIMEOUT ${ARG_TIMEOUT} SKIP_RETURN_CODE 77
        ENVIRONMENT "QT_QPA_PLATFORM=offscreen;GOMP_SPINCOUNT=2000;BDQ_BIN_DIR=${CMAKE_BINARY_DIR}/bin;BDQ_SOURCE_DIR=${PROJECT_SOURCE_DIR}")
endfunction()
