#!/bin/bash
# What resources/demo.sh does with finished, interrupted and failed steps, and when it opens the window. Set-up and build
# are left out and the programs replaced by recorders of their command lines.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
checkout=$folder/checkout
mkdir -p "$checkout/resources" "$checkout/build/release/bin"
cp "$root/resources/"{demo.sh,sample.txt,calibration.txt} "$checkout/resources/"
{
    cat "$root/resources/lib.sh"
    echo 'setUp() { :; }; buildPreset() { :; }; ensureDemoModel() { :; }'
} >"$checkout/resources/lib.sh"
cat >"$checkout/build/release/bin/bdq" <<'PROGRAM'
#!/bin/bash
echo "bdq $*" >>calls
[ "$1" != "${FAIL:-}" ] || exit "${FAIL_CODE:-1}"
while [ $# -gt 0 ]; do
    case $1 in
    analyze) result=analysis.json status= ;;
    run) result=run.json status='"status": "finished", ' ;;
    --out) out=$2 ;;
    esac
    shift
done
[ -n "${result:-}" ] || exit 0
mkdir -p "$out"
model='"model": "build/models/SmolLM2-135M-Instruct.Q4_1.gguf", "calibration": "resources/calibration.txt"'
echo "{\"schema\": 1, $status\"spec\": {$model}}" >"$out/$result"
PROGRAM
printf '#!/bin/bash\necho "bdq-studio $*" >>calls\n' >"$checkout/build/release/bin/bdq-studio"
chmod +x "$checkout"/build/release/bin/*
passed=0
failed=0

# demo NAME ARGUMENT...: one start, with the environment that the caller set; its exit code goes to `code`.
demo() {
    name=$1
    shift
    rm -f "$checkout/calls"
    touch "$checkout/calls"
    code=0
    bash "$checkout/resources/demo.sh" "$@" >"$folder/output" 2>&1 </dev/null || code=$?
}

check() {
    if "${@:2}"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED: %s: %s\n' "$name" "$1"
        sed 's/^/    /' "$folder/output" "$checkout/calls"
    fi
}
called() { grep -qE -- "$1" "$checkout/calls"; }
notCalled() { ! called "$1"; }
printed() { grep -qF -- "$1" "$folder/output"; }
exits() { [ $code -eq "$1" ]; }

unset DISPLAY WAYLAND_DISPLAY
export DISPLAY=
run=$checkout/build/demo/run-bdq-balanced

demo 'first start without a display'
check 'succeeds' exits 0
check 'analyses' called '^bdq analyze .*gguf --out build/demo/analysis --calibration resources/calibration.txt .*--device auto'
common='--calibration resources/calibration.txt --sequences 16 --seq-len 256 --eval resources/sample.txt --device auto$'
check 'rounds to nearest' called "^bdq run .*gguf --out build/demo/run-rtn --scheme W4A4KV4 --method rtn $common"
check 'runs the closed forms' called "^bdq run .* --out build/demo/run-bdq-fast .*--preset fast $common"
check 'trains' called "^bdq run .* --out build/demo/run-bdq-balanced .*--preset balanced --epochs 1 .*$common"
check 'does not resume' notCalled 'resume'
check 'writes the report' called '^bdq report build/demo/run-bdq-balanced --format html --out build/demo/report.html'
check 'says what was found' called '^bdq findings build/demo/analysis build/demo/run-rtn build/demo/run-bdq-fast build/demo/run-bdq-balanced$'
check 'prints the path of the report' printed "Report: $checkout/build/demo/report.html"
check 'opens no window' notCalled bdq-studio

demo 'second start'
check 'succeeds' exits 0
check 'repeats no finished step' notCalled '^bdq (analyze|run)'
check 'still says what was found' called '^bdq findings'

DISPLAY=:9 demo 'with a display'
check 'opens the window on the run' called '^bdq-studio build/demo/run-bdq-balanced$'
DISPLAY=:9 demo 'with a display but --no-window' --no-window
check 'opens no window' notCalled bdq-studio

echo "version 1" >"$run/manifest.txt"
rm "$run/run.json"
demo 'after an interrupted run'
check 'resumes it' called '^bdq run .*run-bdq-balanced .*--resume'
check 'does not repeat the analysis' notCalled '^bdq analyze'
check 'does not repeat the other runs' notCalled '^bdq run .*(run-rtn|run-bdq-fast)'

sed 's/finished/cancelled/' "$run/run.json" >"$run/new" && mv "$run/new" "$run/run.json"
demo 'after a cancelled run' --cpu
check 'resumes it' called '^bdq run .*--device cpu.*--resume'

printf '{"half' >"$checkout/build/demo/analysis/analysis.json"
demo 'after a damaged analysis'
check 'analyses again' called '^bdq analyze'
echo '{"spec": {"model": "other.gguf", "calibration": "resources/calibration.txt"}}' >"$checkout/build/demo/analysis/analysis.json"
demo 'after an analysis of another model'
check 'analyses again' called '^bdq analyze'
sed -i 's/calibration.txt/sample.txt/' "$checkout/build/demo/analysis/analysis.json"
demo 'after an analysis on another text'
check 'analyses again' called '^bdq analyze'

rm -r "$checkout/build/demo"
FAIL=analyze FAIL_CODE=5 demo 'an analysis that fails'
check 'fails' exits 1
check 'says what failed' printed 'failed with exit code 5'
check 'does not go on' notCalled '^bdq run'
demo 'with a device' --device cuda:1
check 'passes it on' called '^bdq run .*--device cuda:1'
demo 'an unknown option' --gpu
check 'is refused' exits 1
check 'is named' printed 'unknown option --gpu'
demo 'a device without a name' --device
check 'is refused' exits 1
demo 'the help' --help
check 'explains the options' printed '[--cpu | --device auto|cpu|cuda[:N]]'

echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
