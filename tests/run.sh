#!/bin/bash
# Installs what is missing, builds everything with warnings as errors, and runs every test.
#
#   bash tests/run.sh           the release build, the one that users run
#   bash tests/run.sh --asan    the same tests under AddressSanitizer and UndefinedBehaviorSanitizer
#
# Exit code 0: every test passed.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../resources/lib.sh"

preset=release
case ${1:-} in
"") ;;
--asan) preset=asan ;;
*) die "unknown option $1 (expected --asan)" ;;
esac

setUp --tests
buildPreset $preset
ensureDemoModel
cd "$BDQ_ROOT"
exec ctest --preset $preset --parallel 2
