#include "widgets/panels/transform_box.h"

#include <algorithm>

#include <QSignalBlocker>
#include <QStandardItemModel>

#include "widgets/format.h"

namespace bdq {

namespace {

constexpr int kAnalysedRole = Qt::UserRole + 1;

} // namespace

TransformBox::TransformBox(QWidget* parent) : QComboBox(parent) {
    setPlaceholderText(tr("mixed"));
    setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    setMinimumContentsLength(8);
    setAccessibleName(tr("Transform"));
    connect(this, &QComboBox::activated, this, &TransformBox::choose);
}

void TransformBox::addKind(TransformKind kind, const QString& text, bool analysed) {
    const TransformInfo& info = transformInfo(kind);
    addItem(text, static_cast<int>(kind));
    setItemData(count() - 1, explanationToolTip(info.title, info.explanation, info.citation),
                Qt::ToolTipRole);
    setItemData(count() - 1, analysed, kAnalysedRole);
}

void TransformBox::show(const std::vector<TransformKind>& analysed, std::optional<TransformKind> current,
                        double seconds) {
    const QSignalBlocker blocker(this);
    const auto known = [&](TransformKind kind) {
        return std::ranges::find(analysed, kind) != analysed.end();
    };
    clear();
    for (const TransformKind kind : analysed)
        addKind(kind, toQString(transformInfo(kind).title), true);
    if (current && !known(*current)) {
        addKind(*current, tr("%1 (not analysed)").arg(toQString(transformInfo(*current).title)), true);
        // Shown because it is the plan's; nothing is known about it.
        static_cast<QStandardItemModel*>(model())->item(count() - 1)->setEnabled(false);
    }
    if (count() > 0) insertSeparator(count());
    for (const TransformInfo& info : closedFormTransforms()) {
        if (known(info.kind)) continue;
        const QString title = toQString(info.title);
        addKind(info.kind,
                seconds >= 0 ? tr("Analyse %1 here (about %2)…").arg(title, formatDuration(seconds))
                             : tr("Analyse %1 here…").arg(title),
                false);
    }
    m_current = current ? findData(static_cast<int>(*current)) : -1;
    setCurrentIndex(m_current);
    setToolTip(currentData(Qt::ToolTipRole).toString());
}

void TransformBox::choose(int index) {
    const auto kind = static_cast<TransformKind>(itemData(index).toInt());
    if (itemData(index, kAnalysedRole).toBool()) {
        m_current = index;
        emit transformChosen(kind);
        return;
    }
    setCurrentIndex(m_current);
    if (!m_byKey) emit analysisWanted(kind);
}

void TransformBox::keyPressEvent(QKeyEvent* event) {
    m_byKey = true;
    QComboBox::keyPressEvent(event);
    m_byKey = false;
}

} // namespace bdq
