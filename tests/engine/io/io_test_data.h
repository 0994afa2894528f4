// Builders of small model files and of places for them.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "engine/io/gguf.h"

namespace bdq::io::test {

template <class T> std::string raw(const T& value) {
    std::string bytes(sizeof(T), '\0');
    std::memcpy(bytes.data(), &value, sizeof(T));
    return bytes;
}

inline std::span<const std::byte> asBytes(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

/// A GGUF string: length and characters.
inline std::string ggufString(std::string_view text) {
    return raw<std::uint64_t>(text.size()) + std::string(text);
}

/// Builds the bytes of a GGUF file; every count can be overridden to make it lie.
class GgufBuilder {
public:
    template <class T> void scalar(std::string_view key, GgufType type, T value) {
        pair(key, type, raw(value));
    }
    void u32(std::string_view key, std::uint32_t value) { scalar(key, GgufType::U32, value); }
    void f32(std::string_view key, float value) { scalar(key, GgufType::F32, value); }
    void text(std::string_view key, std::string_view value) {
        pair(key, GgufType::String, ggufString(value));
    }
    void texts(std::string_view key, const std::vector<std::string>& values) {
        std::string body = raw(GgufType::String) + raw<std::uint64_t>(values.size());
        for (const std::string& value : values)
            body += ggufString(value);
        pair(key, GgufType::Array, body);
    }
    template <class T> void numbers(std::string_view key, GgufType type, const std::vector<T>& values) {
        std::string body = raw(type) + raw<std::uint64_t>(values.size());
        for (const T value : values)
            body += raw(value);
        pair(key, GgufType::Array, body);
    }
    void pair(std::string_view key, GgufType type, std::string_view body) {
        m_pairs += ggufString(key) + raw(type) + std::string(body);
        ++pairCount;
    }
    /// `fastestFirst`: extents in file order. The data is placed behind what is there, padded to 32.
    void tensor(std::string_view name, const std::vector<std::uint64_t>& fastestFirst, std::uint32_t type,
                std::string_view data) {
        tensorRow(name, fastestFirst, type, m_data.size());
        m_data += data;
        m_data.append((32 - m_data.size() % 32) % 32, '\0');
    }
    void tensorRow(std::string_view name, const std::vector<std::uint64_t>& fastestFirst, std::uint32_t type,
                   std::uint64_t offset) {
        m_rows += ggufString(name) + raw(static_cast<std::uint32_t>(fastestFirst.size()));
        for (const std::uint64_t extent : fastestFirst)
            m_rows += raw(extent);
        m_rows += raw(type) + raw(offset);
        ++tensorCount;
    }
    [[nodiscard]] std::string bytes() const {
        std::string file = "GGUF" + raw(version) + raw(tensorCount) + raw(pairCount) + m_pairs + m_rows;
        if (!m_data.empty()) file.append((32 - file.size() % 32) % 32, '\0');
        return file + m_data;
    }

    std::uint32_t version = 3;
    std::uint64_t tensorCount = 0;
    std::uint64_t pairCount = 0;

private:
    std::string m_pairs;
    std::string m_rows;
    std::string m_data;
};

/// Bytes of a safetensors file from the text of its header.
inline std::string safetensorsBytes(std::string_view header, std::string_view data) {
    return raw<std::uint64_t>(header.size()) + std::string(header) + std::string(data);
}

/// A folder that disappears with the test.
class TemporaryFolder {
public:
    TemporaryFolder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "bdq-io-XXXXXX").string();
        m_path = ::mkdtemp(pattern.data());
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(m_path, ignored);
    }
    [[nodiscard]] const std::filesystem::path& path() const { return m_path; }
    [[nodiscard]] std::string write(const std::string& name, std::string_view bytes) const {
        std::ofstream file(m_path / name, std::ios::binary);
        file << bytes;
        EXPECT_TRUE(file.good()) << name;
        return (m_path / name).string();
    }

private:
    std::filesystem::path m_path;
};

inline std::filesystem::path sourceDir() {
    const char* folder = std::getenv("BDQ_SOURCE_DIR");
    return folder == nullptr ? "." : folder;
}
inline std::string demoModel() {
    return (sourceDir() / "build/models/SmolLM2-135M-Instruct.Q4_1.gguf").string();
}
inline std::string readAll(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

} // namespace bdq::io::test

/// Skips the test when a file that the repository does not carry is absent.
#define BDQ_NEED_FILE(path)                                                                                  \
    if (!std::filesystem::exists(path)) GTEST_SKIP() << "needs " << path
