#include "engine/api/quant_scheme.h"

#include <algorithm>
#include <cctype>

namespace bdq {
namespace {

struct SiteRow {
    Site site;
    std::string_view name;
};
constexpr std::array kSites{SiteRow{Site::Qkv, "qkv"},        SiteRow{Site::O, "o"},
                            SiteRow{Site::GateUp, "gate_up"}, SiteRow{Site::Down, "down"},
                            SiteRow{Site::KCache, "k_cache"}, SiteRow{Site::VCache, "v_cache"}};

struct RoundingRow {
    WeightRounding rounding;
    std::string_view name;
};
constexpr std::array kRoundings{
    RoundingRow{WeightRounding::Rtn, "rtn"}, RoundingRow{WeightRounding::Mse, "mse"},
    RoundingRow{WeightRounding::OutputMse, "output-mse"}, RoundingRow{WeightRounding::Gptq, "gptq"}};

constexpr int kUntouchedBits = 16;
constexpr int kMaxGroup = 1 << 20;
constexpr std::string_view kGrammar =
    "W, A or KV with 2..8 or 16 bits, then gN and sym or asym, e.g. \"W4A4KV4\", "
    "\"W4A4:g128\" or \"W4g128sym A4asym KV4asym\"";

enum class Operand { Weight, Activation, Kv };

/// Weights are asymmetric at 2 bits (design/product.md 6): two of four symmetric codes would share one sign.
bool defaultSymmetry(Operand operand, int bits) {
    switch (operand) {
    case Operand::Weight:
        return bits != 2;
    case Operand::Activation:
        return true;
    case Operand::Kv:
        return false;
    }
    return true;
}

char lower(char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

/// Reads a scheme from left to right.
class SchemeParser {
public:
    explicit SchemeParser(std::string_view text) : m_text(text) {}

    Result<Scheme> parse() {
        skipSpaces();
        while (m_at < m_text.size() && m_text[m_at] != ':') {
            BDQ_CHECK(parsePart());
            skipSpaces();
        }
        if (!m_seen[0] && !m_seen[1] && !m_seen[2]) return refuse("nothing");
        if (m_at < m_text.size()) BDQ_CHECK(parseGroupSuffix());
        return m_scheme;
    }

private:
    tl::unexpected<Error> refuse(const std::string& found) const {
        return fail(ErrorCode::InvalidSpec, "scheme \"" + std::string(m_text) + "\": found " + found +
                                                ", expected " + std::string(kGrammar));
    }
    [[nodiscard]] std::string rest(std::size_t from) const {
        return "\"" + std::string(m_text.substr(from)) + "\"";
    }

    void skipSpaces() {
        while (m_at < m_text.size() && m_text[m_at] == ' ')
            ++m_at;
    }
    bool take(std::string_view word) {
        if (m_text.size() - m_at < word.size()) return false;
        for (std::size_t i = 0; i < word.size(); ++i)
            if (lower(m_text[m_at + i]) != word[i]) return false;
        m_at += word.size();
        return true;
    }
    /// -1 when there are no digits; too large numbers stop at a value that no rule allows.
    int takeNumber() {
        if (m_at >= m_text.size() || std::isdigit(static_cast<unsigned char>(m_text[m_at])) == 0) return -1;
        int value = 0;
        for (; m_at < m_text.size() && std::isdigit(static_cast<unsigned char>(m_text[m_at])) != 0; ++m_at)
            value = std::min(value * 10 + (m_text[m_at] - '0'), 10 * kMaxGroup);
        return value;
    }

    Status parsePart() {
        const std::size_t start = m_at;
        Operand operand = Operand::Weight;
        if (take("kv"))
            operand = Operand::Kv;
        else if (take("a"))
            operand = Operand::Activation;
        else if (!take("w"))
            return refuse(rest(start));
        if (std::exchange(m_seen[static_cast<std::size_t>(operand)], true))
            return refuse("a second part " + rest(start));
        OperandScheme part;
        part.bits = takeNumber();
        if ((part.bits < 2 || part.bits > 8) && part.bits != kUntouchedBits)
            return refuse("bits in " + rest(start));
        part.symmetric = defaultSymmetry(operand, part.bits);
        const std::size_t suffix = m_at;
        if (take("g")) {
            part.groupSize = takeNumber();
            if (part.groupSize < 2 || part.groupSize > kMaxGroup) return refuse("group in " + rest(start));
        }
        if (take("asym"))
            part.symmetric = false;
        else if (take("sym"))
            part.symmetric = true;
        if (!part.quantizes() && m_at != suffix) return refuse("a suffix for 16 bits in " + rest(start));
        (operand == Operand::Weight       ? m_scheme.weight
         : operand == Operand::Activation ? m_scheme.activation
                                          : m_scheme.kv) = part;
        return {};
    }

    Status parseGroupSuffix() {
        const std::size_t start = m_at;
        const int group = take(":g") ? takeNumber() : -1;
        if (group < 2 || group > kMaxGroup || m_at != m_text.size()) return refuse(rest(start));
        if (!m_scheme.weight.quantizes() || m_scheme.weight.groupSize != 0)
            return refuse(rest(start) + " without a weight part that it can apply to");
        m_scheme.weight.groupSize = group;
        return {};
    }

    std::string_view m_text;
    std::size_t m_at = 0;
    std::array<bool, 3> m_seen{};
    Scheme m_scheme;
};

std::string formatPart(std::string_view name, Operand operand, const OperandScheme& part, bool withGroup) {
    std::string text = std::string(name) + std::to_string(part.bits);
    if (!part.quantizes()) return text;
    if (withGroup && part.groupSize > 0) text += "g" + std::to_string(part.groupSize);
    if (part.symmetric != defaultSymmetry(operand, part.bits)) text += part.symmetric ? "sym" : "asym";
    return text;
}

bool hasSymmetrySuffix(Operand operand, const OperandScheme& part) {
    return part.quantizes() && part.symmetric != defaultSymmetry(operand, part.bits);
}

bool hasGroup(const OperandScheme& part) {
    return part.quantizes() && part.groupSize > 0;
}

} // namespace

std::string_view siteName(Site site) {
    for (const SiteRow& row : kSites)
        if (row.site == site) return row.name;
    return "qkv";
}

std::optional<Site> siteFromName(std::string_view name) {
    for (const SiteRow& row : kSites)
        if (row.name == name) return row.site;
    return std::nullopt;
}

std::string_view roundingName(WeightRounding rounding) {
    for (const RoundingRow& row : kRoundings)
        if (row.rounding == rounding) return row.name;
    return "rtn";
}

std::optional<WeightRounding> roundingFromName(std::string_view name) {
    for (const RoundingRow& row : kRoundings)
        if (row.name == name) return row.rounding;
    return std::nullopt;
}

Result<Scheme> parseScheme(std::string_view text) {
    constexpr std::size_t kLongest = 100;
    if (text.size() > kLongest)
        return fail(ErrorCode::InvalidSpec, "scheme: found " + std::to_string(text.size()) +
                                                " characters, expected " + std::string(kGrammar));
    return SchemeParser(text).parse();
}

std::string formatScheme(const Scheme& scheme) {
    const bool longForm = hasGroup(scheme.activation) || hasGroup(scheme.kv) ||
                          hasSymmetrySuffix(Operand::Weight, scheme.weight) ||
                          hasSymmetrySuffix(Operand::Activation, scheme.activation) ||
                          hasSymmetrySuffix(Operand::Kv, scheme.kv);
    const std::string gap = longForm ? " " : "";
    std::string text = formatPart("W", Operand::Weight, scheme.weight, longForm) + gap +
                       formatPart("A", Operand::Activation, scheme.activation, longForm);
    if (scheme.kv.quantizes()) text += gap + formatPart("KV", Operand::Kv, scheme.kv, longForm);
    if (!longForm && hasGroup(scheme.weight)) text += ":g" + std::to_string(scheme.weight.groupSize);
    return text;
}

double effectiveWeightBits(const OperandScheme& weight, std::int64_t inFeatures) {
    if (!weight.quantizes() || inFeatures <= 0) return weight.bits;
    const std::int64_t group = weight.groupSize > 0 ? weight.groupSize : inFeatures;
    const auto groups = static_cast<double>((inFeatures + group - 1) / group);
    constexpr double kScaleBits = 16; // fp16
    const double perGroup = kScaleBits + (weight.symmetric ? 0.0 : weight.bits);
    return weight.bits + groups * perGroup / static_cast<double>(inFeatures);
}

const Scheme& Plan::at(SiteKey key) const {
    const auto found = overrides.find(key);
    return found == overrides.end() ? base : found->second;
}

void Plan::set(SiteKey key, const Scheme& scheme) {
    if (scheme == base)
        overrides.erase(key);
    else
        overrides.insert_or_assign(key, scheme);
}

} // namespace bdq
