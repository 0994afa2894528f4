// Models of the tables, and the small functions beside them.
#include <cmath>
#include <limits>

#include <QAbstractItemModelTester>
#include <QApplication>
#include <QColor>
#include <QLocale>
#include <QSignalSpy>
#include <QTest>

#include "tests/widgets/widget_fixtures.h"
#include "widgets/format.h"
#include "widgets/models/run_list_model.h"
#include "widgets/models/site_filter_model.h"
#include "widgets/models/site_table_model.h"
#include "widgets/plots/decimate.h"
#include "widgets/theme.h"

using namespace bdq;

namespace {

const SiteKey kFirst{0, Site::Qkv};

QVariant cell(const SiteTableModel& model, SiteKey key, int column, int role = Qt::DisplayRole) {
    return model.index(model.rowOf(key), column).data(role);
}

double contrast(const QColor& a, const QColor& b) {
    const auto luminance = [](const QColor& color) {
        const auto linear = [](double c) {
            return c <= 0.03928 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
        };
        return 0.2126 * linear(static_cast<double>(color.redF())) +
               0.7152 * linear(static_cast<double>(color.greenF())) +
               0.0722 * linear(static_cast<double>(color.blueF()));
    };
    const double first = luminance(a) + 0.05;
    const double second = luminance(b) + 0.05;
    return std::max(first, second) / std::min(first, second);
}

} // namespace

class TstModels : public QObject {
    Q_OBJECT
private slots:
    void initTestCase();
    void siteRowsFromIndexAlone();
    void siteRowsStreamIn();
    void siteFlatnessFollowsTransform();
    void sitePlanChangesPrediction();
    void siteMeasuredBelongsToScheme();
    void oneColumnHoldsOneKind();
    void predictionsKnowTheRounding();
    void lossesRankAndMark();
    void siteTextForPeopleAndTsv();
    void filterByPattern();
    void filterByThresholdAndSet();
    void sortWorstFirstUnknownLast();
    void runs();
    void editsOfAPlan();
    void totalsOfAPlan();
    void numbers();
    void decimationKeepsExtremes();
    void coloursHaveContrast();
};

void TstModels::initTestCase() {
    QLocale::setDefault(QLocale(QLocale::English, QLocale::UnitedStates));
}

void TstModels::siteRowsFromIndexAlone() {
    SiteTableModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
    model.setLayerCount(3);
    QCOMPARE(model.rowCount(), 12);
    QCOMPARE(model.keyAt(5), (SiteKey{1, Site::O}));
    QCOMPARE(cell(model, {1, Site::GateUp}, SiteTableModel::SiteColumn).toString(), QString("gate, up"));
    QCOMPARE(cell(model, kFirst, SiteTableModel::SqnrPredictedColumn).toString(), QString());
    QVERIFY(!cell(model, kFirst, SiteTableModel::SqnrPredictedColumn, SiteTableModel::SortRole).isValid());
    model.clear();
    QCOMPARE(model.rowCount(), 0);
}

void TstModels::siteRowsStreamIn() {
    SiteTableModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
    model.setLayerCount(2);
    QSignalSpy changed(&model, &QAbstractItemModel::dataChanged);
    QSignalSpy inserted(&model, &QAbstractItemModel::rowsInserted);
    model.addOrUpdate(test::makeSite({1, Site::Down}));
    QCOMPARE(changed.count(), 1);
    QCOMPARE(changed.first().first().toModelIndex().row(), 7);
    model.addOrUpdate(test::makeSite({2, Site::Qkv})); // a layer the index did not announce
    QCOMPARE(inserted.count(), 1);
    QCOMPARE(model.rowCount(), 9);
    QVERIFY(model.find({2, Site::Qkv}));
    QVERIFY(!model.find(kFirst));
    model.setAnalysis(test::makeAnalysis(2));
    QCOMPARE(model.rowCount(), 8);
    QVERIFY(model.find(kFirst));
}

void TstModels::siteFlatnessFollowsTransform() {
    SiteTableModel model;
    model.setAnalysis(test::makeAnalysis(2));
    const double before =
        cell(model, kFirst, SiteTableModel::FlatnessActivationBeforeColumn, SiteTableModel::SortRole)
            .toDouble();
    QCOMPARE(cell(model, kFirst, SiteTableModel::FlatnessActivationAfterColumn, SiteTableModel::SortRole)
                 .toDouble(),
             before);
    model.setTransform(TransformKind::None, {{kFirst, TransformKind::Bdq}});
    const double after =
        cell(model, kFirst, SiteTableModel::FlatnessActivationAfterColumn, SiteTableModel::SortRole)
            .toDouble();
    QCOMPARE(after, model.find(kFirst)->transforms.at(TransformKind::Bdq).activation.entropyNormalized);
    QVERIFY(after < before);
    QCOMPARE(model.transformAt({1, Site::Qkv}), TransformKind::None);
}

void TstModels::sitePlanChangesPrediction() {
    SiteTableModel model;
    model.setAnalysis(test::makeAnalysis(1));
    Plan plan{test::scheme("W4A4KV4"), {}};
    model.setPlan(plan);
    const SiteAnalysis* site = model.find(kFirst);
    const double four =
        cell(model, kFirst, SiteTableModel::SqnrPredictedColumn, SiteTableModel::SortRole).toDouble();
    QCOMPARE(four, predictedSqnrDb(*site, TransformKind::None, test::scheme("W4A4")));
    QCOMPARE(cell(model, kFirst, SiteTableModel::BitsColumn).toString(), QString("4/4/4"));
    plan = withEdit(plan, {kFirst}, SchemeEdit{8, 8, std::nullopt});
    model.setPlan(plan);
    const double eight =
        cell(model, kFirst, SiteTableModel::SqnrPredictedColumn, SiteTableModel::SortRole).toDouble();
    QVERIFY(eight > four + 20);
    QCOMPARE(cell(model, kFirst, SiteTableModel::BitsColumn).toString(), QString("8/8/4"));
    QCOMPARE(cell(model, {0, Site::O}, SiteTableModel::BitsColumn).toString(), QString("4/4"));
}

void TstModels::siteMeasuredBelongsToScheme() {
    SiteTableModel model;
    model.setAnalysis(test::makeAnalysis(1));
    model.setPlan(Plan{test::scheme("W5A5"), {}});
    model.setSource({MeasuredKind::Live});
    const auto shown = [&] {
        return cell(model, kFirst, SiteTableModel::SqnrMeasuredColumn, SiteTableModel::SortRole);
    };
    QVERIFY(!shown().isValid());
    SiteAnswer answer;
    answer.key = kFirst;
    answer.scheme = "W5A5KV4"; // the cache does not matter for a linear site
    answer.sqnrDb = 17.25;
    model.addLive(answer, WeightRounding::Rtn);
    QCOMPARE(shown().toDouble(), 17.25);
    model.setRounding(WeightRounding::Mse); // it was measured with another rounding
    QVERIFY(!shown().isValid());
    model.setRounding(WeightRounding::Rtn);
    model.setTransform(TransformKind::Bdq);
    QVERIFY(!shown().isValid());
    model.setSource({MeasuredKind::Analysis});
    model.setPlan(Plan{test::scheme("W4A4"), {}});
    QCOMPARE(shown().toDouble(),
             model.find(kFirst)->transforms.at(TransformKind::Bdq).sqnrDbMeasured.at("W4A4"));
}

void TstModels::oneColumnHoldsOneKind() {
    SiteTableModel model;
    QCOMPARE(model.sources().size(), std::size_t{0});
    model.setAnalysis(test::makeAnalysis(1));
    model.setPlan(Plan{test::scheme("W4A4"), {}});
    const auto shown = [&](SiteKey key) {
        return cell(model, key, SiteTableModel::SqnrMeasuredColumn, SiteTableModel::SortRole);
    };
    const double analysed = shown(kFirst).toDouble();
    SiteAnswer answer;
    answer.key = kFirst;
    answer.scheme = "W4A4";
    answer.sqnrDb = analysed + 1;
    model.addLive(answer, WeightRounding::Rtn); // what selecting a row does
    QCOMPARE(shown(kFirst).toDouble(), analysed);
    RunResult run;
    run.spec.method = Method::Rtn;
    run.perLayer = {{{0, Site::O}, "W4A4KV4", analysed + 2, 0, 0, 0, 0, 0}};
    model.addRun("/runs/1", "run #1", run);
    QCOMPARE(shown({0, Site::O}).toDouble(),
             model.find({0, Site::O})->transforms.at(TransformKind::None).sqnrDbMeasured.at("W4A4"));
    QCOMPARE(model.sources().size(), std::size_t{3});
    model.setSource(model.sources().back());
    QVERIFY(!shown(kFirst).isValid()); // of another kind
    QCOMPARE(shown({0, Site::O}).toDouble(), analysed + 2);
    model.setSource({MeasuredKind::Live});
    QCOMPARE(shown(kFirst).toDouble(), analysed + 1);
    QVERIFY(!shown({0, Site::O}).isValid());
    const auto all = model.measured()->of({kFirst, TransformKind::None, "W4A4"}, model.find(kFirst));
    QCOMPARE(all.size(), std::size_t{2}); // for the inspector
    model.setSource({MeasuredKind::Run, "/runs/1", {}});
    model.clearRuns(); // its values die with it
    QVERIFY(model.source() == MeasuredSource{MeasuredKind::Analysis});
    QCOMPARE(shown(kFirst).toDouble(), analysed);
    model.setLayerCount(1); // another model
    model.addRun("/runs/2", "run #2", run);
    QCOMPARE(model.source().run, QString("/runs/2")); // nothing else is there to show
}

void TstModels::predictionsKnowTheRounding() {
    auto analysis = std::make_shared<AnalysisResult>(*test::makeAnalysis(1));
    for (SiteAnalysis& site : analysis->sites)
        for (auto& [kind, value] : site.transforms) {
            value.weightNoiseSymmetricSearched = value.weightNoiseSymmetric;
            for (double& noise : *value.weightNoiseSymmetricSearched)
                noise /= 4;
            value.weightNoiseAsymmetricSearched = value.weightNoiseSymmetricSearched;
        }
    SiteTableModel model;
    model.setAnalysis(analysis);
    model.setPlan(Plan{test::scheme("W4A16"), {}});
    const auto shown = [&] {
        return cell(model, kFirst, SiteTableModel::SqnrPredictedColumn, SiteTableModel::SortRole).toDouble();
    };
    const double nearest = shown();
    model.setRounding(WeightRounding::Gptq);
    QVERIFY(std::abs(shown() - nearest - 10 * std::log10(4)) < 1e-9);
    QVERIFY(cell(model, kFirst, SiteTableModel::SqnrPredictedColumn, Qt::ToolTipRole)
                .toString()
                .contains("GPTQ gains more"));
    model.setAnalysis(test::makeAnalysis(1)); // of an older version
    QVERIFY(cell(model, kFirst, SiteTableModel::SqnrPredictedColumn, Qt::ToolTipRole)
                .toString()
                .contains("knows no range search"));
}

void TstModels::lossesRankAndMark() {
    const auto analysis = test::makeAnalysis(4);
    const Plan plan{test::scheme("W4A4"), {}};
    SiteTableModel model;
    model.setAnalysis(analysis);
    model.setPlan(plan);
    QVERIFY(!cell(model, kFirst, SiteTableModel::LossColumn, SiteTableModel::SortRole).isValid());
    QVERIFY(
        cell(model, kFirst, SiteTableModel::LossColumn, Qt::ToolTipRole).toString().contains("Not ranked"));
    const SiteRanking ranking = test::makeRanking(*analysis, plan, TransformKind::None);
    model.setRanking(ranking);
    QCOMPARE(*ranking.largest, test::kCostliest);
    QCOMPARE(cell(model, test::kCostliest, SiteTableModel::LossColumn, SiteTableModel::SortRole).toDouble(),
             ranking.find(test::kCostliest)->nats);
    QCOMPARE(cell(model, test::kCostliest, SiteTableModel::LossColumn, SiteTableModel::BarRole).toDouble(),
             1.0);
    QVERIFY(model.headerData(SiteTableModel::LossColumn, Qt::Horizontal, Qt::DisplayRole)
                .toString()
                .contains("est."));
    for (const SiteAnalysis& site : analysis->sites) {
        const double times = ranking.find(site.key)->share * 16;
        QCOMPARE(cell(model, site.key, SiteTableModel::LossColumn, SiteTableModel::SignRole).toString(),
                 QString(times > 6   ? "!!"
                         : times > 3 ? "!"
                                     : ""));
        // SQNR is a diagnosis: it marks nothing.
        QCOMPARE(
            cell(model, site.key, SiteTableModel::SqnrPredictedColumn, SiteTableModel::SignRole).toString(),
            QString());
    }
    QCOMPARE(lossSign(6.1 / 120, 120), QString("!!"));
    QCOMPARE(lossSign(3.1 / 120, 120), QString("!"));
    QCOMPARE(lossSign(2.9 / 120, 120), QString());
    const QString text = rankingText(ranking);
    QVERIFY2(text.contains("(estimated)") && text.contains("largest 2 gate, up"), qPrintable(text));
    QVERIFY(rankingText({}).contains("not ranked"));
    QCOMPARE(
        cell(model, test::kLoneToken, SiteTableModel::TopTokensColumn, SiteTableModel::SignRole).toString(),
        QString("!"));
    QCOMPARE(cell(model, kFirst, SiteTableModel::SqnrTokenMedianColumn, SiteTableModel::SortRole).toDouble(),
             analysis->find(kFirst)->transforms.at(TransformKind::None).sqnrDbTokenMedian.at("W4A4"));
}

void TstModels::siteTextForPeopleAndTsv() {
    SiteTableModel model;
    model.setAnalysis(test::makeAnalysis(1));
    const Plan plan{test::scheme("W2A2"), {}};
    model.setPlan(plan);
    QVERIFY(cell(model, kFirst, SiteTableModel::SqnrPredictedColumn, Qt::ToolTipRole)
                .toString()
                .contains("10 log10"));
    model.setRanking(
        test::makeRanking(*test::makeAnalysis(4), plan, TransformKind::None)); // its largest is in layer 2
    model.setAnalysis(test::makeAnalysis(4));
    QVERIFY(cell(model, test::kCostliest, SiteTableModel::LossColumn, Qt::AccessibleTextRole)
                .toString()
                .contains("stands out"));
    model.setLocked({kFirst});
    QVERIFY(cell(model, kFirst, SiteTableModel::BitsColumn, Qt::AccessibleTextRole)
                .toString()
                .contains("locked"));
    QVERIFY(cell(model, kFirst, SiteTableModel::BitsColumn, SiteTableModel::LockedRole).toBool());
    QVERIFY(!cell(model, {0, Site::O}, SiteTableModel::BitsColumn, SiteTableModel::LockedRole).toBool());
    for (int column = SiteTableModel::LossColumn; column < SiteTableModel::ColumnCount; ++column) {
        const QString id = model.index(0, column).data(SiteTableModel::MetricRole).toString();
        QVERIFY2(metricInfo(id.toStdString()), qPrintable(id));
        QVERIFY(!model.headerData(column, Qt::Horizontal, Qt::ToolTipRole).toString().isEmpty());
    }
    const QString tsv = model.toTsv(
        {1, 0}, {SiteTableModel::LayerColumn, SiteTableModel::SiteColumn, SiteTableModel::AbsmaxColumn});
    const QStringList lines = tsv.split('\n', Qt::SkipEmptyParts);
    QCOMPARE(lines.size(), 3);
    QCOMPARE(lines[0], QString("layer\tsite\tabsmax_activation"));
    QCOMPARE(lines[1].section('\t', 0, 1), QString("0\to"));
    const double exact = model.find(kFirst)->transforms.at(TransformKind::None).absmaxActivation;
    QVERIFY(std::abs(lines[2].section('\t', 2).toDouble() - exact) <= exact * 1e-8); // 9 significant digits
}

void TstModels::filterByPattern() {
    SiteTableModel model;
    model.setAnalysis(test::makeAnalysis(12));
    SiteFilterModel filter;
    filter.setSourceModel(&model);
    QAbstractItemModelTester tester(&filter, QAbstractItemModelTester::FailureReportingMode::QtTest);
    QVERIFY(filter.setPattern("^1[01]?\\.down$"));
    QCOMPARE(filter.rowCount(), 3);   // layers 1, 10, 11
    QVERIFY(!filter.setPattern("(")); // keeps the last valid one
    QCOMPARE(filter.rowCount(), 3);
    QVERIFY(filter.setPattern("DOWN"));
    QCOMPARE(filter.rowCount(), 12);
    QVERIFY(filter.setPattern({}));
    QCOMPARE(filter.rowCount(), 48);
}

void TstModels::filterByThresholdAndSet() {
    SiteTableModel model;
    model.setAnalysis(test::makeAnalysis(4));
    model.setPlan(Plan{test::scheme("W4A4"), {}});
    SiteFilterModel filter;
    filter.setSourceModel(&model);
    filter.setThreshold(SiteTableModel::SqnrPredictedColumn, 9.0, false);
    int expected = 0;
    for (int row = 0; row < model.rowCount(); ++row)
        expected +=
            predictedSqnrDb(*model.find(model.keyAt(row)), TransformKind::None, test::scheme("W4A4")) <= 9.0
                ? 1
                : 0;
    QVERIFY(expected > 0 && expected < model.rowCount());
    QCOMPARE(filter.rowCount(), expected);
    filter.clearThreshold();
    filter.setOnly(std::set<SiteKey>{{2, Site::Down}, {3, Site::O}});
    QCOMPARE(filter.rowCount(), 2);
    filter.setOnly(std::set<SiteKey>{});
    QCOMPARE(filter.rowCount(), 0);
    filter.setOnly(std::nullopt);
    QCOMPARE(filter.rowCount(), 16);
}

void TstModels::sortWorstFirstUnknownLast() {
    SiteTableModel model;
    model.setLayerCount(3);
    model.setPlan(Plan{test::scheme("W4A4"), {}});
    SiteFilterModel filter;
    filter.setSourceModel(&model);
    filter.sort(SiteTableModel::SqnrPredictedColumn, Qt::AscendingOrder);
    for (SiteKey key : {SiteKey{0, Site::O}, SiteKey{2, Site::Down}, SiteKey{1, Site::Qkv}})
        model.addOrUpdate(test::makeSite(key));
    for (const Qt::SortOrder order : {Qt::AscendingOrder, Qt::DescendingOrder}) {
        filter.sort(SiteTableModel::SqnrPredictedColumn, order);
        double last = order == Qt::AscendingOrder ? -1e9 : 1e9;
        for (int row = 0; row < 3; ++row) {
            const QVariant value =
                filter.index(row, SiteTableModel::SqnrPredictedColumn).data(SiteTableModel::SortRole);
            QVERIFY(value.isValid());
            QVERIFY(order == Qt::AscendingOrder ? value.toDouble() >= last : value.toDouble() <= last);
            last = value.toDouble();
        }
        QVERIFY(
            !filter.index(3, SiteTableModel::SqnrPredictedColumn).data(SiteTableModel::SortRole).isValid());
    }
    filter.sort(SiteTableModel::LayerColumn, Qt::AscendingOrder);
    QCOMPARE(filter.index(4, SiteTableModel::LayerColumn).data().toString(), QString("1"));
}

void TstModels::runs() {
    RunListModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
    RunInfo run;
    run.id = "run-0001";
    run.title = "#1";
    run.state = RunState::Running;
    run.progress = 0.5;
    run.secondsLeft = 190;
    model.addOrUpdate(run);
    run.id = "run-0002";
    run.state = RunState::Queued;
    model.addOrUpdate(run);
    QCOMPARE(model.rowCount(), 2);
    QCOMPARE(model.index(0, RunListModel::ProgressColumn).data().toString(), QString("50 %"));
    QCOMPARE(model.index(0, RunListModel::TimeColumn).data().toString(), QString("03:10 left"));
    run.id = "run-0001";
    run.state = RunState::Finished;
    run.perplexityFull = 21.631;
    run.perplexity = 26.44;
    run.elapsedSeconds = 192;
    model.addOrUpdate(run);
    QCOMPARE(model.rowCount(), 2);
    QCOMPARE(model.index(0, RunListModel::PerplexityColumn).data().toString(), QString("21.6 → 26.4"));
    QCOMPARE(model.index(0, RunListModel::TimeColumn).data().toString(), QString("03:12"));
    QVERIFY(model.index(0, RunListModel::StateColumn).data().toString().contains("finished"));
    QVERIFY(
        model.index(0, RunListModel::PerplexityColumn).data(Qt::ToolTipRole).toString().contains("26.44"));
    model.remove("run-0001");
    QCOMPARE(model.idAt(0), QString("run-0002"));
    QVERIFY(!model.find("run-0001"));
    model.clear();
    QCOMPARE(model.rowCount(), 0);
}

void TstModels::editsOfAPlan() {
    const Plan plan{test::scheme("W4A4KV4"), {}};
    const Plan two = withEdit(plan, {{3, Site::Down}}, SchemeEdit{2, std::nullopt, std::nullopt});
    QCOMPARE(two.at({3, Site::Down}).weight.bits, 2);
    QVERIFY(!two.at({3, Site::Down}).weight.symmetric);
    QCOMPARE(two.at({3, Site::Down}).activation.bits, 4);
    QCOMPARE(withEdit(two, {{3, Site::Down}}, SchemeEdit{4, std::nullopt, std::nullopt}), plan);
    const Plan cache = withEdit(plan, {{1, Site::O}}, SchemeEdit{std::nullopt, std::nullopt, 8});
    QCOMPARE(cache.at({1, Site::KCache}).kv.bits, 8);
    QCOMPARE(cache.at({1, Site::VCache}).kv.bits, 8);
    QCOMPARE(cache.at({1, Site::O}), plan.base);
    QCOMPARE(schemeOfRow(cache, {1, Site::Qkv}).kv.bits, 8);
    QCOMPARE(schemeOfRow(cache, {0, Site::Qkv}).kv.bits, 4);
}

void TstModels::totalsOfAPlan() {
    std::vector<SiteAnalysis> sites{test::makeSite({0, Site::O}), test::makeSite({0, Site::Down})};
    Plan plan{test::scheme("W4A4KV4"), {}};
    plan = withEdit(plan, {{0, Site::Down}}, SchemeEdit{8, 8, 8});
    const PlanSummary summary = summarizePlan(plan, sites, 2000000);
    const double o = 576.0 * 576;
    const double down = 1536.0 * 576;
    const double bits =
        o * effectiveWeightBits(OperandScheme{4}, 576) + down * effectiveWeightBits(OperandScheme{8}, 1536);
    QVERIFY(std::abs(summary.averageWeightBits - bits / (o + down)) <
            1e-9); // same arithmetic in another order
    QCOMPARE(summary.linearBytes, static_cast<std::uint64_t>(bits / 8));
    QCOMPARE(summary.modelBytes, summary.linearBytes + static_cast<std::uint64_t>((2000000 - o - down) * 2));
    QCOMPARE(summary.overrides, 2); // the row and its layer's KV cache
    QVERIFY(summary.reachesAll());
    QCOMPARE(summarizePlan(plan, sites, 0).modelBytes, std::uint64_t{0});
    // Experts that no row stands for count 16 bits in the one average, and are written out.
    const std::int64_t others = static_cast<std::int64_t>(o + down);
    const PlanSummary experts = summarizePlan(plan, sites, 4000000, others);
    QVERIFY(!experts.reachesAll());
    QVERIFY(std::abs(experts.averageWeightBits - (summary.averageWeightBits + 16) / 2) < 1e-9);
    QVERIFY(std::abs(experts.plannedBits - summary.averageWeightBits) < 1e-9);
    QCOMPARE(experts.linearBytes, static_cast<std::uint64_t>((bits + 16 * (o + down)) / 8));
}

void TstModels::numbers() {
    QCOMPARE(formatNumber(0.061234), QString("0.0612"));
    QCOMPARE(formatNumber(21.631), QString("21.6"));
    QCOMPARE(formatNumber(812.3), QString("812"));
    QCOMPARE(formatNumber(0), QString("0"));
    QCOMPARE(formatNumber(9.996), QString("10.0"));
    QCOMPARE(formatNumber(std::nan("")), QString("–"));
    QCOMPARE(formatNumber(std::numeric_limits<double>::infinity()), QString("∞"));
    QCOMPARE(formatDb(-17.345), QString("-17.3"));
    QCOMPARE(formatShare(0.0031), QString("0.310 %"));
    QCOMPARE(formatBytes(71200000), QString("71.2 MB"));
    QCOMPARE(formatBytes(1234000000), QString("1.23 GB"));
    QCOMPARE(formatDuration(-1), QString("–"));
    QCOMPARE(formatDuration(59.2), QString("59 s"));
    QCOMPARE(formatDuration(3723), QString("1:02:03"));
    QCOMPARE(siteText({11, Site::Down}), QString("layer 11 · down"));
    QCOMPARE(siteFilterText({11, Site::GateUp}), QString("11.gate_up"));
    QVERIFY(metricToolTip("no such metric").isEmpty());
    QVERIFY(metricToolTip("perplexity").contains("Lower is better"));
}

void TstModels::decimationKeepsExtremes() {
    std::vector<double> values(100000, 1.0);
    values[31337] = 500;
    values[77777] = -500;
    const std::vector<std::size_t> kept = decimate(values, 2000);
    QVERIFY(kept.size() <= 2000);
    QVERIFY(std::is_sorted(kept.begin(), kept.end()));
    QVERIFY(std::adjacent_find(kept.begin(), kept.end()) == kept.end());
    for (std::size_t wanted : {std::size_t{0}, std::size_t{31337}, std::size_t{77777}, values.size() - 1})
        QVERIFY(std::binary_search(kept.begin(), kept.end(), wanted));
    QCOMPARE(decimate({1, 2, 3}, 2000).size(), std::size_t{3});
    QCOMPARE(decimate({}, 2000).size(), std::size_t{0});
}

void TstModels::coloursHaveContrast() {
    constexpr double kGraphics = 3.0; // WCAG 2.1, 1.4.11: graphical objects
    const QPalette light(QColor(0xEF, 0xEF, 0xEF), QColor(0xF7, 0xF7, 0xF7));
    for (const QPalette& palette : {light, test::darkPalette()}) {
        const PlotTheme theme = PlotTheme::from(palette);
        QCOMPARE(isDark(palette), palette == test::darkPalette());
        for (const QColor& color : {theme.before, theme.after, theme.warning, theme.error, theme.mutedText})
            QVERIFY2(contrast(color, theme.background) >= kGraphics, qPrintable(color.name()));
        for (int i : {0, 1, 2})
            QVERIFY2(contrast(theme.series(i), theme.background) >= kGraphics,
                     qPrintable(theme.series(i).name()));
    }
    QCOMPARE(sqnrSign(9), QString("!!"));
    QCOMPARE(sqnrSign(14), QString("!"));
    QCOMPARE(sqnrSign(20), QString());
    QVERIFY(!themedIcon("open", light).isNull());
    QVERIFY(themedIcon("no such icon", light).isNull());
}

QTEST_MAIN(TstModels)
#include "tst_models.moc"
