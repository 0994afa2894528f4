#!/bin/bash
# Fails when a command-line program is linked with Qt, or the window with libtorch, directly or through another library.
#
#   bash .ci/check_links.sh --no-qt PROGRAM... [--no-torch PROGRAM...]
set -euo pipefail
status=0

# refuse PROGRAM LIBRARIES: what the program names itself (readelf), and what comes with it (ldd).
refuse() {
    local program=$1 libraries=$2 hits
    [ -x "$program" ] || { echo "$program: not found or not executable"; exit 1; }
    hits=$({ readelf -d "$program" | sed -nE 's/.*\(NEEDED\).*\[(.*)\].*/\1/p'; ldd "$program" | awk '{ print $1 }'; } |
        grep -E "^($libraries)" | sort -u || true)
    if [ -n "$hits" ]; then
        status=1
        sed "s|^|$program: must not be linked with |" <<<"$hits"
    else
        echo "$(basename "$program"): linked with none of $libraries"
    fi
}

libraries=
checked=0
for argument in "$@"; do
    case $argument in
    --no-qt) libraries='libQt[0-9]|libqcustomplot' ;;
    --no-torch) libraries='libtorch|libc10|libcudart|libcublas|libnccl' ;;
    *)
        [ -n "$libraries" ] || { echo "usage: check_links.sh --no-qt PROGRAM... [--no-torch PROGRAM...]"; exit 2; }
        refuse "$argument" "$libraries"
        checked=$((checked + 1))
        ;;
    esac
done
[ $checked -gt 0 ] || { echo "no program was named"; exit 2; }
exit $status
