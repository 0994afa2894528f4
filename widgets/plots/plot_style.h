// How curves and axes look, in one place, so that a site or transform looks the same in every plot.
#pragma once

#include <vector>

#include <QColor>
#include <QPointF>
#include <QString>

class QCPAxis;
class QCPGraph;
class QCustomPlot;
class QHBoxLayout;

namespace bdq {

struct PlotTheme;

inline constexpr std::size_t kPointBudget = 2000; ///< curves with more points are reduced before drawing
inline constexpr double kHitRadius = 12;          ///< pixels within which a point answers the pointer

struct MarkStyle {
    int shape = 0; ///< index into the set of shapes; -1 = none
    bool filled = true;
    double size = 7;
};

QCPGraph* addLine(QCustomPlot* plot, const QString& name, const QColor& color, double width = 1.5,
                  Qt::PenStyle style = Qt::SolidLine);
void addMarks(QCPGraph* graph, const MarkStyle& mark, const QColor& background);
/// Sets the points, reduced to kPointBudget.
void setPoints(QCPGraph* graph, const std::vector<double>& keys, const std::vector<double>& values);
/// Integer ticks for layers 0..layers-1.
void useLayerAxis(QCPAxis* axis, int layers);
/// Logarithmic with decades, or linear.
void useLogAxis(QCPAxis* axis, bool logarithmic);
/// Range over `values` with a margin; ignores what cannot be drawn on the axis.
void fitRange(QCPAxis* axis, const std::vector<double>& values, double margin = 0.06);
Qt::PenStyle dashOf(int index);
double distanceTo(const QPointF& a, const QPointF& b);
/// Lets the boxes of a tool row with long entries become narrower than these, so that plots fit beside the
/// docks; boxes of short entries keep their width. Call it when the boxes are filled.
void letShrink(QHBoxLayout* toolRow);
/// One field of a CSV line, quoted when needed.
QString csvField(const QString& text);
/// Number in C locale with full precision.
QString csvNumber(double value);

} // namespace bdq
