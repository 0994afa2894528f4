#!/bin/bash
# Fails when bdq is linked with Qt, or bdq-studio with libtorch, directly or through another library.
#
#   bash .ci/check_links.sh BDQ [BDQ_STUDIO]
set -euo pipefail
[ $# -ge 1 ] || { echo "usage: check_links.sh BDQ [BDQ_STUDIO]"; exit 2; }
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

refuse "$1" 'libQt[0-9]|libqcustomplot'
[ $# -lt 2 ] || refuse "$2" 'libtorch|libc10|libcudart|libcublas|libnccl'
exit $status
