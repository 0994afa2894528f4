// Every preset of every method on the first two blocks of the demo model: it runs, and where its paper claims
// to be better than another method it is, measured by the distance of the logits from the full model's.
#include <cmath>
#include <cstdlib>
#include <iostream>

#include <unistd.h>

#include "engine/api/method.h"
#include "tests/e2e/cut_model.h"
#include "tests/e2e/e2e_support.h"

namespace bdq::e2e {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

constexpr int kBlocks = 2;
const char* const kScheme = "W4A4KV4";
// The demo's texts: neither is part of the other.
const char* const kCalibration = "calibration.txt";
const char* const kEvaluation = "sample.txt";
// Another processor's kernels move the mean SQNR of a run by 0.01 dB (AVX-512 against AVX2, the run that is
// trained longest); the claims are 0.14 dB and more apart.
constexpr double kProcessorDb = 0.05;
constexpr std::size_t kTextBytes = 16000; // some 4,000 tokens

std::string textFile(const std::string& name) {
    const char* source = std::getenv("BDQ_SOURCE_DIR");
    return std::string(source != nullptr ? source : ".") + "/resources/" + name;
}

std::string nameOf(const MethodInfo& method, const PresetInfo& preset) {
    return std::string(method.id) + ":" + std::string(presetName(preset.preset));
}

/// The first preset of the method that trains its blocks.
bool trainsBlocksFirst(const MethodInfo& method, const PresetInfo& preset) {
    for (const PresetInfo& other : method.presets)
        if (other.recipe.epochs > 0) return other.preset == preset.preset;
    return false;
}

/// Presets of all methods, "rtn:fast,...": those that trainsBlocksFirst() names, or all others.
std::string presets(bool blocksFirst) {
    std::string list;
    for (const MethodInfo& method : methodTable())
        for (const PresetInfo& preset : method.presets)
            if (trainsBlocksFirst(method, preset) == blocksFirst)
                list += (list.empty() ? "" : ",") + nameOf(method, preset);
    return list;
}

/// All runs, once for the whole program.
class Measured {
public:
    static const Measured& once() {
        static const Measured measured;
        return measured;
    }
    Measured(const Measured&) = delete;
    Measured& operator=(const Measured&) = delete;
    ~Measured() {
        std::error_code error;
        fs::remove_all(m_folder, error);
    }

    /// Row of `bdq bench quality` by "method:preset scheme"; null when there is none.
    [[nodiscard]] Json row(const std::string& name) const {
        const auto found = m_rows.find(name);
        return found == m_rows.end() ? Json() : found->second;
    }
    /// Mean output SQNR over layers and linear sites in dB, of a row or of a run of its own; NaN when it was
    /// not measured.
    [[nodiscard]] double sqnr(const std::string& name) const {
        const auto found = m_sqnr.find(name);
        return found == m_sqnr.end() ? std::nan("") : found->second;
    }

private:
    Measured() : m_folder(fs::temp_directory_path() / ("bdq-methods-" + std::to_string(::getpid()))) {
        fs::create_directory(m_folder);
        writeCutModel(demoModel(), cut(), kBlocks);
        writeBeginning(kCalibration);
        writeBeginning(kEvaluation);
        // One preset a method learns long enough to show it, the others show that they run.
        measure("blocks", presets(true), kScheme, {"--epochs", "6", "--batch", "2"});
        measure("others", presets(false), kScheme, {"--epochs", "1", "--e2e-steps", "4", "--batch", "2"});
        measure("weights", "rtn,gptq,awq", "W3A16");
        measure("eight", "rtn,smoothquant", "W8A8");
        // Plain Hadamards with other roundings of the weights.
        run("quarot+rtn", {"--method", "quarot", "--weights", "rtn", "--scheme", kScheme});
        run("quarot+gptq", {"--method", "quarot", "--weights", "gptq", "--scheme", kScheme});
        // What rotations of the residual stream learn: weights stay as they are, as in the papers' training,
        // which here follows the full model, since the text tells a model of two blocks nothing. SpinQuant's
        // start is QuaRot as its paper has it, a random Hadamard of the residual stream; our quarot rotates
        // behind the norms' gains.
        for (const std::string method : {"spinquant", "ostquant"}) {
            const Words training{"--method", method,    "--preset", "paper",  "--scheme",
                                 "W16A4KV4", "--batch", "2",        "--loss", "kl"};
            // OSTQuant starts below a Hadamard and needs its own 100 steps to pass it.
            run(method + " trained", training + Words{"--e2e-steps", method == "spinquant" ? "24" : "100"});
            run(method + " start", training + Words{"--e2e-steps", "1", "--rate", "1e-12"});
        }
    }
    /// The first lines of a text: every job reads and tokenizes all of its texts.
    void writeBeginning(const std::string& name) const {
        const std::string all = readFile(textFile(name));
        writeFile(m_folder / name, all.substr(0, all.find('\n', kTextBytes)));
    }
    [[nodiscard]] std::string cut() const { return (m_folder / "cut.gguf").string(); }
    [[nodiscard]] Words calibration(const std::string& countOption) const {
        return {"--calibration", (m_folder / kCalibration).string(),
                countOption,     "16",
                "--seq-len",     "64",
                "--device",      "cpu"};
    }

    void measure(const std::string& folder, const std::string& methods, const std::string& scheme,
                 const Words& training = {}) {
        const Words words{
            "bench", "quality",       cut(),  "--out",  (m_folder / folder).string(),      "--methods",
            methods, "--schemes",     scheme, "--eval", (m_folder / kEvaluation).string(), "--eval-seq-len",
            "128",   "--max-windows", "4",    "--json"};
        const ProcessResult result =
            runProcess(Words{program("bdq")} + words + calibration("--samples") + training, {},
                       std::chrono::seconds(400));
        const Json table = parse(result.out);
        ASSERT_TRUE(table.contains("rows")) << result.err;
        for (const Json& row : table["rows"]) {
            const std::string name = row["method"].get<std::string>() + ":" +
                                     row["preset"].get<std::string>() + " " +
                                     row["scheme"].get<std::string>();
            m_rows[name] = row;
            if (row["status"] == "finished")
                keepSqnr(name, m_folder / folder / "runs" / row["name"].get<std::string>());
        }
    }

    void run(const std::string& name, const Words& more) {
        const fs::path folder = m_folder / name;
        const ProcessResult made = runProcess(Words{program("bdq"), "run", cut(), "--out", folder.string()} +
                                                  calibration("--samples") + more,
                                              {}, std::chrono::seconds(400));
        EXPECT_EQ(made.exitCode, 0) << name << ": " << made.err;
        if (made.exitCode == 0) keepSqnr(name, folder);
    }

    void keepSqnr(const std::string& name, const fs::path& folder) {
        double sum = 0;
        int count = 0;
        const Json run = parse(readFile(folder / "run.json"));
        for (const Json& row : run["per_layer"]) {
            if (row["site"] == "k_cache" || row["site"] == "v_cache") continue;
            sum += row["sqnr_db"].get<double>();
            ++count;
        }
        m_sqnr[name] = sum / count;
    }

    fs::path m_folder;
    std::map<std::string, Json> m_rows;
    std::map<std::string, double> m_sqnr;
};

class BdqMethods : public ::testing::Test {
protected:
    void SetUp() override {
        if (demoModel().empty()) GTEST_SKIP() << "build/models/SmolLM2-135M-Instruct.Q4_1.gguf is not there";
    }
};

TEST_F(BdqMethods, everyPresetOfTheTableRuns) {
    for (const MethodInfo& method : methodTable())
        for (const PresetInfo& preset : method.presets) {
            const std::string name = nameOf(method, preset) + " " + kScheme;
            const Json row = Measured::once().row(name);
            ASSERT_TRUE(row.is_object()) << name;
            if (row["status"] != "finished") {
                ADD_FAILURE() << row.dump();
                continue;
            }
            EXPECT_TRUE(std::isfinite(row["perplexity"].get<double>())) << name;
            EXPECT_TRUE(std::isfinite(row["kl"].get<double>())) << name;
            EXPECT_GT(row["kl"].get<double>(), 0) << name;
        }
}

/// A claim of a paper: the outputs of the first are closer to the full model's than those of the second.
struct Claim {
    const char* better;
    const char* worse;
};
void PrintTo(const Claim& claim, std::ostream* out) {
    *out << claim.better << " against " << claim.worse;
}

class EveryClaim : public BdqMethods, public ::testing::WithParamInterface<Claim> {};

TEST_P(EveryClaim, holdsOnTwoBlocks) {
    const double better = Measured::once().sqnr(GetParam().better);
    const double worse = Measured::once().sqnr(GetParam().worse);
    std::cout << GetParam().better << ": " << better << " dB, " << GetParam().worse << ": " << worse
              << " dB\n";
    EXPECT_GT(better, worse + kProcessorDb);
}

// The same scheme, calibration, evaluation and, where the paper's claim is about transforms, the same
// rounding of weights: the range search for closed forms, GPTQ where the preset rounds so, nearest for
// learned clipping.
INSTANTIATE_TEST_SUITE_P(WeightsOnly, EveryClaim,
                         ::testing::Values(Claim{"gptq:fast W3A16", "rtn:fast W3A16"},
                                           Claim{"awq:fast W3A16", "rtn:fast W3A16"}));
INSTANTIATE_TEST_SUITE_P(Activations, EveryClaim,
                         ::testing::Values(Claim{"smoothquant:fast W8A8", "rtn:fast W8A8"},
                                           Claim{"quarot:fast W4A4KV4", "rtn:fast W4A4KV4"}));
INSTANTIATE_TEST_SUITE_P(ClosedForms, EveryClaim,
                         ::testing::Values(Claim{"duquant:fast W4A4KV4", "quarot:fast W4A4KV4"},
                                           Claim{"wush:fast W4A4KV4", "quarot:fast W4A4KV4"},
                                           Claim{"cat-diag:fast W4A4KV4", "quarot:fast W4A4KV4"},
                                           Claim{"cat-block:fast W4A4KV4", "quarot:fast W4A4KV4"},
                                           Claim{"cat:fast W4A4KV4", "quarot:fast W4A4KV4"},
                                           Claim{"quarot+gptq", "quarot+rtn"},
                                           Claim{"bdq:fast W4A4KV4", "quarot+gptq"}));
INSTANTIATE_TEST_SUITE_P(Trained, EveryClaim,
                         ::testing::Values(Claim{"flatquant:balanced W4A4KV4", "quarot+rtn"},
                                           Claim{"cat:balanced W4A4KV4", "quarot+rtn"},
                                           Claim{"bdq:balanced W4A4KV4", "quarot+rtn"},
                                           Claim{"bdq:best W4A4KV4", "quarot+rtn"},
                                           Claim{"spinquant trained", "spinquant start"},
                                           Claim{"ostquant trained", "ostquant start"},
                                           Claim{"ostquant trained", "spinquant start"}));

} // namespace
} // namespace bdq::e2e
