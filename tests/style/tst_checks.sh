#!/bin/bash
# Each check of .ci/ passes on a small clean tree and fails, naming the file, when one violation is planted in it.
set -euo pipefail
checks=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.ci" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
tree=$folder/tree
passed=0
failed=0

# source FILE TEXT: writes TEXT, in which \n means a line break, into the tree.
source_file() {
    mkdir -p "$tree/$(dirname "$1")"
    printf '%b' "$2" >"$tree/$1"
}

cleanTree() {
    rm -rf "$tree"
    cp -r "$folder/clean" "$tree"
}

verdict() {
    if [ "$1" = yes ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED: %s\n' "$2"
        sed 's/^/    /' "$folder/output"
    fi
}

expectPass() {
    local check=$1 ok=yes
    "$checks/check_$check.sh" "$tree" >"$folder/output" 2>&1 || ok=no
    verdict $ok "$check passes on $2"
}

# expectFailure CHECK FILE TEXT: the clean tree with this file in it is refused, and the message names the file.
expectFailure() {
    local check=$1 file=$2 ok=no
    cleanTree
    source_file "$file" "$3"
    "$checks/check_$check.sh" "$tree" >"$folder/output" 2>&1 || ok=yes
    grep -qF "$file" "$folder/output" || ok=no
    verdict $ok "$check refuses $file: ${3:0:80}"
}

# lines COUNT TEXT: TEXT repeated, one a line.
lines() {
    for ((i = 0; i < $1; i++)); do printf '%s\\n' "$2"; done
}

source_file engine/api/result.h '#include <expected>\n#include <nlohmann/json.hpp>\n#include <tl/expected.hpp>\n'
source_file engine/analysis/flatness.cpp '#include "engine/api/result.h"\n#include <Eigen/Dense>\n#include <vector>\n'
source_file engine/io/gguf.cpp '#include "engine/api/result.h"\n#include <fstream>\n'
source_file engine/report/report.cpp '#include "engine/analysis/flatness.h"\n'
source_file engine/quant/gptq.cpp '#include "engine/model/decoder.h"\n#include <ATen/ATen.h>\n'
source_file engine/pipeline/run.cpp '#include "engine/quant/gptq.h"\n'
source_file engine/cli/main.cpp '#include "engine/pipeline/run.h"\n'
source_file widgets/plots/plot.cpp '#include "widgets/plots/plot.h"\n#include <qcustomplot.h>\n'
source_file widgets/models/table.cpp '#include "engine/api/result.h"\n#include <QString>\n#include "table.moc"\n'
source_file app/main.cpp '#include "engine/io/gguf.h"\n#include "widgets/models/table.h"\n#include <QFile>\n'
source_file tests/engine/tst_io.cpp '#include "tests/reference/slow.h"\nint twice(int x) { return 2 * x; }\n'
chmod -R u+w "$tree"
cp "$checks/../.clang-format" "$tree/"
cp -r "$tree" "$folder/clean"

for check in layering size text; do expectPass $check 'the clean tree'; done

expectFailure layering engine/quant/bad.cpp '#include <QString>\n'
expectFailure layering engine/io/bad.cpp '#include <QtCore/QFile>\n'
expectFailure layering engine/pipeline/bad.h '  #  include <qglobal.h>\n'
expectFailure layering engine/api/bad.h '#include <Eigen/Dense>\n'
expectFailure layering engine/api/bad.h '#include <ATen/ATen.h>\n'
expectFailure layering engine/api/bad.h '#include <thread>\n'
expectFailure layering engine/api/bad.h '#include "engine/io/gguf.h"\n'
expectFailure layering engine/analysis/bad.cpp '#include <c10/core/Device.h>\n'
expectFailure layering engine/analysis/bad.cpp '#include <fstream>\n'
expectFailure layering engine/analysis/bad.cpp '#include "engine/io/gguf.h"\n'
expectFailure layering engine/io/bad.cpp '#include <ATen/ATen.h>\n'
expectFailure layering engine/io/bad.cpp '#include "engine/analysis/flatness.h"\n'
expectFailure layering engine/report/bad.cpp '#include "engine/pipeline/run.h"\n'
expectFailure layering engine/quant/bad.cpp '#include "engine/pipeline/run.h"\n'
expectFailure layering engine/pipeline/bad.cpp '#include "engine/cli/arguments.h"\n'
expectFailure layering engine/cli/bad.cpp '#include "widgets/models/table.h"\n'
expectFailure layering widgets/models/bad.cpp '#include "engine/analysis/flatness.h"\n'
expectFailure layering widgets/models/bad.cpp '#include "app/main_window.h"\n'
expectFailure layering widgets/panels/bad.cpp '#include <QProcess>\n'
expectFailure layering widgets/panels/bad.cpp '#include <QFile>\n'
expectFailure layering widgets/panels/bad.cpp '#include <qcustomplot.h>\n'
expectFailure layering widgets/plots/bad.h '#include "qcustomplot.h"\n'
expectFailure layering widgets/plots/bad.cpp '#include <ATen/ATen.h>\n'
expectFailure layering app/bad.cpp '#include <ATen/ATen.h>\n'
expectFailure layering app/bad.cpp '#include "engine/pipeline/run.h"\n'
expectFailure layering app/bad.cpp '#include <qcustomplot.h>\n'
expectFailure layering engine/model/bad.cpp '#include <torch/torch.h>\n'
expectFailure layering engine/model/bad.cpp '#include "../api/result.h"\n'
expectFailure layering engine/model/bad.cpp '#include "decoder.h"\n'

expectFailure size engine/io/long.cpp "$(lines 801 '// a line')"
expectFailure size engine/io/long.cpp "namespace bdq {\nint sum() {\n$(lines 79 '    step(1);')}\n}\n"
expectFailure size engine/io/long.cpp "Reader::Reader(int n)\n    : m_a(n), m_b{n} {\n$(lines 80 '    { step("{"); }')}\n"
expectFailure size tests/engine/long.cpp "TEST(Suite, Name) {\n$(lines 80 '    EXPECT_TRUE(true);')}\n"
expectFailure size app/window.cpp "Window::Window(QWidget* parent) : QWidget(parent) {\n$(lines 60 '    add();')}\n"
cleanTree
source_file engine/io/table.cpp "const int kTable[] = {\n$(lines 100 '    1,')};\n"
source_file engine/io/many.cpp "namespace bdq {\nclass Small {\n$(lines 100 '    int f() { return 1; } // }')};\n}\n"
source_file engine/io/edge.cpp "int sum() {\n$(lines 78 '    step();')}\n"
source_file app/window.cpp "Window::Window(QWidget* parent) : QWidget(parent) {\n$(lines 58 '    add();')}\n"
expectPass size 'long tables, long classes and functions at the limit'

expectFailure text engine/io/note.cpp "// TO""DO: later\n"
expectFailure text engine/io/note.cpp "// FIX""ME\n"
expectFailure text resources/notes.txt "see /ho""me/somebody/models\n"
expectFailure text resources/notes.txt 'x = "/ro''ot/cache"\n'
expectFailure text engine/io/tab.cpp 'int x;\t// tab\n'
expectFailure text engine/io/blank.cpp 'int x; \n'
expectFailure text resources/broken.sh 'if true; then\n'

if command -v clang-format-14 >/dev/null; then
    expectFailure format engine/io/ugly.cpp 'int  x( int a ){return a;}\n'
fi

# Linking: a program that needs a library of a forbidden name, directly and through another library.
cd "$folder"
echo 'int answer() { return 42; }' >answer.cpp
echo 'int answer(); int pass() { return answer(); }' >pass.cpp
echo 'int answer(); int main() { return answer() - 42; }' >direct.cpp
echo 'int pass(); int main() { return pass() - 42; }' >indirect.cpp
echo 'int main() {}' >plain.cpp
g++ plain.cpp -o plain
for library in Qt6Core torch_cpu; do
    g++ -shared -fPIC "-Wl,-soname,lib$library.so" answer.cpp -o lib$library.so
    g++ -shared -fPIC "-Wl,-soname,libpass_$library.so" pass.cpp -L. -l$library '-Wl,-rpath,$ORIGIN' -o libpass_$library.so
    g++ direct.cpp -L. -l$library '-Wl,-rpath,$ORIGIN' -o direct_$library
    g++ indirect.cpp -L. -lpass_$library '-Wl,-rpath,$ORIGIN' "-Wl,-rpath-link,$PWD" -o indirect_$library
done
expectLinks() {
    local want=$1 got=pass
    shift
    "$checks/check_links.sh" "$@" >"$folder/output" 2>&1 || got=fail
    verdict "$([ $want = $got ] && echo yes || echo no)" "links: $* should $want"
}
expectLinks pass --no-qt ./plain ./direct_torch_cpu --no-torch ./plain ./direct_Qt6Core
expectLinks fail --no-qt ./plain ./direct_Qt6Core
expectLinks fail --no-qt ./indirect_Qt6Core ./plain
expectLinks fail --no-qt ./plain --no-torch ./direct_torch_cpu
expectLinks fail --no-torch ./indirect_torch_cpu
expectLinks fail --no-torch ./missing
expectLinks fail ./plain
expectLinks fail --no-qt

echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
