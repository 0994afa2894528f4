// bdq eval MODEL --text FILE: perplexity of a model, or of a model with a finished run applied.
#include "engine/api/spec_limits.h"
#include "engine/cli/job_command.h"
#include "engine/cli/job_options.h"
#include "engine/cli/summaries.h"
#include "engine/cli/text.h"

namespace bdq::cli {
namespace {

class EvalCommand : public JobCommand {
public:
    EvalCommand() : JobCommand("eval", "measure the perplexity of a model on a text") {}

    void declare(Arguments& arguments) override {
        arguments.word("MODEL", "GGUF file, safetensors file or Hugging Face folder", m_spec.modelPath);
        arguments.option({"--text", "FILE", "text to measure on"}, m_spec.evaluation.textPath, true);
        arguments.option({"--run", "DIR", "apply the finished run in DIR first"}, m_spec.runDir);
        arguments.number({"--seq-len", "N", "tokens a window (default 2048)"},
                         m_spec.evaluation.sequenceLength, kMinSequenceLength, kMaxSequenceLength);
        arguments.number({"--max-windows", "N", "windows to measure; 0 = all of the text (default 0)"},
                         m_spec.evaluation.maxWindows, 0, kMaxWindows);
        declareSeed(arguments, m_seed, "accepted for scripts: nothing is random here");
        declareDevice(arguments, m_spec.device);
        declareJson(arguments);
        arguments.footer(
            "Windows follow one another without overlap; each predicts all but its first token.\n");
    }

protected:
    Result<JobSpec> spec() override { return m_spec; }

    std::string printed(const JobResult& result) override {
        const auto& eval = std::get<EvalResult>(result);
        return json() ? endLine(encodeEval(eval)) : describeEval(eval);
    }

private:
    EvalSpec m_spec;
    std::uint64_t m_seed = 0;
};

} // namespace

std::unique_ptr<Command> makeEvalCommand() {
    return std::make_unique<EvalCommand>();
}

} // namespace bdq::cli
