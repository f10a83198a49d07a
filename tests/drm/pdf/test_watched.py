"""Objects that are not walked hold nothing that would have been removed."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

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


def link(**more: Any) -> Dictionary:
    """A link as typesetters write them, and what else it may hold."""
    usual = {"Type": Name.Annot, "Subtype": Name.Link, "Rect": [56, 60, 146.5, 70], "Border": [0, 0, 0], "H": Name.I}
    return Dictionary({f"/{key}": value for key, value in {**usual, **more}.items()})


WEB = Dictionary(S=Name.URI, URI=String("https://doi.org/10.5555/4"))
PLAIN = [
    link(Dest=Array([Name.Page, Name.XYZ, 72, 700.25, 0])),
    link(A=Dictionary(S=Name.GoTo, D=String("cite.7"))),
    link(A=WEB, F=4, StructParent=3),
    Dictionary(Title=String("1 (Tides)"), Dest=String("section.1"), Count=-2),
]


@pytest.mark.parametrize("holder", PLAIN)
def test_plain_links_and_bookmarks_are_spared_and_nothing_would_have_been_removed(holder: Dictionary) -> None:
    pdf = plain()
    pdf.Root.Odd = pdf.make_indirect(holder)

    assert not is_watched(pdf.Root.Odd)
    assert find_active(pdf) == ()


ARMED = [
    link(A=Dictionary(S=Name.URI, URI=String("javascript:app.alert(1)"))),
    link(A=Dictionary(S=Name.URI, URI=String("file://server/share"))),
    link(A=Dictionary(S=Name.URI, URI=String("http://[not-an-address"))),
    link(A=Dictionary(S=Name.GoTo, D=String("a"), Next=Dictionary(S=Name.JavaScript, JS=String("app.alert(1)")))),
    link(A=Dictionary(S=Name.Launch, F=String("calc.exe"))),
    link(A=Dictionary(S=Name.GoTo, D=String("a"), F=String("other.pdf"))),
    link(A=WEB, AA=Dictionary()),
    link(A=WEB, PA=Dictionary(S=Name.Launch)),
    link(Dest=Array([Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))])),
    link(BS=Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))),
    Dictionary(Title=String("1"), A=Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))),
    Dictionary(Type=Name.Annot, Subtype=Name.Screen, Rect=Array([0, 0, 9, 9])),
]


@pytest.mark.parametrize("holder", ARMED)
def test_a_link_or_bookmark_with_anything_more_is_looked_at(holder: Dictionary) -> None:
    assert is_watched(plain().make_indirect(holder))


def test_what_hangs_where_actions_hang_is_looked_at_unless_it_names_an_owner_as_attributes_do() -> None:
    pdf = plain()

    for nothing in (Dictionary(S=Name.Unheard, X=4), Dictionary(X=4), Dictionary(X=Dictionary(O=Name.Layout))):
        assert is_watched(pdf.make_indirect(Dictionary(Parent=1, A=nothing)))
    assert not is_watched(pdf.make_indirect(Dictionary(S=Name.Span, A=Dictionary(O=Name.Layout, Placement=Name.Block))))


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


@pytest.mark.parametrize("kind", [Name.EmbeddedFile, Name.Filespec])
@pytest.mark.parametrize("as_stream", [True, False])
def test_what_calls_itself_a_file_keeps_nothing_although_nothing_else_is_removed(
    kind: pikepdf.Name, as_stream: bool
) -> None:
    pdf = plain()
    carried = pdf.make_stream(b"carried along") if as_stream else pdf.make_indirect(Dictionary(UF=String("carried")))
    carried["/Type"] = kind
    pdf.pages[0].obj.Resources.Font.F9 = carried

    assert find_active(pdf) == ("EmbeddedFile",)
    assert "EmbeddedFile" in sanitise(pdf)
    assert find_active(pdf) == ()
    left = pdf.pages[0].obj.Resources.Font.F9
    assert (left.read_bytes() if as_stream else len(left)) == (b"" if as_stream else 0)
