#!/bin/bash
# Installs what building BDQ Studio needs and this machine lacks: Debian or Ubuntu packages (with apt-get, as root or
# through sudo) and libtorch (the PyPI wheel, in build/venv). Does nothing when all of it is there.
#
#   bash resources/setup.sh [--no-gui] [--tests]
#     --no-gui  without Qt: for a machine that only runs the command line
#     --tests   also what the tests need (and into build/venv what tests/architectures compares with)
#
# BDQ_LIBTORCH_DIR=DIR   use this libtorch (>= 2.6) and install none
# BDQ_SKIP_PACKAGES=1    install no packages
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
setUp "$@"
say "Everything needed is installed (libtorch in $LIBTORCH_DIR)."
