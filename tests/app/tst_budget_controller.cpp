// Weight bits under a budget: what the slider does to the plan, and which losses it weighs.
#include <QDir>
#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QTest>

#include "app/budget_controller.h"
#include "tests/app/app_test_support.h"

using namespace bdq;

namespace {

constexpr TransformKind kAnalysed = TransformKind::Bdq;

PlanState start() {
    PlanState state;
    state.plan.base = parseScheme("W4A4KV4").value();
    return state;
}

} // namespace

class BudgetControllerTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() {
        m_dir = m_folder.filePath(QStringLiteral("analysis"));
        QVERIFY(QDir().mkpath(m_dir));
        AnalyzeSpec spec = test::analyzeSpec(m_dir);
        spec.transforms = {TransformKind::None, kAnalysed};
        QVERIFY(test::produce(spec));
        m_analysis = loadAnalysis(m_dir.toStdString()).value();
        QVERIFY(m_analysis.result->sites.size() == 8 && !m_analysis.sensitivity);
    }

    void withoutAnAnalysisItSaysWhy() {
        PlanController plan;
        BudgetController budget(&plan);
        QVERIFY(!budget.range() && budget.problem().contains(QStringLiteral("Analyse")));
        budget.choose(3);
        QVERIFY(plan.state() == PlanState());
        QCOMPARE(plan.history()->count(), 0);
    }

    void thePlanStaysWithinTheBudget() {
        PlanController plan;
        plan.reset(start());
        BudgetController budget(&plan);
        budget.setAnalysis(m_analysis);
        QVERIFY2(budget.range(), qPrintable(budget.problem()));
        QVERIFY(budget.outcome().isEmpty() && !budget.measured() && budget.canMeasure());
        double before = 0;
        for (const double bits : {2.5, 3.0, 3.5, 5.0, 7.0}) {
            budget.choose(bits);
            const double found = averageBits(plan);
            QVERIFY2(found <= bits && found > before, qPrintable(QString::number(found)));
            before = found;
            QCOMPARE(plan.state().budget, std::optional(bits));
            QVERIFY(budget.outcome().contains(QStringLiteral("×")));
            QVERIFY(budget.outcome().contains(QStringLiteral("nats (estimated)")));
            QVERIFY2(budget.outcome().contains(QStringLiteral(" less than W")) ||
                         budget.outcome().contains(QStringLiteral("as much as W")),
                     qPrintable(budget.outcome())); // never more than uniform bits of at most the same size
            QVERIFY(budget.explanation().contains(QStringLiteral("Proven")));
        }
        budget.choose(budget.range()->mostBits);
        QVERIFY(plan.state().plan.overrides.empty());
        QCOMPARE(plan.state().plan.base.weight.bits, 8);
        budget.choose(0.5); // less than anything needs
        QCOMPARE(plan.state().plan.base.weight.bits, 2);
    }

    void withoutLossesThereIsNoSlider() {
        LoadedAnalysis unranked = m_analysis;
        auto plain = std::make_shared<AnalysisResult>(*m_analysis.result);
        plain->lossEstimate.reset();
        for (SiteAnalysis& site : plain->sites)
            for (auto& [kind, transform] : site.transforms)
                transform.loss.reset();
        unranked.result = plain;
        PlanController plan;
        plan.reset(start());
        BudgetController budget(&plan);
        budget.setAnalysis(unranked);
        QVERIFY(!budget.range() && budget.canMeasure());
        QVERIFY2(budget.problem().startsWith(QStringLiteral("Not ranked")), qPrintable(budget.problem()));
        budget.choose(3.5); // errors of outputs are known, and not taken for losses
        QVERIFY(plan.state() == start());
    }

    void lockedRowsAreLeftAlone() {
        PlanController plan;
        plan.reset(start());
        BudgetController budget(&plan);
        budget.setAnalysis(m_analysis);
        const SiteKey byHand{1, Site::Qkv};
        plan.editSchemes({byHand}, SchemeEdit{8, {}, {}}); // locks itself
        plan.setLocked({{0, Site::Down}}, true);           // at 4 bits
        for (const double bits : {4.0, 3.5}) {
            budget.choose(bits);
            QCOMPARE(plan.state().plan.at(byHand).weight.bits, 8);
            QCOMPARE(plan.state().plan.at({0, Site::Down}).weight.bits, 4);
            QVERIFY(averageBits(plan) <= bits);
            QVERIFY(budget.explanation().contains(QStringLiteral("2 locked rows")));
        }
        plan.setLocked({byHand}, false); // what the slider chose around it no longer holds
        QVERIFY(!plan.state().budget && budget.outcome().isEmpty());
        budget.choose(3.0);
        QVERIFY(plan.state().plan.at(byHand).weight.bits < 8);
    }

    void onlyChosenWidthsAreUsed() {
        PlanController plan;
        plan.reset(start());
        BudgetController budget(&plan);
        budget.setAnalysis(m_analysis);
        budget.choose(4.5);
        const PlanState before = plan.state();
        budget.setCandidateBits({3, 5, 6});
        QCOMPARE(plan.state().budget, std::optional(4.5));
        for (const SiteAnalysis& site : m_analysis.result->sites) {
            const int bits = plan.state().plan.at(site.key).weight.bits;
            QVERIFY2(bits == 3 || bits == 5 || bits == 6, qPrintable(QString::number(bits)));
        }
        QVERIFY(budget.measurement().weights.size() == 3);
        plan.history()->undo(); // one step
        QVERIFY(plan.state() == before);
    }

    void otherLossesAreSaidNotTakenForThePlans() {
        PlanController plan;
        plan.reset(start());
        BudgetController budget(&plan);
        budget.setAnalysis(m_analysis);
        budget.choose(3.5);
        LoadedAnalysis other = m_analysis;
        auto turned = std::make_shared<AnalysisResult>(*m_analysis.result);
        for (SiteAnalysis& site : turned->sites)
            if (site.key.layer == 0 && site.key.site == Site::O)
                for (NoiseByBits* losses : {&site.transforms.at(kAnalysed).loss->weightSymmetricSearched,
                                            &site.transforms.at(kAnalysed).loss->weightAsymmetricSearched})
                    for (double& loss : *losses)
                        loss *= 1000;
        other.result = turned;
        budget.setAnalysis(other);
        QVERIFY2(budget.outcome().contains(QStringLiteral("Other losses")), qPrintable(budget.outcome()));
    }

    void activationsAndCachesStayAsTheyAre() {
        PlanController plan;
        plan.reset(start());
        BudgetController budget(&plan);
        budget.setAnalysis(m_analysis);
        const SiteKey changed{1, Site::Qkv};
        plan.editSchemes({changed}, SchemeEdit{{}, 8, 6});
        budget.choose(3.5);
        for (const SiteAnalysis& site : m_analysis.result->sites) {
            const Scheme row = schemeOfRow(plan.state().plan, site.key);
            QCOMPARE(row.activation.bits, site.key == changed ? 8 : 4);
            QCOMPARE(row.kv.bits, site.key.layer == changed.layer ? 6 : 4);
        }
    }

    void aDragIsOneStepAndAnEditEndsIt() {
        PlanController plan;
        plan.reset(start());
        BudgetController budget(&plan);
        budget.setAnalysis(m_analysis);
        for (const double bits : {3.9, 3.6, 3.3})
            budget.choose(bits);
        QCOMPARE(plan.history()->count(), 1);
        const Plan chosen = plan.state().plan;
        plan.setMethod(plan.state().method); // changes nothing
        QVERIFY(plan.history()->count() == 1 && plan.state().budget == 3.3);
        plan.editSchemes({{0, Site::Down}}, SchemeEdit{8, {}, {}});
        QVERIFY(!plan.state().budget && budget.outcome().isEmpty());
        plan.history()->undo();
        QVERIFY(plan.state().plan == chosen && plan.state().budget == 3.3);
        plan.history()->undo();
        QVERIFY(plan.state() == start());
    }

    void measuredLossesAreUsedForTheirMethodOnly() {
        SensitivitySpec spec;
        spec.analysisDir = m_dir.toStdString();
        spec.modelPath = "model.gguf";
        spec.transforms = {kAnalysed};
        spec.activation = start().plan.base.activation;
        QVERIFY(test::produce(spec));
        const LoadedAnalysis measured = loadAnalysis(m_dir.toStdString()).value();
        QVERIFY(measured.sensitivity);
        PlanController plan;
        PlanState state = start();
        state.method = Method::Bdq;
        plan.reset(state);
        BudgetController budget(&plan);
        budget.setAnalysis(measured);
        QVERIFY(budget.measured());
        budget.choose(3.5);
        QVERIFY(budget.outcome().contains(QStringLiteral("measured")));
        plan.setBase(parseScheme("W4A16").value()); // measured with other activations
        QVERIFY(!budget.measured() && budget.canMeasure());
        plan.history()->undo();
        plan.setMethod(Method::Rtn); // its transform was analysed, but its losses were not measured
        QVERIFY(!budget.measured() && budget.range());
        budget.choose(3.5);
        QVERIFY(budget.outcome().contains(QStringLiteral("estimated")));
        QVERIFY(QFile::remove(m_dir + QStringLiteral("/sensitivity.json")));
    }

    void aBrokenSensitivityIsSaidAndTheAnalysisOpens() {
        QFile file(m_dir + QStringLiteral("/sensitivity.json"));
        QVERIFY(file.open(QIODevice::WriteOnly) && file.write("{\"schema\": 1, \"rows\": 3") > 0);
        file.close();
        const LoadedAnalysis loaded = loadAnalysis(m_dir.toStdString()).value();
        QVERIFY(loaded.result && !loaded.sensitivity);
        QVERIFY(QString::fromStdString(loaded.problem).contains(QStringLiteral("sensitivity.json")));
        QVERIFY(file.remove());
    }

private:
    [[nodiscard]] double averageBits(const PlanController& plan) const {
        return summarizePlan(plan.state().plan, m_analysis.result->sites, 0).averageWeightBits;
    }

    QTemporaryDir m_folder;
    QString m_dir;
    LoadedAnalysis m_analysis;
};

QTEST_GUILESS_MAIN(BudgetControllerTest)
#include "tst_budget_controller.moc"
