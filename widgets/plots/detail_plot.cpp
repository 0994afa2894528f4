#include "widgets/plots/detail_plot.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QSignalBlocker>

#include "widgets/format.h"
#include "widgets/plots/plot_style.h"

namespace bdq {

namespace {

void choose(QComboBox* box, int data) {
    const QSignalBlocker blocker(box);
    box->setCurrentIndex(box->findData(data));
}

} // namespace

DetailPlot::DetailPlot(QWidget* parent) : PlotPanel(parent) {
    setupControls();
}

void DetailPlot::setupControls() {
    m_operandBox = new QComboBox(this);
    m_operandBox->addItem(tr("Activations x"), static_cast<int>(Operand::Activation));
    m_operandBox->addItem(tr("Weights W"), static_cast<int>(Operand::Weight));
    m_operandBox->setAccessibleName(tr("Operand"));
    m_beforeBox = new QComboBox(this);
    m_afterBox = new QComboBox(this);
    for (QComboBox* box : {m_beforeBox, m_afterBox})
        box->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    m_beforeBox->setAccessibleName(tr("before"));
    m_afterBox->setAccessibleName(tr("after"));
    toolRow()->addWidget(m_operandBox);
    toolRow()->addWidget(m_beforeBox);
    toolRow()->addWidget(new QLabel(QStringLiteral("→"), this)); // the same in every language, and narrow
    toolRow()->addWidget(m_afterBox);
    toolRow()->addStretch(1);
    letShrink(toolRow());
    fillTransforms();
    connect(m_operandBox, &QComboBox::activated, this, [this] {
        setOperand(static_cast<Operand>(m_operandBox->currentData().toInt()));
        emit operandChanged(m_operand);
    });
    const auto chosen = [this] {
        setTransforms(static_cast<TransformKind>(m_beforeBox->currentData().toInt()),
                      static_cast<TransformKind>(m_afterBox->currentData().toInt()));
        emit transformsChanged(m_before, m_after);
    };
    connect(m_beforeBox, &QComboBox::activated, this, chosen);
    connect(m_afterBox, &QComboBox::activated, this, chosen);
}

void DetailPlot::fillTransforms() {
    for (QComboBox* box : {m_beforeBox, m_afterBox}) {
        const QSignalBlocker blocker(box);
        box->clear();
        for (const TransformInfo& info : transformTable()) {
            if (m_detail && !m_detail->transforms.contains(info.kind)) continue;
            box->addItem(toQString(info.title), static_cast<int>(info.kind));
            box->setItemData(box->count() - 1,
                             explanationToolTip(info.title, info.explanation, info.citation),
                             Qt::ToolTipRole);
        }
    }
    choose(m_beforeBox, static_cast<int>(m_before));
    choose(m_afterBox, static_cast<int>(m_after));
}

void DetailPlot::setSite(const SiteAnalysis& site, std::shared_ptr<const SiteDetail> detail,
                         const TextInfo& text) {
    m_site = site;
    m_hasSite = true;
    m_detail = std::move(detail);
    m_text = text;
    fillTransforms();
    refresh();
}

void DetailPlot::clearSite() {
    m_hasSite = false;
    m_detail.reset();
    refresh();
}

void DetailPlot::setTransforms(TransformKind before, TransformKind after) {
    m_before = before;
    m_after = after;
    choose(m_beforeBox, static_cast<int>(before));
    choose(m_afterBox, static_cast<int>(after));
    refresh();
}

void DetailPlot::setOperand(Operand operand) {
    m_operand = operand;
    choose(m_operandBox, static_cast<int>(operand));
    refresh();
}

const TransformDetail* DetailPlot::transform(TransformKind kind) const {
    if (!m_detail) return nullptr;
    const auto found = m_detail->transforms.find(kind);
    return found == m_detail->transforms.end() ? nullptr : &found->second;
}

QString DetailPlot::sourceText() const {
    const QString where = siteText(m_site.key);
    if (m_operand == Operand::Weight) {
        QStringList names;
        for (const std::string& tensor : m_site.tensors)
            names << toQString(tensor);
        const QString shape =
            tr("%1 × %2").arg(formatCount(m_site.outFeatures), formatCount(m_site.inFeatures));
        return tr("%1 · weights %2 [%3]").arg(where, names.join(QStringLiteral(" + ")), shape);
    }
    const QString source =
        m_text.source == "self" ? tr("text the model wrote itself") : toQString(m_text.source);
    return tr("%1 · input of %2 channels · %3 tokens of %4")
        .arg(where, formatCount(m_site.inFeatures), formatCount(m_site.tokens), source);
}

QString DetailPlot::fileStem() const {
    const QString operand =
        m_operand == Operand::Activation ? QStringLiteral("input") : QStringLiteral("weight");
    return QStringLiteral("layer%1_%2_%3")
        .arg(m_site.key.layer)
        .arg(toQString(siteName(m_site.key.site)), operand);
}

void DetailPlot::refresh() {
    if (!m_hasSite)
        setEmptyText(tr("%1\n\nSelect a row of the layer table to see it.").arg(whatIsShown()));
    else if (!m_detail)
        setEmptyText(tr("%1\n\nNo activations of %2 yet. Run → Analyse activations fills this view.")
                         .arg(whatIsShown(), siteText(m_site.key)));
    else
        setEmptyText({});
    setTitle(m_hasSite ? sourceText() : QString());
    redraw(true);
}

} // namespace bdq
