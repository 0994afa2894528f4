// Shapes of stacked weights, counted by hand.
#include "engine/api/model_shape.h"

#include <gtest/gtest.h>

using namespace bdq;

namespace {

TEST(ModelShape, StacksWhatReadsOneInput) {
    ModelConfig config; // heads * headDim is not the hidden size
    config.hiddenSize = 10;
    config.intermediateSize = 7;
    config.heads = 3;
    config.kvHeads = 1;
    config.headDim = 4;
    EXPECT_EQ(stackedShape(config, Site::Qkv), (MatrixShape{12 + 2 * 4, 10}));
    EXPECT_EQ(stackedShape(config, Site::O), (MatrixShape{10, 12}));
    EXPECT_EQ(stackedShape(config, Site::GateUp), (MatrixShape{14, 10}));
    EXPECT_EQ(stackedShape(config, Site::Down), (MatrixShape{10, 7}));
    EXPECT_EQ(stackedShape(config, Site::KCache), MatrixShape{});
    EXPECT_EQ(stackedShape(config, Site::VCache), MatrixShape{});
    EXPECT_EQ(blockWeightCount(config), 200 + 120 + 140 + 70);
}

} // namespace
