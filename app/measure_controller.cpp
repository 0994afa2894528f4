#include "app/measure_controller.h"

#include <utility>

namespace bdq {

namespace {
constexpr int kPauseMs = 200;
}

MeasureController::MeasureController(const QString& workerPath, const PlanController* plan, QObject* parent)
    : QObject(parent), m_plan(plan), m_client(workerPath) {
    m_pause.setSingleShot(true);
    m_pause.setInterval(kPauseMs);
    connect(&m_pause, &QTimer::timeout, this, &MeasureController::send);
    connect(&m_client, &ResidentClient::answered, this, [this](const SiteAnswer& answer) {
        const auto asked = m_asked.find(answer.key);
        if (asked != m_asked.end()) emit measured(answer, asked->second);
    });
    connect(&m_client, &ResidentClient::failed, this, &MeasureController::failed);
    connect(&m_client, &ResidentClient::requestFailed, this,
            [this](SiteKey, const Error& error) { emit failed(error); });
    connect(&m_client, &ResidentClient::logReceived, this, &MeasureController::logReceived);
    connect(&m_client, &ResidentClient::pendingChanged, this,
            [this](int pending) { emit busyChanged(pending > 0); });
}

void MeasureController::setSource(const std::string& modelPath, const std::string& analysisDir,
                                  const std::shared_ptr<const AnalysisResult>& analysis) {
    m_pause.stop();
    m_keys.clear();
    m_asked.clear();
    m_analysis = analysis;
    if (modelPath.empty() || analysisDir.empty() || !analysis)
        m_client.close();
    else
        m_client.open(InspectSpec{modelPath, analysisDir, {}});
}

void MeasureController::request(const SiteKeys& keys) {
    if (!m_client.isOpen()) return;
    for (const SiteKey& key : keys)
        if (m_keys.size() < kMostAtOnce) m_keys.insert(key);
    if (!m_keys.empty()) m_pause.start();
}

void MeasureController::send() {
    const std::set<SiteKey> keys = std::exchange(m_keys, {});
    const PlanState& state = m_plan->state();
    for (const SiteKey& key : keys) {
        Scheme scheme = state.plan.at(key);
        scheme.kv = Scheme{}.kv; // a linear site has no cache
        if (!scheme.weight.quantizes() && !scheme.activation.quantizes()) continue;
        const SiteAnalysis* site = m_analysis ? m_analysis->find(key) : nullptr;
        if (site == nullptr || !site->transforms.contains(state.transformAt(key))) continue;
        m_asked[key] = state.effectiveRounding();
        const Status sent = m_client.request(key, state.transformAt(key), scheme, m_asked[key]);
        if (!sent) {
            emit failed(sent.error());
            return;
        }
    }
}

} // namespace bdq
