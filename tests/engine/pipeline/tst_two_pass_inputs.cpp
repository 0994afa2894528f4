#include <gtest/gtest.h>

#include <ATen/ATen.h>

#include "engine/pipeline/two_pass_inputs.h"
#include "tests/engine/model/random_block.h"

namespace bdq {
namespace {

constexpr std::int64_t kTokens = 24;

class TwoPasses : public ::testing::Test {
protected:
    void SetUp() override {
        for (std::uint64_t batch = 0; batch < 3; ++batch)
            m_before.push_back(testing::randomTensor({2, kTokens, m_config.hiddenSize}, 40 + batch));
    }
    /// Bytes of the captured inputs of one batch: every site's input width times 2 x kTokens rows.
    [[nodiscard]] std::uint64_t batchBytes() const {
        const std::int64_t columns =
            2 * m_config.hiddenSize + m_config.heads * m_config.headDim + m_config.intermediateSize;
        return static_cast<std::uint64_t>(2 * kTokens * columns) * sizeof(float);
    }
    [[nodiscard]] TwoPassInputs passes(std::uint64_t keptBytes) const {
        return {m_config, m_weights, m_rope, m_before, keptBytes};
    }
    static void expectSame(const SiteInputs& found, const SiteInputs& expected) {
        for (Site site : kLinearSites) {
            const auto i = static_cast<std::size_t>(site);
            EXPECT_TRUE(at::equal(found[i], expected[i])) << siteName(site);
        }
    }

    ModelConfig m_config = testing::smallConfig();
    BlockWeights m_weights = testing::randomBlock(m_config, 17);
    Rope m_rope = Rope::create(m_config, kTokens, at::kCPU);
    HiddenStates m_before;
};

TEST_F(TwoPasses, KeptAndForwardedAgainAreTheSameInputs) {
    TwoPassInputs kept = passes(TwoPassInputs::kKeptBytes);
    TwoPassInputs again = passes(0);
    for (std::size_t batch = 0; batch < m_before.size(); ++batch) {
        CaptureHooks capture;
        const at::Tensor output = forwardBlock(m_config, m_weights, m_rope, m_before[batch], capture);
        for (TwoPassInputs* way : {&kept, &again}) {
            const TwoPassInputs::FirstPass pass = way->first(batch);
            EXPECT_TRUE(at::equal(pass.output, output)) << batch;
            expectSame(pass.capture.inputs(), capture.inputs());
        }
    }
    for (std::size_t batch = 0; batch < m_before.size(); ++batch)
        expectSame(kept.second(batch), again.second(batch));
}

TEST_F(TwoPasses, OnlyWhatFitsIsKept) {
    TwoPassInputs inputs = passes(2 * batchBytes());
    std::vector<SiteInputs> first;
    for (std::size_t batch = 0; batch < inputs.batches(); ++batch)
        first.push_back(inputs.first(batch).capture.inputs());
    for (at::Tensor& x : m_before)
        x.zero_(); // a pass that computes again now captures zeros
    for (std::size_t batch = 0; batch < inputs.batches(); ++batch) {
        const SiteInputs second = inputs.second(batch);
        if (batch < 2)
            expectSame(second, first[batch]);
        else
            for (const at::Tensor& input : second)
                EXPECT_EQ(input.abs().max().item<float>(), 0);
    }
}

TEST_F(TwoPasses, ABatchIsGivenAwayOnce) {
    TwoPassInputs inputs = passes(3 * batchBytes());
    const SiteInputs first = inputs.first(0).capture.inputs();
    expectSame(inputs.second(0), first);
    m_before[0].zero_();
    EXPECT_EQ(inputs.second(0)[0].abs().max().item<float>(), 0) << "nothing is held any more";
}

} // namespace
} // namespace bdq
