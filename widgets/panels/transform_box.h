// Choice of a transform for selected rows: those that the analysis holds, and below them those that it would
// have to compute first.
#pragma once

#include <optional>
#include <vector>

#include <QComboBox>

#include "widgets/types.h"

namespace bdq {

class TransformBox : public QComboBox {
    Q_OBJECT
public:
    explicit TransformBox(QWidget* parent);
    /// `analysed` = what all shown rows were analysed under; `current` = the transform of all of them, empty
    /// = mixed; `seconds` = what one more transform takes for their layers, negative = unknown.
    void show(const std::vector<TransformKind>& analysed, std::optional<TransformKind> current,
              double seconds);

signals:
    void transformChosen(bdq::TransformKind transform);
    /// One that was not analysed; the choice stays what it was.
    void analysisWanted(bdq::TransformKind transform);

protected:
    void keyPressEvent(QKeyEvent* event) override;

private:
    void addKind(TransformKind kind, const QString& text, bool analysed);
    void choose(int index);

    int m_current = -1;
    bool m_byKey = false; ///< a key steps through the closed list: that asks for no analysis
};

} // namespace bdq
