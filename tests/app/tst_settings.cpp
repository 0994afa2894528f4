// What is remembered between starts, and where results go.
#include <QDir>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>

#include "app/output_folders.h"
#include "app/settings.h"
#include "app/worker_locator.h"

using namespace bdq;

class SettingsTest : public QObject {
    Q_OBJECT
private slots:
    void init() {
        m_store = std::make_unique<QSettings>(m_dir.filePath(QStringLiteral("s.ini")), QSettings::IniFormat);
        m_store->clear();
    }

    void recentEntriesAreNewestFirstAndUnique() {
        Settings settings(*m_store);
        settings.addRecent({"/a", "A", "perplexity 21.6"});
        settings.addRecent({"/b", "B", ""});
        settings.addRecent({"/a", "A", ""});
        auto recent = settings.recent();
        QCOMPARE(recent.size(), std::size_t(2));
        QCOMPARE(recent[0].path, QStringLiteral("/a"));
        QCOMPARE(recent[0].detail, QStringLiteral("perplexity 21.6"));
        for (int i = 0; i < 40; ++i)
            settings.addRecent({QString::number(i), {}, {}});
        QCOMPARE(settings.recent().size(), std::size_t(12));
        settings.removeRecent(QStringLiteral("39"));
        QCOMPARE(settings.recent().front().path, QStringLiteral("38"));
    }

    void runOptionsSurviveARestart() {
        RunSpec spec;
        spec.modelPath = "m.gguf";
        spec.outDir = "out";
        spec.method = Method::QuaRot;
        spec.calibration = {"text.txt", 5, 128};
        spec.device.device = "cuda:1";
        spec.evaluation = EvaluationOptions{"eval.txt", 256, 3};
        Settings(*m_store).setRunOptions(spec);
        m_store->sync();
        QSettings again(m_store->fileName(), QSettings::IniFormat);
        const RunSpec read = Settings(again).runOptions();
        QCOMPARE(encodeSpec(read), encodeSpec(spec));
    }

    void brokenOptionsGiveTheFirstOnes() {
        m_store->setValue(QStringLiteral("options/analyze"), QStringLiteral("{not json"));
        const AnalyzeSpec spec = Settings(*m_store).analyzeOptions();
        QCOMPARE(spec.calibration.sequences, 8);
        QCOMPARE(spec.calibration.sequenceLength, 512);
    }

    void layoutIsForgottenOnRequest() {
        Settings settings(*m_store);
        settings.setLayout(QStringLiteral("docks"), "state");
        settings.addRecent({"/a", {}, {}});
        settings.clearLayout();
        QVERIFY(settings.layout(QStringLiteral("docks")).isEmpty());
        QCOMPARE(settings.recent().size(), std::size_t(1));
    }

    void outputFoldersAreNeverHandedOutTwice() {
        OutputFolders folders;
        QVERIFY(QDir(m_dir.path()).mkpath(QStringLiteral("run-0001")));
        QCOMPARE(folders.next(m_dir.path(), QStringLiteral("run")),
                 m_dir.filePath(QStringLiteral("run-0002")));
        QCOMPARE(folders.next(m_dir.path(), QStringLiteral("run")),
                 m_dir.filePath(QStringLiteral("run-0003")));
        QCOMPARE(resultsFolder(QStringLiteral("/x/n.bdqsession"), QStringLiteral("/base"), {}, {}),
                 QStringLiteral("/x/n.bdqsession.d"));
        QCOMPARE(resultsFolder({}, QStringLiteral("/base"), QStringLiteral("../evil name"),
                               ModelStamp{1, 2, "0123456789ab"}),
                 QStringLiteral("/base/.._evil_name-01234567"));
    }

    void resultsLieInSightAndWhereTheyLayIsRemembered() {
        Settings settings(*m_store);
        m_store->remove(QStringLiteral("results"));
        QVERIFY(settings.resultsFolder().endsWith(QStringLiteral("/BDQ Studio")));
        const QString first = settings.resultsFolder();
        settings.setResultsFolder(QStringLiteral("/mine/"));
        QCOMPARE(settings.resultsFolder(), QStringLiteral("/mine"));
        QCOMPARE(settings.knownFolders(), QStringList{first});
        settings.addKnownFolder(QStringLiteral("/other"));
        settings.addKnownFolder(first);
        QCOMPARE(settings.knownFolders(), (QStringList{first, QStringLiteral("/other")}));
        std::vector<std::string> places;
        for (const ResultPlace& place : resultPlaces(settings))
            places.push_back(place.folder);
        for (const QString& wanted :
             {QStringLiteral("/mine"), QStringLiteral("/other"), first, earlierResultsFolder()})
            QVERIFY2(std::ranges::find(places, wanted.toStdString()) != places.end(), qPrintable(wanted));
    }

    void noNumberIsGivenTwice() {
        Settings settings(*m_store);
        m_store->remove(QStringLiteral("results"));
        QCOMPARE(settings.takeRunNumber(), 1);
        settings.keepRunNumber(7); // found in a folder
        settings.keepRunNumber(3);
        QCOMPARE(Settings(*m_store).takeRunNumber(), 8);
    }

    void theWorkerIsChosenByTheEnvironmentElseBesideUs() {
        qputenv("BDQ_WORKER", "/some/where/else");
        QCOMPARE(locateWorker(), QStringLiteral("/some/where/else"));
        qunsetenv("BDQ_WORKER");
        QCOMPARE(locateWorker(), QCoreApplication::applicationDirPath() + QStringLiteral("/bdq"));
    }

private:
    QTemporaryDir m_dir;
    std::unique_ptr<QSettings> m_store;
};

QTEST_GUILESS_MAIN(SettingsTest)
#include "tst_settings.moc"
