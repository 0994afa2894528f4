#!/bin/bash
# Fails on a source file over 800 lines, a function over 80, a widget's constructor over 60; lists what is over half.
#
#   bash .ci/check_size.sh [TREE]     default: this checkout
set -euo pipefail
checker=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/check_size.py
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/..}"
find engine widgets app tests \( -name '*.h' -o -name '*.cpp' -o -name '*.cu' \) -print0 2>/dev/null | sort -z |
    xargs -0 -r python3 "$checker"
