// Every edit of the plan can be undone, as one step, and drags are one step.
#include <set>

#include <QSignalSpy>
#include <QTest>

#include "app/plan_controller.h"

using namespace bdq;

class PlanControllerTest : public QObject {
    Q_OBJECT
private slots:
    void anEditOfManyRowsIsOneStep() {
        PlanController plan;
        plan.reset(start());
        QSignalSpy changed(&plan, &PlanController::changed);
        plan.editSchemes({{0, Site::Down}, {1, Site::Down}, {5, Site::O}}, SchemeEdit{8, {}, {}});
        QCOMPARE(changed.count(), 1);
        QCOMPARE(plan.history()->count(), 1);
        QCOMPARE(plan.history()->undoText(), QString("Bits of 3 rows"));
        QCOMPARE(plan.state().plan.at({5, Site::O}).weight.bits, 8);
        QCOMPARE(plan.state().plan.at({5, Site::O}).activation.bits, 4);
        plan.history()->undo();
        QVERIFY(plan.state() == start());
        plan.history()->redo();
        QCOMPARE(plan.state().plan.at({0, Site::Down}).weight.bits, 8);
    }

    void everyKindOfEditIsUndone() {
        PlanController plan;
        plan.reset(start());
        std::vector<PlanState> states{plan.state()};
        const auto note = [&] { states.push_back(plan.state()); };
        plan.setMethod(Method::QuaRot);
        note();
        plan.setBase(parseScheme("W3A8").value());
        note();
        plan.editLayers({0, 2}, SchemeEdit{{}, 6, {}});
        note();
        plan.setTransform({{0, Site::O}}, TransformKind::CatDiag);
        note();
        plan.setRounding(WeightRounding::Rtn);
        note();
        plan.setLocked({{1, Site::O}}, true);
        note();
        plan.setCandidateBits({3, 4});
        note();
        plan.clearOverrides();
        note();
        QVERIFY(plan.state().transforms.empty() && plan.state().plan.overrides.empty());
        QCOMPARE(plan.history()->count(), 8);
        for (std::size_t i = states.size() - 1; i-- > 0;) {
            plan.history()->undo();
            QVERIFY(plan.state() == states[i]);
        }
        QVERIFY(!plan.history()->canUndo());
    }

    void editedRowsLockThemselvesAndLocksAreUndone() {
        PlanController plan;
        plan.reset(start());
        const SiteKey edited{0, Site::Down};
        const SiteKey locked{2, Site::O};
        plan.editSchemes({edited}, SchemeEdit{8, {}, {}});
        QVERIFY(plan.state().locked == std::set<SiteKey>{edited});
        plan.editSchemes({{1, Site::O}}, SchemeEdit{{}, 8, {}}); // activations: the slider leaves them anyway
        QVERIFY(plan.state().locked == std::set<SiteKey>{edited});
        plan.setLocked({locked}, true);
        QVERIFY(plan.state().locked.contains(locked));
        plan.setBase(parseScheme("W3A8").value());
        QCOMPARE(plan.state().plan.at(locked).weight.bits, 4); // as it was
        QCOMPARE(plan.state().plan.at(locked).activation.bits, 8);
        QCOMPARE(plan.state().plan.at({3, Site::O}).weight.bits, 3);
        plan.history()->undo();
        plan.history()->undo();
        QVERIFY(!plan.state().locked.contains(locked));
        plan.setLocked({edited}, false);
        QVERIFY(plan.state().locked.empty());
        plan.history()->undo();
        plan.clearOverrides();
        QVERIFY(plan.state().locked.empty());
    }

    void aDragIsOneStepAndOtherRowsAreNot() {
        PlanController plan;
        plan.reset(start());
        for (int bits : {5, 6, 7})
            plan.editSchemes({{0, Site::Down}}, SchemeEdit{bits, {}, {}});
        QCOMPARE(plan.history()->count(), 1);
        plan.editSchemes({{1, Site::Down}}, SchemeEdit{3, {}, {}});
        plan.editSchemes({{1, Site::Down}}, SchemeEdit{{}, 3, {}});
        QCOMPARE(plan.history()->count(), 3);
        plan.history()->undo();
        plan.history()->undo();
        QCOMPARE(plan.state().plan.at({0, Site::Down}).weight.bits, 7);
        plan.history()->undo();
        QVERIFY(plan.state() == start());
    }

    void aDragBackToWhereItBeganLeavesNoStep() {
        PlanController plan;
        plan.reset(start());
        plan.setBase(parseScheme("W5A4").value());
        plan.setBase(start().plan.base);
        QCOMPARE(plan.history()->count(), 0);
    }

    void slowEditsStaySeparate() {
        PlanController plan;
        plan.reset(start());
        plan.editSchemes({{0, Site::Down}}, SchemeEdit{5, {}, {}});
        QTest::qWait(800);
        plan.editSchemes({{0, Site::Down}}, SchemeEdit{6, {}, {}});
        QCOMPARE(plan.history()->count(), 2);
    }

    void anEditThatChangesNothingIsNotRecorded() {
        PlanController plan;
        plan.reset(start());
        plan.setMethod(start().method);
        plan.setTransform({{0, Site::O}}, start().fallback());
        QCOMPARE(plan.history()->count(), 0);
    }

    void choosingTheMethodsTransformForgetsTheException() {
        PlanController plan;
        plan.reset(start());
        const SiteKey key{2, Site::Qkv};
        plan.setTransform({key}, TransformKind::SmoothQuant);
        QCOMPARE(plan.history()->undoText(), QString("Transform of 1 row"));
        QCOMPARE(plan.state().transformAt(key), TransformKind::SmoothQuant);
        plan.setTransform({key}, plan.state().fallback());
        QVERIFY(plan.state().transforms.empty());
    }

    void resetForgetsTheHistory() {
        PlanController plan;
        plan.setMethod(Method::Rtn);
        plan.reset(start());
        QVERIFY(!plan.history()->canUndo());
    }

private:
    static PlanState start() {
        PlanState state;
        state.plan.base = parseScheme("W4A4").value();
        return state;
    }
};

QTEST_GUILESS_MAIN(PlanControllerTest)
#include "tst_plan_controller.moc"
