// One line that always says what is being looked at: model, text and tokens, perplexity, what the plan costs
// the model, size.
#pragma once

#include <optional>

#include <QWidget>

#include "widgets/format.h"
#include "widgets/site_ranking.h"
#include "widgets/types.h"

class QLabel;

namespace bdq {

class ElidedLabel;

class HeaderStrip : public QWidget {
    Q_OBJECT
public:
    explicit HeaderStrip(QWidget* parent = nullptr);
    void clear();
    void setModel(const QString& name, int layers, std::int64_t parameters, const QString& path);
    /// Without a text it says `missing`, or that nothing was analysed yet.
    void setText(const std::optional<TextInfo>& text, const QString& missing = {});
    /// Perplexity of the model as it is and, when known, of the run that is shown. Grey where it was measured
    /// on too few tokens to tell small differences.
    void setPerplexity(std::optional<double> full, std::optional<double> quantized = {},
                       const PerplexitySize& size = {});
    void setPlan(const Scheme& base, const PlanSummary& summary, const SiteRanking& ranking);

private:
    ElidedLabel* m_model = nullptr;
    ElidedLabel* m_text = nullptr;
    QLabel* m_perplexity = nullptr;
    ElidedLabel* m_loss = nullptr;
    QLabel* m_size = nullptr;
};

/// "4.19 bit", and the average in the rows of the table where these are not all linear weights: "13.6 bit
/// (4.19 in the listed rows)".
QString averageBitsText(const PlanSummary& summary);

} // namespace bdq
