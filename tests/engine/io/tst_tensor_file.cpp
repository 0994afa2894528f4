#include "engine/io/tensor_file.h"

#include "tests/engine/io/io_test_data.h"

using namespace bdq;
using namespace bdq::io;
using namespace bdq::io::test;

namespace {

HostTensor tensor(HostTensor::Type type, std::vector<std::int64_t> shape, std::size_t bytes, int fill) {
    return {type, std::move(shape), std::vector<std::byte>(bytes, static_cast<std::byte>(fill))};
}

TensorFile sample() {
    TensorFile file;
    file.tensors["b"] = tensor(HostTensor::Type::F32, {2, 3}, 24, 1);
    file.tensors["a"] = tensor(HostTensor::Type::U8, {5}, 5, 2);
    file.tensors["scalar"] = tensor(HostTensor::Type::I64, {}, 8, 3);
    file.tensors["empty"] = tensor(HostTensor::Type::F64, {0, 9}, 0, 0);
    file.tensors["h \u00e9"] = tensor(HostTensor::Type::I16, {3}, 6, 4);
    file.tensors["i8"] = tensor(HostTensor::Type::I8, {1}, 1, 5);
    file.tensors["i32"] = tensor(HostTensor::Type::I32, {1}, 4, 6);
    file.metadata = {{"format", "pt"}, {"note", "line\n\"quoted\""}};
    return file;
}

} // namespace

TEST(TensorFile, roundTrip) {
    const TemporaryFolder folder;
    const auto path = folder.path() / "t.safetensors";
    const TensorFile file = sample();
    const auto written = writeTensorFile(path, file);
    ASSERT_TRUE(written) << written.error().text();
    const auto read = readTensorFile(path);
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(read->metadata, file.metadata);
    ASSERT_EQ(read->tensors.size(), file.tensors.size());
    for (const auto& [name, expected] : file.tensors) {
        const HostTensor& found = read->tensors.at(name);
        EXPECT_EQ(found.type, expected.type) << name;
        EXPECT_EQ(found.shape, expected.shape) << name;
        EXPECT_EQ(found.bytes, expected.bytes) << name;
    }
}

TEST(TensorFile, layoutFollowsTheReferenceWriter) {
    const TemporaryFolder folder;
    const auto path = folder.path() / "t.safetensors";
    TensorFile file = sample();
    file.metadata.clear();
    ASSERT_TRUE(writeTensorFile(path, file));
    const std::string bytes = readAll(path);
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data(), 8);
    EXPECT_EQ(length % 8, 0u) << "the data starts 8-aligned";
    EXPECT_EQ(bytes[8], '{');
    EXPECT_NE(bytes.find(R"("__metadata__":{"format":"pt"})"), std::string::npos);
    // Descending alignment: I64, (F64 empty), F32, I32, I16, I8, U8.
    EXPECT_EQ(bytes.substr(8 + length), std::string(8, 3) + std::string(24, 1) + std::string(4, 6) +
                                            std::string(6, 4) + std::string(1, 5) + std::string(5, 2));
}

TEST(TensorFile, refusesToWriteNonsense) {
    const TemporaryFolder folder;
    const auto path = folder.path() / "t.safetensors";
    TensorFile wrongSize;
    wrongSize.tensors["a"] = tensor(HostTensor::Type::F32, {2}, 7, 0);
    TensorFile negative;
    negative.tensors["a"] = tensor(HostTensor::Type::F32, {-2}, 8, 0);
    TensorFile reserved;
    reserved.tensors["__metadata__"] = tensor(HostTensor::Type::F32, {2}, 8, 0);
    TensorFile invalid;
    invalid.tensors["\xff"] = tensor(HostTensor::Type::F32, {2}, 8, 0);
    for (const TensorFile* file : {&wrongSize, &negative, &reserved, &invalid}) {
        const auto status = writeTensorFile(path, *file);
        ASSERT_FALSE(status);
        EXPECT_EQ(status.error().code, ErrorCode::Internal);
    }
    EXPECT_TRUE(std::filesystem::is_empty(folder.path())) << "nothing is left behind";
}

TEST(TensorFile, errorsOfReading) {
    const TemporaryFolder folder;
    EXPECT_EQ(readTensorFile(folder.path() / "absent").error().code, ErrorCode::NotFound);
    EXPECT_EQ(readTensorFile(folder.path()).error().code, ErrorCode::Io);
    EXPECT_EQ(readTensorFile(folder.write("empty", "")).error().code, ErrorCode::BadFormat);
    const std::string half =
        safetensorsBytes(R"({"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}})", "xx");
    const auto unsupported = readTensorFile(folder.write("half", half));
    ASSERT_FALSE(unsupported);
    EXPECT_EQ(unsupported.error().code, ErrorCode::Unsupported);
    EXPECT_NE(unsupported.error().message.find("F16"), std::string::npos);
}
