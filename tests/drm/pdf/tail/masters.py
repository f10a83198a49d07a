"""Small masters and copies of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pikepdf

from drm.pdf.tail.keys import MasterKeys
from drm.pdf.tail.personalise import personalise
from drm.pdf.tail.prepare import Wish, prepare
from drm.pdf.tail.values import Master, Tail
from drm.pdf.values import CopySpec, Permissions
from drm.tokens import KeyRing
from tests.drm.pdf.active import plain
from tests.drm.pdf_drawing.samples import SPEC, saved

RING = KeyRing({"k1": bytes(range(32))})
KEYS = MasterKeys(RING)


@dataclass(frozen=True)
class Ready:
    """A master on disk with its record."""

    path: Path
    master: Master

    def tail(self, spec: CopySpec = SPEC, password: str | None = None) -> Tail:
        permissions = replace(spec.permissions, encrypt=self.master.encrypted)
        return personalise(self.master, replace(spec, permissions=permissions), KEYS, password)

    def copy(self, spec: CopySpec = SPEC, password: str | None = None) -> bytes:
        return self.path.read_bytes() + self.tail(spec, password).data


def ready(folder: Path, pdf: pikepdf.Pdf | None = None, **wish: bool) -> Ready:
    """A master made for copies like SPEC."""
    (folder / "source.pdf").write_bytes(saved(pdf or plain()))
    typical = replace(SPEC, permissions=Permissions(encrypt=wish.get("encrypted", True)))
    master = prepare(folder / "source.pdf", folder / "master", KEYS, Wish(typical, **wish))  # type: ignore[arg-type]  # flags of Wish
    return Ready(folder / "master", master)
