// The layer table with its filter line: owns view, proxy and delegate over a SiteTableModel of the
// application. Columns by the header's context menu, Ctrl+C copies tab-separated rows, Ctrl+F goes to the
// filter, L locks the weights of the selected rows. Rows that cost the model most stand first.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>

#include <QWidget>

#include "widgets/types.h"

class QComboBox;
class QKeyEvent;
class QLabel;
class QLineEdit;
class QStackedLayout;
class QTableView;
class QToolButton;

namespace bdq {

class ElidedLabel;
class SiteFilterModel;
class SiteTableModel;

class SiteTablePanel : public QWidget {
    Q_OBJECT
public:
    /// `model` must outlive the panel.
    explicit SiteTablePanel(SiteTableModel* model, QWidget* parent = nullptr);
    [[nodiscard]] SiteKeys selectedKeys() const;
    /// Order as shown, for "next worst" navigation.
    [[nodiscard]] SiteKeys visibleKeys() const;
    /// Selects these rows and scrolls to the first; does not emit selectionChanged() when nothing changes.
    void select(const SiteKeys& keys);
    /// Rows that a filter hides stay chosen: nothing is emitted, and they are selected again when they come
    /// back.
    void setOnly(bool active, const std::set<SiteKey>& keys); ///< FlatnessPlot::thresholdChanged fits
    void setEmptyText(const QString& text);
    void setColumnShown(int column, bool shown);
    [[nodiscard]] int missingWidth() const; ///< pixels by which the columns are wider than the view
    [[nodiscard]] QTableView* view() const { return m_view; }
    [[nodiscard]] SiteFilterModel* filter() const { return m_filter; }
    /// Header state (columns, widths, sorting) for the settings.
    [[nodiscard]] QByteArray saveColumns() const;
    bool restoreColumns(const QByteArray& state);

public slots:
    void focusFilter();
    void copyRows();
    void selectAllOfSite(bdq::Site site);
    void sortAgain(); ///< with the numbers as they are now
    /// Asks for the selected rows to be locked, or unlocked when all of them are.
    void toggleLock();

signals:
    void selectionChanged(const bdq::SiteKeys& keys);
    void siteActivated(const bdq::SiteKey& key); ///< Enter or double click
    void lockRequested(const bdq::SiteKeys& keys, bool locked);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void setupView();
    void setupColumns();
    void setupFilterRow();
    void setupCountRow();
    void connectModel();
    void refilter(const std::function<void()>& change);
    void fillSources();
    void showColumnMenu(const QPoint& position);
    void showRowMenu(const QPoint& position);
    bool handleKey(QObject* watched, const QKeyEvent& key);
    void updateCount();
    void updateOrder();
    void updateEmptyState();

    SiteTableModel* m_model = nullptr;
    SiteFilterModel* m_filter = nullptr;
    QTableView* m_view = nullptr;
    QLineEdit* m_pattern = nullptr;
    SiteKeys m_chosen;        ///< by the user or select(), shown by the filters or not
    bool m_filtering = false; ///< the selection changes with the rows that are shown, not by anybody's choice
    QComboBox* m_source = nullptr; ///< kind of measured values
    bool m_follow = false;         ///< the current row was in sight before the rows were sorted again
    ElidedLabel* m_count = nullptr;
    ElidedLabel* m_ranked = nullptr; ///< by which losses
    QToolButton* m_sortAgain = nullptr;
    QLabel* m_empty = nullptr;
    QStackedLayout* m_stack = nullptr;
};

} // namespace bdq
