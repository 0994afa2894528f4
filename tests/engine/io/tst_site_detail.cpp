#include <functional>
#include <numeric>

#include "engine/io/tensor_file.h"
#include "tests/engine/io/io_test_data.h"

using namespace bdq;
using namespace bdq::io;
using namespace bdq::io::test;

namespace {

std::vector<float> ramp(std::size_t count, float start) {
    std::vector<float> values(count);
    std::iota(values.begin(), values.end(), start);
    return values;
}

/// n = 10 with blocks of 4: 4, 4 and 2.
SiteDetail sample() {
    SiteDetail detail;
    detail.key = {7, Site::Down};
    detail.inFeatures = 10;
    detail.hadamardSeed = 0xfedcba9876543210ull;
    detail.kurtosisActivation = ramp(10, 1);
    detail.kurtosisWeight = ramp(10, 2);
    detail.tokenMin = ramp(25, -30);
    detail.tokenMax = ramp(25, 30);
    detail.keptTokens = 3;
    detail.keptInputs = ramp(30, 0);
    detail.keptWeights = {1, 2, 2};
    TransformDetail& none = detail.transforms[TransformKind::None];
    none.histogramActivation.add(0.5);
    none.channelRmsActivation = ramp(10, 3);
    none.noiseWeight = ramp(70, 4);
    TransformDetail& block = detail.transforms[TransformKind::CatBlock64];
    block.histogramWeight.add(3.0);
    block.blockSize = 4;
    block.blocks = ramp(16 + 16 + 4, 5);
    block.inverseBlocks = ramp(36, 6);
    block.diagonal = ramp(10, 7);
    block.hadamard = true;
    TransformDetail& kronecker = detail.transforms[TransformKind::SmoothQuant];
    kronecker.kroneckerLeft = ramp(4, 8);
    kronecker.kroneckerRight = ramp(25, 9);
    TransformDetail& twice = detail.transforms[TransformKind::DuQuant];
    twice.permutation = {3, 1, 4, 0, 5, 9, 2, 6, 8, 7};
    twice.secondBlockSize = 3;
    twice.secondBlocks = ramp(9 + 9 + 9 + 1, 10);
    return detail;
}

void expectEqual(const TransformDetail& a, const TransformDetail& b) {
    EXPECT_EQ(a.histogramActivation.counts, b.histogramActivation.counts);
    EXPECT_EQ(a.histogramWeight.counts, b.histogramWeight.counts);
    EXPECT_EQ(a.channelRmsActivation, b.channelRmsActivation);
    EXPECT_EQ(a.channelAbsmaxActivation, b.channelAbsmaxActivation);
    EXPECT_EQ(a.channelRmsWeight, b.channelRmsWeight);
    EXPECT_EQ(a.channelAbsmaxWeight, b.channelAbsmaxWeight);
    EXPECT_EQ(a.noiseActivation, b.noiseActivation);
    EXPECT_EQ(a.noiseWeight, b.noiseWeight);
    EXPECT_EQ(a.diagonal, b.diagonal);
    EXPECT_EQ(a.blockSize, b.blockSize);
    EXPECT_EQ(a.blocks, b.blocks);
    EXPECT_EQ(a.inverseBlocks, b.inverseBlocks);
    EXPECT_EQ(a.kroneckerLeft, b.kroneckerLeft);
    EXPECT_EQ(a.kroneckerRight, b.kroneckerRight);
    EXPECT_EQ(a.permutation, b.permutation);
    EXPECT_EQ(a.secondBlockSize, b.secondBlockSize);
    EXPECT_EQ(a.secondBlocks, b.secondBlocks);
    EXPECT_EQ(a.hadamard, b.hadamard);
}

} // namespace

TEST(SiteDetail, roundTrip) {
    const TemporaryFolder folder;
    const auto path = folder.path() / "site.safetensors";
    const SiteDetail detail = sample();
    const auto written = writeSiteDetail(path, detail);
    ASSERT_TRUE(written) << written.error().text();
    const auto read = readSiteDetail(path);
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(read->key, detail.key);
    EXPECT_EQ(read->inFeatures, 10);
    EXPECT_EQ(read->hadamardSeed, detail.hadamardSeed);
    EXPECT_EQ(read->kurtosisActivation, detail.kurtosisActivation);
    EXPECT_EQ(read->kurtosisWeight, detail.kurtosisWeight);
    EXPECT_EQ(read->tokenMin, detail.tokenMin);
    EXPECT_EQ(read->tokenMax, detail.tokenMax);
    EXPECT_EQ(read->keptTokens, 3);
    EXPECT_EQ(read->keptInputs, detail.keptInputs);
    EXPECT_EQ(read->keptWeights, detail.keptWeights);
    ASSERT_EQ(read->transforms.size(), 4u);
    for (const auto& [kind, transform] : detail.transforms)
        expectEqual(read->transforms.at(kind), transform);
}

TEST(SiteDetail, refusesToWriteWrongLengths) {
    const TemporaryFolder folder;
    const std::function<void(SiteDetail&)> changes[] = {
        [](SiteDetail& d) { d.inFeatures = 0; },
        [](SiteDetail& d) { d.kurtosisWeight.pop_back(); },
        [](SiteDetail& d) { d.tokenMax.pop_back(); },
        [](SiteDetail& d) { d.keptTokens = 4; },
        [](SiteDetail& d) { d.transforms[TransformKind::None].noiseWeight.pop_back(); },
        [](SiteDetail& d) { d.transforms[TransformKind::CatBlock64].blocks.pop_back(); },
        [](SiteDetail& d) { d.transforms[TransformKind::CatBlock64].blockSize = 11; },
        [](SiteDetail& d) { d.transforms[TransformKind::CatBlock64].kroneckerLeft = ramp(4, 0); },
        [](SiteDetail& d) { d.transforms[TransformKind::SmoothQuant].kroneckerLeft.clear(); },
        [](SiteDetail& d) { d.transforms[TransformKind::SmoothQuant].kroneckerRight.pop_back(); },
        [](SiteDetail& d) { d.transforms[TransformKind::SmoothQuant].kroneckerRight = ramp(16, 0); },
        [](SiteDetail& d) { d.transforms[TransformKind::DuQuant].permutation.pop_back(); },
        [](SiteDetail& d) { d.transforms[TransformKind::DuQuant].secondBlocks.pop_back(); },
        [](SiteDetail& d) { d.transforms[TransformKind::DuQuant].secondBlockSize = 4; },
        [](SiteDetail& d) { d.transforms[TransformKind::DuQuant].secondBlockSize = -1; },
        [](SiteDetail& d) { // blocks or factors, not both
            TransformDetail& both = d.transforms[TransformKind::SmoothQuant];
            both.blockSize = 4;
            both.blocks = ramp(36, 0);
        },
    };
    for (const auto& change : changes) {
        SiteDetail detail = sample();
        change(detail);
        const auto status = writeSiteDetail(folder.path() / "s", detail);
        ASSERT_FALSE(status);
        EXPECT_EQ(status.error().code, ErrorCode::Internal);
    }
}

TEST(SiteDetail, refusesHostileFiles) {
    const struct {
        std::function<void(TensorFile&)> change;
        const char* reason;
    } cases[] = {
        {[](TensorFile& f) { f.metadata.erase("bdq.site_detail"); }, "no site detail"},
        {[](TensorFile& f) { f.metadata["bdq.site_detail"] = "9"; }, "'9'"},
        {[](TensorFile& f) { f.metadata["site"] = "lobby"; }, "'lobby'"},
        {[](TensorFile& f) { f.metadata["layer"] = "x"; }, "'layer'"},
        {[](TensorFile& f) { f.metadata["in_features"] = "10 "; }, "'in_features'"},
        {[](TensorFile& f) { f.metadata["in_features"] = "9223372036854775807"; }, "out of range"},
        {[](TensorFile& f) { f.metadata["in_features"] = "-1"; }, "out of range"},
        {[](TensorFile& f) { f.metadata["in_features"] = "11"; }, "expected 11"},
        {[](TensorFile& f) { f.metadata["kept_tokens"] = "9223372036854775807"; }, "out of range"},
        {[](TensorFile& f) { f.metadata["hadamard_seed"] = "99999999999999999999"; }, "'hadamard_seed'"},
        {[](TensorFile& f) { f.metadata["transforms"] = "none,magic"; }, "'magic'"},
        {[](TensorFile& f) { f.metadata["transforms"] = ","; }, "''"},
        {[](TensorFile& f) { f.metadata["none.block_size"] = "-4"; }, "block size"},
        {[](TensorFile& f) { f.metadata.erase("none.hadamard"); }, "'none.hadamard'"},
        {[](TensorFile& f) { f.metadata["duquant.second_block_size"] = "2x"; }, "second_block_size"},
        {[](TensorFile& f) { f.metadata["duquant.second_block_size"] = "11"; }, "block size"},
        {[](TensorFile& f) { f.metadata.erase("duquant.second_block_size"); }, "second_blocks"},
        {[](TensorFile& f) { f.tensors["duquant.permutation"].bytes.resize(8); }, "permutation"},
        {[](TensorFile& f) { f.tensors["duquant.permutation"].type = HostTensor::Type::F32; }, "I32"},
        {[](TensorFile& f) { f.tensors.erase("none.histogram_weight"); }, "none.histogram_weight"},
        {[](TensorFile& f) { f.tensors["none.histogram_weight"].bytes.resize(8); }, "none.histogram_weight"},
        {[](TensorFile& f) { f.tensors["site.token_min"].bytes.resize(8); }, "token_max"},
        {[](TensorFile& f) { f.tensors["site.token_min"].type = HostTensor::Type::F64; }, "F32"},
        {[](TensorFile& f) { f.tensors["none.noise_weight"].bytes.resize(8); }, "noise_weight"},
    };
    for (const auto& row : cases) {
        TensorFile file = encodeSiteDetail(sample());
        row.change(file);
        const auto detail = decodeSiteDetail(file, "site");
        ASSERT_FALSE(detail) << row.reason;
        EXPECT_EQ(detail.error().code, ErrorCode::BadFormat);
        EXPECT_NE(detail.error().message.find(row.reason), std::string::npos) << detail.error().message;
    }
}
