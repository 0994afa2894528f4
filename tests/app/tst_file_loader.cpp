// Opening: every kind of path, and every kind of thing that is wrong with one.
#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include "app/file_loader.h"
#include "engine/api/atomic_file.h"
#include "engine/api/job_event.h"
#include "tests/app/app_test_support.h"

using namespace bdq;

class FileLoaderTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() {
        m_analysis = m_dir.filePath(QStringLiteral("analysis"));
        m_run = m_dir.filePath(QStringLiteral("run"));
        QVERIFY(QDir().mkpath(m_analysis) && QDir().mkpath(m_run));
        QVERIFY(test::produce(test::analyzeSpec(m_analysis)));
        QVERIFY(test::produce(test::runSpec(m_run)));
    }

    void anAnalysisFolderOpensWithoutItsModel() {
        // The command line keeps its events beside the result.
        QVERIFY(writeFileAtomically(m_analysis.toStdString() + "/events.jsonl", "{}\n"));
        const auto content = loadContent(m_analysis.toStdString());
        QVERIFY2(content, content ? "" : content.error().text().c_str());
        QVERIFY(content->analysis && content->runs.empty());
        QCOMPARE(content->analysis->result->sites.size(), std::size_t(8));
        QVERIFY(!content->model);
        // The model is gone: one problem that names it, and everything else is there.
        QCOMPARE(content->problems.size(), std::size_t(1));
        QVERIFY(content->problems.front().text.find("model.gguf") != std::string::npos);
    }

    void aRunFolderOpens() {
        const auto content = loadContent(m_run.toStdString());
        QVERIFY2(content, content ? "" : content.error().text().c_str());
        QCOMPARE(content->runs.size(), std::size_t(1));
        QVERIFY(!content->runs.front().interrupted);
        QVERIFY(!content->runs.front().result->perLayer.empty());
    }

    void anInterruptedRunShowsItsFinishedRows() {
        const QString dir = m_dir.filePath(QStringLiteral("killed"));
        QVERIFY(QDir().mkpath(dir));
        const RunSpec spec = test::runSpec(dir);
        const std::string folder = dir.toStdString();
        QVERIFY(writeFileAtomically(folder + "/spec.json", encodeSpec(spec)));
        RunSiteResult row;
        row.key = {0, Site::Qkv};
        row.scheme = "W4A4";
        row.sqnrDb = 10;
        std::string log = encodeEvent(AcceptedEvent{"run", "cuda:0", folder, 2}, 0) + "\n";
        log += encodeEvent(RowEvent{"run_site", encodeRunRow(row)}, 1) + "\n";
        row.sqnrDb = 12;
        log += encodeEvent(RowEvent{"run_site", encodeRunRow(row)}, 2) + "\n";
        log += "{\"event\":\"prog"; // killed in the middle of a line
        QVERIFY(writeFileAtomically(folder + "/events.jsonl", log));
        const auto content = loadContent(folder);
        QVERIFY2(content, content ? "" : content.error().text().c_str());
        const LoadedRun& run = content->runs.front();
        QVERIFY(run.interrupted);
        QCOMPARE(run.result->provenance.device, std::string("cuda:0"));
        QCOMPARE(run.result->perLayer.size(), std::size_t(1));
        QCOMPARE(run.result->perLayer.front().sqnrDb, 12.0);
    }

    void whatCannotBeOpenedIsNamed_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QByteArray>("bytes");
        QTest::newRow("missing") << "missing.gguf" << QByteArray();
        QTest::newRow("cut model") << "cut.gguf" << QByteArray("GGUF\x03\x00\x00\x00", 8);
        QTest::newRow("no model") << "letter.gguf" << QByteArray("Dear reader, this is no model at all.");
        QTest::newRow("broken session") << "broken.bdqsession" << QByteArray("{");
        QTest::newRow("broken run") << "broken/run.json" << QByteArray("{\"schema\": 1}");
        QTest::newRow("unfinished") << "unfinished/events.jsonl" << QByteArray("{}\n");
        QTest::newRow("broken analysis")
            << "half/analysis.json" << QByteArray("{\"schema\": 1, \"sites\": [");
    }
    void whatCannotBeOpenedIsNamed() {
        QFETCH(QString, name);
        QFETCH(QByteArray, bytes);
        const QString path = m_dir.filePath(name);
        if (!bytes.isEmpty()) {
            QVERIFY(QDir().mkpath(QFileInfo(path).absolutePath()));
            QFile file(path);
            QVERIFY(file.open(QIODevice::WriteOnly) && file.write(bytes) == bytes.size());
        }
        const QString opened = name.contains(QLatin1Char('/')) ? QFileInfo(path).absolutePath() : path;
        const auto content = loadContent(opened.toStdString());
        QVERIFY(!content);
        const QString text = QString::fromStdString(content.error().text());
        QVERIFY2(text.contains(QFileInfo(opened).fileName()), qPrintable(text));
    }

    void aSessionBringsItsParts() {
        SessionDocument document;
        document.modelPath = m_dir.filePath(QStringLiteral("gone.gguf")).toStdString();
        document.analysisDir = m_analysis.toStdString();
        document.runDirs = {m_run.toStdString(), m_dir.filePath(QStringLiteral("deleted")).toStdString()};
        document.state.plan.base = parseScheme("W3A8").value();
        const std::string path = m_dir.filePath(QStringLiteral("s.bdqsession")).toStdString();
        QVERIFY(saveSession(document, path));
        const auto content = loadContent(path);
        QVERIFY2(content, content ? "" : content.error().text().c_str());
        QVERIFY(content->analysis && content->session);
        QCOMPARE(content->runs.size(), std::size_t(1));
        QCOMPARE(content->problems.size(), std::size_t(2)); // the model and the deleted run
    }

private:
    QTemporaryDir m_dir;
    QString m_analysis;
    QString m_run;
};

QTEST_GUILESS_MAIN(FileLoaderTest)
#include "tst_file_loader.moc"
