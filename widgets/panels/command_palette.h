// Ctrl+K: one line that finds layers and actions.
#pragma once

#include <memory>

#include <QList>
#include <QWidget>

#include "widgets/types.h"

class QAction;

namespace bdq {

class CommandPalette : public QWidget {
    Q_OBJECT
public:
    explicit CommandPalette(QWidget* parent);
    ~CommandPalette() override;
    /// Named, enabled and visible ones are offered, with menu path in `statusTip` and shortcut. Not owned.
    void setActions(const QList<QAction*>& actions);
    void setSites(const SiteKeys& keys);

public slots:
    /// Shows itself over the upper middle of the parent, empty, with the focus.
    void popUp();

signals:
    void siteChosen(const bdq::SiteKey& key);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void activateCurrent();

    struct Private;
    std::unique_ptr<Private> d;
};

} // namespace bdq
