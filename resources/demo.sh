#!/bin/bash
# From a bare checkout to a result: installs what is missing, builds, gets the demo model (SmolLM2-135M-Instruct,
# 98 MB), analyses it, quantizes it to W4A4KV4 in three ways, writes a report and says what was found. With a display
# the window opens on the best result. Started again it repeats nothing that is finished, and resumes what was
# interrupted.
#
#   bash resources/demo.sh [--cpu | --device auto|cpu|cuda[:N]] [--no-window]
#
# Results lie in build/demo; delete that folder to compute them again. BDQ_GUI=OFF in the environment leaves the window
# and Qt out.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

device=auto
window=1
while [ $# -gt 0 ]; do
    case $1 in
    --cpu) device=cpu ;;
    --device)
        [ $# -ge 2 ] || die "--device needs a value: auto, cpu, cuda or cuda:N"
        device=$2
        shift
        ;;
    --no-window) window=0 ;;
    -h | --help)
        sed -n '2,10s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        exit 0
        ;;
    *) die "unknown option $1 (expected --cpu, --device D, --no-window)" ;;
    esac
    shift
done

# Relative to the checkout: these names appear in the report.
model=${DEMO_MODEL#"$BDQ_ROOT"/}
calibration=resources/calibration.txt
sample=resources/sample.txt
analysis=build/demo/analysis
report=build/demo/report.html
# 16 x 256 tokens each: more than the widest site has inputs (1536), and minutes' work on two cores. What a run learns
# from one text is measured on another.
size=(--sequences 16 --seq-len 256)

# isFinished JSON [STATUS]: the result file exists, is whole, is about the demo's model and text and, if asked, has this
# status.
isFinished() {
    python3 - "$1" "$model" "$calibration" "${2:-}" <<'PYTHON' 2>/dev/null
import json, sys
path, model, calibration, status = sys.argv[1:]
with open(path, encoding="utf-8") as file:
    result = json.load(file)
spec = result["spec"]
sys.exit((spec["model"], spec["calibration"]) != (model, calibration) or status not in ("", result.get("status")))
PYTHON
}

# step TEXT COMMAND...: shows the command, which is the one to type for another model.
step() {
    local start=$SECONDS
    printf '\n%s\n' "$1"
    shift
    say "  \$ $*"
    "$@" || die "'$*' failed with exit code $? (its message is above; what is finished stays in build/demo)"
    say "  done in $((SECONDS - start)) s"
}

setUp
targets=(bdq bdq-studio)
if [ "${BDQ_GUI:-ON}" = OFF ]; then
    targets=(bdq)
    window=0
fi
buildPreset release "${targets[@]}"
ensureDemoModel
cd "$BDQ_ROOT"
mkdir -p build/demo
bdq=${BDQ_BIN#"$BDQ_ROOT"/}/bdq

if isFinished $analysis/analysis.json; then
    say "Analysis: finished earlier ($analysis)"
else
    step "Analysis: outliers, Flatness and losses of every layer, with and without transforms" \
        "$bdq" analyze "$model" --out $analysis --calibration $calibration "${size[@]}" \
        --transforms none,hadamard,bdq --schemes W4A4,W8A8 --device "$device"
fi

# quantize NAME TEXT OPTIONS...: a run in build/demo/run-NAME, made, resumed or finished earlier.
quantize() {
    local run=build/demo/run-$1 text=$2 resume=()
    shift 2
    if isFinished "$run/run.json" finished; then
        say "$text: finished earlier ($run)"
        return
    fi
    [ ! -e "$run/manifest.txt" ] || resume=(--resume)
    step "$text" "$bdq" run "$model" --out "$run" --scheme W4A4KV4 "$@" --calibration $calibration "${size[@]}" \
        --eval $sample --device "$device" "${resume[@]}"
}
quantize rtn "Quantization 1 of 3: rounding to nearest, for comparison" --method rtn
quantize bdq-fast "Quantization 2 of 3: BDQ's closed forms and GPTQ" --method bdq --preset fast
# What five minutes allow: one epoch of the preset's eight, a sequence a step, and GPTQ, which with so little text rounds
# better than learned rounding.
quantize bdq-balanced "Quantization 3 of 3: BDQ, trained block by block" --method bdq --preset balanced \
    --epochs 1 --batch 1 --weights gptq --learn-rounding off

run=build/demo/run-bdq-balanced
step "Report" "$bdq" report $run --format html --out $report
step "What was found" "$bdq" findings $analysis build/demo/run-rtn build/demo/run-bdq-fast $run
printf '\nReport: %s\n' "$BDQ_ROOT/$report"

if [ $window -eq 1 ] && [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    say "Opening the window on the result."
    exec "$BDQ_BIN/bdq-studio" "$run"
fi
