// SQNR of one site across layers under several transforms at once: which transform helps where.
#pragma once

#include <string>

#include "widgets/plots/analysis_plot.h"

class QComboBox;

namespace bdq {

class SqnrLayersPlot : public AnalysisPlot {
    Q_OBJECT
public:
    explicit SqnrLayersPlot(QWidget* parent = nullptr);
    void setSite(Site site);
    void setScheme(const QString& scheme);
    [[nodiscard]] Site site() const { return m_site; }
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
        TransformKind transform = TransformKind::None;
        double predicted = 0;
        std::optional<double> measured;
    };
    void setupControls();
    [[nodiscard]] std::vector<Point> points() const;
    [[nodiscard]] std::optional<Point> nearest(const QPointF& pixel) const;

    Site m_site = Site::Down;
    std::string m_scheme;
    QComboBox* m_siteBox = nullptr;
    QComboBox* m_schemeBox = nullptr;
};

} // namespace bdq
