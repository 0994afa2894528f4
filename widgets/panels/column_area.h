// A column of widgets that scrolls down, never across: it is as wide as its content needs.
#pragma once

#include <QScrollArea>

namespace bdq {

class ColumnArea : public QScrollArea {
    Q_OBJECT
public:
    explicit ColumnArea(QWidget* parent);
    [[nodiscard]] QSize minimumSizeHint() const override;

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;
};

} // namespace bdq
