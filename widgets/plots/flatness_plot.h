// Flatness across layers, one line per site, before (thin, grey tint) and after a transform. One of the three
// definitions at a time, never two on one axis.
#pragma once

#include <optional>
#include <set>

#include "widgets/plots/analysis_plot.h"

class QComboBox;
class QCheckBox;
class QDoubleSpinBox;

namespace bdq {

class FlatnessPlot : public AnalysisPlot {
    Q_OBJECT
public:
    explicit FlatnessPlot(QWidget* parent = nullptr);
    void setDefinition(FlatnessDefinition definition);
    void setOperand(Operand operand);
    void setTransform(TransformKind after);
    /// Line that the user drags; empty = none.
    void setThreshold(std::optional<double> value);
    [[nodiscard]] FlatnessDefinition definition() const { return m_definition; }
    [[nodiscard]] Operand operand() const { return m_operand; }
    [[nodiscard]] TransformKind transform() const { return m_after; }
    [[nodiscard]] std::optional<double> threshold() const { return m_threshold; }
    [[nodiscard]] QString toCsv() const override;

signals:
    /// Rows whose value after the transform is at least the threshold; connect to SiteFilterModel::setOnly().
    /// `active` false = no threshold, `keys` is empty and every row passes.
    void thresholdChanged(bool active, const std::set<bdq::SiteKey>& keys);
    void transformChosen(bdq::TransformKind after);

protected:
    void rebuild() override;
    void resetRanges() override;
    [[nodiscard]] QString readoutAt(const QPointF& pixel) const override;
    [[nodiscard]] QString fileStem() const override;
    [[nodiscard]] QString whatIsShown() const override;
    void analysisChanged() override;
    void clicked(const QPointF& pixel) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    struct Point {
        SiteKey key;
        double before = 0;
        std::optional<double> after;
    };
    void setupControls();
    [[nodiscard]] std::vector<Point> points() const;
    [[nodiscard]] std::optional<Point> nearest(const QPointF& pixel) const;
    [[nodiscard]] bool nearThreshold(const QPointF& pixel) const;
    [[nodiscard]] double middleValue() const;
    void emitThreshold();
    void addSiteCurves(Site site, int index);
    void addThresholdLine();
    void addSelectionMarks();
    void updateToolTips();

    FlatnessDefinition m_definition = FlatnessDefinition::Entropy;
    Operand m_operand = Operand::Activation;
    TransformKind m_after = defaultTransform();
    std::optional<double> m_threshold;
    bool m_dragging = false;
    QComboBox* m_definitionBox = nullptr;
    QComboBox* m_operandBox = nullptr;
    QComboBox* m_afterBox = nullptr;
    QCheckBox* m_thresholdBox = nullptr;
    QDoubleSpinBox* m_thresholdSpin = nullptr;
};

} // namespace bdq
