#!/bin/bash
# Fails when an #include points against the arrows app -> widgets -> api <- analysis <- engine <- cli (io and report
# stand beside analysis), or names a library that its folder must not know.
#
#   bash .ci/check_layering.sh [TREE]     default: this checkout
set -euo pipefail
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/..}"

folders=()
for folder in engine widgets app tests; do
    [ ! -d $folder ] || folders+=($folder)
done
# One line an include: FILE:LINE:<name or FILE:LINE:"name (the bracket tells the system's headers from ours).
includes=$(grep -rnoE --include='*.h' --include='*.cpp' --include='*.cu' '^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"][^>"]+' \
    "${folders[@]}" | sed -E 's/^([^:]+:[0-9]+:)[[:space:]]*#[[:space:]]*include[[:space:]]*/\1/')
[ -n "$includes" ] || { echo "no source with an #include found in $PWD"; exit 1; }
status=0

report() {
    sed -E "s|^([^:]+:[0-9]+):(.*)|\1: includes \2: $1|"
}

# forbid FILES NAMES RULE: no file that matches FILES includes a name that matches NAMES.
forbid() {
    local hits
    hits=$(grep -E "$1" <<<"$includes" | grep -E "^[^:]+:[0-9]+:$2" || true)
    [ -z "$hits" ] || { report "$3" <<<"$hits"; status=1; }
}

# allowOwn FILES NAMES RULE: of our own headers, the files that match FILES include only those that match NAMES.
allowOwn() {
    local hits
    hits=$(grep -E "$1" <<<"$includes" | grep -E '^[^:]+:[0-9]+:"' | grep -vE "^[^:]+:[0-9]+:\"($2)" || true)
    [ -z "$hits" ] || { report "$3" <<<"$hits"; status=1; }
}

qt='[<"](Q[A-Za-z]+(/.*)?|q[a-z0-9]+\.h|qcustomplot\.h)$'
torch='[<"](ATen|c10|torch|caffe2)/'

forbid '^engine/' "$qt" 'engine/ knows no Qt'
forbid '^engine/(api|analysis|io|report)/' "$torch" 'only the engine proper knows libtorch'
forbid '^(widgets|app)/' "$torch" 'the window knows no libtorch'
forbid '^engine/api/' '<(Eigen|unsupported|CLI|spdlog|fmt|pcre2|sentencepiece)' 'engine/api is plain C++ with nlohmann-json and tl-expected'
forbid '^engine/api/' '<(thread|mutex|future|condition_variable)$' 'engine/api starts no threads'
forbid '^engine/analysis/' '<(fstream|filesystem|fcntl\.h|unistd\.h)$' 'engine/analysis touches no files'
forbid '^widgets/' '[<"](QProcess|QFile|QSaveFile|QTemporaryFile|QDir|QSettings|fstream|filesystem)$' 'widgets/ starts no process, touches no file, reads no settings'
forbid '^(engine|app|widgets/[^p]|widgets/panels|tests)' '[<"]qcustomplot\.h$' 'only widgets/plots/*.cpp includes qcustomplot.h'
forbid '^widgets/plots/[^:]*\.h:' '[<"]qcustomplot\.h$' 'only widgets/plots/*.cpp includes qcustomplot.h'
forbid '' '[<"]torch/torch\.h$' 'torch/torch.h costs 30 s a file: include ATen headers'
forbid '' '"\.\.?/' 'includes start at the root of the repository'

allowOwn '^(engine|widgets|app)/' 'engine/|widgets/|app/|[a-z_0-9]+\.moc' 'includes start at the root of the repository'
allowOwn '^engine/api/' 'engine/api/' 'engine/api includes only itself'
allowOwn '^engine/analysis/' 'engine/(api|analysis)/' 'engine/analysis includes only engine/api'
allowOwn '^engine/io/' 'engine/(api|io)/' 'engine/io includes only engine/api'
allowOwn '^engine/report/' 'engine/(api|analysis|io|report)/' 'engine/report includes only engine/api, analysis and io'
allowOwn '^engine/(model|calibration|transform|quant|train|eval|dist|kernels|pipeline)/' \
    'engine/(api|analysis|io|report|model|calibration|transform|quant|train|eval|dist|kernels|pipeline)/' 'the engine knows neither its command line nor the window'
allowOwn '^engine/(model|calibration|transform|quant|train|eval|dist|kernels)/' \
    'engine/(api|analysis|io|model|calibration|transform|quant|train|eval|dist|kernels)/' 'a stage does not know the pipeline'
allowOwn '^engine/cli/' 'engine/' 'the command line does not know the window'
allowOwn '^widgets/' 'engine/api/|widgets/|[a-z_0-9]+\.moc' 'widgets/ includes only engine/api'
allowOwn '^app/' 'engine/(api|analysis|io)/|widgets/|app/|[a-z_0-9]+\.moc' 'app/ includes only engine/api, analysis, io and widgets'

[ $status -ne 0 ] || echo "layering: $(wc -l <<<"$includes") includes follow the arrows"
exit $status
