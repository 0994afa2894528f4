#include "widgets/plots/flatness_plot.h"

#include <algorithm>
#include <cmath>

#include <QCheckBox>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QMouseEvent>
#include <QSignalBlocker>
#include <qcustomplot.h>

#include "widgets/format.h"
#include "widgets/plots/plot_style.h"
#include "widgets/theme.h"

namespace bdq {

namespace {

struct DefinitionText {
    FlatnessDefinition definition;
    const char* title;
    const char* axis;
    std::string_view metric; ///< in metricTable(); empty = flatness_activation or flatness_weight
};

// design/bdq.md 3.5: three numbers that papers call flatness; each has its own axis.
constexpr DefinitionText kDefinitions[] = {
    {FlatnessDefinition::Entropy,
     QT_TRANSLATE_NOOP("bdq::FlatnessPlot", "Entropy, normalised"),
     QT_TRANSLATE_NOOP("bdq::FlatnessPlot", "entropy Flatness, 0 = flat"),
     {}},
    {FlatnessDefinition::Channel, QT_TRANSLATE_NOOP("bdq::FlatnessPlot", "Channel norms"),
     QT_TRANSLATE_NOOP("bdq::FlatnessPlot", "channel flatness, 0 = flat"), "flatness_channel_normalized"},
    {FlatnessDefinition::Figure2, QT_TRANSLATE_NOOP("bdq::FlatnessPlot", "Fig. 2 form, not normalised"),
     QT_TRANSLATE_NOOP("bdq::FlatnessPlot", "Fig. 2 form, grows with the tensor"), "flatness_figure2"},
};

std::string_view metricOf(const DefinitionText& text, Operand operand) {
    if (!text.metric.empty()) return text.metric;
    return operand == Operand::Activation ? "flatness_activation" : "flatness_weight";
}

const DefinitionText& textOf(FlatnessDefinition definition) {
    return *std::ranges::find(kDefinitions, definition, &DefinitionText::definition);
}

void choose(QComboBox* box, int data) {
    const QSignalBlocker blocker(box);
    box->setCurrentIndex(box->findData(data));
}

} // namespace

FlatnessPlot::FlatnessPlot(QWidget* parent) : AnalysisPlot(parent) {
    setAccessibleName(tr("Flatness across layers before and after a transform"));
    plot()->setAccessibleName(accessibleName());
    setupControls();
    updateToolTips();
    refresh();
}

void FlatnessPlot::setupControls() {
    m_operandBox = new QComboBox(this);
    m_operandBox->addItem(tr("Activations x"), static_cast<int>(Operand::Activation));
    m_operandBox->addItem(tr("Weights W"), static_cast<int>(Operand::Weight));
    m_operandBox->setAccessibleName(tr("Operand"));
    m_definitionBox = new QComboBox(this);
    for (const DefinitionText& text : kDefinitions)
        m_definitionBox->addItem(tr(text.title), static_cast<int>(text.definition));
    m_definitionBox->setAccessibleName(tr("Definition of Flatness"));
    m_afterBox = new QComboBox(this);
    m_afterBox->setAccessibleName(tr("Transform after"));
    m_thresholdBox = new QCheckBox(tr("Show rows from"), this);
    m_thresholdBox->setToolTip(
        tr("Filters the layer table to rows whose value after the transform is at least this. "
           "Drag the line in the plot or type a value."));
    m_thresholdSpin = new QDoubleSpinBox(this);
    m_thresholdSpin->setDecimals(3);
    m_thresholdSpin->setSingleStep(0.01);
    m_thresholdSpin->setRange(-1e12, 1e12);
    m_thresholdSpin->setMaximumWidth(112);
    m_thresholdSpin->setAccessibleName(tr("Threshold"));
    m_thresholdSpin->setEnabled(false);
    for (QWidget* widget : {static_cast<QWidget*>(m_operandBox), static_cast<QWidget*>(m_definitionBox),
                            static_cast<QWidget*>(m_afterBox)})
        toolRow()->addWidget(widget);
    toolRow()->addStretch(1);
    footRow()->addWidget(m_thresholdBox);
    footRow()->addWidget(m_thresholdSpin);
    letShrink(toolRow());
    connect(m_operandBox, &QComboBox::activated, this,
            [this] { setOperand(static_cast<Operand>(m_operandBox->currentData().toInt())); });
    connect(m_definitionBox, &QComboBox::activated, this, [this] {
        setDefinition(static_cast<FlatnessDefinition>(m_definitionBox->currentData().toInt()));
    });
    connect(m_afterBox, &QComboBox::activated, this, [this] {
        setTransform(static_cast<TransformKind>(m_afterBox->currentData().toInt()));
        emit transformChosen(m_after);
    });
    connect(m_thresholdBox, &QCheckBox::toggled, this,
            [this](bool on) { setThreshold(on ? std::optional(middleValue()) : std::nullopt); });
    connect(m_thresholdSpin, &QDoubleSpinBox::valueChanged, this,
            [this](double value) { setThreshold(value); });
    analysisChanged();
}

void FlatnessPlot::analysisChanged() {
    const QSignalBlocker blocker(m_afterBox);
    m_afterBox->clear();
    for (const TransformInfo& info : transformTable()) {
        if (analysis() && !analysis()->sites.empty() &&
            !analysis()->sites.front().transforms.contains(info.kind))
            continue;
        m_afterBox->addItem(tr("after: %1").arg(toQString(info.title)), static_cast<int>(info.kind));
        m_afterBox->setItemData(m_afterBox->count() - 1,
                                explanationToolTip(info.title, info.explanation, info.citation),
                                Qt::ToolTipRole);
    }
    choose(m_afterBox, static_cast<int>(m_after));
}

void FlatnessPlot::updateToolTips() {
    int row = 0;
    for (const DefinitionText& text : kDefinitions)
        m_definitionBox->setItemData(row++, metricToolTip(metricOf(text, m_operand)), Qt::ToolTipRole);
    m_definitionBox->setToolTip(metricToolTip(metricOf(textOf(m_definition), m_operand)));
}

void FlatnessPlot::setDefinition(FlatnessDefinition definition) {
    m_definition = definition;
    choose(m_definitionBox, static_cast<int>(definition));
    updateToolTips();
    setThreshold(std::nullopt); // a value of one definition means nothing in another
    refresh();
}

void FlatnessPlot::setOperand(Operand operand) {
    m_operand = operand;
    choose(m_operandBox, static_cast<int>(operand));
    updateToolTips();
    refresh();
    emitThreshold();
}

void FlatnessPlot::setTransform(TransformKind after) {
    m_after = after;
    choose(m_afterBox, static_cast<int>(after));
    refresh();
    emitThreshold();
}

void FlatnessPlot::setThreshold(std::optional<double> value) {
    if (value == m_threshold) return;
    m_threshold = value;
    const QSignalBlocker blockBox(m_thresholdBox);
    const QSignalBlocker blockSpin(m_thresholdSpin);
    m_thresholdBox->setChecked(value.has_value());
    m_thresholdSpin->setEnabled(value.has_value());
    if (value) m_thresholdSpin->setValue(*value);
    redraw(false);
    emitThreshold();
    if (!value) emit thresholdChanged(false, {});
}

void FlatnessPlot::emitThreshold() {
    if (!m_threshold) return;
    std::set<SiteKey> keys;
    for (const Point& point : points())
        if (point.after.value_or(point.before) >= *m_threshold) keys.insert(point.key);
    emit thresholdChanged(true, keys);
}

std::vector<FlatnessPlot::Point> FlatnessPlot::points() const {
    std::vector<Point> result;
    if (!analysis()) return result;
    const auto value = [this](const TransformAnalysis& statistics) {
        return flatnessValue(m_operand == Operand::Activation ? statistics.activation : statistics.weight,
                             m_definition);
    };
    for (const SiteAnalysis& site : analysis()->sites) {
        const auto before = site.transforms.find(TransformKind::None);
        if (before == site.transforms.end()) continue;
        Point point{site.key, value(before->second), std::nullopt};
        if (const auto after = site.transforms.find(m_after); after != site.transforms.end())
            point.after = value(after->second);
        result.push_back(point);
    }
    return result;
}

double FlatnessPlot::middleValue() const {
    std::vector<double> values;
    for (const Point& point : points())
        values.push_back(point.after.value_or(point.before));
    if (values.empty()) return 0;
    std::ranges::sort(values);
    return values[values.size() * 3 / 4];
}

void FlatnessPlot::addSiteCurves(Site site, int index) {
    const PlotTheme colors = theme();
    std::vector<double> layers;
    std::vector<double> before;
    std::vector<double> layersAfter;
    std::vector<double> after;
    for (const Point& point : points()) {
        if (point.key.site != site) continue;
        layers.push_back(point.key.layer);
        before.push_back(point.before);
        if (point.after) {
            layersAfter.push_back(point.key.layer);
            after.push_back(*point.after);
        }
    }
    const QColor color = colors.series(index);
    if (m_after != TransformKind::None) {
        QColor faint = color;
        faint.setAlphaF(0.75F);
        setPoints(addLine(plot(), {}, faint, 1.2, Qt::DashLine), layers, before);
    }
    QCPGraph* solid = addLine(plot(), siteTitle(site), color, 2);
    addMarks(solid, MarkStyle{index, true, 6}, colors.background);
    setPoints(solid, layersAfter, after);
}

void FlatnessPlot::rebuild() {
    const PlotTheme colors = theme();
    const bool logarithmic =
        m_definition == FlatnessDefinition::Figure2 &&
        std::ranges::all_of(points(), [](const Point& p) { return p.before > 0 && p.after.value_or(1) > 0; });
    useLogAxis(plot()->yAxis, logarithmic);
    plot()->xAxis->setLabel(tr("layer"));
    plot()->yAxis->setLabel(tr(textOf(m_definition).axis));
    const QString after = toQString(transformInfo(m_after).title);
    const QString operand = m_operand == Operand::Activation ? tr("activations") : tr("weights");
    setTitle(tr("Flatness of %1 · %2").arg(operand, textSource()));
    if (m_after != TransformKind::None)
        addLine(plot(), tr("before: %1").arg(toQString(transformInfo(TransformKind::None).title)),
                colors.text, 1.2, Qt::DashLine);
    addLine(plot(), tr("after: %1").arg(after), colors.text, 2);
    int index = 0;
    for (Site site : kLinearSites)
        addSiteCurves(site, index++);
    addSelectionMarks();
    addThresholdLine();
}

void FlatnessPlot::addSelectionMarks() {
    std::vector<double> layers;
    std::vector<double> values;
    for (const Point& point : points()) {
        if (std::ranges::find(selected(), point.key) == selected().end()) continue;
        layers.push_back(point.key.layer);
        values.push_back(point.after.value_or(point.before));
    }
    QCPGraph* ring = addLine(plot(), {}, theme().text, 2, Qt::NoPen);
    ring->setLineStyle(QCPGraph::lsNone);
    ring->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssCircle, QPen(theme().text, 2), Qt::NoBrush, 13));
    ring->setData(QVector<double>(layers.begin(), layers.end()),
                  QVector<double>(values.begin(), values.end()));
}

void FlatnessPlot::addThresholdLine() {
    if (!m_threshold) return;
    auto* line = new QCPItemStraightLine(plot());
    line->setPen(QPen(theme().warning, 2, Qt::DashDotLine));
    line->point1->setCoords(0, *m_threshold);
    line->point2->setCoords(1, *m_threshold);
    const auto all = points();
    const auto count = std::ranges::count_if(
        all, [this](const Point& p) { return p.after.value_or(p.before) >= *m_threshold; });
    auto* label = new QCPItemText(plot());
    label->position->setTypeX(QCPItemPosition::ptAxisRectRatio);
    label->position->setTypeY(QCPItemPosition::ptPlotCoords);
    label->position->setCoords(0.995, *m_threshold);
    label->setPositionAlignment(Qt::AlignRight | Qt::AlignBottom);
    const QString limit = formatNumber(*m_threshold);
    label->setText(count == 1 ? tr("≥ %1: 1 row").arg(limit)
                              : tr("≥ %1: %n rows", nullptr, static_cast<int>(count)).arg(limit));
    label->setColor(theme().text);
    label->setFont(font());
    QColor ground = theme().background;
    ground.setAlphaF(0.8F);
    label->setBrush(ground);
    label->setPadding(QMargins(4, 1, 4, 1));
}

void FlatnessPlot::resetRanges() {
    std::vector<double> values;
    for (const Point& point : points()) {
        values.push_back(point.before);
        values.push_back(point.after.value_or(point.before));
    }
    fitRange(plot()->yAxis, values);
    if (m_definition != FlatnessDefinition::Figure2) // 0 is the perfect value and belongs into the picture
        plot()->yAxis->setRange(0, plot()->yAxis->range().upper);
    useLayerAxis(plot()->xAxis, analysis() ? analysis()->model.layers : 1);
}

std::optional<FlatnessPlot::Point> FlatnessPlot::nearest(const QPointF& pixel) const {
    std::optional<Point> best;
    double bestDistance = kHitRadius;
    for (const Point& point : points()) {
        for (double value : {point.before, point.after.value_or(point.before)}) {
            const double distance = distanceTo(
                pixel, {plot()->xAxis->coordToPixel(point.key.layer), plot()->yAxis->coordToPixel(value)});
            if (distance < bestDistance) {
                bestDistance = distance;
                best = point;
            }
        }
    }
    return best;
}

QString FlatnessPlot::readoutAt(const QPointF& pixel) const {
    const std::optional<Point> point = nearest(pixel);
    if (!point) return {};
    const QString after = point->after ? formatExact(*point->after) : QStringLiteral("–");
    return tr("%1   before %2   after %3").arg(siteText(point->key), formatExact(point->before), after);
}

void FlatnessPlot::clicked(const QPointF& pixel) {
    if (const auto point = nearest(pixel)) emit siteSelected(point->key);
}

bool FlatnessPlot::nearThreshold(const QPointF& pixel) const {
    constexpr double kGrip = 5;
    return m_threshold && std::abs(plot()->yAxis->coordToPixel(*m_threshold) - pixel.y()) < kGrip &&
           !nearest(pixel);
}

bool FlatnessPlot::eventFilter(QObject* watched, QEvent* event) {
    const auto* mouse = dynamic_cast<QMouseEvent*>(event);
    if (watched == plot() && !isEmpty() && mouse != nullptr) {
        if (event->type() == QEvent::MouseButtonPress && nearThreshold(mouse->position())) {
            m_dragging = true;
            return true;
        }
        if (event->type() == QEvent::MouseMove && m_dragging) {
            setThreshold(plot()->yAxis->pixelToCoord(mouse->position().y()));
            return true;
        }
        if (event->type() == QEvent::MouseMove)
            plot()->setCursor(nearThreshold(mouse->position()) ? Qt::SizeVerCursor : Qt::ArrowCursor);
        if (event->type() == QEvent::MouseButtonRelease && m_dragging) {
            m_dragging = false;
            return true;
        }
    }
    return AnalysisPlot::eventFilter(watched, event);
}

QString FlatnessPlot::fileStem() const {
    return QStringLiteral("flatness_%1_%2")
        .arg(m_operand == Operand::Activation ? QStringLiteral("activation") : QStringLiteral("weight"),
             toQString(transformInfo(m_after).id));
}

QString FlatnessPlot::whatIsShown() const {
    return tr("Flatness of every site across the layers, before and after a transform.");
}

QString FlatnessPlot::toCsv() const {
    QString csv = QStringLiteral("layer,site,before,after_%1\n").arg(toQString(transformInfo(m_after).id));
    for (const Point& point : points())
        csv += QStringLiteral("%1,%2,%3,%4\n")
                   .arg(point.key.layer)
                   .arg(toQString(siteName(point.key.site)), csvNumber(point.before),
                        point.after ? csvNumber(*point.after) : QString());
    return csv;
}

} // namespace bdq
