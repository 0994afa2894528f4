#!/bin/bash
# Fails when a tracked text file holds a note of unfinished work, a path of somebody's machine, a conflict marker, a
# tab in a source, or trailing blanks; or when a shell script does not parse.
#
#   bash .ci/check_text.sh [TREE]     default: this checkout
set -euo pipefail
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/..}"
if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    mapfile -t files < <(git ls-files --cached --others --exclude-standard | sort -u)
else
    mapfile -t files < <(find . -path ./build -prune -o -path ./.git -prune -o -type f -print | sed 's|^\./||' | sort)
fi
existing=()
for file in "${files[@]}"; do
    [ ! -f "$file" ] || existing+=("$file")
done
[ ${#existing[@]} -gt 0 ] || { echo "no files found in $PWD"; exit 1; }
status=0

# refuse RULE PATTERN FILE...: -I leaves binary files out.
refuse() {
    local rule=$1 pattern=$2 hits
    shift 2
    hits=$(printf '%s\0' "$@" | xargs -0 grep -nIHE -e "$pattern" || true)
    [ -z "$hits" ] || { status=1; sed "s|\$|   <- $rule|" <<<"$hits"; }
}

mapfile -t ours < <(printf '%s\n' "${existing[@]}" | grep -vE '^LICENSE$')
mapfile -t sources < <(printf '%s\n' "${existing[@]}" | grep -E '\.(h|cpp|cu|cmake|sh|py|txt|json|svg|xml|qrc)$|^\.ci/run$')
# The words are written in two halves so that this file does not find itself.
refuse 'unfinished work' '\b(TO''DO|FIX''ME|XX''X|HA''CK)\b' "${ours[@]}"
refuse 'a path of one machine' '(^|[^A-Za-z0-9_.~}/-])/(ho''me|ro''ot|wo''rk|Us''ers)/[A-Za-z0-9_.]' "${ours[@]}"
refuse 'conflict marker' '^(<<<<<<<|>>>>>>>) ' "${ours[@]}"
refuse 'tab' "$(printf '\t')" "${sources[@]}"
refuse 'trailing blank' '[ ]+$' "${sources[@]}"

for file in "${existing[@]}"; do
    case $file in
    *.sh | .ci/run) bash -n "$file" || status=1 ;;
    esac
done
[ $status -ne 0 ] || echo "text: ${#existing[@]} files are clean"
exit $status
