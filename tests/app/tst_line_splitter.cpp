// The byte streams of a worker: lines from stdout, the tail of stderr.
#include <QTest>

#include "app/line_splitter.h"
#include "app/log_ring.h"

using namespace bdq;

class LineSplitterTest : public QObject {
    Q_OBJECT
private slots:
    void anyPiecesGiveTheSameLines() {
        const QByteArray text = "first\n\nthird line\nrest";
        const std::vector<QByteArray> expected{"first", "", "third line"};
        for (qsizetype size = 1; size <= text.size(); ++size) {
            LineSplitter splitter(64);
            std::vector<QByteArray> lines;
            for (qsizetype at = 0; at < text.size(); at += size)
                for (const QByteArray& line : splitter.feed(text.mid(at, size)))
                    lines.push_back(line);
            QCOMPARE(lines, expected);
            QCOMPARE(splitter.rest(), QByteArray("rest"));
            QVERIFY(!splitter.overflowed());
        }
    }

    void aLineOfTheCapPassesAndOneByteMoreDoesNot() {
        LineSplitter splitter(4);
        QCOMPARE(splitter.feed("1234\n").size(), std::size_t(1));
        QVERIFY(!splitter.overflowed());
        QVERIFY(splitter.feed("12").empty());
        QVERIFY(splitter.feed("345\n6\n").empty());
        QVERIFY(splitter.overflowed());
        QVERIFY(splitter.feed("7\n").empty());
        QVERIFY(splitter.rest().isEmpty());
        splitter.reset();
        QCOMPARE(splitter.feed("8\n").size(), std::size_t(1));
    }

    void theLogKeepsWholeLinesFromItsEnd() {
        LogRing log(12);
        log.append("one\ntwo\n");
        log.append("three\nfour\n");
        QCOMPARE(log.text(), QByteArray("three\nfour\n"));
        QCOMPARE(log.lastLine(), QByteArray("four"));
        log.clear();
        QVERIFY(log.lastLine().isEmpty());
    }
};

QTEST_GUILESS_MAIN(LineSplitterTest)
#include "tst_line_splitter.moc"
