// bdq-studio: the desktop window of BDQ Studio.
#include <cstdio>
#include <cstdlib>
#include <utility>

#include <QApplication>
#include <QCommandLineParser>
#include <QProcess>

#include "app/main_window.h"
#include "app/translations.h"
#include "app/worker_locator.h"
#include "engine/api/fault_signals.h"
#include "engine/api/version.h"
#include "widgets/wheel_guard.h"

namespace {

/// What Qt said while it looked for a screen.
QStringList& startMessages() {
    static QStringList messages;
    return messages;
}

/// Qt ends the process with a core dump when it finds no screen to draw on; people get one sentence instead.
void holdBackStartMessages(QtMsgType type, const QMessageLogContext&, const QString& message) {
    startMessages().append(message.section(QLatin1Char('\n'), 0, 0).trimmed());
    if (type != QtFatalMsg) return;
    std::fprintf(stderr,
                 "bdq-studio: error: the window cannot be opened, expected a graphical session (DISPLAY or "
                 "WAYLAND_DISPLAY); on a machine without a screen use bdq. Qt says: %s\n",
                 qPrintable(startMessages().constFirst()));
    std::fflush(stderr);
    std::_Exit(EXIT_FAILURE);
}

void nameProgram() {
    const std::string_view version = bdq::version();
    QCoreApplication::setOrganizationName(QStringLiteral("bdq-studio"));
    QCoreApplication::setApplicationName(QStringLiteral("bdq-studio"));
    QCoreApplication::setApplicationVersion(
        QString::fromUtf8(version.data(), static_cast<qsizetype>(version.size())));
}

void declareOptions(QCommandLineParser& parser) {
    parser.setApplicationDescription(QCoreApplication::translate(
        "main", "Sees what quantization does to the layers of a language model."));
    parser.addHelpOption();
    parser.addVersionOption();
    parser.addPositionalArgument(
        QStringLiteral("paths"),
        QCoreApplication::translate("main", "Models, analysis or run folders, sessions; each "
                                            "after the first opens its own window."),
        QStringLiteral("[MODEL|RUN|ANALYSIS|SESSION ...]"));
}

/// Whether the command line only asks what this program is, which needs no screen.
bool asksForWords(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        if (word == "--") return false;
        if (word == "-h" || word == "--help" || word == "--help-all" || word == "-v" || word == "--version")
            return true;
    }
    return false;
}

/// Prints the help or the version and ends the process.
[[noreturn]] void printWords(int argc, char** argv) {
    QCoreApplication application(argc, argv);
    QSettings store;
    bdq::installTranslations(application, bdq::Settings(store).language());
    QCommandLineParser parser;
    declareOptions(parser);
    parser.process(application);
    std::exit(EXIT_SUCCESS);
}

} // namespace

int main(int argc, char** argv) {
    bdq::handleFaultSignals("bdq-studio");
    nameProgram();
    if (asksForWords(argc, argv)) printWords(argc, argv);

    const QtMessageHandler usual = qInstallMessageHandler(holdBackStartMessages);
    QApplication application(argc, argv);
    qInstallMessageHandler(usual);
    for (const QString& message : std::as_const(startMessages()))
        qWarning("%s", qPrintable(message));
    QGuiApplication::setDesktopFileName(QStringLiteral("bdq-studio"));
    QSettings store;
    bdq::Settings settings(store);
    bdq::installTranslations(application, settings.language());
    QCommandLineParser parser;
    declareOptions(parser);
    parser.process(application);

    bdq::WheelGuard wheelGuard;
    application.installEventFilter(&wheelGuard);
    bdq::MainWindow window(settings, bdq::locateWorker());
    window.show();
    const QStringList paths = parser.positionalArguments();
    for (qsizetype i = 1; i < paths.size(); ++i)
        QProcess::startDetached(QCoreApplication::applicationFilePath(), {paths[i]});
    if (!paths.isEmpty()) window.openPath(paths.front());
    return application.exec();
}
