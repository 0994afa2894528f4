#include "engine/eval/choice_requests.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace bdq {
namespace {

using Tokens = std::vector<std::int32_t>;

/// What the model reads for one choice, and what it is to predict from the last rows.
struct Sequence {
    Tokens input;
    Tokens targets;
    bool cut = false;
};

/// Makes the sequences of one item.
class ItemEncoder {
public:
    ItemEncoder(const io::Tokenizer& tokenizer, bool bos, std::size_t contextLength, std::string label)
        : m_tokenizer(tokenizer), m_bos(bos), m_contextLength(contextLength), m_label(std::move(label)) {}

    Result<std::vector<Sequence>> encode(const ChoiceItem& item) const {
        const std::size_t end = item.context.find_last_not_of(" \t\n\r\f\v") + 1;
        const std::string context = item.context.substr(0, end);
        BDQ_TRY(const Tokens contextTokens, tokens(context));
        std::vector<Sequence> sequences;
        for (const std::string& choice : item.choices) {
            BDQ_TRY(Tokens all, tokens(item.context + " " + choice));
            if (all.size() <= contextTokens.size())
                return fail(ErrorCode::BadFormat,
                            m_label + ": choices[" + std::to_string(sequences.size()) +
                                "]: found no token beyond the context's, expected at least one");
            std::size_t context0 = contextTokens.size();
            if (context0 == 0) {
                BDQ_TRY(const std::int32_t start, startToken());
                all.insert(all.begin(), start);
                context0 = 1;
            }
            BDQ_TRY(Sequence sequence, split(all, context0, sequences.size()));
            sequences.push_back(std::move(sequence));
        }
        return sequences;
    }

private:
    Result<Tokens> tokens(const std::string& text) const {
        Tokens ids;
        if (!text.empty()) {
            auto found = m_tokenizer.encode(text);
            if (!found) return passOn(std::move(found).error(), m_label);
            ids = std::move(*found);
        }
        if (m_bos && (ids.empty() || ids.front() != *m_tokenizer.bosId()))
            ids.insert(ids.begin(), *m_tokenizer.bosId());
        return ids;
    }

    Result<std::int32_t> startToken() const {
        if (m_tokenizer.bosId()) return *m_tokenizer.bosId();
        if (m_tokenizer.eosId()) return *m_tokenizer.eosId();
        return fail(ErrorCode::Unsupported,
                    m_label +
                        ": context: found nothing, and the tokenizer has neither a BOS nor an EOS token "
                        "to start from, expected a text");
    }

    // The last token is only predicted, never read.
    Result<Sequence> split(const Tokens& all, std::size_t context, std::size_t choice) const {
        const auto own = all.begin() + static_cast<std::ptrdiff_t>(context);
        Sequence sequence{{}, Tokens(own, all.end()), false};
        if (sequence.targets.size() > m_contextLength)
            return fail(ErrorCode::BadFormat, m_label + ": choices[" + std::to_string(choice) + "]: found " +
                                                  std::to_string(sequence.targets.size()) +
                                                  " tokens, expected at most the model's context of " +
                                                  std::to_string(m_contextLength));
        const std::size_t length = std::min(all.size() - 1, m_contextLength);
        sequence.cut = length < all.size() - 1;
        sequence.input.assign(all.end() - 1 - static_cast<std::ptrdiff_t>(length), all.end() - 1);
        return sequence;
    }

    const io::Tokenizer& m_tokenizer;
    bool m_bos; ///< only with a tokenizer that has one
    std::size_t m_contextLength;
    std::string m_label;
};

bool beginsWith(const Tokens& longer, const Tokens& shorter) {
    return shorter.size() <= longer.size() && std::equal(shorter.begin(), shorter.end(), longer.begin());
}

/// Appends the sequences of one item, longest first, so that shorter ones find those that they begin.
void append(std::vector<Sequence> sequences, ChoiceRequests& all) {
    std::vector<std::size_t> order(sequences.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
        return sequences[a].input.size() > sequences[b].input.size();
    });
    const std::size_t firstInput = all.inputs.size();
    const std::size_t firstRequest = all.requests.size();
    all.requests.resize(firstRequest + sequences.size());
    for (const std::size_t index : order) {
        Sequence& sequence = sequences[index];
        ChoiceRequest& request = all.requests[firstRequest + index];
        request.first = static_cast<std::int64_t>(sequence.input.size() - sequence.targets.size());
        request.targets = std::move(sequence.targets);
        const auto own = all.inputs.begin() + static_cast<std::ptrdiff_t>(firstInput);
        const auto same = std::find_if(
            own, all.inputs.end(), [&](const Tokens& input) { return beginsWith(input, sequence.input); });
        request.input = static_cast<std::size_t>(same - all.inputs.begin());
        if (same == all.inputs.end()) all.inputs.push_back(std::move(sequence.input));
    }
}

} // namespace

Result<int> addRequests(const ChoiceTask& task, const io::Tokenizer& tokenizer, std::int64_t contextLength,
                        const JobContext& context, ChoiceRequests& all, BosMode bos) {
    if (bos == BosMode::On && !tokenizer.bosId())
        return fail(ErrorCode::Unsupported, task.path + ": a BOS was asked for (--bos on), and the tokenizer "
                                                        "has none, expected --bos auto or off");
    const bool addsBos = bos == BosMode::On || (bos == BosMode::Auto && tokenizer.addsBos());
    const std::size_t longest =
        contextLength > 0 ? static_cast<std::size_t>(contextLength) : std::numeric_limits<std::size_t>::max();
    int cut = 0;
    for (const ChoiceItem& item : task.items) {
        BDQ_CHECK(context.checkCancelled());
        const ItemEncoder encoder(tokenizer, addsBos, longest, task.path + ":" + std::to_string(item.line));
        BDQ_TRY(std::vector<Sequence> sequences, encoder.encode(item));
        if (std::ranges::any_of(sequences, &Sequence::cut)) ++cut;
        append(std::move(sequences), all);
    }
    return cut;
}

} // namespace bdq
