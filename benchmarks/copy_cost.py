"""What a copy costs against the plainest peer: pikepdf opening and saving the file encrypted, with nothing drawn."""

from __future__ import annotations

import resource
import tempfile
from datetime import date
from pathlib import Path
from statistics import median

import pikepdf

from admin.sample import build_collection
from drm.pdf.copying import write_copy
from drm.pdf.fonts import preload
from drm.pdf.values import CopySpec, CoverCitation, Limits

Row = tuple[str, str, str, bool]


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def run(smoke: bool) -> list[Row]:
    """Ours and the peer by turns in one process; the median of the rounds."""
    spec = CopySpec(
        delivery="RL-2345-6789",
        library="Harbour University Library",
        issued_on=date(2026, 11, 24),
        reader="Maeve Byrne",
        citation=CoverCitation(title="Tidal asymmetry"),
    )
    preload()
    with tempfile.TemporaryDirectory() as folder:
        build_collection(Path(folder))
        rows = []
        for name in ("lantern/lantern-01.pdf", "lantern/handbook.pdf"):
            source = Path(folder) / name
            ours, peer = [], []
            for _ in range(3 if smoke else 9):
                start = _cpu()
                write_copy(source, Path(folder) / "ours.pdf", spec, Limits(), None, None)
                ours.append(_cpu() - start)
                start = _cpu()
                with pikepdf.open(source) as pdf:
                    pdf.save(Path(folder) / "peer.pdf", encryption=pikepdf.Encryption(user="", owner="x", R=6))
                peer.append(_cpu() - start)
            ratio = median(ours) / max(median(peer), 1e-4)
            with pikepdf.open(source) as pdf:
                pages = len(pdf.pages)
            rows.append((f"copy of {pages} pages against pikepdf open + AES save", f"{ratio:.1f}x", "reported", True))
    return rows
