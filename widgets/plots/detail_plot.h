// Base of the plots of one site: which site and text they show and the choice of operand and of the
// transforms before and after.
#pragma once

#include <memory>

#include "widgets/plots/plot_panel.h"
#include "widgets/types.h"

class QComboBox;

namespace bdq {

class DetailPlot : public PlotPanel {
    Q_OBJECT
public:
    /// Shows a site. `detail` null = statistics not loaded yet ("waiting for ...").
    void setSite(const SiteAnalysis& site, std::shared_ptr<const SiteDetail> detail, const TextInfo& text);
    void clearSite();
    void setTransforms(TransformKind before, TransformKind after);
    void setOperand(Operand operand);
    [[nodiscard]] TransformKind before() const { return m_before; }
    [[nodiscard]] TransformKind after() const { return m_after; }
    [[nodiscard]] Operand operand() const { return m_operand; }

signals:
    /// The user chose other transforms; connect to setTransforms() of the other plots to link them.
    void transformsChanged(bdq::TransformKind before, bdq::TransformKind after);
    void operandChanged(bdq::Operand operand);

protected:
    explicit DetailPlot(QWidget* parent);
    [[nodiscard]] const SiteDetail* detail() const { return m_detail.get(); }
    [[nodiscard]] const SiteAnalysis& site() const { return m_site; }
    [[nodiscard]] const TransformDetail* transform(TransformKind kind) const; ///< null when not analysed
    /// "down input, layer 11, 65,536 tokens of wikitext2-calibration".
    [[nodiscard]] QString sourceText() const;
    [[nodiscard]] QString fileStem() const override;
    [[nodiscard]] virtual QString whatIsShown() const = 0; ///< for the empty state

    void refresh();

private:
    void setupControls();
    void fillTransforms();

    SiteAnalysis m_site;
    bool m_hasSite = false;
    std::shared_ptr<const SiteDetail> m_detail;
    TextInfo m_text;
    TransformKind m_before = TransformKind::None;
    TransformKind m_after = defaultTransform();
    Operand m_operand = Operand::Activation;
    QComboBox* m_operandBox = nullptr;
    QComboBox* m_beforeBox = nullptr;
    QComboBox* m_afterBox = nullptr;
};

} // namespace bdq
