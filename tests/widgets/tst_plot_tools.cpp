// What a plot offers beside its curves: menu, buttons, focus, and texts that leave the curves room.
#include <QApplication>
#include <QLocale>
#include <QMenu>
#include <QSignalSpy>
#include <QTest>
#include <QToolButton>
#include <QWindow>

#include "tests/widgets/plot_fixtures.h"
#include "tests/widgets/widget_fixtures.h"
#include "widgets/plots/compare_plot.h"
#include "widgets/plots/flatness_plot.h"
#include "widgets/plots/histogram_plot.h"

using namespace bdq;
using test::canvas;
using test::Plots;

namespace {

const QSize kSize = test::kPlotSize;

} // namespace

class TstPlotTools : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { QLocale::setDefault(QLocale(QLocale::English, QLocale::UnitedStates)); }
    void rightClickOpensTheMenu();
    void cornerButtonsSaveAndReset();
    void focusIsAnOutline();
    void aLowPlotKeepsItsCurves();
};

void TstPlotTools::rightClickOpensTheMenu() {
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

void TstPlotTools::cornerButtonsSaveAndReset() {
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

void TstPlotTools::focusIsAnOutline() {
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

void TstPlotTools::aLowPlotKeepsItsCurves() {
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

QTEST_MAIN(TstPlotTools)
#include "tst_plot_tools.moc"
