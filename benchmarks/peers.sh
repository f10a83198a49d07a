#!/bin/sh
# Puts what we are measured against, and what reads our copies, into var/benchmarks, which nothing but benchmarks and tests reads.
#
# PyMuPDF is under the AGPL: it may be measured, never be installed where the service or its tests would import it, so it
# gets a folder of its own and not a place in .venv. pdf.js comes from npm, where there is npm. Without them the benchmarks
# run on and say what they did not measure.
set -eu
cd "$(dirname "$0")/.."

pdfjs=var/benchmarks/pdfjs
wanted=$(sha256sum benchmarks/pdfjs/package-lock.json | cut -d ' ' -f 1)
if [ "$(cat "$pdfjs/stamp" 2>/dev/null)" != "$wanted" ]; then
    rm -rf "$pdfjs"
    mkdir -p "$pdfjs"
    cp benchmarks/pdfjs/package.json benchmarks/pdfjs/package-lock.json "$pdfjs"
    if (cd "$pdfjs" && npm ci --omit=optional --ignore-scripts --no-audit --no-fund) >"$pdfjs.log" 2>&1; then
        # its fonts and pictures are for drawing, of which reading has no need
        find "$pdfjs/node_modules/pdfjs-dist" -mindepth 1 -maxdepth 1 ! -name legacy ! -name LICENSE ! -name package.json -exec rm -rf {} +
        echo "$wanted" >"$pdfjs/stamp"
    else
        rm -rf "$pdfjs"
        echo "pdf.js could not be installed; $pdfjs.log says why." >&2
    fi
fi

for command in pdftotext mutool gs qpdf node; do
    command -v "$command" >/dev/null || echo "$command is not installed; Debian: poppler-utils, mupdf-tools, ghostscript, qpdf, nodejs" >&2
done

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
