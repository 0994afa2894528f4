// Every plot draws its data, follows the palette, exports, and answers the pointer.
#include <cmath>
#include <memory>
#include <set>

#include <QApplication>
#include <QBuffer>
#include <QClipboard>
#include <QComboBox>
#include <QElapsedTimer>
#include <QLabel>
#include <QSignalSpy>
#include <QStyle>
#include <QStyleOptionComboBox>
#include <QTest>

#include "tests/widgets/plot_fixtures.h"
#include "tests/widgets/widget_fixtures.h"
#include "widgets/plots/channels_plot.h"
#include "widgets/plots/flatness_plot.h"
#include "widgets/plots/histogram_plot.h"
#include "widgets/plots/run_rows_plot.h"
#include "widgets/plots/sqnr_layers_plot.h"
#include "widgets/plots/sqnr_plot.h"

using namespace bdq;
using test::canvas;
using test::Plots;
using test::runRows;

namespace {

const QSize kSize = test::kPlotSize;
constexpr SiteKey kKey = test::kPlotKey;

/// Column by column until a click hits a point.
bool clickUntil(PlotPanel& panel, QSignalSpy& spy) {
    QWidget* area = canvas(panel);
    for (int x = 60; x < area->width(); x += 6)
        for (int y = 60; y < area->height() - 40; y += 6) {
            QTest::mouseClick(area, Qt::LeftButton, Qt::NoModifier, QPoint(x, y));
            if (!spy.isEmpty()) return true;
        }
    return false;
}

void hover(QWidget* area, QPoint at) {
    QMouseEvent move(QEvent::MouseMove, QPointF(at), area->mapToGlobal(QPointF(at)), Qt::NoButton,
                     Qt::NoButton, Qt::NoModifier);
    QApplication::sendEvent(area, &move);
}

} // namespace

class TstPlots : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { QLocale::setDefault(QLocale(QLocale::English, QLocale::UnitedStates)); }
    void drawsData();
    void followsPalette();
    void namesAndExports();
    void titleSaysWhat();
    void histogramOperandAndTransform();
    void histogramCsvHasSameBins();
    void channelsSorted();
    void channelsLarge();
    void flatnessDefinitionsApart();
    void flatnessThreshold();
    void clickSelects();
    void sqnrHollowIsPredictedOnly();
    void readoutIsExact();
    void keyboardZooms();
    void toolRowsFitBesideTheDocks();
    void lowRunPlotHasNoLegend();
};

void TstPlots::drawsData() {
    Plots plots;
    for (const auto& panel : plots.all) {
        const QImage empty = test::shot(*panel, kSize);
        QVERIFY(panel->isEmpty());
        Plots::fill(*panel);
        const QImage full = test::shot(*panel, kSize);
        QVERIFY(!panel->isEmpty());
        QVERIFY2(test::differingPixels(empty, full) > 2000, panel->metaObject()->className());
    }
}

void TstPlots::followsPalette() {
    Plots plots;
    for (const auto& panel : plots.all) {
        Plots::fill(*panel);
        test::shot(*panel, kSize);
        panel->setPalette(test::darkPalette());
        const QImage dark = panel->toImage(1);
        QVERIFY2(dark.pixelColor(2, 2).lightness() < 64, panel->metaObject()->className());
    }
}

void TstPlots::namesAndExports() {
    Plots plots;
    for (const auto& panel : plots.all) {
        Plots::fill(*panel);
        test::shot(*panel, kSize);
        QVERIFY2(panel->minimumSizeHint().width() <= 500,
                 panel->metaObject()->className()); // beside both docks at 1280
        QVERIFY(!panel->accessibleName().isEmpty());
        QVERIFY(!canvas(*panel)->accessibleName().isEmpty());
        QVERIFY(panel->toPng().startsWith("\x89PNG"));
        QVERIFY(panel->toSvg().contains("<svg"));
        QVERIFY(panel->toPdf().startsWith("%PDF"));
        const QStringList lines = panel->toCsv().split('\n', Qt::SkipEmptyParts);
        QVERIFY(lines.size() > 5);
        for (const QString& line : lines)
            QCOMPARE(line.count(','), lines.first().count(','));
        panel->copyCsv();
        QCOMPARE(QApplication::clipboard()->text(), panel->toCsv());
    }
}

void TstPlots::titleSaysWhat() {
    HistogramPlot plot;
    Plots::fill(plot);
    for (const char* part : {"layer 11", "down", "65,536 tokens", "wikitext2-calibration.txt"})
        QVERIFY2(plot.title().contains(part), part);
    plot.setOperand(Operand::Weight);
    QVERIFY(plot.title().contains("blk.11.down.weight"));
}

void TstPlots::histogramOperandAndTransform() {
    HistogramPlot plot;
    Plots::fill(plot);
    QCOMPARE(plot.before(), TransformKind::None);
    const QImage first = test::shot(plot, kSize);
    plot.setTransforms(TransformKind::None, TransformKind::None);
    QVERIFY(test::differingPixels(first, test::shot(plot, kSize)) > 200);
    plot.setOperand(Operand::Weight);
    QVERIFY(test::differingPixels(first, test::shot(plot, kSize)) > 200);
    QSignalSpy spy(&plot, &DetailPlot::transformsChanged);
    auto* box = plot.findChildren<QComboBox*>().last();
    box->setFocus();
    QTest::keyClick(box, Qt::Key_Down);
    QCOMPARE(spy.count(), 1);
    QVERIFY(plot.after() != TransformKind::None);
}

void TstPlots::histogramCsvHasSameBins() {
    HistogramPlot plot;
    Plots::fill(plot);
    const QStringList lines = plot.toCsv().split('\n', Qt::SkipEmptyParts);
    QCOMPARE(lines.size(), LogHistogram::kBins + 1);
    const auto detail = test::makeDetail(kKey);
    std::int64_t before = 0;
    std::int64_t after = 0;
    for (int i = 1; i < lines.size(); ++i) {
        before += lines[i].section(',', 2, 2).toLongLong();
        after += lines[i].section(',', 3, 3).toLongLong();
    }
    QCOMPARE(before, detail->transforms.at(TransformKind::None).histogramActivation.total());
    QCOMPARE(after, detail->transforms.at(TransformKind::Bdq).histogramActivation.total());
}

void TstPlots::channelsSorted() {
    ChannelsPlot plot;
    Plots::fill(plot);
    plot.setMagnitude(ChannelMagnitude::Absmax);
    const auto detail = test::makeDetail(kKey);
    const QStringList lines = plot.toCsv().split('\n', Qt::SkipEmptyParts);
    QCOMPARE(lines.size(), static_cast<int>(test::kFeatures) + 1);
    double last = 1e30;
    for (int i = 1; i < lines.size(); ++i) {
        const auto channel = static_cast<std::size_t>(lines[i].section(',', 1, 1).toInt());
        const double value = lines[i].section(',', 2, 2).toDouble();
        QVERIFY(value <= last);
        last = value;
        const double expected =
            static_cast<double>(detail->transforms.at(TransformKind::None).channelAbsmaxActivation[channel]);
        QVERIFY(std::abs(value - expected) <= expected * 1e-8); // 9 significant digits
    }
}

void TstPlots::channelsLarge() {
    ChannelsPlot plot;
    plot.setSite(test::makeSite(kKey), test::makeDetail(kKey, 200000), test::plotText());
    test::shot(plot, kSize);
    QElapsedTimer timer;
    timer.start();
    canvas(plot)->repaint();
    QVERIFY2(timer.elapsed() < 500, "200,000 channels are reduced before drawing");
}

void TstPlots::flatnessDefinitionsApart() {
    FlatnessPlot plot;
    Plots::fill(plot);
    std::set<QString> columns;
    for (const auto definition :
         {FlatnessDefinition::Entropy, FlatnessDefinition::Channel, FlatnessDefinition::Figure2}) {
        plot.setDefinition(definition);
        const QString line = plot.toCsv().split('\n').at(1);
        const SiteAnalysis site = test::makeSite({0, Site::Qkv});
        const double expected = flatnessValue(site.transforms.at(TransformKind::None).activation, definition);
        QVERIFY(std::abs(line.section(',', 2, 2).toDouble() - expected) <= std::abs(expected) * 1e-8);
        columns.insert(line);
        auto* box = plot.findChildren<QComboBox*>().at(1);
        QVERIFY(box->toolTip().contains("better"));
    }
    QCOMPARE(columns.size(), std::size_t{3});
}

void TstPlots::flatnessThreshold() {
    FlatnessPlot plot;
    Plots::fill(plot);
    test::shot(plot, kSize);
    QSignalSpy spy(&plot, &FlatnessPlot::thresholdChanged);
    plot.setThreshold(0.05);
    QCOMPARE(spy.count(), 1);
    QVERIFY(spy.last().at(0).toBool());
    const auto keys = spy.last().at(1).value<std::set<SiteKey>>();
    std::set<SiteKey> expected;
    const auto analysis = test::makeAnalysis(12);
    for (const SiteAnalysis& site : analysis->sites)
        if (site.transforms.at(TransformKind::Bdq).activation.entropyNormalized >= 0.05)
            expected.insert(site.key);
    QVERIFY(!expected.empty() && expected.size() < 48);
    QCOMPARE(keys, expected);
    plot.setThreshold(std::nullopt);
    QVERIFY(!spy.last().at(0).toBool());
    plot.setThreshold(0.05);
    plot.setDefinition(FlatnessDefinition::Channel); // a value of one definition means nothing in another
    QVERIFY(!plot.threshold());
}

void TstPlots::clickSelects() {
    const auto check = [](AnalysisPlot& plot) {
        Plots::fill(plot);
        test::shot(plot, kSize);
        QSignalSpy spy(&plot, &AnalysisPlot::siteSelected);
        QVERIFY(clickUntil(plot, spy));
        const auto key = spy.first().first().value<SiteKey>();
        QVERIFY(key.layer >= 0 && key.layer < 12);
        const QImage before = test::shot(plot, kSize);
        plot.setSelected({key});
        QVERIFY(test::differingPixels(before, test::shot(plot, kSize)) > 4);
    };
    FlatnessPlot flatness;
    check(flatness);
    SqnrPlot sqnr;
    check(sqnr);
    SqnrLayersPlot layers;
    Plots::fill(layers);
    test::shot(layers, kSize);
    QSignalSpy spy(&layers, &AnalysisPlot::siteSelected);
    QVERIFY(clickUntil(layers, spy));
    QCOMPARE(spy.first().first().value<SiteKey>().site, Site::Down);
}

void TstPlots::sqnrHollowIsPredictedOnly() {
    SqnrPlot plot;
    Plots::fill(plot);
    plot.setScheme("W4A4");
    QVERIFY(plot.title().contains("of 48 within"));
    plot.setScheme("W8A8");
    QVERIFY(plot.title().contains("predicted only"));
    const QStringList lines = plot.toCsv().split('\n', Qt::SkipEmptyParts);
    QCOMPARE(lines.size(), 49);
    QVERIFY(lines[1].endsWith(','));
}

void TstPlots::readoutIsExact() {
    ChannelsPlot plot;
    Plots::fill(plot);
    test::shot(plot, kSize);
    QWidget* area = canvas(plot);
    hover(area, QPoint(area->width() / 2, area->height() / 2));
    QString found;
    for (const QLabel* label : plot.findChildren<QLabel*>())
        if (label->text().startsWith("rank")) found = label->text();
    QVERIFY2(found.contains("channel"), qPrintable(found));
}

void TstPlots::keyboardZooms() {
    FlatnessPlot plot;
    Plots::fill(plot);
    const QImage start = test::shot(plot, kSize);
    plot.setFocus();
    QTest::keyClick(&plot, Qt::Key_Plus);
    QVERIFY(test::differingPixels(start, test::shot(plot, kSize)) > 500);
    QTest::keyClick(&plot, Qt::Key_Home);
    plot.clearFocus();
    QVERIFY(test::differingPixels(start, test::shot(plot, kSize)) < 50);
}

void TstPlots::toolRowsFitBesideTheDocks() {
    constexpr int kCentre = 580; // of a window 1280 wide
    const Plots plots;
    for (const auto& panel : plots.all) {
        Plots::fill(*panel);
        test::shot(*panel, QSize(kCentre, 400));
        QVERIFY(panel->minimumSizeHint().width() <= kCentre);
        for (const QComboBox* box : panel->findChildren<QComboBox*>()) {
            QStyleOptionComboBox option;
            option.initFrom(box);
            const int room = box->style()
                                 ->subControlRect(QStyle::CC_ComboBox, &option, QStyle::SC_ComboBoxEditField)
                                 .width();
            QVERIFY2(box->fontMetrics().horizontalAdvance(box->currentText()) <= room,
                     qPrintable(QStringLiteral("%1: %2 in %3 px")
                                    .arg(box->accessibleName(), box->currentText())
                                    .arg(room)));
        }
    }
}

void TstPlots::lowRunPlotHasNoLegend() {
    RunRowsPlot panel;
    panel.setRows(runRows());
    test::shot(panel, QSize(400, 320));
    QVERIFY(panel.hasLegend());
    test::shot(panel, QSize(400, 120));
    QVERIFY(!panel.hasLegend());
    test::shot(panel, QSize(400, 320));
    QVERIFY(panel.hasLegend());
}

QTEST_MAIN(TstPlots)
#include "tst_plots.moc"
