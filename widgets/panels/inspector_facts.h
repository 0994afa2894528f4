// The table of facts in the inspector: one metric a row, before and after the transform.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include <QWidget>

#include "widgets/types.h"

class QGridLayout;
class QLabel;

namespace bdq {

class InspectorFacts : public QWidget {
    Q_OBJECT
public:
    explicit InspectorFacts(QWidget* parent);
    /// `transforms` = the transform of each of `sites`, same order. `detail` = arrays of the only site; null
    /// = several, or not read yet.
    void show(const std::vector<SiteAnalysis>& sites, const std::vector<TransformKind>& transforms,
              const SiteDetail* detail);

private:
    struct Row {
        QLabel* before = nullptr;
        QLabel* after = nullptr;
    };
    Row addRow(QGridLayout* grid, const QString& title, std::string_view metric);
    void showLargest(const SiteDetail* detail, TransformKind transform);

    std::vector<Row> m_rows;
    Row m_largest; ///< largest entry over RMS, from the arrays
    QLabel* m_afterTitle = nullptr;
};

/// Sets a number over several rows: the value where all agree, else the range; the exact text goes to the
/// tooltip.
void setNumbers(QLabel* label, const std::vector<double>& values, bool decibel, bool range = false);

} // namespace bdq
