// bdq-studio: the desktop window of BDQ Studio.
#include <QApplication>
#include <QCommandLineParser>
#include <QProcess>

#include "app/main_window.h"
#include "app/translations.h"
#include "app/worker_locator.h"
#include "engine/api/version.h"
#include "widgets/wheel_guard.h"

int main(int argc, char** argv) {
    QApplication application(argc, argv);
    const std::string_view version = bdq::version();
    QCoreApplication::setOrganizationName(QStringLiteral("bdq-studio"));
    QCoreApplication::setApplicationName(QStringLiteral("bdq-studio"));
    QCoreApplication::setApplicationVersion(
        QString::fromUtf8(version.data(), static_cast<qsizetype>(version.size())));
    QGuiApplication::setDesktopFileName(QStringLiteral("bdq-studio"));
    QSettings store;
    bdq::Settings settings(store);
    bdq::installTranslations(application, settings.language());

    QCommandLineParser parser;
    parser.setApplicationDescription(QCoreApplication::translate(
        "main", "Sees what quantization does to the layers of a language model."));
    parser.addHelpOption();
    parser.addVersionOption();
    parser.addPositionalArgument(
        QStringLiteral("paths"),
        QCoreApplication::translate("main", "Models, analysis or run folders, sessions; each "
                                            "after the first opens its own window."),
        QStringLiteral("[MODEL|RUN|ANALYSIS|SESSION ...]"));
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
