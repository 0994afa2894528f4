// The German window: the file is whole and up to date, and the window shows it.
#include <QAction>
#include <QDir>
#include <QDockWidget>
#include <QFile>
#include <QMenuBar>
#include <QProcess>
#include <QRegularExpression>
#include <QSignalSpy>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>
#include <QXmlStreamReader>

#include "app/main_window.h"
#include "app/translations.h"
#include "tests/app/app_test_support.h"
#include "widgets/format.h"
#include "widgets/models/run_list_model.h"
#include "widgets/panels/site_table_panel.h"

using namespace bdq;

namespace {

/// Small screens, the second one is 1280 x 800 at 125 %.
constexpr QSize kSmallScreens[] = {{1280, 720}, {1024, 640}};

struct Message {
    QString context;
    QString source;
    QString translation; ///< of a plural: all forms
    bool finished = true;
};

QString germanFile() {
    return qEnvironmentVariable("BDQ_SOURCE_DIR") + QStringLiteral("/translations/bdq-studio_de.ts");
}

std::vector<Message> read(const QString& path) {
    QFile file(path);
    std::vector<Message> messages;
    if (!file.open(QIODevice::ReadOnly)) return messages;
    QXmlStreamReader xml(&file);
    QString context;
    while (!xml.atEnd()) {
        if (!xml.readNextStartElement()) continue;
        const auto name = xml.name();
        if (name == u"name") {
            context = xml.readElementText();
        } else if (name == u"source") {
            messages.push_back({context, xml.readElementText(), {}, true});
        } else if (name == u"translation") {
            messages.back().finished = !xml.attributes().hasAttribute(QStringLiteral("type"));
            messages.back().translation = xml.readElementText(QXmlStreamReader::IncludeChildElements);
        }
    }
    return messages;
}

/// "%1", "%n", ... that occur, each once, sorted.
QStringList placeholders(const QString& text) {
    static const QRegularExpression pattern(QStringLiteral("%[0-9n]"));
    QStringList found;
    for (auto matches = pattern.globalMatch(text); matches.hasNext();)
        found << matches.next().captured();
    found.removeDuplicates();
    found.sort();
    return found;
}

} // namespace

class TranslationsTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { QStandardPaths::setTestModeEnabled(true); }

    void nothingIsUnfinished() {
        const std::vector<Message> messages = read(germanFile());
        QVERIFY(messages.size() > 500);
        for (const Message& message : messages) {
            QVERIFY2(message.finished && !message.translation.trimmed().isEmpty(),
                     qPrintable(message.source));
            QVERIFY2(message.context.startsWith(QStringLiteral("bdq::")) || message.context == u"main",
                     qPrintable(message.context));
            QCOMPARE(placeholders(message.translation), placeholders(message.source));
        }
    }

    void everyTextOfTheSourcesIsInTheFile() {
        QTemporaryDir folder;
        const QString copy = folder.filePath(QStringLiteral("copy_de.ts"));
        QVERIFY(QFile::copy(germanFile(), copy));
        const QString root = qEnvironmentVariable("BDQ_SOURCE_DIR");
        QProcess lupdate;
        lupdate.setWorkingDirectory(root);
        lupdate.start(QStringLiteral(BDQ_LUPDATE), {"-silent", "-no-obsolete", "-locations", "none",
                                                    "widgets", "app", "-I", ".", "-ts", copy});
        QVERIFY(lupdate.waitForFinished(60000));
        QCOMPARE(lupdate.exitCode(), 0);
        const std::vector<Message> messages = read(copy);
        for (const Message& message : messages)
            QVERIFY2(message.finished, qPrintable(message.context + QStringLiteral(": ") + message.source));
        QCOMPARE(messages.size(), read(germanFile()).size());
    }

    void theWindowFitsASmallScreen_data() {
        QTest::addColumn<QString>("language");
        QTest::addColumn<QSize>("screen");
        for (const Language& language : languages()) // English first: translations stay installed
            for (const QSize screen : kSmallScreens)
                QTest::addRow("%s %d", qPrintable(language.code), screen.width()) << language.code << screen;
    }

    void theWindowFitsASmallScreen() {
        QFETCH(QString, language);
        QFETCH(QSize, screen);
        installTranslations(*QCoreApplication::instance(), language);
        const QString folder = m_dir.filePath(QStringLiteral("run"));
        QVERIFY(QDir().mkpath(folder) && test::produce(test::runSpec(folder)));
        QSettings store(m_dir.filePath(QStringLiteral("s.ini")), QSettings::IniFormat);
        Settings settings(store);
        MainWindow window(settings, test::fakeWorker("ok"));
        QSignalSpy opened(window.session(), &SessionController::opened);
        window.resize(screen);
        window.show();
        window.openPath(folder);
        QVERIFY(opened.wait(15000));
        for (QDockWidget* dock : window.findChildren<QDockWidget*>()) {
            dock->show();
            dock->raise();
            const QSize least = dock->minimumSizeHint();
            qInfo("%s: at least %d x %d", qPrintable(dock->windowTitle()), least.width(), least.height());
        }
        const QSize centre = window.centralWidget()->minimumSizeHint();
        qInfo("centre: at least %d x %d", centre.width(), centre.height());
        QTest::qWait(50);
        QVERIFY2(window.width() <= screen.width() && window.height() <= screen.height(),
                 qPrintable(QStringLiteral("%1 x %2").arg(window.width()).arg(window.height())));
    }

    void aGermanWindowIsGerman() {
        installTranslations(*QCoreApplication::instance(), QStringLiteral("de"));
        QSettings store(m_dir.filePath(QStringLiteral("s.ini")), QSettings::IniFormat);
        Settings settings(store);
        MainWindow window(settings, test::fakeWorker("ok"));
        QStringList titles;
        for (const QAction* action : window.menuBar()->actions())
            titles << action->text().remove(QLatin1Char('&'));
        const QStringList expected{"Datei",     "Bearbeiten",  "Ansicht", "Plan",
                                   "Ausführen", "Vergleichen", "Fenster", "Hilfe"};
        QCOMPARE(titles, expected);
        QSet<QChar> keys;
        for (const QAction* action : window.menuBar()->actions())
            keys.insert(action->text().at(action->text().indexOf(QLatin1Char('&')) + 1).toLower());
        QCOMPARE(keys.size(), titles.size()); // each menu has a key of its own
        QCOMPARE(runStateText(RunState::Finished), QStringLiteral("fertig"));
        QCOMPARE(siteText({3, Site::Down}), QStringLiteral("Schicht 3 · down"));
        QCOMPARE(formatNumber(21.63), QStringLiteral("21,6"));
        QCOMPARE(SiteTablePanel::tr("%n rows", nullptr, 2), QStringLiteral("2 Zeilen"));
    }

    void theChoiceIsRemembered() {
        QSettings store(m_dir.filePath(QStringLiteral("s.ini")), QSettings::IniFormat);
        Settings settings(store);
        QCOMPARE(settings.language(), QString());
        {
            MainWindow window(settings, test::fakeWorker("ok"));
            for (QAction* action : window.findChildren<QAction*>())
                if (action->text() == QStringLiteral("Deutsch")) action->trigger();
        }
        QCOMPARE(settings.language(), QStringLiteral("de"));
    }

private:
    QTemporaryDir m_dir;
};

QTEST_MAIN(TranslationsTest)
#include "tst_translations.moc"
