// bdq eval MODEL --text FILE --task FILE.jsonl: perplexity and multiple choice of a model, or of a model with
// a finished run applied.
#include "engine/api/spec_limits.h"
#include "engine/cli/job_command.h"
#include "engine/cli/job_options.h"
#include "engine/cli/summaries.h"
#include "engine/cli/text.h"

namespace bdq::cli {
namespace {

class EvalCommand : public JobCommand {
public:
    EvalCommand()
        : JobCommand("eval", "measure a model, or a run of it, on a text or on multiple-choice tasks") {}

    void declare(Arguments& arguments) override {
        arguments.word("MODEL", "GGUF file, safetensors file or Hugging Face folder", m_spec.modelPath);
        arguments.option({"--text", "FILE", "text to measure on"}, m_spec.evaluation.textPath);
        arguments.repeated({"--task", "FILE", "multiple-choice items, a JSON object a line; may be repeated"},
                           m_spec.tasks);
        arguments.number({"--limit", "N", "items of each task; 0 = all of them (default 0)"},
                         m_spec.taskLimit, 0, kMaxTaskItems);
        arguments.option({"--run", "DIR", "apply the finished run in DIR first"}, m_spec.runDir);
        arguments.number({"--seq-len", "N", "tokens a window (default 2048)"},
                         m_spec.evaluation.sequenceLength, kMinSequenceLength, kMaxSequenceLength);
        arguments.number({"--max-windows", "N", "windows to measure; 0 = all of the text (default 0)"},
                         m_spec.evaluation.maxWindows, 0, kMaxWindows);
        declareBos(arguments, m_spec.evaluation.bos);
        declareSeed(arguments, m_seed, "accepted for scripts: nothing is random here");
        declareDevice(arguments, m_spec.device);
        declareJson(arguments);
        arguments.footer(
            "Windows follow one another without overlap; each predicts all but its first token. With --run, "
            "the "
            "full\nmodel is measured beside it: KL(full || quantized) per token, and how often both rate the "
            "same next token\nhighest. A task has lines {\"context\": TEXT, \"choices\": [TEXT, ...], "
            "\"label\": N}: acc takes the choice with\nthe largest log P(\" \" + choice | context), acc_norm "
            "divides it by the characters of the choice.\n");
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
