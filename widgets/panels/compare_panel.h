// Compare dock: two finished runs side by side, as wholes and layer by layer.
#pragma once

#include <array>
#include <vector>

#include <QWidget>

#include "widgets/models/run_compare_model.h"
#include "widgets/plots/plot_content.h"

class QComboBox;
class QLabel;
class QPushButton;
class QSortFilterProxyModel;
class QSplitter;
class QStackedLayout;
class QTableView;
class QTableWidget;

namespace bdq {

class ComparePlot;

/// A run that can be chosen.
struct RunChoice {
    QString id;
    QString title; ///< "#3 BDQ W4A4KV4"
    bool operator==(const RunChoice&) const = default;
};

class ComparePanel : public QWidget {
    Q_OBJECT
public:
    explicit ComparePanel(QWidget* parent = nullptr);

    /// Keeps what is chosen where it is still offered; a side whose run is gone loses its numbers.
    void setChoices(const std::vector<RunChoice>& choices);
    /// Side 0 is what the differences are against. Emits runWanted() when it changes something.
    void choose(int side, const QString& id);
    [[nodiscard]] QString chosen(int side) const;
    /// Numbers of the chosen run; null = none (yet).
    void setRun(int side, const RunPtr& run);
    [[nodiscard]] const RunCompareModel* model() const { return m_model; }
    [[nodiscard]] QTableView* view() const { return m_view; }

public slots:
    void swapSides();

signals:
    void runWanted(int side, const QString& id);
    void browseRequested();
    void siteActivated(const bdq::SiteKey& key);
    void saveRequested(const QString& suggestedName, const bdq::PlotContent& content); ///< from the plot

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    [[nodiscard]] QWidget* makeHead();
    [[nodiscard]] QWidget* makeFigures();
    [[nodiscard]] QWidget* makeTable();
    void showRuns();
    void showFigures();
    void copyRows();

    RunCompareModel* m_model = nullptr;
    QSortFilterProxyModel* m_sorted = nullptr;
    std::vector<RunChoice> m_choices;
    std::array<QComboBox*, 2> m_boxes{};
    QLabel* m_warning = nullptr;
    QStackedLayout* m_stack = nullptr;
    QTableWidget* m_figures = nullptr;
    QTableView* m_view = nullptr;
    ComparePlot* m_plot = nullptr;
};

} // namespace bdq
