// Asks the resident worker for measured values of what the user looks at, after a short pause in the edits.
#pragma once

#include <QObject>
#include <QTimer>

#include <map>
#include <memory>
#include <set>

#include "app/plan_controller.h"
#include "app/resident_client.h"

namespace bdq {

class MeasureController : public QObject {
    Q_OBJECT
public:
    /// More rows than this are not measured in one go: the answer should come within seconds.
    static constexpr std::size_t kMostAtOnce = 16;

    MeasureController(const QString& workerPath, const PlanController* plan, QObject* parent = nullptr);

    /// Analysis whose kept inputs are measured; empty paths or null = none.
    void setSource(const std::string& modelPath, const std::string& analysisDir,
                   const std::shared_ptr<const AnalysisResult>& analysis = {});
    /// Measures these rows under the plan as it is after the pause. Does nothing without a source, and
    /// nothing for rows whose transform the analysis does not hold.
    void request(const SiteKeys& keys);
    [[nodiscard]] bool hasSource() const { return m_client.isOpen(); }
    void setPauseMs(int pauseMs) { m_pause.setInterval(pauseMs); }

signals:
    /// `rounding` = of the weights, as it was asked for.
    void measured(const bdq::SiteAnswer& answer, bdq::WeightRounding rounding);
    void busyChanged(bool busy);
    void failed(const bdq::Error& error);
    void logReceived(const QString& text);

private:
    void send();

    const PlanController* m_plan;
    ResidentClient m_client;
    QTimer m_pause;
    std::set<SiteKey> m_keys;
    std::shared_ptr<const AnalysisResult> m_analysis;
    std::map<SiteKey, WeightRounding> m_asked; ///< by the newest request, the only one that is answered
};

} // namespace bdq
