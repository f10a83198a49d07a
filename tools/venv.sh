#!/bin/sh
# Makes .venv from a lock file, or says in well under a tenth of a second that it is there already.
#
#   sh tools/venv.sh runtime    what the service needs
#   sh tools/venv.sh dev        that and what its tests need: the same pins and more
#
# A finished .venv carries a stamp for each lock that is installed in it, written last. Without a stamp it is not finished
# and is made again; when making it fails or is interrupted, it is taken away. PYTHON names another interpreter.
set -eu
cd "$(dirname "$0")/.."
which=${1:-runtime}
lock=requirements/$which.lock
[ -r "$lock" ] || { echo "There is no $lock: say 'runtime' or 'dev'." >&2; exit 2; }

# The place counts: a virtual environment that was moved or copied still points to where it was made.
sum_of() { { pwd -P; cat "$@"; } | sha256sum | cut -d ' ' -f 1; }
has() { [ -x .venv/bin/python ] && [ "$(cat ".venv/$1.stamp" 2>/dev/null)" = "$2" ]; }

runtime=$(sum_of requirements/runtime.lock)
wanted=$(sum_of "$lock")
project=$(sum_of setup.cfg pyproject.toml)
is_ready() { has "$which" "$wanted" && has runtime "$runtime" && has project "$project"; }
is_ready && exit 0

# Two commands started at once must not build the same folder: the second waits here for the first.
exec 9<"$lock"
if command -v flock >/dev/null; then flock 9; fi
is_ready && exit 0

find_python() {
    for name in "${PYTHON:-python3}" ${PYTHON:+-} python3.11 python3.12 python3.13; do
        [ "$name" != - ] || break # an interpreter that was asked for is not replaced by another
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    cat >&2 <<TEXT
Rushlight needs Python 3.11 or newer; ${PYTHON:-python3} is missing or older.
On Debian 12 type:   sudo apt-get install python3 python3-venv
Elsewhere:           make run PYTHON=/path/to/python3.11
TEXT
    return 1
}

ensure_venv_module() {
    "$python" -c 'import venv, ensurepip' 2>/dev/null && return
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Python's venv module is missing: installing Debian's package python3-venv."
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv; } >/dev/null 2>&1 </dev/null || true
        "$python" -c 'import venv, ensurepip' 2>/dev/null && return
    fi
    cat >&2 <<TEXT
Python's venv module is missing, and without it no .venv can be made. On Debian type:

    sudo apt-get install python3-venv

and then the same command again. Nothing was changed.
TEXT
    return 1
}

pip() { .venv/bin/python -m pip --quiet --disable-pip-version-check --no-input "$@"; }

python=$(find_python)
ensure_venv_module

# While the runtime part is good, only the development part is added to it; a failure then leaves what worked before.
if ! has runtime "$runtime"; then
    rm -rf .venv
    trap 'rm -rf .venv; echo "The .venv was not finished and is removed." >&2' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    echo "Making .venv with $("$python" --version) from $lock: once, and it takes a minute or two."
    "$python" -m venv .venv
fi

if ! has "$which" "$wanted"; then
    rm -f ".venv/$which.stamp"
    pip install --root-user-action=ignore --require-hashes --only-binary=:all: --no-deps -r "$lock"
fi
rm -f .venv/project.stamp
pip install --root-user-action=ignore --no-deps --no-build-isolation --no-index -e .
pip check

echo "$project" >.venv/project.stamp
[ "$which" = runtime ] || echo "$wanted" >".venv/$which.stamp"
echo "$runtime" >.venv/runtime.stamp
trap - EXIT INT TERM HUP
