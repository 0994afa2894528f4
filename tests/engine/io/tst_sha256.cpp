#include "engine/io/sha256.h"

#include "tests/engine/io/io_test_data.h"

using namespace bdq::io;
using bdq::io::test::asBytes;

// Examples of FIPS 180-4 as published by NIST (SHA256.pdf, and the million "a" of SHA_All.pdf).
TEST(Sha256, nistVectors) {
    EXPECT_EQ(sha256Hex(asBytes("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(sha256Hex(asBytes("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(sha256Hex(asBytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    EXPECT_EQ(sha256Hex(asBytes(std::string(1'000'000, 'a'))),
              "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, piecesGiveTheSameAsTheWhole) {
    std::string text;
    for (int i = 0; i < 300; ++i)
        text += static_cast<char>(i * 7);
    for (std::size_t length = 0; length <= text.size(); ++length) {
        const auto whole = asBytes(text).first(length);
        Sha256 hash;
        for (std::size_t i = 0; i < length; i += 13)
            hash.update(whole.subspan(i, std::min<std::size_t>(13, length - i)));
        ASSERT_EQ(hash.finishHex(), sha256Hex(whole)) << length;
    }
}
