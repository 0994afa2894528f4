// Every page and sheet of the window at its smallest size, in German, with letters 30 % larger, with a
// message: nothing is cut off, nothing scrolls within something that scrolls, nothing moves when the message
// goes.
#include <QAbstractButton>
#include <QApplication>
#include <QDir>
#include <QDockWidget>
#include <QMenuBar>
#include <QScreen>
#include <QSplitter>
#include <QStandardPaths>
#include <QStatusBar>
#include <QTabWidget>
#include <QTemporaryDir>
#include <QTest>

#include "app/main_window.h"
#include "app/translations.h"
#include "app/workspace.h"
#include "tests/app/app_test_support.h"
#include "tests/widgets/widget_fixtures.h"
#include "widgets/panels/analyze_sheet.h"
#include "widgets/panels/message_bar.h"
#include "widgets/panels/run_sheet.h"
#include "widgets/plots/plot_panel.h"
#include "widgets/wheel_guard.h"

using namespace bdq;

namespace {

constexpr QSize kSmallest{960, 600};
constexpr double kLargeLetters = 1.3;

/// What moves is seen in these.
QMap<QString, QRect> placesOf(const MainWindow& window) {
    QMap<QString, QRect> places;
    int number = 0;
    for (const QAbstractButton* button : window.findChildren<QAbstractButton*>()) {
        if (window.workspace()->messages()->isAncestorOf(button)) continue;
        ++number;
        if (!button->isVisible() || button->window() != &window) continue;
        places[QString::number(number) + test::nameOf(button)] =
            QRect(button->mapTo(&window, QPoint(0, 0)), button->size());
    }
    return places;
}

} // namespace

class SmallWindowTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() {
        QStandardPaths::setTestModeEnabled(true);
        m_run = m_dir.filePath(QStringLiteral("run"));
        m_analysis = m_dir.filePath(QStringLiteral("analysis"));
        QVERIFY(QDir().mkpath(m_run) && QDir().mkpath(m_analysis));
        QVERIFY(test::produce(test::runSpec(m_run)));
        QVERIFY(test::produce(test::analyzeSpec(m_analysis)));
        qApp->installEventFilter(&m_guard);
        installTranslations(*QCoreApplication::instance(), QStringLiteral("de"));
        QFont font = QApplication::font();
        font.setPointSizeF(font.pointSizeF() * kLargeLetters);
        QApplication::setFont(font);
    }

    void init() {
        m_store = std::make_unique<QSettings>(m_dir.filePath(QStringLiteral("s.ini")), QSettings::IniFormat);
        m_store->clear();
        m_settings = std::make_unique<Settings>(*m_store);
        m_window = std::make_unique<MainWindow>(*m_settings, test::fakeWorker("request"));
        m_window->setAnimated(false); // what still glides to its place is not moved by a message
    }

    void cleanup() { m_window.reset(); }

    void theStartPageFits() {
        show();
        QVERIFY(check(QStringLiteral("start page")));
    }

    void everyPageFits_data() {
        QTest::addColumn<bool>("analysed");
        QTest::newRow("not analysed") << false;
        QTest::newRow("analysed") << true;
    }

    void everyPageFits() {
        QFETCH(bool, analysed);
        show();
        QVERIFY(open(analysed ? m_analysis : m_run));
        Workspace* workspace = m_window->workspace();
        const QList<QDockWidget*> docks = m_window->findChildren<QDockWidget*>();
        for (QDockWidget* dock : docks) {
            dock->show();
            dock->raise();
            QVERIFY(check(dock->windowTitle()));
            for (int tab = 0; tab < workspace->tabs()->count(); ++tab) {
                workspace->tabs()->setCurrentIndex(tab);
                QVERIFY(check(dock->windowTitle() + u' ' + workspace->tabs()->tabText(tab)));
            }
        }
        for (const auto sheet : {Workspace::Sheet::Run, Workspace::Sheet::Analyze}) {
            workspace->runSheet()->setSpec(m_window->proposedRun());
            workspace->showSheet(sheet);
            for (QDockWidget* dock : docks) {
                dock->raise();
                QVERIFY(check(
                    QStringLiteral("sheet %1, %2").arg(static_cast<int>(sheet)).arg(dock->windowTitle())));
            }
        }
    }

    void aLayoutOfALargeScreenFitsThisOne() {
        {
            MainWindow large(*m_settings, test::fakeWorker("request"));
            large.show();
            large.setGeometry(500, 300, 3000, 2000);
            large.close();
        }
        MainWindow next(*m_settings, test::fakeWorker("request"));
        const QRect room = next.screen()->availableGeometry();
        QVERIFY2(room.contains(QRect(next.pos(), next.size())), qPrintable(QStringLiteral("%1 x %2 at %3, %4")
                                                                               .arg(next.width())
                                                                               .arg(next.height())
                                                                               .arg(next.x())
                                                                               .arg(next.y())));
    }

    void theWheelChangesNoPlan() {
        show();
        QVERIFY(open(m_analysis));
        Workspace* workspace = m_window->workspace();
        const PlanState before = m_window->plan()->state();
        int turned = 0;
        const auto turnAll = [&] {
            for (QWidget* editor : test::wheelEditors(*m_window))
                for (const int notches : {-1, 1, 1}) {
                    test::turnWheel(editor, notches);
                    ++turned;
                }
        };
        for (int tab = 0; tab < workspace->tabs()->count(); ++tab) {
            workspace->tabs()->setCurrentIndex(tab);
            QCoreApplication::processEvents();
            turnAll();
            QVERIFY(m_window->plan()->state() == before);
        }
        QVERIFY(turned > 100);
        const TransformKind shown = m_window->plan()->state().fallback();
        QCOMPARE(before.fallback(), shown);
    }

    void tabComesEverywhereOnce() {
        show();
        QVERIFY(open(m_analysis));
        Workspace* workspace = m_window->workspace();
        m_window->activateWindow();
        QVERIFY(QTest::qWaitForWindowActive(m_window.get()));
        for (int tab = 0; tab < workspace->tabs()->count(); ++tab) {
            workspace->tabs()->setCurrentIndex(tab);
            QCoreApplication::processEvents();
            QCOMPARE(test::tabProblems(*m_window, false).join(u'\n'), QString());
            QCOMPARE(test::tabProblems(*m_window, true).join(u'\n'), QString());
        }
        for (const auto sheet : {Workspace::Sheet::Run, Workspace::Sheet::Analyze}) {
            workspace->showSheet(sheet);
            QCoreApplication::processEvents();
            QCOMPARE(test::tabProblems(*m_window, false).join(u'\n'), QString());
        }
    }

private:
    void show() {
        m_window->resize(kSmallest);
        m_window->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_window.get()));
    }

    bool open(const QString& folder) {
        const bool done =
            test::openAndSearch(*m_window, folder); // what is found later moves the buttons of runs
        m_window->workspace()->messages()->dismissAll();
        return done;
    }

    /// Docks and what is read in the background come to rest over several rounds of the event loop.
    void settle() const {
        constexpr int kStillRounds = 5;
        QMap<QString, QRect> before;
        int still = 0;
        for (int round = 0; round < 60 && still < kStillRounds; ++round) {
            const QMap<QString, QRect> now = placesOf(*m_window);
            still = now == before ? still + 1 : 0;
            before = now;
            QTest::qWait(30);
        }
    }

    QStringList moved(const QMap<QString, QRect>& before, const QString& what) const {
        QStringList problems;
        const QMap<QString, QRect> now = placesOf(*m_window);
        for (auto place = before.begin(); place != before.end(); ++place)
            if (now.value(place.key()) != place.value()) problems << what + place.key();
        for (auto place = now.begin(); place != now.end(); ++place)
            if (!before.contains(place.key())) problems << what + QStringLiteral("into sight ") + place.key();
        return problems;
    }

    /// Least sizes of what stands beside or behind each other.
    QStringList whoWants() const {
        QStringList parts;
        QList<QWidget*> widgets{m_window->centralWidget(), m_window->menuBar(), m_window->statusBar()};
        for (int i = 0; i < m_window->workspace()->splitter()->count(); ++i)
            widgets << m_window->workspace()->splitter()->widget(i);
        for (int i = 0; i < m_window->workspace()->tabs()->count(); ++i)
            widgets << m_window->workspace()->tabs()->widget(i);
        for (QDockWidget* dock : m_window->findChildren<QDockWidget*>())
            widgets << dock;
        for (const QWidget* widget : widgets)
            parts << QStringLiteral("%1: at least %2 x %3")
                         .arg(test::nameOf(widget))
                         .arg(widget->minimumSizeHint().width())
                         .arg(widget->minimumSizeHint().height());
        return parts;
    }

    /// The window as it is, without a message, with one, and without again.
    bool check(const QString& page) {
        MessageBar* messages = m_window->workspace()->messages();
        m_window->resize(kSmallest);
        settle();
        QStringList problems;
        if (m_window->size() != kSmallest)
            problems << QStringLiteral("the window is %1 x %2").arg(m_window->width()).arg(m_window->height())
                     << whoWants();
        const auto before = placesOf(*m_window);
        messages->showMessage(
            MessageSeverity::Error,
            QStringLiteral("Eine Datei wurde nicht gefunden: /ein/langer/Pfad/modell.gguf. ").repeated(3),
            QStringLiteral("Einzelheiten"),
            {new QAction(QStringLiteral("Erneut versuchen")), new QAction(QStringLiteral("Suchen …"))});
        QTest::qWait(30);
        problems << test::layoutProblems(*m_window);
        problems << moved(before, QStringLiteral("the message moved "));
        messages->dismissAll();
        QTest::qWait(10);
        problems << moved(before, QStringLiteral("without the message, elsewhere: "));
        for (const QString& problem : problems)
            qWarning("%s: %s", qPrintable(page), qPrintable(problem));
        return problems.isEmpty();
    }

    QTemporaryDir m_dir;
    QString m_run;
    QString m_analysis;
    WheelGuard m_guard;
    std::unique_ptr<QSettings> m_store;
    std::unique_ptr<Settings> m_settings;
    std::unique_ptr<MainWindow> m_window;
};

QTEST_MAIN(SmallWindowTest)
#include "tst_small_window.moc"
