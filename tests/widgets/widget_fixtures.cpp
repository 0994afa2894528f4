#include "tests/widgets/widget_fixtures.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <QAbstractButton>
#include <QCoreApplication>
#include <QLabel>
#include <QTest>

#include "widgets/panels/elided_label.h"

namespace bdq::test {

namespace {

/// Smooth wobble in [0, 1] from two numbers, instead of a random generator.
double wobble(int a, int b) {
    const double x = std::sin(a * 12.9898 + b * 78.233) * 43758.5453;
    return x - std::floor(x);
}

double gainOf(TransformKind kind) {
    return kind == TransformKind::None ? 0 : 6 + 2 * static_cast<double>(kind);
}

/// Larger for late layers, and not in the order of the SQNR.
LossEstimate makeLoss(SiteKey key, TransformKind kind) {
    LossEstimate loss;
    const double gain = std::pow(10, -gainOf(kind) / 10);
    const double at4 = (0.002 + 0.02 * wobble(7 * key.layer, static_cast<int>(key.site))) * gain *
                       (key == kCostliest ? 20 : 1);
    for (int bits = 2; bits <= 8; ++bits) {
        const auto i = static_cast<std::size_t>(bits - 2);
        const double nats = at4 * std::pow(4, 4 - bits);
        loss.activationSymmetric[i] = loss.activationAsymmetric[i] = 0.5 * nats;
        loss.weightSymmetric[i] = loss.weightAsymmetric[i] = 0.5 * nats;
        loss.weightSymmetricSearched[i] = loss.weightAsymmetricSearched[i] = 0.4 * nats;
    }
    return loss;
}

TransformAnalysis makeTransform(SiteKey key, TransformKind kind) {
    const int site = static_cast<int>(key.site);
    TransformAnalysis result;
    const double spread = 0.15 + 0.5 * wobble(key.layer, site);
    const double keep = kind == TransformKind::None ? 1 : 1 / (1.5 + static_cast<double>(kind));
    result.activation =
        Flatness{-7 * (1 - spread * keep), -7, spread * keep, spread * 3 * keep, spread * 1.2 * keep,
                 900 * spread * keep};
    result.weight = Flatness{-11, -12, 0.12 * spread * keep, spread * keep, 0.2 * spread * keep, 4000 * keep};
    result.concentrationActivationDb = -14 + gainOf(kind) / 2;
    result.concentrationWeightDb = -10 + gainOf(kind) / 4;
    result.alignmentDb = -17.3 + gainOf(kind) / 8;
    result.absmaxActivation = 180 * spread * keep;
    result.absmaxWeight = 1.7 * keep;
    result.kurtosisActivation = 3 + 800 * spread * keep * keep;
    result.outlierShare = 0.0031 * spread * keep;
    const double sqnr4 =
        8 + gainOf(kind) + 6 * wobble(key.layer + 3, site) - (key.site == Site::Down ? 3 : 0);
    for (int bits = 2; bits <= 8; ++bits) {
        const double noise = std::pow(10, -(sqnr4 + 6.02 * (bits - 4)) / 10) / 2;
        const auto i = static_cast<std::size_t>(bits - 2);
        result.activationNoiseSymmetric[i] = result.activationNoiseAsymmetric[i] = noise;
        result.weightNoiseSymmetric[i] = result.weightNoiseAsymmetric[i] = noise;
    }
    result.sqnrDbPredicted = {{"W4A4", sqnr4}, {"W8A8", sqnr4 + 24.08}};
    result.sqnrDbTheorem = {{"W4A4", sqnr4 + 1.5}, {"W8A8", sqnr4 + 24.5}};
    result.sqnrDbTokenMedian = {{"W4A4", sqnr4 - 2}};
    result.sqnrDbTokenLow = {{"W4A4", sqnr4 - 6}};
    result.loss = makeLoss(key, kind);
    if (kind != TransformKind::CatBlock128)
        result.sqnrDbMeasured = {{"W4A4", sqnr4 + 0.8 * (wobble(site, key.layer) - 0.5)}};
    return result;
}

LogHistogram makeHistogram(double scale, double tail) {
    LogHistogram histogram;
    for (int i = 1; i <= 4000; ++i) {
        const double u = (i - 0.5) / 4000;
        histogram.add(scale * std::sqrt(-2 * std::log(u)) * (u < tail ? 12 : 1));
    }
    return histogram;
}

std::vector<float> makeChannels(std::int64_t count, double scale, double steep) {
    std::vector<float> channels;
    for (int i = 0; i < count; ++i) {
        const int scrambled = static_cast<int>((i * 37LL) % count);
        channels.push_back(
            static_cast<float>(scale * (1 + 40 * steep * std::exp(-0.4 * scrambled) + 0.3 * wobble(i, 5))));
    }
    return channels;
}

} // namespace

SiteAnalysis makeSite(SiteKey key) {
    SiteAnalysis site;
    site.key = key;
    site.inFeatures = key.site == Site::Down ? 1536 : 576;
    site.outFeatures = key.site == Site::GateUp ? 3072 : key.site == Site::Qkv ? 960 : 576;
    site.tokens = 65536;
    site.sampleTokens = 2048;
    site.signalPower = 1;
    site.topTokenEnergyShare = key == kLoneToken ? 0.999 : 0.02;
    site.tensors = {"blk." + std::to_string(key.layer) + "." + std::string(siteName(key.site)) + ".weight"};
    for (const TransformInfo& info : closedFormTransforms())
        site.transforms[info.kind] = makeTransform(key, info.kind);
    return site;
}

std::shared_ptr<const AnalysisResult> makeAnalysis(int layers) {
    auto result = std::make_shared<AnalysisResult>();
    result->model.layers = layers;
    result->model.name = "SmolLM2-135M-Instruct";
    result->parameters = 134515008;
    result->text.source = "wikitext2-calibration.txt";
    result->text.tokens = 65536;
    result->text.sequences = 32;
    result->text.sequenceLength = 2048;
    result->lossEstimate = LossEstimateInfo{4, 256, 4, 20};
    result->provenance.seconds = 60;
    for (const TransformInfo& info : closedFormTransforms())
        result->spec.transforms.push_back(info.kind);
    for (int layer = 0; layer < layers; ++layer)
        for (Site site : kLinearSites)
            result->sites.push_back(makeSite(SiteKey{layer, site}));
    return result;
}

std::shared_ptr<const AnalysisResult> withoutLosses(const AnalysisResult& analysis) {
    auto result = std::make_shared<AnalysisResult>(analysis);
    result->lossEstimate.reset();
    for (SiteAnalysis& site : result->sites)
        for (auto& [kind, transform] : site.transforms)
            transform.loss.reset();
    return result;
}

SiteRanking makeRanking(const AnalysisResult& analysis, const Plan& plan, TransformKind transform) {
    SiteRanking ranking;
    ranking.basis = RankingBasis::Estimated;
    std::vector<std::pair<double, SiteKey>> order;
    for (const SiteAnalysis& site : analysis.sites) {
        order.emplace_back(-estimatedLoss(site, transform, plan.at(site.key)), site.key);
        ranking.sum -= order.back().first;
    }
    std::ranges::sort(order);
    int place = 0;
    for (const auto& [negative, key] : order)
        ranking.losses[key] = {-negative, -negative / ranking.sum, ++place};
    ranking.largest = order.front().second;
    return ranking;
}

std::shared_ptr<const SiteDetail> makeDetail(SiteKey key, std::int64_t features) {
    auto detail = std::make_shared<SiteDetail>();
    detail->key = key;
    detail->inFeatures = features;
    for (const TransformInfo& info : closedFormTransforms()) {
        const bool plain = info.kind == TransformKind::None;
        TransformDetail one;
        one.histogramActivation = makeHistogram(plain ? 0.4 : 0.6, plain ? 0.02 : 0);
        one.histogramWeight = makeHistogram(0.05, plain ? 0.001 : 0);
        one.channelRmsActivation = makeChannels(features, 0.4, plain ? 1 : 0.02);
        one.channelAbsmaxActivation = makeChannels(features, 2, plain ? 1.4 : 0.05);
        one.channelRmsWeight = makeChannels(features, 0.05, plain ? 0.2 : 0.01);
        one.channelAbsmaxWeight = makeChannels(features, 0.2, plain ? 0.3 : 0.02);
        detail->transforms[info.kind] = std::move(one);
    }
    return detail;
}

Scheme scheme(const char* text) {
    return parseScheme(text).value();
}

QPalette darkPalette() {
    QPalette palette;
    const QColor window(0x23, 0x26, 0x29);
    const QColor text(0xEE, 0xEE, 0xEE);
    palette.setColor(QPalette::Window, window);
    palette.setColor(QPalette::WindowText, text);
    palette.setColor(QPalette::Base, QColor(0x1B, 0x1E, 0x20));
    palette.setColor(QPalette::AlternateBase, window);
    palette.setColor(QPalette::Text, text);
    palette.setColor(QPalette::Button, QColor(0x31, 0x36, 0x3B));
    palette.setColor(QPalette::ButtonText, text);
    palette.setColor(QPalette::Mid, QColor(0x4A, 0x50, 0x56));
    palette.setColor(QPalette::Dark, QColor(0x15, 0x17, 0x19));
    palette.setColor(QPalette::Light, QColor(0x5A, 0x60, 0x66));
    palette.setColor(QPalette::PlaceholderText, QColor(0xA0, 0xA4, 0xA8));
    palette.setColor(QPalette::Highlight, QColor(0x2A, 0x82, 0xDA));
    palette.setColor(QPalette::HighlightedText, Qt::white);
    palette.setColor(QPalette::Disabled, QPalette::Text, QColor(0x77, 0x7B, 0x80));
    palette.setColor(QPalette::Disabled, QPalette::WindowText, QColor(0x77, 0x7B, 0x80));
    palette.setColor(QPalette::Disabled, QPalette::ButtonText, QColor(0x77, 0x7B, 0x80));
    return palette;
}

int differingPixels(const QImage& a, const QImage& b) {
    if (a.size() != b.size()) return a.width() * a.height();
    int count = 0;
    for (int y = 0; y < a.height(); ++y)
        for (int x = 0; x < a.width(); ++x)
            count += a.pixel(x, y) != b.pixel(x, y) ? 1 : 0;
    return count;
}

QImage shot(QWidget& widget, QSize size) {
    widget.resize(size);
    widget.show();
    QCoreApplication::processEvents();
    QTest::qWait(20); // queued replots
    return widget.grab().toImage();
}

QWidget* byName(QWidget& parent, const QString& accessibleName) {
    for (QWidget* child : parent.findChildren<QWidget*>())
        if (child->accessibleName() == accessibleName) return child;
    return nullptr;
}

QAbstractButton* button(QWidget& parent, const QString& text) {
    for (QAbstractButton* child : parent.findChildren<QAbstractButton*>())
        if (QString(child->text()).remove('&') == text) return child;
    return nullptr;
}

bool showsText(QWidget& parent, const QString& part) {
    for (const QLabel* label : parent.findChildren<QLabel*>())
        if (label->isVisible() && label->text().contains(part)) return true;
    for (const ElidedLabel* label : parent.findChildren<ElidedLabel*>())
        if (label->isVisible() && label->text().contains(part)) return true;
    return false;
}

int reachableByTab(QWidget& window) {
    std::set<QWidget*> seen;
    for (int i = 0; i < 200; ++i) {
        QTest::keyClick(window.focusWidget() ? window.focusWidget() : &window, Qt::Key_Tab);
        if (!window.focusWidget() || !seen.insert(window.focusWidget()).second) break;
    }
    return static_cast<int>(seen.size());
}

} // namespace bdq::test
