#include "engine/calibration/text_file.h"

#include <gtest/gtest.h>

namespace bdq {
namespace {

FileText taken(const std::string& bytes, const std::string& label = "file.txt") {
    Result<FileText> text = textOfBytes(bytes, label);
    EXPECT_TRUE(text) << (text ? std::string() : text.error().text());
    return text ? *text : FileText{};
}

TEST(TextFile, PlainTextStaysAsItIs) {
    for (const std::string text : {"one\r\ntwo\r\n", "[1] A footnote, {braces} and \"quotes\"", "{not JSON\n",
                                   " \n\n = Title = \n", "caf\xC3\xA9", "{\"half\": 1\nmore\n", "x"}) {
        const FileText found = taken(text);
        EXPECT_EQ(found.text, text);
        EXPECT_EQ(found.form, "");
        EXPECT_EQ(found.warning, "");
    }
    EXPECT_EQ(taken("\xEF\xBB\xBFone").text, "one");
}

struct Records {
    const char* name;
    std::string bytes;
    std::string text;
    std::string form;
};

TEST(TextFile, TextsOfRecordsAreTaken) {
    const std::vector<Records> rows{
        {"text", "{\"text\": \"one\\ntwo\"}\n{\"text\": \"three\", \"id\": 3}\n", "one\ntwo\n\nthree",
         "2 texts of JSON lines, key text"},
        {"CRLF, blank lines, no end", "{\"text\": \"a\"}\r\n\r\n{\"text\": \"b\"}", "a\n\nb",
         "2 texts of JSON lines, key text"},
        {"escapes", "{\"text\": \"\\u00e9 \\ud83d\\ude00\"}\n{\"text\":\"x\"}", "é 😀\n\nx",
         "2 texts of JSON lines, key text"},
        {"empty ones", "{\"text\": \"\"}\n{\"text\": \"b\"}\n", "b", "1 text of JSON lines, key text"},
        {"code", "{\"content\": \"int x;\", \"lang\": \"c\"}\n{\"content\": \"y\"}\n", "int x;\n\ny",
         "2 texts of JSON lines, key content"},
        {"chat", R"({"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": null},
                  {"role": "assistant", "content": [{"type": "text", "text": "Hello"}]}]})",
         "Hi\nHello", "1 text of JSON, key messages (without the model's chat template)"},
        {"share", R"({"conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]})",
         "Q\nA", "1 text of JSON, key conversations (without the model's chat template)"},
        {"prompt", "{\"prompt\": \"p\", \"response\": \"r\"}\n{\"prompt\": \"q\", \"completion\": \"c\"}\n",
         "p\nr\n\nq\nc", "2 texts of JSON lines, keys prompt + response, prompt + completion"},
        {"alpaca", R"([{"instruction": "i", "input": "", "output": "o"},
                       {"instruction": "i", "input": "n", "output": "o"}])",
         "i\no\n\ni\nn\no", "2 texts of JSON, keys instruction + output, instruction + input + output"},
        {"question", "{\"question\": \"q\", \"answer\": \"a\"}", "q\na",
         "1 text of JSON, key question + answer"},
        {"array of texts", "[\"one\", \"two\"]", "one\n\ntwo", "2 texts of JSON, key (texts)"},
        {"mark", "\xEF\xBB\xBF{\"text\": \"a\"}\n{\"text\": \"b\"}\n", "a\n\nb",
         "2 texts of JSON lines, key text"},
    };
    for (const Records& row : rows)
        for (const char* name : {"any.txt", "any.jsonl", "any.json", "any"}) {
            const FileText found = taken(row.bytes, name);
            EXPECT_EQ(found.text, row.text) << row.name;
            EXPECT_EQ(found.form, row.form) << row.name;
        }
}

struct Refusal {
    std::string bytes;
    std::string label;
    ErrorCode code;
    std::string named;
};

TEST(TextFile, WhatIsNoTextIsRefusedByItsName) {
    using std::string;
    const std::vector<Refusal> rows{
        {"", "t.txt", ErrorCode::MissingCalibration, "an empty file"},
        {" \r\n\t\n", "t.txt", ErrorCode::MissingCalibration, "nothing but blanks"},
        {"\xEF\xBB\xBF", "t.txt", ErrorCode::MissingCalibration, "an empty file"},
        {"PAR1\x15\x04", "t.txt", ErrorCode::BadFormat, "Parquet"},
        {"ARROW1 ", "t.txt", ErrorCode::BadFormat, "Arrow"},
        {"\x1F\x8B\x08", "t.txt", ErrorCode::BadFormat, "gzip"},
        {"PK\x03\x04", "t.txt", ErrorCode::BadFormat, "zip"},
        {"\x28\xB5\x2F\xFDxyz", "t.zst", ErrorCode::BadFormat, "Zstandard"},
        {"%PDF-1.7\n", "t.txt", ErrorCode::BadFormat, "PDF"},
        {"\xFF\xFEh\0i\0", "t.txt", ErrorCode::BadFormat, "UTF-16"},
        {"\xFE\xFF\0h", "t.txt", ErrorCode::BadFormat, "UTF-16"},
        {string("t\0h\0e\0 \0r\0i\0v\0e\0r\0", 18), "t.txt", ErrorCode::BadFormat, "UTF-16"},
        {string("\0t\0h\0e\0 \0r\0i\0v\0e\0r", 18), "t.txt", ErrorCode::BadFormat, "UTF-16"},
        {string("text\0more", 9), "t.txt", ErrorCode::BadFormat, "a zero byte at byte 4"},
        {"caf\xE9 au lait", "t.txt", ErrorCode::BadFormat, "no valid UTF-8 at byte 3"},
        {"id,text\n1,a\n", "t.csv", ErrorCode::BadFormat, "a table (.csv)"},
        {"id\ttext\n1\ta\n", "t.TSV", ErrorCode::BadFormat, "a table (.tsv)"},
        {"{\"text\": \"a\"}\nno JSON\n", "t.txt", ErrorCode::BadFormat, "t.txt:2"},
        {"{\"text\": \"a\"}\n{\"label\": 1}\n", "t.txt", ErrorCode::BadFormat,
         "t.txt:2: found the keys label"},
        {"{\"text\": 5}\n{\"text\": \"b\"}\n", "t.txt", ErrorCode::BadFormat, "t.txt:1"},
        {"{\"layers\": 3, \"name\": \"x\"}", "t.txt", ErrorCode::BadFormat, "the keys layers, name"},
        {"[1, 2, 3]", "t.txt", ErrorCode::BadFormat, "[0]"},
        {"{\"text\": \"\"}\n", "t.txt", ErrorCode::MissingCalibration, "empty"},
        {"[]", "t.txt", ErrorCode::MissingCalibration, "empty"},
        {"just words\n", "t.jsonl", ErrorCode::BadFormat, "as the name says"},
    };
    for (const Refusal& row : rows) {
        const Result<FileText> text = textOfBytes(row.bytes, row.label);
        ASSERT_FALSE(text) << row.named << ": " << text->text;
        EXPECT_EQ(text.error().code, row.code) << text.error().text();
        EXPECT_NE(text.error().text().find(row.named), std::string::npos) << text.error().text();
        EXPECT_NE(text.error().text().find(row.label), std::string::npos) << text.error().text();
    }
}

TEST(TextFile, ATableUnderAnotherNameIsTakenWithAWarning) {
    const FileText table = taken("id,text,label\n1,hello there,0\n2,\"good, bye\",1\n");
    EXPECT_NE(table.warning.find("CSV"), std::string::npos);
    EXPECT_EQ(table.form, "");
    EXPECT_EQ(taken("Hello, world\nThis, too, is prose.\n").warning, "");
    EXPECT_EQ(taken("one,two\nprose without any\n").warning, "");
}

TEST(TextFile, FilesThatWouldBeWaitedForAreRefused) {
    EXPECT_EQ(readTextOf("/dev/zero").error().code, ErrorCode::Io);
    EXPECT_EQ(readTextOf("/nowhere/at/all").error().code, ErrorCode::NotFound);
}

} // namespace
} // namespace bdq
