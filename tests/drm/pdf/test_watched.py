"""Objects that are not walked hold nothing that would have been removed."""

from __future__ import annotations

import io
from collections.abc import Callable

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String

from drm.pdf.judging import ANY_KEYS
from drm.pdf.sanitise import find_active, sanitise
from drm.pdf.watched import NAMES, is_watched
from tests.drm.pdf.active import plain
from tests.drm.pdf_drawing.samples import saved


def test_every_entry_that_is_removed_everywhere_is_looked_for() -> None:
    assert set(ANY_KEYS) <= NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
@pytest.mark.parametrize(
    "hidden",
    [
        lambda name: Dictionary({name: 1}),
        lambda name: Dictionary(X=Name(name)),
        lambda name: Array([1, Array([Dictionary(Y=Array([Name(name)]))])]),
        lambda name: Dictionary(A=String(") <<"), Z=Dictionary({name: Array([])})),
    ],
)
def test_a_name_is_seen_as_key_and_as_value_however_deep(name: str, hidden: Callable[[str], pikepdf.Object]) -> None:
    pdf = pikepdf.new()

    assert is_watched(pdf.make_indirect(hidden(name)))
    assert not is_watched(pdf.make_indirect(hidden(name + "x")))


def test_a_name_is_seen_in_the_dictionary_of_a_stream() -> None:
    pdf = pikepdf.new()

    assert is_watched(pdf.make_stream(b"", F=String("far.bin")))
    assert not is_watched(pdf.make_stream(b"/F /JavaScript", Fx=1))


def test_a_script_spelt_with_escapes_is_removed_all_the_same() -> None:
    source = plain()
    source.Root.Odd = source.make_indirect(Array([Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))]))
    data = saved(source).replace(b"/S /JavaScript", b"/S /J#61vaScript").replace(b"/JS (", b"/J#53 (")
    assert b"/J#61vaScript" in data

    with pikepdf.open(io.BytesIO(data)) as pdf:
        found = find_active(pdf)
        sanitise(pdf)
        left = find_active(pdf)

    assert "action JavaScript" in found
    assert left == ()
