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
#include <QMenu>
#include <QSignalSpy>
#include <QStyle>
#include <QStyleOptionComboBox>
#include <QTest>
#include <QToolButton>
#include <QWindow>

#include "tests/widgets/widget_fixtures.h"
#include "widgets/plots/channels_plot.h"
#include "widgets/plots/compare_plot.h"
#include "widgets/plots/flatness_plot.h"
#include "widgets/plots/histogram_plot.h"
#include "widgets/plots/run_rows_plot.h"
#include "widgets/plots/sqnr_layers_plot.h"
#include "widgets/plots/sqnr_plot.h"

using namespace bdq;

namespace {

const QSize kSize(720, 480);
const SiteKey kKey{11, Site::Down};

TextInfo text() {
    return test::makeAnalysis(1)->text;
}

/// The canvas inside a panel: the child that has the panel's accessible name.
QWidget* canvas(PlotPanel& panel) {
    for (QWidget* child : panel.findChildren<QWidget*>())
        if (child->inherits("QCustomPlot")) return child;
    return nullptr;
}

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

std::vector<RunSiteResult> runRows() {
    std::vector<RunSiteResult> rows;
    for (int layer = 0; layer < 8; ++layer)
        for (Site site : {Site::Qkv, Site::O, Site::GateUp, Site::Down, Site::KCache, Site::VCache})
            rows.push_back(RunSiteResult{
                {layer, site}, "W4A4KV4", 12.0 + layer + static_cast<int>(site), 0.01, 0, 0, 0, 0});
    return rows;
}

struct Plots {
    std::vector<std::unique_ptr<PlotPanel>> all;
    Plots() {
        all.push_back(std::make_unique<HistogramPlot>());
        all.push_back(std::make_unique<ChannelsPlot>());
        all.push_back(std::make_unique<FlatnessPlot>());
        all.push_back(std::make_unique<SqnrPlot>());
        all.push_back(std::make_unique<SqnrLayersPlot>());
        all.push_back(std::make_unique<RunRowsPlot>());
    }
    static void fill(PlotPanel& panel) {
        if (auto* detail = qobject_cast<DetailPlot*>(&panel))
            detail->setSite(test::makeSite(kKey), test::makeDetail(kKey), text());
        else if (auto* analysis = qobject_cast<AnalysisPlot*>(&panel))
            analysis->setAnalysis(test::makeAnalysis(12));
        else
            qobject_cast<RunRowsPlot*>(&panel)->setRows(runRows());
    }
};

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
    void rightClickOpensTheMenu();
    void cornerButtonsSaveAndReset();
    void focusIsAnOutline();
    void aLowPlotKeepsItsCurves();
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
    plot.setSite(test::makeSite(kKey), test::makeDetail(kKey, 200000), text());
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

void TstPlots::rightClickOpensTheMenu() {
    Plots plots;
    plots.all.push_back(std::make_unique<ComparePlot>());
    for (const auto& panel : plots.all) {
        if (auto* compare = qobject_cast<ComparePlot*>(panel.get()))
            compare->setRuns(std::make_shared<RunResult>(), nullptr, {"A", "B"});
        else
            Plots::fill(*panel);
        panel->resize(kSize);
        panel->show();
        QVERIFY(QTest::qWaitForWindowExposed(panel.get()));
        const QWidget* area = canvas(*panel);
        // By the window, as a mouse does it: only then the way of the event through the widgets counts.
        QTest::mouseClick(panel->windowHandle(), Qt::RightButton, {},
                          area->mapTo(panel.get(), area->rect().center()));
        QTRY_VERIFY2(QApplication::activePopupWidget(), panel->metaObject()->className());
        QStringList texts;
        for (const QAction* action : QApplication::activePopupWidget()->actions())
            texts << action->text();
        for (const char* format : {"PNG", "SVG", "PDF", "CSV"})
            QVERIFY2(!texts.filter("Save").filter(format).isEmpty(), format);
        QApplication::activePopupWidget()->close();
    }
}

void TstPlots::cornerButtonsSaveAndReset() {
    Plots plots;
    for (const auto& panel : plots.all) {
        Plots::fill(*panel);
        test::shot(*panel, kSize);
        auto* save = qobject_cast<QToolButton*>(test::byName(*panel, "Save the plot"));
        auto* reset = qobject_cast<QToolButton*>(test::byName(*panel, "Show all of the plot (Home)"));
        QVERIFY(save && save->isVisible() && !save->icon().isNull());
        QCOMPARE(save->menu()->actions().size(), 4);
        QSignalSpy spy(panel.get(), &PlotPanel::saveRequested);
        for (QAction* action : save->menu()->actions())
            action->trigger();
        QCOMPARE(spy.count(), 4);
        QVERIFY(spy.first().first().toString().endsWith(".png"));
        const QImage before = panel->toImage();
        QTest::keyClick(panel.get(), Qt::Key_Plus);
        QTest::qWait(20);
        QVERIFY(test::differingPixels(before, panel->toImage()) > 0);
        QTest::mouseClick(reset, Qt::LeftButton);
        QTest::qWait(20);
        QCOMPARE(test::differingPixels(before, panel->toImage()), 0);
    }
}

void TstPlots::focusIsAnOutline() {
    HistogramPlot panel;
    Plots::fill(panel);
    panel.resize(kSize);
    panel.show();
    panel.activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(&panel));
    panel.clearFocus();
    const QImage without = test::shot(panel, kSize);
    panel.setFocus();
    QVERIFY(panel.hasFocus());
    const QImage with = test::shot(panel, kSize);
    QCOMPARE(with.pixelColor(kSize.width() / 2, 0), panel.palette().color(QPalette::Highlight));
    // Nothing but the edge changes.
    const QRect inside(3, 3, kSize.width() - 6, kSize.height() - 6);
    QCOMPARE(test::differingPixels(with.copy(inside), without.copy(inside)), 0);
}

void TstPlots::aLowPlotKeepsItsCurves() {
    FlatnessPlot panel;
    Plots::fill(panel);
    // Of the width that the docks and a small screen leave: six entries of a legend on three lines.
    for (const int height : {180, 240, 320}) {
        test::shot(panel, QSize(380, height));
        const QRect axes = panel.axesRect();
        const int room = canvas(panel)->height();
        QVERIFY2(axes.height() > room / 3, qPrintable(QString::number(axes.height())));
        QVERIFY2(panel.yTitleHeight() <= axes.height() + 8,
                 qPrintable(QString::number(panel.yTitleHeight())));
    }
    test::shot(panel, kSize); // and here is room for all of it
    QVERIFY(panel.yTitleHeight() > 100);
    // What is saved is as large as ever and has its legend and titles.
    test::shot(panel, QSize(380, 180));
    QVERIFY(panel.toSvg().contains("entropy Flatness, 0 = flat"));
}

QTEST_MAIN(TstPlots)
#include "tst_plots.moc"
