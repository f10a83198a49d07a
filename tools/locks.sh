#!/bin/sh
# Resolves setup.cfg to the two lock files, with hashes of every wheel for every platform.
# The development lock is made under the runtime lock, so that both name the same versions.
set -eu
cd "$(dirname "$0")/.."

uv=${UV:-uv}
if ! command -v "$uv" >/dev/null; then
    cat >&2 <<TEXT
The locks are made with uv, which is not among the packages of this project. Type

    python3 -m venv /tmp/uv && /tmp/uv/bin/pip install uv && make locks UV=/tmp/uv/bin/uv
TEXT
    exit 1
fi

resolve() { "$uv" pip compile --quiet "$@" --generate-hashes --python-version 3.11 --no-header --no-annotate; }

resolve setup.cfg requirements/build.in --extra postgres -o requirements/runtime.lock
resolve setup.cfg requirements/build.in --extra postgres --extra dev -c requirements/runtime.lock -o requirements/dev.lock
resolve requirements/bench.in --no-deps -o requirements/bench.lock
