"""Pages show in a copy what they show in the source, however their content and resources are put together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pikepdf
import pypdfium2
import pytest

from drm.pdf.rewrite import make_copy
from drm.pdf.tail.copying import copy_by_tail
from drm.pdf.values import Permissions
from drm.pdf.verifying import Expectation, Origin, verify
from tests.drm.pdf.bad_files import raw, stream
from tests.drm.pdf_drawing.samples import SPEC

CLEAR = replace(SPEC, permissions=Permissions(encrypt=False))
RED = stream(b"1 0 0 rg 0 0 100 100 re f", b"/Type /XObject /Subtype /Form /BBox [0 0 100 100]")
PICTURE = stream(
    bytes([255, 0, 0]), b"/Type /XObject /Subtype /Image /Width 1 /Height 1 /BitsPerComponent 8 /ColorSpace /DeviceRGB"
)


def document(content: bytes, resources: bytes, *, above: bytes = b"", **more: bytes) -> bytes:
    """One page of 400 by 400 with these resources; ``above`` stands in the node over it, ``more`` are further objects."""
    return raw(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 %s >>" % above,
        b"<< /Type /Page /Parent 2 0 R %s /Contents 4 0 R %s >>"
        % (b"" if above else b"/MediaBox [0 0 400 400]", resources),
        stream(content),
        *more.values(),
    )


FILES = {
    "inherited from the node above": document(
        b"q 200 0 0 200 100 100 cm /Im Do Q", b"", above=b"/MediaBox [0 0 400 400] /Resources << /XObject << /Im 5 0 R >> >>", im=PICTURE
    ),
    "a Q too many after a matrix": document(b"1 0 0 1 100 100 cm Q 1 0 0 rg 0 0 200 200 re f", b"/Resources << >>"),
    "a Q too many after a colour": document(b"1 0 0 rg Q 100 100 200 200 re f", b"/Resources << >>"),
    "a form called like an action": document(
        b"q 2 0 0 2 100 100 cm /AA Do Q", b"/Resources << /XObject << /AA 5 0 R /S 5 0 R /T 5 0 R /JS 5 0 R >> >>", form=RED
    ),
    "a colour called like a script": document(
        b"/JS cs 1 0 0 scn 100 100 200 200 re f", b"/Resources << /ColorSpace << /JS [/DeviceRGB] /S /DeviceRGB /T /DeviceGray >> >>"
    ),
    "a state called like an action": document(
        b"/AA gs 1 0 0 rg 100 100 200 200 re f", b"/Resources << /ExtGState << /AA << /ca 1 >> /Type << /ca 0 >> /A << /ca 0 >> >> >>"
    ),
}  # fmt: skip


def colour(path: Path, x: int, y: int) -> tuple[int, ...]:
    """What the page behind the cover shows at a point from its lower left corner."""
    picture = pypdfium2.PdfDocument(path)[1].render().to_pil().convert("RGB")
    found = picture.getpixel((x, picture.height - y))
    assert isinstance(found, tuple)
    return found


@pytest.mark.parametrize("engine", [copy_by_tail, make_copy], ids=["tail", "rewrite"])
@pytest.mark.parametrize("name", FILES)
def test_a_page_looks_the_same_in_its_copy(tmp_path: Path, name: str, engine: type) -> None:
    source, out = tmp_path / "source.pdf", tmp_path / "copy.pdf"
    source.write_bytes(FILES[name])

    engine(source, out, CLEAR)

    assert colour(out, 200, 200)[0] > 200 > 90 > max(colour(out, 200, 200)[1:])
    assert colour(out, 350, 200) == (255, 255, 255)


def test_the_names_of_resources_stay_and_what_is_an_action_goes(tmp_path: Path) -> None:
    source, out = tmp_path / "source.pdf", tmp_path / "copy.pdf"
    armed = b"<< /ca 1 /S /JavaScript /JS (app.alert(1)) >>"
    source.write_bytes(document(b"", b"/Resources << /ExtGState << /AA << /ca 1 >> /A %s >> >>" % armed))

    report = make_copy(source, out, CLEAR)

    assert report.removed
    with pikepdf.open(out) as copy:
        assert "/AA" in copy.pages[1].obj.Resources.ExtGState
    assert b"app.alert" not in out.read_bytes()


def test_a_copy_that_looks_unlike_its_source_is_not_good(tmp_path: Path) -> None:
    source, other, out = tmp_path / "source.pdf", tmp_path / "other.pdf", tmp_path / "copy.pdf"
    source.write_bytes(FILES["a Q too many after a colour"])
    other.write_bytes(document(b"", b"/Resources << >>"))
    report = make_copy(source, out, CLEAR)
    expect = Expectation(2, CLEAR.delivery, report.shown_name, False)

    assert verify(out, expect, origin=Origin(source)).good
    verdict = verify(out, expect, origin=Origin(other))

    assert (verdict.good, verdict.code) == (False, "output-invalid")
    assert "does not look like" in verdict.text
