// A model that can be listed only: it says so, and nothing invites to compute it.
#include <QAbstractButton>
#include <QAction>
#include <QLabel>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>

#include "app/main_window.h"
#include "app/model_listing.h"
#include "app/workspace.h"
#include "engine/api/atomic_file.h"
#include "engine/io/tensor_file.h"
#include "tests/app/app_test_support.h"
#include "widgets/panels/elided_label.h"
#include "widgets/panels/empty_state.h"
#include "widgets/panels/header_strip.h"
#include "widgets/panels/message_bar.h"

using namespace bdq;

namespace {

bool writeMixture(const QString& folder) {
    io::TensorFile file;
    const auto add = [&file](const std::string& name, std::vector<std::int64_t> shape) {
        std::size_t bytes = sizeof(float);
        for (const std::int64_t extent : shape)
            bytes *= static_cast<std::size_t>(extent);
        file.tensors[name] = {io::HostTensor::Type::F32, std::move(shape), std::vector<std::byte>(bytes)};
    };
    add("model.embed_tokens.weight", {10, 8});
    for (const std::string layer : {"0", "1"})
        for (const std::string expert : {"0", "1", "2"}) {
            const std::string stem = "model.layers." + layer + ".mlp.experts." + expert;
            add(stem + ".gate_proj.weight", {4, 8});
            add(stem + ".up_proj.weight", {4, 8});
            add(stem + ".down_proj.weight", {8, 4});
        }
    const char* config =
        R"({"model_type": "qwen3_moe", "architectures": ["Qwen3MoeForCausalLM"], "num_hidden_layers": 2,
            "hidden_size": 8, "intermediate_size": 32, "num_attention_heads": 2, "num_key_value_heads": 2,
            "vocab_size": 10, "num_experts": 3, "moe_intermediate_size": 4})";
    return writeFileAtomically((folder + "/config.json").toStdString(), config) &&
           io::writeTensorFile((folder + "/model.safetensors").toStdString(), file);
}

/// Buttons that the empty views offer.
QStringList offers(const MainWindow& window) {
    QStringList texts;
    for (const EmptyState* view : window.workspace()->findChildren<EmptyState*>())
        for (const auto* button : view->findChildren<QAbstractButton*>())
            if (!button->isHidden()) texts << button->text();
    return texts;
}

QString textsOf(const QWidget* widget) {
    QStringList texts;
    for (const QLabel* label : widget->findChildren<QLabel*>())
        texts << label->text();
    for (const ElidedLabel* label : widget->findChildren<ElidedLabel*>())
        texts << label->text();
    return texts.join(QLatin1Char('|'));
}

} // namespace

class ListedModelTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { QStandardPaths::setTestModeEnabled(true); }

    void aMixtureOfExpertsSaysThatItIsListedOnly() {
        QVERIFY(writeMixture(m_dir.path()));
        QSettings store(m_dir.filePath(QStringLiteral("s.ini")), QSettings::IniFormat);
        Settings settings(store);
        test::startFresh(settings, m_dir.path());
        MainWindow window(settings, test::fakeWorker("ok"));
        window.show();
        QVERIFY(test::openAndSearch(window, m_dir.path()));
        const QString said = textsOf(window.workspace()->messages());
        QVERIFY2(said.contains(QStringLiteral("mixture of experts")), qPrintable(said));
        QVERIFY(said.contains(QStringLiteral("3 experts")));
        QVERIFY(textsOf(window.workspace()->header()).contains(QStringLiteral("listed only")));
        QCOMPARE(offers(window), QStringList());
        int refused = 0;
        for (const QAction* action : window.findChildren<QAction*>())
            refused += !action->isEnabled() && action->toolTip().contains(QStringLiteral("listed only"));
        QVERIFY(refused >= 2); // analyse and quantize
        const QString model = test::makeModel(m_dir.filePath(QStringLiteral("model")));
        QVERIFY(test::openAndSearch(window, model)); // the next one is offered its analysis
        QVERIFY(!offers(window).isEmpty());
        QCOMPARE(textsOf(window.workspace()->header()).contains(QStringLiteral("listed only")), false);
    }

    void expertsOfALayerAreOneRow() {
        QTemporaryDir folder;
        QVERIFY(writeMixture(folder.path()));
        const auto model = loadModel(folder.path().toStdString());
        QVERIFY2(model, model ? "" : model.error().text().c_str());
        QVERIFY(model->notComputed == NotComputed::Architecture);
        QCOMPARE(model->experts.count, 3);
        QVERIFY((model->experts.shapes.at({1, Site::GateUp}) == MatrixShape{24, 8})); // 3 x (gate, up) x 4
        QVERIFY((model->experts.shapes.at({1, Site::Down}) == MatrixShape{24, 4}));
        const auto sites = listedSites(model->index.config, model->experts);
        QCOMPARE(sites.size(), std::size_t(8));
        QCOMPARE(sites.back().outFeatures, std::int64_t(24));
    }

    void expertsInOneTensorAreCountedToo() {
        ModelIndex index;
        index.tensors = {{"blk.5.ffn_gate_exps.weight", TensorType::F16, {128, 4, 8}},
                         {"blk.5.ffn_up_exps.weight", TensorType::F16, {128, 4, 8}},
                         {"blk.5.ffn_down_exps.weight", TensorType::F16, {128, 8, 4}},
                         {"blk.5.attn_q.weight", TensorType::F16, {8, 8}}};
        const Experts experts = expertsOf(index);
        QCOMPARE(experts.count, 128);
        QVERIFY((experts.shapes.at({5, Site::GateUp}) == MatrixShape{1024, 8}));
        QVERIFY((experts.shapes.at({5, Site::Down}) == MatrixShape{1024, 4}));
        QCOMPARE(expertsOf(ModelIndex{}).count, 0);
    }

private:
    QTemporaryDir m_dir;
};

QTEST_MAIN(ListedModelTest)
#include "tst_listed_model.moc"
