// bdq info MODEL: what a model file holds, from its headers alone.
#include <cmath>
#include <map>

#include "engine/api/results.h"
#include "engine/cli/command.h"
#include "engine/cli/text.h"
#include "engine/io/model_reader.h"

namespace bdq::cli {
namespace {

std::string tensorTypes(const ModelIndex& index) {
    std::map<std::string, int> counts;
    for (const TensorEntry& tensor : index.tensors)
        ++counts[std::string(tensorTypeName(tensor.type))];
    std::string text;
    for (const auto& [name, count] : counts)
        text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + name;
    return text;
}

std::string positions(const ModelConfig& config) {
    std::string text = formatCount(config.contextLength) + " tokens, RoPE theta " +
                       formatCount(std::llround(config.ropeTheta));
    if (!config.ropeScaling.empty()) text += ", scaling " + config.ropeScaling;
    return text;
}

std::string attentionWindow(const ModelConfig& config) {
    std::string text = formatCount(config.slidingWindow) + " tokens";
    if (config.firstSlidingLayer > 0)
        text += " from layer " + std::to_string(config.firstSlidingLayer) + " on";
    return text;
}

std::string describe(const ModelIndex& index) {
    const ModelConfig& config = index.config;
    TextTable table({"format", index.format + ", " + std::to_string(index.files.size()) +
                                   (index.files.size() == 1 ? " file, " : " files, ") +
                                   formatBytes(index.fileBytes)});
    table.add({"name", config.name});
    table.add({"architecture", config.architecture + ", " + std::to_string(config.layers) + " layers"});
    table.add({"hidden size", std::to_string(config.hiddenSize)});
    table.add({"intermediate size", std::to_string(config.intermediateSize)});
    table.add({"heads", std::to_string(config.heads) + " of " + std::to_string(config.headDim) + ", " +
                            std::to_string(config.kvHeads) + " for keys and values"});
    table.add({"vocabulary", formatCount(config.vocabSize) + " tokens"});
    table.add({"context", positions(config)});
    if (config.slidingWindow > 0) table.add({"sliding window", attentionWindow(config)});
    table.add({"parameters",
               formatCount(index.parameters) + (config.tiedEmbedding ? " (head tied to embedding)" : "")});
    table.add({"tensors", std::to_string(index.tensors.size()) + " (" + tensorTypes(index) + ")"});
    return index.path + "\n" + table.render();
}

class InfoCommand : public Command {
public:
    InfoCommand() : Command("info", "show what a model file holds, from its headers alone") {}

    void declare(Arguments& arguments) override {
        arguments.word("MODEL", "GGUF file, safetensors file or Hugging Face folder", m_model);
        declareJson(arguments);
    }

    Result<int> execute(Console& console, EngineServices*) override {
        BDQ_TRY(const io::ModelReader model, io::ModelReader::open(m_model));
        BDQ_CHECK(console.print(json() ? endLine(encodeModelInfo(model.index())) : describe(model.index())));
        return 0;
    }

private:
    std::string m_model;
};

} // namespace

std::unique_ptr<Command> makeInfoCommand() {
    return std::make_unique<InfoCommand>();
}

} // namespace bdq::cli
