// Compare dock: offers the finished runs of the list and of folders that were added, reads the chosen ones.
#pragma once

#include <QObject>

#include <array>
#include <vector>

#include "engine/api/result.h"
#include "widgets/panels/compare_panel.h"

namespace bdq {

class RunListModel;

class CompareController : public QObject {
    Q_OBJECT
public:
    /// `panel` and `list` must outlive it.
    CompareController(ComparePanel* panel, RunListModel* list, QObject* parent = nullptr);

    /// Sets `dir` against an earlier finished run: A is the other one, B is `dir`. With no other run only B
    /// is set.
    void compare(const QString& dir);
    /// A run folder that is not in the list becomes side A, or B when only A is set.
    void addFolder(const QString& dir);
    [[nodiscard]] bool hasOther(const QString& dir) const;
    /// The newest finished run of the list; empty = none.
    [[nodiscard]] QString newest() const;

signals:
    void failed(const bdq::Error& error);

private:
    void updateChoices();
    void load(int side, const QString& dir);

    ComparePanel* m_panel;
    RunListModel* m_list;
    std::vector<RunChoice> m_listed; ///< finished runs, oldest first
    std::vector<RunChoice> m_added;  ///< folders from elsewhere
    std::array<quint64, 2> m_generation{};
};

} // namespace bdq
