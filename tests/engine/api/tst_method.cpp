#include "engine/api/method.h"

#include <set>

#include <gtest/gtest.h>

namespace bdq {
namespace {

TEST(Method, TransformTableFollowsTheEnumeration) {
    ASSERT_EQ(transformTable().size(), 13U);
    std::set<std::string_view> ids;
    for (std::size_t i = 0; i < transformTable().size(); ++i) {
        const TransformInfo& row = transformTable()[i];
        EXPECT_EQ(static_cast<std::size_t>(row.kind), i);
        EXPECT_EQ(&transformInfo(row.kind), &row);
        EXPECT_EQ(transformFromName(row.id), row.kind);
        EXPECT_FALSE(row.title.empty());
        EXPECT_FALSE(row.explanation.empty());
        EXPECT_EQ(row.citation.empty(), row.kind == TransformKind::None);
        EXPECT_TRUE(ids.insert(row.id).second) << row.id;
    }
    EXPECT_FALSE(transformFromName("catdiag"));
    ASSERT_EQ(closedFormTransforms().size(), 10U);
    for (const TransformInfo& row : transformTable()) {
        const bool learned = row.kind == TransformKind::FlatQuant || row.kind == TransformKind::SpinQuant ||
                             row.kind == TransformKind::OstQuant;
        EXPECT_EQ(isClosedForm(row.kind), !learned) << row.id;
    }
}

TEST(Method, MethodTableFollowsTheEnumeration) {
    ASSERT_EQ(methodTable().size(), 14U);
    std::set<std::string_view> ids;
    for (std::size_t i = 0; i < methodTable().size(); ++i) {
        const MethodInfo& row = methodTable()[i];
        EXPECT_EQ(static_cast<std::size_t>(row.method), i);
        EXPECT_EQ(&methodInfo(row.method), &row);
        EXPECT_EQ(methodFromName(row.id), row.method);
        EXPECT_TRUE(ids.insert(row.id).second) << row.id;
        EXPECT_FALSE(row.onlineParts.empty());
        EXPECT_FALSE(row.explanation.empty());
        EXPECT_EQ(row.citation.empty(), row.method == Method::Rtn);
        EXPECT_EQ(row.deviations.empty(), row.method == Method::Rtn);
        const bool plain = row.transform == TransformKind::None ||
                           row.transform == TransformKind::SmoothQuant || row.transform == TransformKind::Awq;
        EXPECT_EQ(row.rotateKv, !plain) << row.id;
        EXPECT_NE(methodNames().find(row.id), std::string::npos);
    }
    EXPECT_EQ(methodInfo(Method::CatBlock).transform, TransformKind::CatBlock64);
    EXPECT_EQ(methodInfo(Method::QuaRot).transform, TransformKind::Hadamard);
    EXPECT_EQ(methodInfo(Method::FlatQuant).learned, LearnedForm::Kronecker);
    EXPECT_EQ(methodInfo(Method::Cat).learned, LearnedForm::FreeBlocks);
    EXPECT_EQ(methodInfo(Method::Bdq).learned, LearnedForm::DiagonalAndRotation);
    EXPECT_FALSE(methodFromName("Bdq"));
}

TEST(Method, PresetsTrainWhatTheirMethodLearns) {
    for (const MethodInfo& row : methodTable()) {
        ASSERT_FALSE(row.presets.empty()) << row.id;
        bool trains = false;
        std::set<Preset> seen;
        for (const PresetInfo& preset : presetsOf(row.method)) {
            EXPECT_TRUE(seen.insert(preset.preset).second) << row.id;
            EXPECT_EQ(findPreset(row.method, preset.preset), &preset);
            EXPECT_EQ(&trainingRecipe(row.method, preset.preset), &preset.recipe);
            EXPECT_FALSE(preset.explanation.empty());
            EXPECT_NE(presetNames(row.method).find(presetName(preset.preset)), std::string::npos);
            EXPECT_EQ(preset.recipe.trains(), preset.preset != Preset::Fast) << row.id;
            if (preset.recipe.trains()) {
                // Those of the residual stream train with full weights and round them afterwards.
                const bool residual = row.learned == LearnedForm::ResidualRotation ||
                                      row.learned == LearnedForm::ScaledResidualRotation;
                EXPECT_EQ(preset.rounding, residual ? WeightRounding::Gptq : WeightRounding::Rtn) << row.id;
            } else {
                EXPECT_EQ(preset.start, row.transform) << row.id;
            }
            trains = trains || preset.recipe.trains();
        }
        EXPECT_EQ(trains, row.learned != LearnedForm::None) << row.id;
        EXPECT_EQ(trains, row.learnHeads) << row.id;
        EXPECT_EQ(findPreset(row.method, Preset::Best) != nullptr, row.method == Method::Bdq);
        EXPECT_EQ(presetInfo(row.method, Preset::Best).preset,
                  row.method == Method::Bdq ? Preset::Best : row.presets.front().preset);
    }
}

// The settings that papers and design/product.md 8 give.
TEST(Method, RecipesOfTheTrainedPresets) {
    const TrainingRecipe& balanced = trainingRecipe(Method::Bdq, Preset::Balanced);
    EXPECT_EQ(balanced.epochs, 8);
    EXPECT_EQ(balanced.batch, 4);
    EXPECT_EQ(balanced.rate, 5e-3);
    EXPECT_EQ(balanced.clippingRate, 5e-2);
    EXPECT_EQ(balanced.weightDecay, 0);
    EXPECT_FALSE(balanced.trainsEndToEnd());
    const TrainingRecipe& best = trainingRecipe(Method::Bdq, Preset::Best);
    EXPECT_EQ(best.epochs, 2);
    EXPECT_EQ(best.endToEndSteps, 300);
    EXPECT_EQ(best.endToEndRate, 1e-3);
    EXPECT_EQ(best.endToEndClippingRate, 1e-2);
    EXPECT_EQ(best.loss, LogitLoss::Kl);
    const PresetInfo& paper = presetInfo(Method::Bdq, Preset::Paper);
    EXPECT_EQ(paper.start, TransformKind::Hadamard); // diagonals at 1
    EXPECT_EQ(paper.sequences, 128);
    EXPECT_EQ(paper.recipe.epochs, 0);
    EXPECT_EQ(paper.recipe.endToEndEpochs, 150);
    EXPECT_EQ(paper.recipe.endToEndRate, 5e-3);
    EXPECT_EQ(paper.recipe.loss, LogitLoss::RcePrinted);
    const PresetInfo& official = presetInfo(Method::FlatQuant, Preset::Paper);
    EXPECT_EQ(official.sequences, 128);
    EXPECT_EQ(official.recipe.epochs, 15);
    EXPECT_EQ(official.recipe.weightDecay, 0.01);
    EXPECT_EQ(presetInfo(Method::Bdq, Preset::Fast).rounding, WeightRounding::Gptq);
    EXPECT_EQ(presetInfo(Method::Gptq, Preset::Fast).rounding, WeightRounding::Gptq);
    EXPECT_EQ(presetInfo(Method::QuaRot, Preset::Fast).rounding, WeightRounding::Mse);
}

TEST(Method, NamesReadBack) {
    for (const Preset preset : {Preset::Fast, Preset::Balanced, Preset::Best, Preset::Paper})
        EXPECT_EQ(presetFromName(presetName(preset)), preset);
    EXPECT_FALSE(presetFromName("slow"));
    for (const LogitLoss loss :
         {LogitLoss::Kl, LogitLoss::CrossEntropy, LogitLoss::RcePrinted, LogitLoss::RceSafe})
        EXPECT_EQ(logitLossFromName(logitLossName(loss)), loss);
    EXPECT_FALSE(logitLossFromName("mse"));
}

} // namespace
} // namespace bdq
