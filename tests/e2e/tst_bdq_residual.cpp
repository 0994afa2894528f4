// Methods that turn the residual stream, as processes: killed and continued with the same bits, evaluated
// from their folder, refused when the rotation that the layers share is gone.
#include <csignal>

#include "engine/io/tensor_file.h"
#include "tests/e2e/e2e_support.h"

namespace bdq::e2e {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

constexpr int kSteps = 60; ///< two checkpoints on the way, at 25 and 50
// Another process evaluates the same weights: where kernels sum in an order that follows from the addresses
// of their operands, as MKL's do under MKL_CBWR=COMPATIBLE, fp32 sums differ in the last bits (2^-24 each;
// 3e-9 of the perplexity seen).
constexpr double kSameWeights = 1e-6;

class BdqResidual : public E2eTest, public ::testing::WithParamInterface<std::string> {
protected:
    static Words words(const std::string& folder) {
        return Words{"run",
                     model(),
                     "--out",
                     folder,
                     "--scheme",
                     "W4A4KV4",
                     "--method",
                     GetParam(),
                     "--batch",
                     "2",
                     "--e2e-steps",
                     std::to_string(kSteps),
                     "--json",
                     "--eval",
                     text(),
                     "--eval-seq-len",
                     "64",
                     "--max-windows",
                     "1"} +
               smallCalibration("--samples");
    }
    [[nodiscard]] int stepOnDisk(const std::string& folder) const {
        const auto file = io::readTensorFile(path(folder + "/training/end_to_end.safetensors"));
        return file ? std::stoi(file->metadata.at("step")) : 0;
    }
    [[nodiscard]] ProcessResult evaluate(const std::string& folder, const Words& more) const {
        return bdq(Words{"eval", model(), "--text", text(), "--seq-len", "64", "--max-windows", "1", "--run",
                         path(folder)} +
                   more);
    }
};

TEST_P(BdqResidual, goesOnAfterAKillWithTheSameBitsAndIsEvaluatedFromItsFolder) {
    const ProcessResult whole = bdq(words(path("whole")));
    ASSERT_EQ(whole.exitCode, 0) << whole.err;
    Process process(Words{program("bdq")} + words(path("r")));
    ASSERT_TRUE(waitFor([this] { return stepOnDisk("r") > 0; }));
    process.signal(SIGKILL);
    ASSERT_EQ(process.wait().signal, SIGKILL);
    ASSERT_FALSE(fs::exists(path("r/run.json")));
    EXPECT_LT(stepOnDisk("r"), kSteps);
    const ProcessResult resumed = bdq(words(path("r")) + Words{"--resume"});
    ASSERT_EQ(resumed.exitCode, 0) << resumed.err;

    const Json expected = parse(whole.out);
    const Json found = parse(resumed.out);
    for (const char* key : {"per_layer", "perplexity", "perplexity_full"})
        EXPECT_EQ(found[key], expected[key]) << key;
    for (const char* folder : {"layers", "training"})
        for (const auto& entry : fs::directory_iterator(path("whole") + "/" + folder)) {
            const std::string name = std::string(folder) + "/" + entry.path().filename().string();
            EXPECT_EQ(readFile(path("r/" + name)), readFile(entry.path())) << name;
        }
    const fs::path rotation = path("r/layers/residual_rotation.safetensors");
    ASSERT_TRUE(fs::exists(rotation));
    const double perplexity = expected["perplexity"];
    EXPECT_NEAR(parse(evaluate("r", {"--json"}).out)["perplexity"].get<double>(), perplexity,
                kSameWeights * perplexity);
    const ProcessResult report = bdq({"report", path("r"), "--format", "md", "--out", path("report.md")});
    EXPECT_EQ(report.exitCode, 0) << report.err;
    fs::remove(rotation);
    expectRefusal(evaluate("r", {}), 3, {rotation.filename().string(), "missing"});
}

INSTANTIATE_TEST_SUITE_P(Methods, BdqResidual, ::testing::Values("spinquant", "ostquant"));

} // namespace
} // namespace bdq::e2e
