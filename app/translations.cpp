#include "app/translations.h"

#include <QCoreApplication>
#include <QLibraryInfo>
#include <QLocale>
#include <QTranslator>

namespace bdq {

namespace {

void install(QCoreApplication& application, const QString& file, const QString& folder) {
    auto* translator = new QTranslator(&application);
    if (translator->load(file, folder))
        QCoreApplication::installTranslator(translator);
    else
        delete translator;
}

} // namespace

std::vector<Language> languages() {
    return {{QStringLiteral("en"), QStringLiteral("English")},
            {QStringLiteral("de"), QStringLiteral("Deutsch")}};
}

void installTranslations(QCoreApplication& application, const QString& language) {
    if (!language.isEmpty()) QLocale::setDefault(QLocale(language));
    // Only the first choice counts: QTranslator's own search would pass over English, which needs no file.
    const QString first = QLocale().uiLanguages().value(0).section(QLatin1Char('-'), 0, 0);
    install(application, QStringLiteral("bdq-studio_") + first, QStringLiteral(":/i18n"));
    install(application, QStringLiteral("qtbase_") + first,
            QLibraryInfo::path(QLibraryInfo::TranslationsPath));
}

} // namespace bdq
