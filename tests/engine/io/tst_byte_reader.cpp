#include "engine/io/byte_reader.h"

#include <cstdint>
#include <limits>

#include "tests/engine/io/io_test_data.h"

using namespace bdq;
using namespace bdq::io;
using namespace bdq::io::test;

TEST(ByteReader, readsInOrderAndStopsAtTheEnd) {
    const std::string data = raw<std::uint32_t>(7) + "abc" + raw<std::uint16_t>(9);
    ByteReader reader(asBytes(data), "buffer");
    EXPECT_EQ(reader.read<std::uint32_t>("number").value(), 7u);
    EXPECT_EQ(reader.takeText(3, "text").value(), "abc");
    EXPECT_EQ(reader.left(), 2u);
    const auto tooMuch = reader.read<std::uint32_t>("second number");
    ASSERT_FALSE(tooMuch);
    EXPECT_EQ(tooMuch.error().code, ErrorCode::BadFormat);
    for (const char* part : {"buffer", "second number", "4 bytes", "found 2"})
        EXPECT_NE(tooMuch.error().message.find(part), std::string::npos) << tooMuch.error().message;
    EXPECT_EQ(reader.read<std::uint16_t>("rest").value(), 9u) << "a refused read must not move";
}

TEST(ByteReader, refusesCountsBeforeUsingThem) {
    const std::string data(100, 'x');
    ByteReader reader(asBytes(data), "buffer");
    EXPECT_TRUE(reader.requireItems(10, 10, "items"));
    EXPECT_FALSE(reader.requireItems(11, 10, "items"));
    EXPECT_FALSE(reader.requireItems(std::numeric_limits<std::uint64_t>::max(), 10, "items"));
    EXPECT_FALSE(reader.take(std::numeric_limits<std::uint64_t>::max(), "bytes"));
    EXPECT_EQ(reader.left(), 100u);
}

TEST(ByteReader, checkedProducts) {
    EXPECT_EQ(checkedProduct(1ull << 32, 1ull << 31), 1ull << 63);
    EXPECT_EQ(checkedProduct(1ull << 32, 1ull << 32), std::nullopt);
    EXPECT_EQ(checkedProduct(0, std::numeric_limits<std::uint64_t>::max()), 0u);
    const std::vector<std::int64_t> wraps{65536, 65536, 65536, 65536};
    EXPECT_EQ(checkedElements(wraps), std::nullopt) << "the product is 2^64, which wraps to 0";
    EXPECT_EQ(checkedElements(std::vector<std::int64_t>{}), 1);
    EXPECT_EQ(checkedElements(std::vector<std::int64_t>{3, 0, 5}), 0);
    EXPECT_EQ(checkedElements(std::vector<std::int64_t>{3, -1}), std::nullopt);
    EXPECT_EQ(checkedElements(std::vector<std::int64_t>{1ll << 62, 2}), std::nullopt) << "2^63 is no int64";
}

TEST(ByteReader, quotesHostileNames) {
    EXPECT_EQ(inQuotes("a\nb\x1b[31m"), "'a?b?[31m'");
    EXPECT_LT(inQuotes(std::string(1000, 'x')).size(), 100u);
}
