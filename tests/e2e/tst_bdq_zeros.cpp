// A site of zeros is a site: weights or inputs that are 0 throughout, as block-expanded models have them, end
// no job; a figure without a value is absent.
#include <cmath>
#include <cstring>

#include "engine/api/method.h"
#include "engine/io/tensor_file.h"
#include "tests/e2e/e2e_support.h"

namespace bdq::e2e {
namespace {

/// Tensors of layer 0 that are 0, without "model.layers.0." and ".weight".
struct Zeros {
    const char* name;
    std::vector<std::string> tensors;
    std::vector<std::string> deadSites; ///< whose output is 0 throughout
};

const std::vector<Zeros>& variants() {
    static const std::vector<Zeros> all{
        {"expanded", {"self_attn.o_proj", "mlp.down_proj"}, {"o", "down"}},
        {"weights",
         {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj",
          "mlp.up_proj", "mlp.down_proj"},
         {"qkv", "o", "gate_up", "down"}},
        {"inputs", {"input_layernorm", "post_attention_layernorm"}, {"qkv", "o", "gate_up", "down"}},
        {"values", {"self_attn.v_proj", "mlp.up_proj"}, {"o", "down"}},
    };
    return all;
}

class BdqZeros : public E2eTest {
protected:
    static std::vector<std::string> onCpu() { return {"--device", "cpu", "--threads", "1"}; }
    static std::vector<std::string> small(const std::string& count) {
        return std::vector<std::string>{"--calibration", text(), count, "2", "--seq-len", "64"} + onCpu();
    }

    std::string zeroed(const Zeros& zeros) {
        const std::string folder = path(zeros.name);
        if (std::filesystem::exists(folder)) return folder;
        std::filesystem::copy(model(), folder);
        io::TensorFile file = io::readTensorFile(folder + "/model.safetensors").value();
        for (const std::string& name : zeros.tensors) {
            io::HostTensor& tensor = file.tensors.at("model.layers.0." + name + ".weight");
            std::memset(tensor.bytes.data(), 0, tensor.bytes.size());
        }
        std::filesystem::remove(folder + "/model.safetensors");
        EXPECT_TRUE(io::writeTensorFile(folder + "/model.safetensors", file));
        return folder;
    }

    /// What a run of this method must hold.
    void expectRun(const Zeros& zeros, const std::string& method, const std::vector<std::string>& more) {
        const std::string out = path("r-" + std::string(zeros.name) + method);
        const std::vector<std::string> words{
            "run",    zeroed(zeros), "--out",          out,  "--scheme",      "W4A4KV4", "--method", method,
            "--eval", text(),        "--eval-seq-len", "64", "--max-windows", "2",       "--json"};
        const ProcessResult result = bdq(words + small("--samples") + more);
        ASSERT_EQ(result.exitCode, 0) << zeros.name << " " << method << ": " << result.err;
        const Json run = parse(result.out);
        ASSERT_TRUE(run["perplexity"].is_number() && std::isfinite(run["perplexity"].get<double>()))
            << zeros.name << " " << method;
        for (const Json& row : run["per_layer"]) {
            const bool dead = row["layer"] == 0 && std::find(zeros.deadSites.begin(), zeros.deadSites.end(),
                                                             row["site"]) != zeros.deadSites.end();
            if (!dead) continue;
            EXPECT_TRUE(row["sqnr_db"].is_null()) << zeros.name << " " << method << " " << row;
            EXPECT_EQ(row["mse"], 0) << zeros.name << " " << method << " " << row << ": zeros stay zeros";
        }
        EXPECT_EQ(bdq({"report", out, "--format", "html", "--out", path("report.html")}).exitCode, 0);
        EXPECT_EQ(readFile(path("report.html")).find("nan"), std::string::npos);
        std::filesystem::remove_all(out);
    }
};

TEST_F(BdqZeros, AnalysisSensitivityPlanAndReport) {
    for (const Zeros& zeros : variants()) {
        const std::string out = path("a-" + std::string(zeros.name));
        const std::vector<std::string> words{
            "analyze",
            zeroed(zeros),
            "--out",
            out,
            "--transforms",
            "none,smoothquant,awq,hadamard,duquant,wush,cat-diag,cat-block,cat-block-128,bdq"};
        const ProcessResult analysed = bdq(words + small("--sequences"));
        ASSERT_EQ(analysed.exitCode, 0) << zeros.name << ": " << analysed.err;
        for (const Json& site : parse(readFile(out + "/analysis.json"))["sites"]) {
            const bool dead = site["layer"] == 0 && std::find(zeros.deadSites.begin(), zeros.deadSites.end(),
                                                              site["site"]) != zeros.deadSites.end();
            EXPECT_EQ(site["signal_power"] == 0, dead) << zeros.name << " " << site["site"];
        }
        const ProcessResult measured = bdq(std::vector<std::string>{"sensitivity", out, "--bits", "2,4",
                                                                    "--activation", "A4", "--seq-len", "32"} +
                                           onCpu());
        ASSERT_EQ(measured.exitCode, 0) << zeros.name << ": " << measured.err;
        for (const char* metric : {"kl", "output", "predicted"}) {
            const ProcessResult plan = bdq({"plan", out, "--budget", "W4", "--bits", "2,4", "--activation",
                                            "A4", "--metric", metric, "--out", path("plan.json")});
            EXPECT_EQ(plan.exitCode, 0) << zeros.name << " " << metric << ": " << plan.err;
        }
        for (const char* format : {"html", "md", "csv"}) {
            const ProcessResult report = bdq({"report", out, "--format", format, "--out", "-"});
            EXPECT_EQ(report.exitCode, 0) << zeros.name << ": " << report.err;
            EXPECT_EQ(report.out.find("nan"), std::string::npos) << zeros.name << " " << format;
        }
        EXPECT_FALSE(parse(bdq({"report", out, "--format", "json", "--out", "-"}).out).is_discarded());
    }
}

TEST_F(BdqZeros, EveryMethodEnds) {
    for (const Zeros& zeros : variants())
        for (const MethodInfo& method : methodTable())
            expectRun(zeros, std::string(method.id),
                      method.presets.front().preset == Preset::Fast
                          ? std::vector<std::string>{}
                          : std::vector<std::string>{"--epochs", "2"});
}

TEST_F(BdqZeros, TrainingAndEveryRoundingEnd) {
    for (const Zeros& zeros : variants()) {
        expectRun(zeros, "bdq", {"--preset", "balanced", "--epochs", "3"});
        expectRun(zeros, "bdq", {"--preset", "best", "--epochs", "1", "--e2e-steps", "3"});
        for (const char* rounding : {"rtn", "mse", "output-mse", "gptq"})
            expectRun(zeros, "rtn", {"--weights", rounding});
    }
}

} // namespace
} // namespace bdq::e2e
