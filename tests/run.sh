#!/bin/bash
# Installs what is missing, builds everything with warnings as errors, and runs every test.
#
#   bash tests/run.sh               the release build, the one that users run
#   bash tests/run.sh --every-cpu   the same, and the tests whose figures come from libtorch's kernels again with the
#                                   kernels and sums of other processors (test presets cpu-* of CMakePresets.json)
#   bash tests/run.sh --asan        every test that is not slow under AddressSanitizer and UndefinedBehaviorSanitizer
#
# The last line counts test cases: "N passed, N failed, N skipped". Exit code 0: none failed.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../resources/lib.sh"

build=release
presets=(release)
case ${1:-} in
"") ;;
--every-cpu) presets=(release cpu-plain cpu-avx2 cpu-one-thread) ;;
--asan)
    build=asan
    presets=(asan)
    ;;
*) die "unknown option $1 (expected --every-cpu or --asan)" ;;
esac

setUp --tests
buildPreset $build
ensureDemoModel
cd "$BDQ_ROOT"
results=$BDQ_BUILD/test-results
rm -rf "$results"
mkdir -p "$results"
status=0
for preset in "${presets[@]}"; do
    say "Tests: $preset"
    # The counts are made from what every test printed, so none of it may be cut off.
    ctest --preset "$preset" --parallel 2 --output-junit "$results/$preset.xml" \
        --test-output-size-passed 1000000 --test-output-size-failed 1000000 || status=1
done
python3 tests/count_results.py "${presets[@]/#/$results/}" || status=1
exit $status
