"""How much memory preparing a large scan takes: ``python -m tools.prepare_memory [MEGABYTES] [FOLDER]``, 150 unless given.

A file of that size is generated, and prepared by a forked child that has everything loaded and does nothing else. Printed
as JSON: bytes of the file, seconds of processor time, and the growth of the child's largest resident size in megabytes.
"""

from __future__ import annotations

import io
import json
import os
import resource
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from PIL import Image

from drm.pdf import sandbox_tasks
from drm.pdf.spec_json import spec_to
from drm.pdf.tail.typical import typical_copy
from drm.pdf.values import Limits

WIDTH, HEIGHT = 1240, 1754
MEGABYTE = 1024 * 1024


def write_scan(path: Path, size: int) -> None:
    """A PDF of about ``size`` bytes: pages of one large picture each."""
    picture = io.BytesIO()
    Image.effect_noise((WIDTH, HEIGHT), 60).save(picture, "JPEG", quality=75)
    data, content = picture.getvalue(), b"q 595 0 0 842 0 0 cm /I Do Q"
    count = max(1, size // len(data))
    places: list[int] = []
    with path.open("wb") as file:

        def add(body: bytes) -> None:
            places.append(file.tell())
            file.write(b"%d 0 obj\n%s\nendobj\n" % (len(places), body))

        file.write(b"%PDF-1.5\n")
        add(b"<</Type/Catalog/Pages 2 0 R>>")
        add(b"<</Type/Pages/Count %d/Kids[%s]>>" % (count, b" ".join(b"%d 0 R" % (4 + 2 * n) for n in range(count))))
        add(b"<</Length %d>>stream\n%s\nendstream" % (len(content), content))
        for number in range(count):
            add(
                b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 3 0 R/Resources<</XObject<</I %d 0 R>>>>>>"
                % (5 + 2 * number)
            )
            head = b"<</Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceGray/BitsPerComponent 8" % (
                WIDTH,
                HEIGHT,
            )
            add(head + b"/Filter/DCTDecode/Length %d>>stream\n%s\nendstream" % (len(data), data))
        start = file.tell()
        file.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1))
        file.writelines(b"%010d 00000 n \n" % place for place in places)
        file.write(b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(places) + 1, start))


def grown_by(source: Path, out: Path) -> tuple[float, float]:
    """Megabytes by which a child grows that prepares this file, and its seconds; RuntimeError where it fails."""
    limits = asdict(Limits(source_bytes=2**40, cpu_seconds=600))
    arguments = {
        "path": str(source),
        "out": str(out),
        "typical": spec_to(typical_copy()),
        "password": "",
        "encrypted": True,
        "classic": False,
        "per_page": False,
    }
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        answer = sandbox_tasks.perform("prepare", arguments, limits)
        after = resource.getrusage(resource.RUSAGE_SELF)
        grown = (after.ru_maxrss - before) / 1024 if "value" in answer else None
        os.write(writing, json.dumps([grown, after.ru_utime + after.ru_stime, str(answer.get("text", ""))]).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        grown, seconds, text = json.loads(pipe.read() or b'[null, 0, "the child died"]')
    os.waitpid(child, 0)
    if grown is None:
        raise RuntimeError(text)
    return float(grown), float(seconds)


def main(megabytes: int, folder: str | None) -> None:
    """Generate, prepare, print."""
    sandbox_tasks.warm_up()
    with tempfile.TemporaryDirectory(dir=folder) as name:
        source = Path(name) / "scan.pdf"
        write_scan(source, megabytes * MEGABYTE)
        grown, seconds = grown_by(source, Path(name) / "master")
        size = source.stat().st_size
    print(json.dumps({"bytes": size, "cpu_seconds": round(seconds, 2), "grown_megabytes": round(grown, 1)}))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 150, sys.argv[2] if len(sys.argv) > 2 else None)
