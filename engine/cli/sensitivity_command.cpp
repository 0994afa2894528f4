// bdq sensitivity DIR: how much the whole model suffers when one site of it is quantized.
#include "engine/api/spec_limits.h"
#include "engine/cli/job_command.h"
#include "engine/cli/job_options.h"
#include "engine/cli/summaries.h"
#include "engine/cli/text.h"

namespace bdq::cli {
namespace {

class SensitivityCommand : public JobCommand {
public:
    SensitivityCommand()
        : JobCommand("sensitivity", "quantize every analysed site alone and measure what the model loses") {}

    void declare(Arguments& arguments) override {
        arguments.word("DIR", "folder of an analysis; sensitivity.json is written into it",
                       m_spec.analysisDir);
        arguments.option({"--model", "MODEL", "model file or folder (default: that of the analysis)"},
                         m_spec.modelPath);
        arguments.option({"--bits", "LIST", "bit widths of weights, e.g. 2,3,4g128,8 (default 2,3,4,8)"},
                         [this](const std::string& text) -> Status {
                             BDQ_TRY(m_spec.weights, parseWeightList(text, "--bits"));
                             return {};
                         });
        arguments.option({"--activation", "A", "bits of the site's input, e.g. A4 (default A16: untouched)"},
                         [this](const std::string& text) { return takeActivation(text); });
        arguments.option({"--transforms", "LIST", "of those in the analysis (default: its last)"},
                         [this](const std::string& text) { return takeTransforms(text); });
        declareLayers(arguments, m_spec.layers, "layers to measure, e.g. 0-3,7 (default: all analysed)");
        arguments.option({"--weights", "NAME", "rounding of weights: rtn or mse (default mse)"},
                         [this](const std::string& name) { return takeRounding(name); });
        arguments.option({"--text", "FILE|self", "text to compare on (default: that of the analysis)"},
                         m_spec.text.source);
        arguments.number(
            {"--sequences", "N", "sequences of it (default " + std::to_string(m_spec.text.sequences) + ")"},
            m_spec.text.sequences, 1, kMaxSequences);
        arguments.number({"--seq-len", "N",
                          "tokens a sequence (default " + std::to_string(m_spec.text.sequenceLength) + ")"},
                         m_spec.text.sequenceLength, kMinSequenceLength, kMaxSequenceLength);
        declareBos(arguments, m_spec.bos, "as the analysis read its text");
        declareDevice(arguments, m_spec.device);
        declareJson(arguments);
        arguments.footer(
            "For every layer, site (qkv, o, gate_up, down) and bit width: KL divergence of the next-token "
            "distributions of\nthe full model and of the model with only this site quantized, and the error "
            "of the site's output, measured and\npredicted. bdq plan chooses bits from it. Work grows with "
            "layers x layers x bit widths x tokens.\n");
    }

protected:
    Result<JobSpec> spec() override { return m_spec; }

    std::string printed(const JobResult& result) override {
        const auto& measured = std::get<SensitivityResult>(result);
        return json() ? endLine(encodeSensitivity(measured))
                      : describeSensitivity(measured) + "Sensitivity in " + m_spec.analysisDir + "/" +
                            kSensitivityFileName + "\n";
    }

private:
    Status takeActivation(const std::string& text) {
        BDQ_TRY(m_spec.activation, readActivation(text));
        return {};
    }

    Status takeTransforms(const std::string& text) {
        m_spec.transforms.clear();
        for (const std::string& id : splitList(text)) {
            BDQ_TRY(const TransformKind kind, readTransformName(id, "--transforms"));
            m_spec.transforms.push_back(kind);
        }
        return {};
    }

    Status takeRounding(const std::string& name) {
        const std::optional<WeightRounding> rounding = roundingFromName(name);
        if (rounding != WeightRounding::Rtn && rounding != WeightRounding::Mse)
            return fail(ErrorCode::InvalidSpec, "--weights: found \"" + name + "\", expected rtn or mse");
        m_spec.rounding = *rounding;
        return {};
    }

    SensitivitySpec m_spec;
};

} // namespace

std::unique_ptr<Command> makeSensitivityCommand() {
    return std::make_unique<SensitivityCommand>();
}

} // namespace bdq::cli
