#include "engine/report/sensitivity_section.h"

#include <cmath>

#include "engine/report/common_sections.h"
#include "engine/report/site_plots.h"
#include "engine/report/text_format.h"

namespace bdq::report {
namespace {

std::string schemeText(const SensitivityResult& sensitivity, const OperandScheme& weight) {
    return weightText(weight) + activationText(sensitivity.activation);
}

/// A relative error as signal over noise in dB.
double sqnrDb(double error) {
    return -10.0 * std::log10(error);
}

Block plots(const SensitivityResult& sensitivity, TransformKind transform) {
    PlotGroup group{"Lower is better. One line a site; only that site is quantized.", {}};
    for (const OperandScheme& weight : sensitivity.weights()) {
        std::vector<SiteValue> values;
        for (const SensitivityRow& row : sensitivity.rows)
            if (row.transform == transform && row.weight == weight)
                values.push_back({row.key, row.klDivergence});
        group.plots.push_back(valuesByLayer(divergenceTitle(sensitivity, weight), "KL (nats)", values));
    }
    return group;
}

Table table(const SensitivityResult& sensitivity) {
    const std::vector<OperandScheme> weights = sensitivity.weights();
    Table table{{{"Layer", {}}, {"Site", {}}, {"Transform", {}}}, {}, true};
    for (const OperandScheme& weight : weights)
        table.columns.push_back(metricColumn("kl_site", divergenceTitle(sensitivity, weight)));
    for (const OperandScheme& weight : weights) {
        const std::string scheme = schemeText(sensitivity, weight);
        table.columns.push_back(metricColumn("sqnr_db", "SQNR, " + scheme));
        table.columns.push_back(metricColumn("sqnr_db_predicted", "predicted, " + scheme));
    }
    for (const SensitivityRow& first : sensitivity.rows) {
        if (first.weight != weights.front()) continue;
        std::vector<Cell> cells{countCell(first.key.layer), textCell(std::string(siteName(first.key.site))),
                                textCell(std::string(transformInfo(first.transform).id))};
        std::vector<Cell> errors;
        for (const OperandScheme& weight : weights) {
            const SensitivityRow* row = sensitivity.find(first.key, first.transform, weight);
            cells.push_back(row == nullptr ? textCell("") : numberCell(row->klDivergence));
            errors.push_back(row == nullptr ? textCell("") : sqnrCell(sqnrDb(row->outputError)));
            errors.push_back(row == nullptr ? textCell("") : dbCell(sqnrDb(row->predictedError)));
        }
        cells.insert(cells.end(), errors.begin(), errors.end());
        table.rows.push_back(std::move(cells));
    }
    return table;
}

} // namespace

std::string divergenceTitle(const SensitivityResult& sensitivity, const OperandScheme& weight) {
    return "KL, " + schemeText(sensitivity, weight);
}

Section sensitivitySection(const SensitivityResult& sensitivity) {
    Section section{
        "Sensitivity",
        {Paragraph{"What the whole model loses when one site is quantized and everything else "
                   "stays in full precision: KL divergence of its next-token distributions from "
                   "those of the full model, over " +
                       formatCount(sensitivity.klTokens) + " tokens of " + sensitivity.text.source + " (" +
                       bosText(sensitivity.text) + ")" + "; weights rounded by " +
                       std::string(roundingName(sensitivity.rounding)) + ".",
                   false}}};
    for (const TransformKind transform : sensitivity.transforms()) {
        section.blocks.emplace_back(Subheading{std::string(transformInfo(transform).title)});
        section.blocks.push_back(plots(sensitivity, transform));
    }
    section.blocks.emplace_back(table(sensitivity));
    return section;
}

} // namespace bdq::report
