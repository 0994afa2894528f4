// Nothing in widgets/ names a method, a transform or a preset: all of it comes from the tables of the engine.
#include <QDirIterator>
#include <QFile>
#include <QRegularExpression>
#include <QTest>

#include "engine/api/job_spec.h"

using namespace bdq;

namespace {

QString text(std::string_view view) {
    return QString::fromUtf8(view.data(), static_cast<qsizetype>(view.size()));
}

/// Names of the tables. "None" is the state before any transform, not a method.
QSet<QString> tableNames() {
    QSet<QString> names;
    for (const MethodInfo& info : methodTable())
        names << text(info.id).toLower() << text(info.title).toLower();
    for (const TransformInfo& info : transformTable())
        if (info.kind != TransformKind::None) names << text(info.id).toLower() << text(info.title).toLower();
    for (const Preset preset : {Preset::Fast, Preset::Balanced, Preset::Best, Preset::Paper})
        names << text(presetName(preset));
    return names;
}

/// What of a source line names an entry of the tables; empty when nothing does.
QString namedIn(const QString& line) {
    static const QRegularExpression enumerator(
        QStringLiteral("\\b(Method|Preset|TransformKind)::(?!None\\b)[A-Z]\\w*"));
    if (const auto match = enumerator.match(line); match.hasMatch()) return match.captured();
    static const QRegularExpression literal(QStringLiteral("\"((?:[^\"\\\\]|\\\\.)*)\""));
    static const QSet<QString> names = tableNames();
    for (auto matches = literal.globalMatch(line); matches.hasNext();)
        if (const QString found = matches.next().captured(1); names.contains(found.toLower())) return found;
    return {};
}

} // namespace

class TstMethodNames : public QObject {
    Q_OBJECT
private slots:
    void finds_data();
    void finds();
    void widgetsNameNone();
};

void TstMethodNames::finds_data() {
    QTest::addColumn<QString>("line");
    QTest::addColumn<QString>("named");
    QTest::newRow("enumerator") << "if (method == Method::Bdq) show();"
                                << "Method::Bdq";
    QTest::newRow("transform") << "show(TransformKind::CatDiag);"
                               << "TransformKind::CatDiag";
    QTest::newRow("preset") << "Preset::Best"
                            << "Preset::Best";
    QTest::newRow("id") << "if (id == \"flatquant\") show();"
                        << "flatquant";
    QTest::newRow("title") << "addItem(tr(\"SmoothQuant\"));"
                           << "SmoothQuant";
    QTest::newRow("before any transform") << "show(TransformKind::None);"
                                          << "";
    QTest::newRow("other text") << "tr(\"BDQ Studio\") + \"bdq-studio\""
                                << "";
}

void TstMethodNames::finds() {
    QFETCH(QString, line);
    QTEST(namedIn(line), "named");
}

void TstMethodNames::widgetsNameNone() {
    const QString folder = qEnvironmentVariable("BDQ_SOURCE_DIR") + QStringLiteral("/widgets");
    QDirIterator files(folder, {QStringLiteral("*.cpp"), QStringLiteral("*.h")}, QDir::Files,
                       QDirIterator::Subdirectories);
    int sources = 0;
    QStringList hits;
    while (files.hasNext()) {
        QFile file(files.next());
        QVERIFY2(file.open(QIODevice::ReadOnly | QIODevice::Text), qPrintable(file.fileName()));
        ++sources;
        for (int number = 1; !file.atEnd(); ++number)
            if (const QString found = namedIn(QString::fromUtf8(file.readLine())); !found.isEmpty())
                hits << QStringLiteral("%1:%2: %3").arg(file.fileName()).arg(number).arg(found);
    }
    QVERIFY2(sources > 40, qPrintable(folder)); // the folder was found
    QVERIFY2(hits.isEmpty(), qPrintable(hits.join(QLatin1Char('\n'))));
}

QTEST_GUILESS_MAIN(TstMethodNames)
#include "tst_method_names.moc"
