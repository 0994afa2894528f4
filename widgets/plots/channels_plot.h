// Channel magnitudes of a site, sorted, before and after a transform on the same axes.
#pragma once

#include "widgets/plots/detail_plot.h"

namespace bdq {

enum class ChannelMagnitude { Rms, Absmax };

class ChannelsPlot : public DetailPlot {
    Q_OBJECT
public:
    explicit ChannelsPlot(QWidget* parent = nullptr);
    void setMagnitude(ChannelMagnitude magnitude);
    [[nodiscard]] ChannelMagnitude magnitude() const { return m_magnitude; }
    [[nodiscard]] QString toCsv() const override;

protected:
    void rebuild() override;
    void resetRanges() override;
    [[nodiscard]] QString readoutAt(const QPointF& pixel) const override;
    [[nodiscard]] QString fileStem() const override;
    [[nodiscard]] QString whatIsShown() const override;

private:
    /// Magnitudes, largest first; `channels` gets the channel of each.
    [[nodiscard]] std::vector<double> sorted(TransformKind kind, std::vector<int>* channels = nullptr) const;

    ChannelMagnitude m_magnitude = ChannelMagnitude::Rms;
    QComboBox* m_magnitudeBox = nullptr;
};

} // namespace bdq
