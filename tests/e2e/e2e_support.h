// Where the programs under test are, a folder of its own for every test, and how results are read.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/e2e/process.h"
#include "tests/e2e/tiny_model.h"

namespace bdq::e2e {

using Json = nlohmann::json;

/// Path of a program in the build's bin folder.
std::string program(const std::string& name);
/// Runs `bdq` with these words.
ProcessResult bdq(const std::vector<std::string>& words,
                  const std::map<std::string, std::string>& environment = {});

std::string readFile(const std::filesystem::path& path);
void writeFile(const std::filesystem::path& path, const std::string& bytes);
/// Parses a whole text as one JSON value; discarded() when it is none.
Json parse(const std::string& text);
/// Lines of a JSON-lines text.
std::vector<Json> parseLines(const std::string& text);
/// Lines of stderr that begin with "bdq: error:".
std::vector<std::string> errorLines(const std::string& err);

/// The command failed with this code, one line of error that has all of `mentions`, and nothing on stdout.
void expectRefusal(const ProcessResult& result, int code, const std::vector<std::string>& mentions);
/// Looks every millisecond, for a minute.
bool waitFor(const std::function<bool()>& condition);

/// Demo model of the checkout; empty when it is not there.
std::string demoModel();

/// A folder for the files of one test, removed with it; a tiny model shared by all tests of the program.
inline constexpr int kDeepModelLayers = 24;

class E2eTest : public ::testing::Test {
protected:
    static void SetUpTestSuite();
    static void TearDownTestSuite();
    void SetUp() override;
    void TearDown() override;

    [[nodiscard]] static std::string model() { return (s_shared / "model").string(); }
    /// Enough layers that a signal after the first one arrives before the last; after writeDeepModel().
    [[nodiscard]] static std::string deepModel() { return (s_shared / "deep").string(); }
    static void writeDeepModel(int layers = kDeepModelLayers);
    [[nodiscard]] static std::string text() { return (s_shared / "text.txt").string(); }
    [[nodiscard]] std::string path(const std::string& name) const { return (m_folder / name).string(); }
    /// Options that keep a job on the tiny model short.
    [[nodiscard]] static std::vector<std::string>
    smallCalibration(const std::string& countOption = "--sequences");

    static std::filesystem::path s_shared;
    std::filesystem::path m_folder;
};

std::vector<std::string> operator+(std::vector<std::string> left, const std::vector<std::string>& right);

} // namespace bdq::e2e
