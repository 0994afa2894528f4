// Results found in folders: by the weights they are from, by path where nothing names the weights, in every
// state.
#include <QCoreApplication>
#include <QDir>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <filesystem>

#include "app/file_loader.h"
#include "app/result_scan.h"
#include "app/session_bundle.h"
#include "engine/api/atomic_file.h"
#include "engine/api/job_event.h"
#include "tests/app/app_test_support.h"

using namespace bdq;
namespace fs = std::filesystem;

namespace {

const ModelMark kModel{"weights", "/models/model.gguf"};

JobNote noteOf(const JobSpec& spec, JobState state) {
    JobNote note;
    note.number = 7;
    note.fingerprint = kModel.fingerprint;
    note.spec = spec;
    note.state = state;
    note.createdUnixMs = 1000;
    return note;
}

std::vector<std::string> namesOf(const std::vector<FoundResult>& results) {
    std::vector<std::string> names;
    for (const FoundResult& found : results)
        names.push_back(fs::path(found.folder).filename().string());
    return names;
}

} // namespace

class ResultScanTest : public QObject {
    Q_OBJECT
private slots:
    void init() { m_dir = std::make_unique<QTemporaryDir>(); }

    void aNoteSurvivesItsFile() {
        JobNote note = noteOf(run("a"), JobState::Failed);
        note.error = "no \"room\"";
        note.worker = {123, "456"};
        note.seconds = 1.5;
        QVERIFY(saveJobNote(folder("a"), note));
        const auto read = loadJobNote(folder("a"));
        QVERIFY2(read, read ? "" : read.error().text().c_str());
        QCOMPARE(encodeJobNote(*read), encodeJobNote(note));
        QVERIFY(!decodeJobNote("{}", "x") && !decodeJobNote("{\"schema\": 1, \"spec\": {}}", "x"));
        QVERIFY(decodeJobNote("{\"schema\": 99, \"spec\": {}}", "x").error().code == ErrorCode::Unsupported);
    }

    void everyStateIsTold() {
        QVERIFY(saveJobNote(folder("queued"), noteOf(run("queued"), JobState::Queued)));
        JobNote died = noteOf(run("died"), JobState::Running);
        died.worker = {1 << 22, "1"}; // above every process number
        QVERIFY(saveJobNote(folder("died"), died));
        JobNote works = noteOf(run("works"), JobState::Running);
        works.worker = ProcessMark::of(QCoreApplication::applicationPid());
        QVERIFY(saveJobNote(folder("works"), works));
        QVERIFY(saveJobNote(folder("done"), noteOf(run("done"), JobState::Running)));
        QVERIFY(test::produce(run("done")));
        JobNote refused = noteOf(run("refused"), JobState::Running);
        QVERIFY(saveJobNote(folder("refused"), refused));
        QVERIFY(writeFileAtomically(folder("refused") + "/events.jsonl",
                                    encodeEvent(FailedEvent{Error{ErrorCode::DiskFull, "no room", {}}}, 0) +
                                        "\n"));
        const std::map<std::string, JobState> expected{{"queued", JobState::Queued},
                                                       {"died", JobState::Cancelled},
                                                       {"works", JobState::Running},
                                                       {"done", JobState::Finished},
                                                       {"refused", JobState::Failed}};
        const auto results = find();
        QCOMPARE(results.size(), expected.size());
        for (const FoundResult& found : results) {
            const std::string name = fs::path(found.folder).filename().string();
            QVERIFY2(found.note.state == expected.at(name), name.c_str());
            QCOMPARE(found.alive, name == "works");
            QCOMPARE(found.note.number, 7);
            if (name == "refused") QCOMPARE(found.note.error, std::string("no room"));
        }
    }

    void weightsDecideWherePathsDoNot() {
        // The same model from another place, and another model from the same place.
        RunSpec moved = run("moved");
        moved.modelPath = "/old/model.gguf";
        QVERIFY(saveJobNote(folder("moved"), noteOf(moved, JobState::Queued)));
        JobNote other = noteOf(run("other"), JobState::Queued);
        other.fingerprint = "other weights";
        QVERIFY(saveJobNote(folder("other"), other));
        QCOMPARE(namesOf(find()), (std::vector<std::string>{"moved"}));
    }

    void resultsWithoutANoteAreFoundByPath() {
        QVERIFY(test::produce(run("cli")));
        QVERIFY(test::produce(analysis("analysis")));
        RunSpec other = run("other");
        other.modelPath = "/models/other.gguf";
        QVERIFY(test::produce(other));
        const auto results = find();
        QCOMPARE(results.size(), std::size_t(2));
        for (const FoundResult& found : results) {
            QVERIFY(found.note.state == JobState::Finished && !found.noted);
            QCOMPARE(found.layers, 2);
        }
        fs::remove(folder("cli") + "/run.json"); // killed before its end
        const auto left = find();
        const auto cut = std::ranges::find(left, folder("cli"), &FoundResult::folder);
        QVERIFY(cut != left.end() && cut->note.state == JobState::Cancelled && cut->resumable);
    }

    void aJobOfTheCommandLineIsSeenWorking() {
        QVERIFY(test::produce(run("cli")));
        fs::remove(folder("cli") + "/run.json");
        // The lock of a killed job, whose number is another program's by now.
        QVERIFY(writeFileAtomically(folder("cli") + "/lock",
                                    std::to_string(QCoreApplication::applicationPid()) + "\n"));
        QVERIFY(!find().front().alive);
        const QString program = m_dir->filePath(QStringLiteral("bdq-sleep"));
        QVERIFY(QFile::copy(QStringLiteral("/bin/sleep"), program));
        QProcess worker;
        worker.start(program, {QStringLiteral("60")});
        QVERIFY(worker.waitForStarted());
        QVERIFY(writeFileAtomically(folder("cli") + "/lock", std::to_string(worker.processId()) + "\n"));
        QTRY_VERIFY(find().front().alive); // once it has become the program
        QVERIFY(find().front().note.state == JobState::Running);
        worker.kill();
        QVERIFY(worker.waitForFinished());
        QVERIFY(!find().front().alive && find().front().resumable);
    }

    void aResultThatNamesItsWeightsIsNotTakenForAnother() {
        QVERIFY(test::produce(analysis("analysis")));
        const std::string file = folder("analysis") + "/analysis.json";
        std::string text = *readTextFile(file, 1 << 24);
        const std::string key = "\"model_fingerprint\":\"";
        const std::size_t begin = text.find(key) + key.size();
        QVERIFY(begin > key.size());
        text.replace(begin, text.find('"', begin) - begin, "other weights");
        QVERIFY(writeFileAtomically(file, text));
        QVERIFY(find().empty());
        QCOMPARE(findResults({{root(), 1}}, {"other weights", "/nowhere"}).size(), std::size_t(1));
    }

    void perplexitiesKnowTheirSize() {
        RunSpec spec = run("small");
        spec.layers = {1};
        spec.evaluation = EvaluationOptions{"text", 64, 0};
        QVERIFY(test::produce(spec));
        const FoundResult found = find().front();
        QVERIFY(found.perplexity && found.perplexityFull);
        QCOMPARE(found.perplexityTokens, std::int64_t{4 * 64}); // the fake worker says four windows
    }

    void depthIsKept() {
        QVERIFY(test::produce(run("a/b/deep")));
        QVERIFY(findResults({{root(), 2}}, kModel).empty());
        QCOMPARE(findResults({{root(), 3}}, kModel).size(), std::size_t(1));
        // A place that is named twice, once through a link, is one.
        fs::create_directory_symlink(root(), root() + "/a/loop");
        QCOMPARE(findResults({{root(), 9}, {root(), 9}}, kModel).size(), std::size_t(1));
    }

    void theMovedFolderIsTheOneThatLooksMostLikeIt() {
        std::vector<FoundResult> results(3);
        results[0].folder = "/new/x.bdqsession.d/run-0001";
        results[1].folder = "/new/y.bdqsession.d/run-0001";
        results[2].folder = "/new/y.bdqsession.d/run-0002";
        QCOMPARE(*findMoved(results, "/old/y.bdqsession.d/run-0001"), results[1].folder);
        QCOMPARE(*findMoved(results, "/old/z/run-0002"), results[2].folder);
        QVERIFY(!findMoved(results, "/old/z/run-0003"));
    }

    void aMovedSessionFindsItsParts() {
        const QString model = test::makeModel(m_dir->filePath("model"));
        AnalyzeSpec analyze = analysis("s/kept.bdqsession.d/analysis-0001");
        RunSpec first = run("s/kept.bdqsession.d/run-0001");
        analyze.modelPath = first.modelPath = model.toStdString();
        QVERIFY(test::produce(analyze) && test::produce(first));
        SessionDocument document;
        document.modelPath = model.toStdString();
        document.stamp = loadModel(document.modelPath)->stamp;
        document.analysisDir = analyze.outDir;
        document.runDirs = {first.outDir};
        QVERIFY(saveSession(document, folder("s/kept.bdqsession")));
        // Only the results move: what the session says of them is wrong now.
        fs::create_directories(folder("elsewhere/deep"));
        fs::rename(folder("s/kept.bdqsession.d"), folder("elsewhere/deep/results"));
        const auto lost = loadContent(folder("s/kept.bdqsession"));
        QVERIFY(lost && !lost->analysis && lost->runs.empty());
        QCOMPARE(lost->problems.size(), std::size_t(2));
        QVERIFY(lost->problems.front().missing == OpenProblem::Missing::Result);
        const auto found = loadContent(folder("s/kept.bdqsession"), {{{folder("elsewhere"), 3}}, false});
        QVERIFY(found && found->analysis && found->problems.empty());
        QCOMPARE(found->runs.size(), std::size_t(1));
        QCOMPARE(found->analysis->dir, folder("elsewhere/deep/results/analysis-0001"));
    }

    void aSessionWithResultsStandsAlone() {
        QVERIFY(test::produce(analysis("work/analysis-0001")));
        QVERIFY(test::produce(run("work/run-0001")));
        SessionDocument document;
        document.modelPath = "/models/model.gguf";
        document.analysisDir = folder("work/analysis-0001");
        QVERIFY(writeFileAtomically(folder("file"), "no folder"));
        QVERIFY(!saveWithResults(document, {}, folder("file/all.bdqsession")));
        document.runDirs = {
            folder("work/absent")}; // fails after the analysis was brought: nothing is left of it
        QVERIFY(!saveWithResults(document, {}, folder("half.bdqsession")));
        QVERIFY(!fs::exists(folder("half.bdqsession.d/analysis-0001")));
        document.runDirs.clear();
        fs::create_directories(folder("out"));
        const Status saved = saveWithResults(
            document, {folder("work/run-0001"), folder("work/analysis-0001")}, folder("out/all.bdqsession"));
        QVERIFY2(saved, saved ? "" : saved.error().text().c_str());
        fs::remove_all(folder("work"));
        fs::rename(folder("out"), folder("moved"));
        const auto read = loadContent(folder("moved/all.bdqsession"));
        QVERIFY(read && read->analysis);
        QCOMPARE(read->analysis->dir, folder("moved/all.bdqsession.d/analysis-0001"));
        QVERIFY(fs::exists(folder("moved/all.bdqsession.d/run-0001/run.json")));
    }

private:
    std::string root() const { return m_dir->path().toStdString(); }
    std::string folder(const std::string& name) const { return root() + "/" + name; }
    RunSpec run(const char* name) const {
        RunSpec spec = test::runSpec(m_dir->filePath(QString::fromLatin1(name)));
        spec.modelPath = kModel.path;
        return spec;
    }
    AnalyzeSpec analysis(const char* name) const {
        AnalyzeSpec spec = test::analyzeSpec(m_dir->filePath(QString::fromLatin1(name)));
        spec.modelPath = kModel.path;
        return spec;
    }
    std::vector<FoundResult> find() const { return findResults({{root(), 1}}, kModel); }

    std::unique_ptr<QTemporaryDir> m_dir;
};

QTEST_GUILESS_MAIN(ResultScanTest)
#include "tst_result_scan.moc"
