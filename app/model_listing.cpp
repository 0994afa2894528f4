#include "app/model_listing.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "engine/io/model_config.h"

namespace bdq {

namespace {

struct PartName {
    std::string_view text;
    Site site;
};
// GGUF, Hugging Face's usual names, and Mixtral's (w1 gate, w3 up, w2 down).
constexpr std::array kParts{PartName{"gate", Site::GateUp}, PartName{"up", Site::GateUp},
                            PartName{"down", Site::Down},   PartName{"w1.", Site::GateUp},
                            PartName{"w3.", Site::GateUp},  PartName{"w2.", Site::Down}};

/// The number behind a part of the name, as in "layers.12."; nothing when it is not there.
std::optional<int> numberAfter(const std::string& name, std::string_view part) {
    const std::size_t at = name.find(part);
    if (at == std::string::npos) return std::nullopt;
    const char* begin = name.c_str() + at + part.size();
    char* end = nullptr;
    const long number = std::strtol(begin, &end, 10);
    return end != begin && number >= 0 && number < (1 << 20) ? std::optional(static_cast<int>(number))
                                                             : std::nullopt;
}

std::optional<Site> siteOf(std::string_view part) {
    for (const PartName& name : kParts)
        if (part.find(name.text) != std::string_view::npos) return name.site;
    return std::nullopt;
}

} // namespace

// The reasons that engine/model refuses a model for, as far as its header tells them.
NotComputed whyNotComputed(const ModelConfig& config) {
    if (!io::isComputed(config.architecture)) return NotComputed::Architecture;
    if (!config.ropeScaling.empty() && config.ropeDivisors.empty()) return NotComputed::RopeScaling;
    return NotComputed::Nothing;
}

// Experts are tensors of their own ("model.layers.3.mlp.experts.7.up_proj.weight") or one tensor a layer
// [experts, out, in] ("blk.3.ffn_up_exps.weight").
Experts expertsOf(const ModelIndex& index) {
    Experts experts;
    for (const TensorEntry& tensor : index.tensors) {
        const std::size_t single = tensor.name.find(".experts.");
        const bool together = tensor.name.find("_exps.") != std::string::npos && tensor.shape.size() == 3;
        if ((single == std::string::npos && !together) || tensor.shape.size() < 2) continue;
        const auto hf = numberAfter(tensor.name, "layers.");
        const auto layer = hf ? hf : numberAfter(tensor.name, "blk.");
        const auto site = siteOf(std::string_view(tensor.name).substr(together ? 0 : single));
        if (!layer || !site || tensor.shape.back() <= 0) continue;
        MatrixShape& shape = experts.shapes[{*layer, *site}];
        shape.columns = tensor.shape.back();
        shape.rows += tensor.elements() / tensor.shape.back();
        const int count = together ? static_cast<int>(std::min<std::int64_t>(tensor.shape.front(), 1 << 20))
                                   : numberAfter(tensor.name, ".experts.").value_or(0) + 1;
        experts.count = std::max(experts.count, count);
    }
    return experts;
}

std::vector<SiteAnalysis> listedSites(const ModelConfig& model, const Experts& experts) {
    std::vector<SiteAnalysis> sites;
    for (int layer = 0; layer < model.layers; ++layer)
        for (const Site site : kLinearSites) {
            const auto stacked = experts.shapes.find({layer, site});
            const MatrixShape shape =
                stacked == experts.shapes.end() ? stackedShape(model, site) : stacked->second;
            SiteAnalysis row;
            row.key = {layer, site};
            row.inFeatures = shape.columns;
            row.outFeatures = shape.rows;
            sites.push_back(std::move(row));
        }
    return sites;
}

} // namespace bdq
