// Measured what-if: a worker that keeps one model and its analysis open and answers requests about single
// sites.
#pragma once

#include <QObject>

#include <map>
#include <optional>

#include "app/job_client.h"

namespace bdq {

/// The worker starts with the first request, and again with the next request after a crash. Per site only the
/// newest request counts: answers to older ones are dropped, and so is everything after open() or close().
class ResidentClient : public QObject {
    Q_OBJECT
public:
    explicit ResidentClient(const QString& workerPath, QObject* parent = nullptr);

    /// Which model and analysis the next requests are about. Starts nothing.
    void open(const InspectSpec& spec);
    void close();
    [[nodiscard]] bool isOpen() const { return m_spec.has_value(); }

    /// Asks for a measured SQNR. Errors: InvalidSpec when nothing is open or the description is wrong.
    Status request(SiteKey key, TransformKind transform, const Scheme& scheme, WeightRounding rounding);
    /// Requests without an answer.
    [[nodiscard]] int pending() const { return static_cast<int>(m_newest.size()); }

signals:
    void answered(const bdq::SiteAnswer& answer);
    void requestFailed(bdq::SiteKey key, const bdq::Error& error);
    /// The worker is gone and with it all pending requests.
    void failed(const bdq::Error& error);
    void pendingChanged(int pending);
    void logReceived(const QString& text);

private:
    void startWorker();
    void handleEvent(const JobEvent& event);
    void handleEnd(const JobOutcome& outcome);
    void settle(SiteKey key);

    QString m_workerPath;
    JobClient* m_client = nullptr;
    std::optional<InspectSpec> m_spec;
    std::int64_t m_nextId = 1;
    std::map<SiteKey, std::int64_t> m_newest;
};

} // namespace bdq
