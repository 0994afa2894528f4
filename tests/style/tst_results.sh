#!/bin/bash
# What tests/count_results.py makes of ctest's JUnit files.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
passed=0
failed=0

# results NAME TESTCASE...: a JUnit file with these elements.
results() {
    local name=$1
    shift
    printf '<?xml version="1.0"?><testsuite name="x">%s</testsuite>' "$*" >"$folder/$name.xml"
}
# ran STATUS OUTPUT: one program.
ran() { printf '<testcase name="tst_a" status="%s"><system-out>%s</system-out></testcase>' "$1" "$2"; }

# expect CODE LAST NAME FILE...: the exit code and the last line.
expect() {
    local code=$1 last=$2 name=$3 got=0
    shift 3
    python3 "$root/tests/count_results.py" "${@/#/$folder/}" >"$folder/output" 2>&1 || got=$?
    if [ $got -eq "$code" ] && [ "$(tail -n 1 "$folder/output")" = "$last" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $name: expected exit $code and '$last', found exit $got and:"
        sed 's/^/    /' "$folder/output"
    fi
}
says() {
    if grep -qF -- "$1" "$folder/output"; then passed=$((passed + 1)); else
        failed=$((failed + 1))
        echo "FAILED: '$1' is not in:"
        sed 's/^/    /' "$folder/output"
    fi
}

google='a.cpp:3: Skipped
no CUDA device
[==========] 7 tests from 2 test suites ran. (3 ms total)
[  PASSED  ] 5 tests.
[  SKIPPED ] 2 tests, listed below:
[  SKIPPED ] A.one'
results google "$(ran run "$google")"
expect 0 '5 passed, 0 failed, 2 skipped' 'GoogleTest' google
says 'skipped 1 x tst_a: no CUDA device'
results broken "$(ran fail '[==========] 3 tests from 1 test suite ran. (3 ms total)
[  PASSED  ] 2 tests.
[  FAILED  ] 1 test, listed below:')"
expect 1 '2 passed, 1 failed, 0 skipped' 'a case that fails' broken
says 'FAILED: tst_a (broken)'
expect 1 '7 passed, 1 failed, 2 skipped' 'two passes' google broken
says 'google: 5 passed, 0 failed, 2 skipped'
results crash "$(ran fail '[ RUN      ] A.one')"
expect 1 '0 passed, 1 failed, 0 skipped' 'a crash before the summary' crash
results late "$(ran fail '[==========] 3 tests from 1 test suite ran. (3 ms total)
[  PASSED  ] 3 tests.')"
expect 1 '3 passed, 1 failed, 0 skipped' 'a crash after the summary' late
results qt "$(ran run 'SKIP   : TstA::one() no display
Totals: 4 passed, 0 failed, 1 skipped, 0 blacklisted, 9ms')"
expect 0 '4 passed, 0 failed, 1 skipped' 'Qt Test' qt
says 'tst_a: no display'
results script "$(ran run '12 passed, 0 failed')" "$(ran run 'format: 3 files are formatted')"
expect 0 '13 passed, 0 failed, 0 skipped' 'scripts' script
results whole '<testcase name="check_format" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/><system-out>skipped: clang-format 14 is not installed</system-out></testcase>'
expect 1 '0 passed, 0 failed, 1 skipped' 'nothing but skipped' whole
says 'check_format: clang-format 14 is not installed'
results missing '<testcase name="tst_a" status="fail"><failure message="Unable to find executable"/><system-out></system-out></testcase>'
expect 1 '0 passed, 1 failed, 0 skipped' 'a program that is missing' missing

expect 1 '5 passed, 1 failed, 2 skipped' 'a pass that left no results' google absent
says 'FAILED: no results of absent'

echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
