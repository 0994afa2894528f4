#include "engine/io/pretokenizer.h"

#include <algorithm>

namespace bdq::io {
namespace {

struct Piece {
    std::string_view text;
    bool first = false; ///< an original text begins with it
};

/// A match of the pattern or what lies between two.
struct Stretch {
    Range range;
    bool match = false;
};

/// The whole text as stretches, in order; empty matches among them.
Result<std::vector<Stretch>> stretches(const PatternCut& cut, std::string_view text) {
    std::vector<Range> matches;
    BDQ_CHECK(cut.pattern.findAll(text, matches));
    std::vector<Stretch> all;
    std::size_t done = 0;
    for (const Range& match : matches) {
        if (match.begin > done) all.push_back({{done, match.begin}, cut.invert});
        all.push_back({match, !cut.invert});
        done = match.end;
    }
    if (done < text.size()) all.push_back({{done, text.size()}, cut.invert});
    return all;
}

/// Joins neighbours as the behavior says.
std::vector<Range> joined(const std::vector<Stretch>& all, CutBehavior behavior) {
    std::vector<Range> ranges;
    bool previous = false;
    for (const Stretch& stretch : all) {
        const bool join = behavior == CutBehavior::Contiguous           ? stretch.match == previous
                          : behavior == CutBehavior::MergedWithPrevious ? stretch.match && !previous
                                                                        : false;
        previous = stretch.match;
        if (behavior == CutBehavior::Removed && stretch.match) continue;
        if (join && !ranges.empty())
            ranges.back().end = stretch.range.end;
        else
            ranges.push_back(stretch.range);
    }
    return ranges;
}

/// Each match with what follows it.
std::vector<Range> joinedWithNext(const std::vector<Stretch>& all) {
    std::vector<Range> ranges;
    bool following = false;
    for (auto stretch = all.rbegin(); stretch != all.rend(); ++stretch) {
        if (stretch->match && !following && !ranges.empty())
            ranges.back().begin = stretch->range.begin;
        else
            ranges.push_back(stretch->range);
        following = stretch->match;
    }
    std::reverse(ranges.begin(), ranges.end());
    return ranges;
}

Status cutPiece(const PatternCut& cut, const Piece& piece, std::vector<Piece>& out) {
    BDQ_TRY(const std::vector<Stretch> all, stretches(cut, piece.text));
    const std::vector<Range> ranges =
        cut.behavior == CutBehavior::MergedWithNext ? joinedWithNext(all) : joined(all, cut.behavior);
    for (const Range& range : ranges)
        if (range.end > range.begin)
            out.push_back(
                {piece.text.substr(range.begin, range.end - range.begin), piece.first && range.begin == 0});
    return {};
}

Status cutPiece(const MetaspaceCut& cut, const Piece& piece, std::vector<Piece>& out,
                std::deque<std::string>& changed) {
    std::string text;
    text.reserve(piece.text.size() + cut.replacement.size());
    const bool wanted = cut.prepend == MetaspaceCut::Prepend::Always ||
                        (cut.prepend == MetaspaceCut::Prepend::First && piece.first);
    const bool there = piece.text.starts_with(' ') || piece.text.starts_with(cut.replacement);
    if (wanted && !there) text = cut.replacement;
    for (const char c : piece.text)
        if (c == ' ')
            text += cut.replacement;
        else
            text += c;
    const Piece whole{changed.emplace_back(std::move(text)), piece.first};
    if (cut.cut)
        return cutPiece(PatternCut{TextPattern::literal(cut.replacement), CutBehavior::MergedWithNext, false},
                        whole, out);
    out.push_back(whole);
    return {};
}

Status addPrefix(const Piece& piece, std::vector<Piece>& out, std::deque<std::string>& changed) {
    if (piece.text.starts_with(' '))
        out.push_back(piece);
    else
        out.push_back({changed.emplace_back(" " + std::string(piece.text)), piece.first});
    return {};
}

} // namespace

Status Pretokenizer::split(std::string_view text, bool first, Pieces& pieces) const {
    std::vector<Piece> current;
    if (!text.empty()) current.push_back({text, first});
    std::vector<Piece> next;
    for (const Stage& stage : m_stages) {
        next.clear();
        for (const Piece& piece : current) {
            if (const auto* cut = std::get_if<PatternCut>(&stage))
                BDQ_CHECK(cutPiece(*cut, piece, next));
            else if (const auto* metaspace = std::get_if<MetaspaceCut>(&stage))
                BDQ_CHECK(cutPiece(*metaspace, piece, next, pieces.changed));
            else
                BDQ_CHECK(addPrefix(piece, next, pieces.changed));
        }
        current.swap(next);
    }
    for (const Piece& piece : current)
        pieces.texts.push_back(piece.text);
    return {};
}

} // namespace bdq::io
