#include "tests/e2e/e2e_support.h"

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

namespace bdq::e2e {
namespace {

namespace fs = std::filesystem;

fs::path newFolder() {
    std::string name = (fs::temp_directory_path() / "bdq-e2e-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    return name;
}

std::string environmentOr(const char* name, const std::string& otherwise) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : otherwise;
}

} // namespace

fs::path E2eTest::s_shared;

std::string program(const std::string& name) {
    return environmentOr("BDQ_BIN_DIR", "build/release/bin") + "/" + name;
}

ProcessResult bdq(const std::vector<std::string>& words,
                  const std::map<std::string, std::string>& environment) {
    return runProcess(std::vector<std::string>{program("bdq")} + words, environment);
}

std::string readFile(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

void writeFile(const fs::path& path, const std::string& bytes) {
    std::ofstream file(path, std::ios::binary);
    file << bytes;
    file.close();
    ASSERT_TRUE(file.good()) << path;
}

Json parse(const std::string& text) {
    return Json::parse(text, nullptr, false);
}

std::vector<Json> parseLines(const std::string& text) {
    std::vector<Json> lines;
    std::istringstream stream(text);
    std::string line;
    while (std::getline(stream, line))
        lines.push_back(parse(line));
    return lines;
}

std::vector<std::string> errorLines(const std::string& err) {
    std::vector<std::string> lines;
    std::istringstream stream(err);
    std::string line;
    while (std::getline(stream, line))
        if (line.rfind("bdq: error:", 0) == 0) lines.push_back(line);
    return lines;
}

void expectRefusal(const ProcessResult& result, int code, const std::vector<std::string>& mentions) {
    EXPECT_EQ(result.exitCode, code) << result.err;
    ASSERT_EQ(errorLines(result.err).size(), 1u) << result.err;
    for (const std::string& mention : mentions)
        EXPECT_NE(errorLines(result.err).front().find(mention), std::string::npos)
            << mention << " in " << result.err;
    EXPECT_EQ(result.out, "");
}

bool waitFor(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (std::chrono::steady_clock::now() < deadline) {
        if (condition()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
}

std::string demoModel() {
    const fs::path file =
        fs::path(environmentOr("BDQ_SOURCE_DIR", ".")) / "build/models/SmolLM2-135M-Instruct.Q4_1.gguf";
    return fs::exists(file) ? file.string() : std::string();
}

void E2eTest::SetUpTestSuite() {
    s_shared = newFolder();
    writeTinyModel(s_shared / "model");
    writeFile(s_shared / "text.txt", sampleText(3000));
}

void E2eTest::writeDeepModel(int layers) {
    TinyModelOptions options;
    options.layers = layers;
    writeTinyModel(s_shared / "deep", options);
}

void E2eTest::TearDownTestSuite() {
    fs::remove_all(s_shared);
}

void E2eTest::SetUp() {
    m_folder = newFolder();
}

void E2eTest::TearDown() {
    std::error_code error;
    fs::remove_all(m_folder, error);
}

std::vector<std::string> E2eTest::smallCalibration(const std::string& countOption) {
    return {"--calibration", text(), countOption, "4", "--seq-len", "64",
            "--device",      "cpu",  "--threads", "1"};
}

std::vector<std::string> operator+(std::vector<std::string> left, const std::vector<std::string>& right) {
    left.insert(left.end(), right.begin(), right.end());
    return left;
}

} // namespace bdq::e2e
