#include "widgets/panels/header_strip.h"

#include <QHBoxLayout>
#include <QLabel>

#include "widgets/format.h"
#include "widgets/panels/elided_label.h"
#include "widgets/theme.h"

namespace bdq {

namespace {

QFrame* separator(QWidget* parent) {
    auto* line = new QFrame(parent);
    line->setFrameShape(QFrame::VLine);
    line->setFrameShadow(QFrame::Plain);
    line->setForegroundRole(QPalette::Mid);
    return line;
}

} // namespace

HeaderStrip::HeaderStrip(QWidget* parent) : QWidget(parent) {
    m_model = new ElidedLabel(this);
    QFont bold = font();
    bold.setBold(true);
    m_model->setFont(bold);
    m_text = new ElidedLabel(this);
    m_perplexity = new QLabel(this);
    m_loss = new ElidedLabel(this);
    m_size = new QLabel(this);
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(12, 8, 12, 8);
    layout->setSpacing(12);
    layout->addWidget(m_model);
    layout->addWidget(separator(this));
    layout->addWidget(m_text);
    layout->addStretch(1);
    for (QWidget* label : std::initializer_list<QWidget*>{m_perplexity, m_loss, m_size}) {
        layout->addWidget(separator(this));
        layout->addWidget(label);
    }
    clear();
}

void HeaderStrip::clear() {
    m_model->setText(tr("No model open"));
    setText(std::nullopt);
    setPerplexity(std::nullopt);
    m_loss->setText(QStringLiteral("–"));
    m_size->setText(QStringLiteral("–"));
}

void HeaderStrip::setModel(const QString& name, int layers, std::int64_t parameters, const QString& path) {
    m_model->setText(
        layers == 1 ? tr("%1 · 1 layer · %2").arg(name, formatParameters(parameters))
                    : tr("%1 · %n layers · %2", nullptr, layers).arg(name, formatParameters(parameters)));
    if (!path.isEmpty())
        m_model->setToolTip(
            QStringLiteral("<p>%1</p><p>%2</p>").arg(m_model->text().toHtmlEscaped(), path.toHtmlEscaped()));
}

void HeaderStrip::setText(const std::optional<TextInfo>& text, const QString& missing) {
    if (!text) return m_text->setText(missing.isEmpty() ? tr("not analysed yet") : missing);
    const QString source =
        text->source == "self" ? tr("text the model wrote itself") : toQString(text->source);
    m_text->setText(tr("calibration: %1, %2 × %3 tokens")
                        .arg(source, formatCount(text->sequences), formatCount(text->sequenceLength)));
}

void HeaderStrip::setPerplexity(std::optional<double> full, std::optional<double> quantized,
                                const PerplexitySize& size) {
    const QString text = perplexityText(full, quantized, size);
    m_perplexity->setText(tr("perplexity %1").arg(text.isEmpty() ? QStringLiteral("–") : text));
    m_perplexity->setForegroundRole(size.isSmall() ? QPalette::PlaceholderText : QPalette::NoRole);
    QString exact;
    if (full) exact = tr("Model as it is: %1").arg(formatExact(*full));
    if (quantized)
        exact += (exact.isEmpty() ? QString() : QStringLiteral("<br>")) +
                 tr("Latest run: %1").arg(formatExact(*quantized));
    if (size.isSmall())
        exact +=
            QStringLiteral("<br>") + tr("Measured on %1 tokens only: differences of some percent are chance.")
                                         .arg(formatCount(size.tokens));
    m_perplexity->setToolTip(exact.isEmpty()
                                 ? tr("Unknown until a run with an evaluation text has finished.")
                                 : QStringLiteral("<p>%1</p>").arg(exact) + metricToolTip("perplexity"));
}

void HeaderStrip::setPlan(const Scheme& base, const PlanSummary& summary, const SiteRanking& ranking) {
    const QString scheme =
        toQString(formatScheme(base)) + (summary.overrides > 0 ? QStringLiteral("*") : QString());
    m_loss->setText(tr("%1: %2").arg(scheme, rankingText(ranking)));
    m_loss->setToolTip(rankingToolTip(ranking.basis));
    const QString bits = averageBitsText(summary);
    m_size->setText(summary.modelBytes > 0 ? tr("%1 · %2").arg(bits, formatBytes(summary.modelBytes)) : bits);
    m_size->setToolTip(
        tr("Average bits over all linear weights with scales and zero points, those that are not quantized "
           "at 16: %1. Linear weights: %2. Everything else (embedding, head, norms) counts 16 bits.")
            .arg(formatExact(summary.averageWeightBits), formatBytes(summary.linearBytes)));
}

QString averageBitsText(const PlanSummary& summary) {
    const QString all = HeaderStrip::tr("%1 bit").arg(formatNumber(summary.averageWeightBits));
    return summary.reachesAll()
               ? all
               : HeaderStrip::tr("%1 (%2 in the listed rows)").arg(all, formatNumber(summary.plannedBits));
}

} // namespace bdq
