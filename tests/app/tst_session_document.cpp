// Session files: round trip, moved folders, newer and broken documents.
#include <QJsonDocument>
#include <QJsonObject>
#include <QTemporaryDir>
#include <QTest>

#include "app/session_document.h"
#include "engine/api/atomic_file.h"

using namespace bdq;
namespace fs = std::filesystem;

namespace {

SessionDocument sample(const fs::path& folder) {
    SessionDocument document;
    document.modelPath = (folder / "models" / "model.gguf").string();
    // Beyond 2^53: would be rounded as a JSON number.
    document.stamp = {9007199254740993u, 1700000000, "00ff"};
    document.analysisDir = (folder / "name.bdqsession.d" / "analysis-0001").string();
    document.runDirs = {(folder / "name.bdqsession.d" / "run-0001").string(), "/elsewhere/run-0002"};
    document.state.plan.base = parseScheme("W4A4KV4").value();
    document.state.plan.set({3, Site::Down}, parseScheme("W8A8").value());
    document.state.method = Method::CatBlock;
    document.state.preset = Preset::Balanced;
    document.state.rounding = WeightRounding::Mse;
    document.state.budget = 3.25;
    document.state.locked = {{0, Site::Qkv}, {3, Site::Down}};
    document.state.candidateBits = {2, 5, 6};
    document.state.transforms = {{{3, Site::Down}, TransformKind::Hadamard}};
    document.notes = "two \"lines\"\nof notes";
    return document;
}

void compare(const SessionDocument& a, const SessionDocument& b) {
    QCOMPARE(a.modelPath, b.modelPath);
    QCOMPARE(a.stamp.sizeBytes, b.stamp.sizeBytes);
    QCOMPARE(a.stamp.modifiedUnixSeconds, b.stamp.modifiedUnixSeconds);
    QCOMPARE(a.stamp.fingerprint, b.stamp.fingerprint);
    QCOMPARE(a.analysisDir, b.analysisDir);
    QCOMPARE(a.runDirs, b.runDirs);
    QVERIFY(a.state == b.state);
    QCOMPARE(a.notes, b.notes);
}

} // namespace

class SessionDocumentTest : public QObject {
    Q_OBJECT
private slots:
    void roundTrip() {
        const fs::path folder = m_dir.path().toStdString();
        const fs::path file = folder / "name.bdqsession";
        QVERIFY(saveSession(sample(folder), file));
        const auto read = loadSession(file);
        QVERIFY2(read, read ? "" : read.error().text().c_str());
        compare(*read, sample(folder));
    }

    void aMovedFolderKeepsItsParts() {
        const std::string text = encodeSession(sample("/a/b"), "/a/b");
        QVERIFY(text.find("\"models/model.gguf\"") != std::string::npos);
        const auto read = decodeSession(text, "moved", "/c");
        QVERIFY(read);
        QCOMPARE(read->modelPath, std::string("/c/models/model.gguf"));
        QCOMPARE(read->runDirs.front(), std::string("/c/name.bdqsession.d/run-0001"));
    }

    void aNewerSchemaIsRefusedNamingBothVersions() {
        std::string text = encodeSession(sample("/a"), "/a");
        const std::string ours = "\"schema\": " + std::to_string(kSessionSchema);
        const auto at = text.rfind(ours); // keys are sorted: the plan has its own schema before
        QVERIFY(at != std::string::npos);
        text.replace(at, ours.size(), "\"schema\": 7");
        const auto read = decodeSession(text, "new.bdqsession", "/a");
        QVERIFY(!read);
        QCOMPARE(read.error().code, ErrorCode::Unsupported);
        QVERIFY(read.error().message.find("new.bdqsession") != std::string::npos);
        QVERIFY(read.error().message.find("schema 7") != std::string::npos);
        QVERIFY(read.error().message.find("schema " + std::to_string(kSessionSchema)) != std::string::npos);
    }

    void brokenDocumentsAreRefused_data() {
        QTest::addColumn<QByteArray>("text");
        QTest::newRow("empty") << QByteArray();
        QTest::newRow("half") << QByteArray("{\"schema\": 1, \"mod");
        QTest::newRow("no schema") << QByteArray("{\"model\": {}, \"plan\": {}}");
        QTest::newRow("array") << QByteArray("[1]");
        QTest::newRow("schema text") << QByteArray("{\"schema\": \"one\"}");
        QTest::newRow("no plan") << QByteArray("{\"schema\": 1, \"model\": {}}");
        QByteArray site = QByteArray::fromStdString(encodeSession(sample("/a"), "/a"));
        QTest::newRow("unknown transform") << QByteArray(site).replace("\"hadamard\"", "\"magic\"");
        QTest::newRow("unknown method") << QByteArray(site).replace("\"cat-block\"", "\"magic\"");
        QTest::newRow("budget") << QByteArray(site).replace("\"average_weight_bits\": 3.25",
                                                            "\"average_weight_bits\": \"few\"");
        QTest::newRow("candidate bits") << QByteArray(site).replace("        6\n", "        9\n");
        QTest::newRow("locked site") << QByteArray(site).replace("\"qkv\"", "\"qvk\"");
        QTest::newRow("negative layer") << QByteArray(site).replace("\"layer\": 3", "\"layer\": -3");
    }
    void brokenDocumentsAreRefused() {
        QFETCH(QByteArray, text);
        const auto read = decodeSession(text.toStdString(), "broken.bdqsession", "/a");
        QVERIFY(!read);
        QVERIFY2(read.error().text().find("broken.bdqsession") != std::string::npos,
                 read.error().text().c_str());
    }

    void aSessionOfAnOlderVersionHasNothingLocked() {
        SessionDocument document = sample("/a");
        QByteArray text = QByteArray::fromStdString(encodeSession(document, "/a"));
        const QJsonDocument json = QJsonDocument::fromJson(text);
        QJsonObject root = json.object();
        root.remove("locked");
        root.remove("candidate_bits");
        const auto read = decodeSession(QJsonDocument(root).toJson().toStdString(), "old", "/a");
        QVERIFY2(read, read ? "" : read.error().text().c_str());
        QVERIFY(read->state.locked.empty());
        QCOMPARE(read->state.candidateBits, PlanState().candidateBits);
    }

    void anUnwritableFolderIsSaid() {
        const Status saved = saveSession(sample("/a"), "/nowhere/at/all/name.bdqsession");
        QVERIFY(!saved);
        QVERIFY(saved.error().text().find("/nowhere/at/all") != std::string::npos);
    }

private:
    QTemporaryDir m_dir;
};

QTEST_GUILESS_MAIN(SessionDocumentTest)
#include "tst_session_document.moc"
