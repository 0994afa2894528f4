// Answers about single sites: newest request wins, a crashed worker comes back with the next request.
#include <QSignalSpy>
#include <QTest>

#include "app/resident_client.h"
#include "tests/app/app_test_support.h"

using namespace bdq;

namespace {
constexpr int kWaitMs = 15000;
}

class ResidentClientTest : public QObject {
    Q_OBJECT
private slots:
    void answersARequest() {
        ResidentClient client(test::fakeWorker("request"));
        client.open(test::inspectSpec());
        std::vector<SiteAnswer> answers;
        connect(&client, &ResidentClient::answered, this,
                [&](const SiteAnswer& answer) { answers.push_back(answer); });
        QVERIFY(client.request({1, Site::Down}, TransformKind::Hadamard, parseScheme("W4A4").value(), {}));
        QCOMPARE(client.pending(), 1);
        QVERIFY(QTest::qWaitFor([&] { return answers.size() == 1; }, kWaitMs));
        QVERIFY((answers.front().key == SiteKey{1, Site::Down}));
        QCOMPARE(answers.front().scheme, std::string("W4A4"));
        QCOMPARE(client.pending(), 0);
    }

    void onlyTheNewestRequestOfASiteIsAnswered() {
        ResidentClient client(test::fakeWorker("request"));
        client.open(test::inspectSpec());
        std::vector<SiteAnswer> answers;
        connect(&client, &ResidentClient::answered, this,
                [&](const SiteAnswer& answer) { answers.push_back(answer); });
        const SiteKey key{0, Site::Qkv};
        QVERIFY(client.request(key, TransformKind::None, parseScheme("W8A8").value(), {}));
        QVERIFY(client.request(key, TransformKind::None, parseScheme("W3A8").value(), {}));
        QVERIFY(client.request({0, Site::O}, TransformKind::None, parseScheme("W2A8").value(), {}));
        QVERIFY(QTest::qWaitFor([&] { return answers.size() == 2; }, kWaitMs));
        QTest::qWait(200);
        QCOMPARE(answers.size(), std::size_t(2));
        QCOMPARE(answers.at(0).scheme, std::string("W3A8"));
        QVERIFY((answers.at(1).key == SiteKey{0, Site::O}));
    }

    void aRefusedRequestLeavesTheWorkerAlive() {
        ResidentClient client(test::fakeWorker("request"));
        client.open(test::inspectSpec());
        QSignalSpy refused(&client, &ResidentClient::requestFailed);
        QSignalSpy failed(&client, &ResidentClient::failed);
        QSignalSpy answered(&client, &ResidentClient::answered);
        QVERIFY(client.request({99, Site::O}, TransformKind::None, parseScheme("W4A4").value(), {}));
        QVERIFY(refused.wait(kWaitMs));
        QVERIFY(client.request({0, Site::O}, TransformKind::None, parseScheme("W4A4").value(), {}));
        QVERIFY(answered.wait(kWaitMs));
        QCOMPARE(failed.count(), 0);
    }

    void aCrashIsReportedOnceAndTheNextRequestRestarts() {
        ResidentClient client(test::fakeWorker("segv"));
        client.open(test::inspectSpec());
        QSignalSpy failed(&client, &ResidentClient::failed);
        QSignalSpy answered(&client, &ResidentClient::answered);
        const SiteKey key{0, Site::O};
        QVERIFY(client.request(key, TransformKind::None, parseScheme("W4A4").value(), {}));
        QVERIFY(failed.wait(kWaitMs));
        QCOMPARE(client.pending(), 0);
        test::fakeWorker("request");
        QVERIFY(client.request(key, TransformKind::None, parseScheme("W4A4").value(), {}));
        QVERIFY(answered.wait(kWaitMs));
        QCOMPARE(failed.count(), 1);
    }

    void nothingOfAClosedSourceArrives() {
        ResidentClient client(test::fakeWorker("request"));
        client.open(test::inspectSpec());
        QSignalSpy answered(&client, &ResidentClient::answered);
        QVERIFY(client.request({0, Site::O}, TransformKind::None, parseScheme("W4A4").value(), {}));
        client.close();
        QTest::qWait(500);
        QCOMPARE(answered.count(), 0);
        QVERIFY(!client.request({0, Site::O}, TransformKind::None, parseScheme("W4A4").value(), {}));
    }
};

QTEST_GUILESS_MAIN(ResidentClientTest)
#include "tst_resident_client.moc"
