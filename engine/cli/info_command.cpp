// bdq info MODEL: what a model file holds, from its headers alone.
#include <cmath>
#include <initializer_list>
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

/// Parts that the file says, with commas between them.
std::string joined(std::initializer_list<std::string> parts) {
    std::string text;
    for (const std::string& part : parts)
        if (!part.empty()) text += (text.empty() ? "" : ", ") + part;
    return text;
}

std::string counted(std::int64_t number, const char* unit) {
    return number > 0 ? formatCount(number) + unit : "";
}

std::string positions(const ModelConfig& config) {
    const std::string theta =
        config.ropeTheta > 0 ? "RoPE theta " + formatCount(std::llround(config.ropeTheta)) : "";
    return joined({counted(config.contextLength, " tokens"), theta,
                   config.ropeScaling.empty() ? "" : "scaling " + config.ropeScaling});
}

std::string headsText(const ModelConfig& config) {
    std::string own = config.heads > 0 ? std::to_string(config.heads) : "";
    if (config.heads > 0 && config.headDim > 0) own += " of " + std::to_string(config.headDim);
    return joined({own, config.kvHeads > 0 ? std::to_string(config.kvHeads) + " for keys and values" : ""});
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
    // What a file does not say is left out.
    const auto add = [&table](const char* what, const std::string& text) {
        if (!text.empty()) table.add({what, text});
    };
    add("name", config.name);
    add("architecture",
        joined({config.architecture, config.layers > 0 ? std::to_string(config.layers) + " layers" : ""}));
    add("hidden size", config.hiddenSize > 0 ? std::to_string(config.hiddenSize) : "");
    add("intermediate size", config.intermediateSize > 0 ? std::to_string(config.intermediateSize) : "");
    add("heads", headsText(config));
    add("vocabulary", counted(config.vocabSize, " tokens"));
    add("context", positions(config));
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
