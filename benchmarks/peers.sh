#!/bin/sh
# Puts the libraries that we are measured against into var/benchmarks/peers, which nothing but the benchmarks reads.
#
# PyMuPDF is under the AGPL: it may be measured, never be installed where the service or its tests would import it, so it
# gets a folder of its own and not a place in .venv. Without it the benchmarks run on and say what they did not measure.
set -eu
cd "$(dirname "$0")/.."
lock=requirements/bench.lock
folder=var/benchmarks/peers
wanted=$({ .venv/bin/python --version; cat "$lock"; } | sha256sum | cut -d ' ' -f 1)
[ "$(cat "$folder/stamp" 2>/dev/null)" != "$wanted" ] || exit 0

mkdir -p var/benchmarks
rm -rf "$folder" "$folder.part"
if .venv/bin/python -m pip --quiet --disable-pip-version-check --no-input install --root-user-action=ignore \
    --require-hashes --only-binary=:all: --no-deps --target "$folder.part" -r "$lock" 2>"$folder.log"; then
    echo "$wanted" >"$folder.part/stamp"
    mv "$folder.part" "$folder"
else
    rm -rf "$folder.part"
    echo "The peers of $lock could not be installed; $folder.log says why." >&2
fi
