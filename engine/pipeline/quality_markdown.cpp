#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <vector>

#include "engine/pipeline/quality_table.h"

namespace bdq {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kGiga = 1e9;
constexpr double kPercent = 100;

std::string textAt(const Json& object, const std::string& key) {
    if (!object.is_object() || !object.contains(key)) return "-";
    const Json& value = object[key];
    if (value.is_null()) return "-";
    std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    std::string escaped;
    for (const char c : text) {
        if (c == '|') escaped += '\\';
        escaped += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    return escaped;
}

double numberAt(const Json& object, const std::string& key) {
    const bool there = object.is_object() && object.contains(key) && object[key].is_number();
    return there ? object[key].get<double>() : std::numeric_limits<double>::quiet_NaN();
}

/// Fixed decimals; scientific where no digit behind the point means anything any more.
std::string fixed(double value, int decimals) {
    constexpr double kReadable = 1e6;
    if (!std::isfinite(value)) return "-";
    std::array<char, 64> buffer{};
    std::snprintf(buffer.data(), buffer.size(), std::abs(value) < kReadable ? "%.*f" : "%.*e", decimals,
                  value);
    return buffer.data();
}

std::string fixedAt(const Json& object, const std::string& key, int decimals, double factor = 1) {
    return fixed(factor * numberAt(object, key), decimals);
}

/// "54.21 +- 1.02" in percent.
std::string shareWithError(const Json& task, const std::string& key) {
    return fixedAt(task, key, 2, kPercent) + " +- " + fixedAt(task, key + "_stderr", 2, kPercent);
}

/// "24.145 +- 0.512"; a single window has no error.
std::string perplexityWithError(const Json& measured) {
    const double error = numberAt(measured, "perplexity_stderr");
    return fixedAt(measured, "perplexity", 3) + (std::isfinite(error) ? " +- " + fixed(error, 3) : "");
}

const Json& tasksOf(const Json& object) {
    static const Json none = Json::array();
    return object.is_object() && object.contains("tasks") && object["tasks"].is_array() ? object["tasks"]
                                                                                        : none;
}

std::string tableLine(const std::vector<std::string>& cells) {
    std::string line = "|";
    for (const std::string& cell : cells)
        line += " " + cell + " |";
    return line + "\n";
}

std::vector<std::string> heading(const Json& full) {
    std::vector<std::string> cells{"method",     "preset", "seed", "samples", "epochs", "steps",
                                   "perplexity", "gap",    "KL",   "top-1 %", "bits"};
    for (const Json& task : tasksOf(full))
        for (const char* measure : {" acc %", " acc_norm %"})
            cells.push_back(textAt(task, "name") + measure);
    for (const char* last : {"run s", "eval s", "host GB", "device GB", "device"})
        cells.emplace_back(last);
    return cells;
}

std::vector<std::string> finishedCells(const Json& row) {
    std::vector<std::string> cells;
    for (const char* key : {"method", "preset", "seed", "samples", "epochs", "e2e_steps"})
        cells.push_back(textAt(row, key));
    cells.push_back(perplexityWithError(row));
    cells.push_back(fixedAt(row, "gap", 3));
    cells.push_back(fixedAt(row, "kl", 4));
    cells.push_back(fixedAt(row, "top1_agreement", 2, kPercent));
    cells.push_back(fixedAt(row, "average_weight_bits", 3));
    for (const Json& task : tasksOf(row)) {
        cells.push_back(shareWithError(task, "acc"));
        cells.push_back(shareWithError(task, "acc_norm"));
    }
    const bool resumed = row.contains("resumed") && row["resumed"] == true;
    cells.push_back(fixedAt(row, "run_seconds", 1) + (resumed ? "+" : ""));
    cells.push_back(fixedAt(row, "eval_seconds", 1));
    cells.push_back(fixedAt(row, "peak_host_bytes", 2, 1 / kGiga));
    cells.push_back(fixedAt(row, "peak_device_bytes", 2, 1 / kGiga));
    cells.push_back(textAt(row, "device"));
    return cells;
}

std::string schemeTable(const Json& document, const std::string& scheme) {
    const std::vector<std::string> columns = heading(document["full"]);
    std::string text = "\n## " + scheme + "\n\n" + tableLine(columns) +
                       tableLine(std::vector<std::string>(columns.size(), "---"));
    for (const Json& row : document["rows"])
        if (textAt(row, "scheme") == scheme && textAt(row, "status") == "finished")
            text += tableLine(finishedCells(row));
    return text;
}

std::vector<std::string> finishedSchemes(const Json& document) {
    std::vector<std::string> schemes;
    for (const Json& row : document["rows"]) {
        const std::string scheme = textAt(row, "scheme");
        if (textAt(row, "status") == "finished" &&
            std::find(schemes.begin(), schemes.end(), scheme) == schemes.end())
            schemes.push_back(scheme);
    }
    return schemes;
}

std::string failedRows(const Json& document) {
    std::string text;
    for (const Json& row : document["rows"])
        if (textAt(row, "status") == "failed")
            text += "* " + textAt(row, "name") + ": " + textAt(row, "error") + "\n";
    return text.empty() ? text : "\n## Failed\n\n" + text;
}

std::string fullLine(const Json& full) {
    if (!full.is_object()) return "Full model: not measured yet.\n";
    std::string text = "Full model:";
    if (full.contains("perplexity"))
        text += " perplexity " + perplexityWithError(full) + " (" + textAt(full, "windows") + " windows of " +
                textAt(full, "seq_len") + " tokens of " + textAt(full, "text") +
                (full.contains("bos") ? full["bos"] == true ? ", BOS in front" : ", no BOS" : "") + ")";
    for (const Json& task : tasksOf(full))
        text += (text.back() == ':' ? " " : "; ") + textAt(task, "name") + " (" + textAt(task, "items") +
                " items) acc " + shareWithError(task, "acc") + " %, acc_norm " +
                shareWithError(task, "acc_norm") + " %";
    return text + ".\n";
}

std::string machineLine(const Json& full) {
    if (!full.is_object() || !full.contains("provenance")) return {};
    const Json& made = full["provenance"];
    return "\nVersion " + textAt(made, "version") + ", libtorch " + textAt(made, "torch") + ", " +
           textAt(made, "device") + " (" + textAt(made, "device_name") + "), " + textAt(made, "started_utc") +
           ".\n";
}

constexpr const char* kDefinitions =
    "\nSimulated arithmetic. gap: perplexity less the full model's; KL: KL(full || quantized), nats a token; "
    "top-1: "
    "both\nmodels rate the same next token highest; bits: per linear weight, scales and zero points counted; "
    "+-: "
    "standard\nerror; epochs: passes a block; steps: over the whole model; run s: quantizing and training "
    "(with a "
    "+: the last part\nof a run that was interrupted); memory: the peak of the run.\n";

} // namespace

std::string qualityMarkdown(const Json& document) {
    std::string text = "# Quality of quantized models: " + textAt(document["settings"], "model_name") +
                       "\n\n" + fullLine(document["full"]) + machineLine(document["full"]);
    for (const std::string& scheme : finishedSchemes(document))
        text += schemeTable(document, scheme);
    return text + failedRows(document) + kDefinitions;
}

} // namespace bdq
