#include "tests/e2e/cut_model.h"

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <span>

#include "engine/io/gguf.h"
#include "tests/e2e/e2e_support.h"

namespace bdq::e2e {
namespace {

constexpr std::size_t kTensorCountAt = 8; // after magic and version
constexpr std::size_t kDefaultAlignment = 32;

[[noreturn]] void die(const std::string& text) {
    std::cerr << "cut model: " << text << '\n';
    std::exit(1);
}

template <class Number> void put(std::string& bytes, std::size_t at, Number value) {
    std::memcpy(bytes.data() + at, &value, sizeof value);
}

/// Number of the block of "blk.7.attn_q.weight"; -1 for tensors outside the blocks.
int blockOf(std::string_view name) {
    constexpr std::string_view kPrefix = "blk.";
    if (!name.starts_with(kPrefix)) return -1;
    int block = -1;
    std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), block);
    return block;
}

class Cut {
public:
    Cut(const std::string& source, const io::GgufHeader& header, int layers)
        : m_source(source), m_header(header), m_layers(layers) {}

    std::string make() {
        // Metadata as it is, up to the length in front of the first tensor's name.
        const std::size_t table = at(m_header.tensors.front().name.data()) - sizeof(std::uint64_t);
        m_result = m_source.substr(0, table);
        setBlockCount();
        const io::GgufValue* alignment = m_header.find("general.alignment");
        m_alignment = alignment == nullptr ? kDefaultAlignment : alignment->asUnsigned().value();
        std::string data;
        std::uint64_t count = 0;
        for (const io::GgufTensor& tensor : m_header.tensors) {
            if (blockOf(tensor.name) >= m_layers) continue;
            ++count;
            m_result += row(tensor, data.size());
            data += m_source.substr(tensor.offsetBytes, tensor.sizeBytes);
            pad(data);
        }
        put(m_result, kTensorCountAt, count);
        pad(m_result);
        return m_result + data;
    }

private:
    [[nodiscard]] std::size_t at(const void* place) const {
        return static_cast<std::size_t>(static_cast<const char*>(place) - m_source.data());
    }

    void setBlockCount() {
        for (const auto& [key, value] : m_header.metadata)
            if (key.ends_with(".block_count"))
                put(m_result, at(value.bytes.data()), static_cast<std::uint32_t>(m_layers));
    }

    void pad(std::string& bytes) const {
        bytes.append((m_alignment - bytes.size() % m_alignment) % m_alignment, '\0');
    }

    /// Row of the tensor table with another place of the data.
    [[nodiscard]] std::string row(const io::GgufTensor& tensor, std::uint64_t offset) const {
        const std::size_t size = sizeof(std::uint64_t) + tensor.name.size() + sizeof(std::uint32_t) +
                                 tensor.shape.size() * sizeof(std::uint64_t) + sizeof(std::uint32_t) +
                                 sizeof(std::uint64_t);
        std::string bytes = m_source.substr(at(tensor.name.data()) - sizeof(std::uint64_t), size);
        put(bytes, size - sizeof offset, offset);
        return bytes;
    }

    const std::string& m_source;
    const io::GgufHeader& m_header;
    int m_layers;
    std::string m_result;
    std::uint64_t m_alignment = kDefaultAlignment;
};

} // namespace

void writeCutModel(const std::string& source, const std::filesystem::path& target, int layers) {
    const std::string bytes = readFile(source);
    const Result<io::GgufHeader> header = io::parseGguf(std::as_bytes(std::span(bytes)), source);
    if (!header) die(header.error().text());
    std::ofstream file(target, std::ios::binary);
    file << Cut(bytes, *header, layers).make();
    file.close();
    if (!file.good()) die(target.string() + " cannot be written");
}

} // namespace bdq::e2e
