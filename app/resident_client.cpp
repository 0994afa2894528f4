#include "app/resident_client.h"

#include <algorithm>

namespace bdq {

ResidentClient::ResidentClient(const QString& workerPath, QObject* parent)
    : QObject(parent), m_workerPath(workerPath) {}

void ResidentClient::open(const InspectSpec& spec) {
    close();
    m_spec = spec;
}

void ResidentClient::close() {
    m_spec.reset();
    const bool hadPending = !m_newest.empty();
    m_newest.clear();
    if (m_client) {
        // The old worker leaves by itself; nothing it still says is about what is open now.
        JobClient* old = m_client;
        m_client = nullptr;
        old->disconnect(this);
        connect(old, &JobClient::ended, old, &QObject::deleteLater);
        old->cancel();
    }
    if (hadPending) emit pendingChanged(0);
}

Status ResidentClient::request(SiteKey key, TransformKind transform, const Scheme& scheme,
                               WeightRounding rounding) {
    if (!m_spec) return fail(ErrorCode::InvalidSpec, "measuring a site needs an open analysis");
    if (!m_client) {
        BDQ_CHECK(validate(*m_spec));
        startWorker();
        BDQ_CHECK(m_client->start(*m_spec));
    }
    const SiteRequest siteRequest{m_nextId++, key, transform, scheme, rounding};
    m_newest[key] = siteRequest.id;
    m_client->sendRequest(siteRequest);
    emit pendingChanged(pending());
    return {};
}

void ResidentClient::startWorker() {
    m_client = new JobClient(m_workerPath, this);
    connect(m_client, &JobClient::eventReceived, this, &ResidentClient::handleEvent);
    connect(m_client, &JobClient::logReceived, this, &ResidentClient::logReceived);
    connect(m_client, &JobClient::ended, this, &ResidentClient::handleEnd);
}

void ResidentClient::handleEvent(const JobEvent& event) {
    if (const auto* row = std::get_if<RowEvent>(&event); row && row->kind == "site_answer") {
        const auto answer = decodeAnswer(row->json);
        if (!answer) {
            emit failed(answer.error());
            return;
        }
        const auto newest = m_newest.find(answer->key);
        if (newest == m_newest.end() || newest->second != answer->id) return;
        settle(answer->key);
        emit answered(*answer);
    } else if (const auto* refused = std::get_if<RequestFailedEvent>(&event)) {
        const auto newest = std::find_if(m_newest.begin(), m_newest.end(),
                                         [&](const auto& entry) { return entry.second == refused->id; });
        if (newest == m_newest.end()) return;
        const SiteKey key = newest->first;
        settle(key);
        emit requestFailed(key, refused->error);
    }
}

void ResidentClient::handleEnd(const JobOutcome& outcome) {
    m_client->deleteLater();
    m_client = nullptr;
    const bool hadPending = !m_newest.empty();
    m_newest.clear();
    if (hadPending) emit pendingChanged(0);
    if (const auto* failure = std::get_if<FailedEvent>(&outcome)) emit failed(failure->error);
}

void ResidentClient::settle(SiteKey key) {
    m_newest.erase(key);
    emit pendingChanged(pending());
}

} // namespace bdq
