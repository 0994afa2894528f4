// Predicted against measured SQNR of every site: identity line with a band of 0.5 dB; filled = measured,
// hollow on the lower axis = predicted only.
#pragma once

#include <string>

#include "widgets/plots/analysis_plot.h"

class QComboBox;

namespace bdq {

enum class SqnrPrediction { PerChannel, Theorem };

class SqnrPlot : public AnalysisPlot {
    Q_OBJECT
public:
    explicit SqnrPlot(QWidget* parent = nullptr);
    void setTransform(TransformKind transform);
    /// Scheme text of the analysis, e.g. "W4A4".
    void setScheme(const QString& scheme);
    void setPrediction(SqnrPrediction prediction);
    [[nodiscard]] TransformKind transform() const { return m_transform; }
    [[nodiscard]] QString toCsv() const override;

protected:
    void rebuild() override;
    void resetRanges() override;
    [[nodiscard]] QString readoutAt(const QPointF& pixel) const override;
    [[nodiscard]] QString fileStem() const override;
    [[nodiscard]] QString whatIsShown() const override;
    void analysisChanged() override;
    void clicked(const QPointF& pixel) override;

private:
    struct Point {
        SiteKey key;
        double predicted = 0;
        std::optional<double> measured;
    };
    void setupControls();
    [[nodiscard]] std::vector<Point> points() const;
    [[nodiscard]] QPointF pixelOf(const Point& point) const;
    [[nodiscard]] std::optional<Point> nearest(const QPointF& pixel) const;
    [[nodiscard]] double rug() const; ///< height at which points without a measurement stand
    void addIdentityBand(double low, double high);
    void addSitePoints(Site site, int index, const std::vector<Point>& all);

    TransformKind m_transform = TransformKind::None;
    SqnrPrediction m_prediction = SqnrPrediction::PerChannel;
    std::string m_scheme;
    double m_low = 0;
    double m_high = 1;
    QComboBox* m_transformBox = nullptr;
    QComboBox* m_schemeBox = nullptr;
    QComboBox* m_predictionBox = nullptr;
};

} // namespace bdq
