// bdq-studio on a machine without a screen: words and an exit code, no core dump.
#include <QProcess>
#include <QTest>

#include "engine/api/version.h"

class StartWithoutScreenTest : public QObject {
    Q_OBJECT

    struct Ended {
        QProcess::ExitStatus status;
        int code;
        QByteArray out;
        QByteArray err;
    };
    static Ended started(const QStringList& words, const char* display = nullptr) {
        QProcess process;
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        for (const char* name : {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"})
            environment.remove(QString::fromLatin1(name));
        if (display != nullptr) environment.insert(QStringLiteral("DISPLAY"), QString::fromLatin1(display));
        process.setProcessEnvironment(environment);
        process.start(QStringLiteral(BDQ_STUDIO), words);
        process.waitForFinished();
        return {process.exitStatus(), process.exitCode(), process.readAllStandardOutput(),
                process.readAllStandardError()};
    }

private slots:
    void versionAndHelpNeedNone() {
        const Ended version = started({QStringLiteral("--version")});
        QCOMPARE(version.status, QProcess::NormalExit);
        QCOMPARE(version.code, 0);
        QVERIFY2(version.out.contains(QByteArray(bdq::version().data(), qsizetype(bdq::version().size()))),
                 version.out.constData());
        for (const char* word : {"--help", "-h"}) {
            const Ended help = started({QString::fromLatin1(word)});
            QCOMPARE(help.code, 0);
            QVERIFY2(help.out.contains("MODEL"), help.out.constData());
        }
    }

    void aStartSaysWhatIsMissing() {
        for (const char* display : {static_cast<const char*>(nullptr), ":987"}) {
            const Ended ended = started({}, display);
            QCOMPARE(ended.status, QProcess::NormalExit);
            QVERIFY2(ended.code > 0 && ended.code < 128, QByteArray::number(ended.code).constData());
            QCOMPARE(ended.err.count('\n'), qsizetype(1));
            QVERIFY2(ended.err.startsWith("bdq-studio: error:"), ended.err.constData());
        }
    }
};

QTEST_GUILESS_MAIN(StartWithoutScreenTest)
#include "tst_start_without_screen.moc"
