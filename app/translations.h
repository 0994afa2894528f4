// Languages of the window. Translations lie in the program's resources; Qt's own come from its installation.
#pragma once

#include <vector>

#include <QString>

class QCoreApplication;

namespace bdq {

struct Language {
    QString code; ///< ISO 639-1
    QString name; ///< as its speakers write it
};
/// English, which the sources are written in, first.
std::vector<Language> languages();

/// Texts and numbers in `language`; empty = the system's language, or English when it is not there. For the
/// start of the program, before the first window.
void installTranslations(QCoreApplication& application, const QString& language);

} // namespace bdq
