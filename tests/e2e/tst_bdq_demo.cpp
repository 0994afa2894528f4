// What the demo rests on: the demo model's perplexity on its evaluation text as an independent program has
// it, and two texts that are long enough and not each other's.
#include <cstdlib>
#include <iterator>
#include <set>
#include <sstream>

#include "tests/e2e/e2e_support.h"

namespace bdq::e2e {
namespace {

/// fp32 sums in another order move the perplexity of 4,094 predictions by less than this: 1e-4 of a logit's
/// size, 20, per token at most, and those errors have no common sign.
constexpr double kPerplexityTolerance = 0.02;
/// Words in a row that two texts of different people and topics do not share.
constexpr std::size_t kRow = 8;

std::string resource(const std::string& name) {
    const char* source = std::getenv("BDQ_SOURCE_DIR");
    return std::string(source != nullptr ? source : ".") + "/resources/" + name;
}

std::set<std::string> rowsOfWords(const std::string& text) {
    std::istringstream stream(text);
    const std::vector<std::string> words{std::istream_iterator<std::string>(stream), {}};
    std::set<std::string> rows;
    for (std::size_t first = 0; first + kRow <= words.size(); ++first) {
        std::string row;
        for (std::size_t i = first; i < first + kRow; ++i)
            row += words[i] + " ";
        rows.insert(row);
    }
    return rows;
}

class BdqDemo : public E2eTest {
protected:
    static Json evaluated(const std::string& text, const std::string& windows) {
        Process process({program("bdq"), "eval", demoModel(), "--text", resource(text), "--seq-len", "2048",
                         "--max-windows", windows, "--device", "cpu", "--json"});
        const ProcessResult result = process.wait(std::chrono::seconds(900));
        EXPECT_EQ(result.exitCode, 0) << result.err;
        return parse(result.out);
    }
};

// Perplexity and tokens from an independent program: PyTorch in fp64, tokens by the package tokenizers.
TEST_F(BdqDemo, perplexityOfTheSample) {
    if (demoModel().empty()) GTEST_SKIP() << "build/models/SmolLM2-135M-Instruct.Q4_1.gguf is not there";
    const Json eval = evaluated("sample.txt", "0");
    EXPECT_EQ(eval["windows"], 2);
    EXPECT_EQ(eval["tokens"], 4274);
    EXPECT_NEAR(eval["perplexity"].get<double>(), 27.5438, kPerplexityTolerance);
}

TEST_F(BdqDemo, calibrationIsLongEnough) {
    if (demoModel().empty()) GTEST_SKIP() << "build/models/SmolLM2-135M-Instruct.Q4_1.gguf is not there";
    // 16 sequences of 512 tokens, twice what the demo takes.
    EXPECT_GE(evaluated("calibration.txt", "1")["tokens"].get<int>(), 16 * 512);
}

TEST_F(BdqDemo, theTextsShareNothing) {
    const std::set<std::string> calibration = rowsOfWords(readFile(resource("calibration.txt")));
    const std::set<std::string> sample = rowsOfWords(readFile(resource("sample.txt")));
    ASSERT_GT(calibration.size(), 5000U);
    ASSERT_GT(sample.size(), 2000U);
    for (const std::string& row : sample)
        EXPECT_FALSE(calibration.contains(row)) << row;
}

} // namespace
} // namespace bdq::e2e
