#!/bin/bash
# Fails when clang-format 14 would change a source file. Exit code 77 (skipped) without that version: others differ.
#
#   bash .ci/check_format.sh [TREE]     default: this checkout
set -euo pipefail
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/..}"
formatter=
for candidate in clang-format-14 clang-format; do
    if command -v $candidate >/dev/null && $candidate --version | grep -q 'version 14\.'; then
        formatter=$candidate
        break
    fi
done
if [ -z "$formatter" ]; then
    echo "skipped: clang-format 14 is not installed"
    exit 77
fi
mapfile -t files < <(find engine widgets app tests \( -name '*.h' -o -name '*.cpp' -o -name '*.cu' \) 2>/dev/null | sort)
[ ${#files[@]} -gt 0 ] || { echo "no sources found in $PWD"; exit 1; }
unformatted=$(printf '%s\0' "${files[@]}" |
    xargs -0 -P 2 -n 1 sh -c '"$0" --dry-run -Werror "$1" 2>/dev/null || echo "$1"' "$formatter" | sort)
if [ -n "$unformatted" ]; then
    sed "s|\$|: not formatted (run $formatter -i on it)|" <<<"$unformatted"
    exit 1
fi
echo "format: ${#files[@]} files are formatted"
