"""Tags, links and labels of a copy are those of its source, behind a cover, by either engine; so is where the stamp lies."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, Object, String

from drm.pdf.rewrite import make_copy
from tests.drm.pdf.active import annotate, link
from tests.drm.pdf.tail.masters import ready
from tests.drm.pdf_drawing.samples import SPEC, document, rendered, saved, text_at
from tests.services.commands import needed

ENGINES = ["rewrite", "tail"]


def copy_by(engine: str, folder: Path, pdf: pikepdf.Pdf) -> bytes:
    if engine == "tail":
        return ready(folder, pdf).copy()
    (folder / "source.pdf").write_bytes(saved(pdf))
    make_copy(folder / "source.pdf", folder / "copy.pdf", SPEC)
    return (folder / "copy.pdf").read_bytes()


def tagged(pages: int = 2) -> pikepdf.Pdf:
    """A tagged document: on each page a heading and two paragraphs, the second one read before the first."""
    marks = b"/H1 <</MCID 0>> BDC %b EMC /P <</MCID 2>> BDC %b EMC /P <</MCID 1>> BDC %b EMC"
    texts = [
        [text_at(72, y, f"{word} {page}") for y, word in ((700, "Head"), (500, "Last"), (600, "First"))]
        for page in range(pages)
    ]
    pdf = document(*(marks % tuple(three) for three in texts))
    root = pdf.Root.StructTreeRoot = pdf.make_indirect(
        Dictionary(Type=Name.StructTreeRoot, RoleMap=Dictionary(Body=Name.P))
    )
    whole = pdf.make_indirect(Dictionary(Type=Name.StructElem, S=Name.Document, P=root, Lang=String("en-GB")))
    numbers: list[object] = []
    kids: list[Object] = []
    for index, page in enumerate(pdf.pages):
        page.obj.StructParents = index
        elements = [
            pdf.make_indirect(Dictionary(Type=Name.StructElem, S=Name(f"/{role}"), P=whole, Pg=page.obj, K=mark))
            for mark, role in enumerate(("H1", "Body", "P"))
        ]
        kids += elements
        numbers += [index, Array(elements)]
    whole.K, root.K = Array(kids), whole
    root.ParentTree, root.ParentTreeNextKey = Dictionary(Nums=Array(numbers)), pages
    pdf.Root.MarkInfo, pdf.Root.Lang = Dictionary(Marked=True), String("en-GB")
    return pdf


def reading(pdf: pikepdf.Pdf, element: Object, skip: int = 0) -> list[tuple[str, int, int]]:
    """Role, page and marked content of all leaves, in the order in which they are read; ``skip`` pages are a cover."""
    numbers = {page.obj.objgen: number - skip for number, page in enumerate(pdf.pages)}
    kids = element.get("/K", Array())
    found = []
    for kid in kids if isinstance(kids, Array) else [kids]:
        if isinstance(kid, Dictionary):
            found += reading(pdf, kid, skip)
        else:
            found.append((str(element.S), numbers[element.Pg.objgen], int(kid)))
    return found


@pytest.mark.parametrize("engine", ENGINES)
def test_the_reading_order_is_that_of_the_source_behind_the_cover(tmp_path: Path, engine: str) -> None:
    source = tagged()
    before = reading(source, source.Root.StructTreeRoot)
    copy = pikepdf.open(io.BytesIO(copy_by(engine, tmp_path, source)))
    after = reading(copy, copy.Root.StructTreeRoot, skip=1)

    assert [leaf for leaf in after if leaf[1] >= 0] == before
    assert [leaf[1] for leaf in after[: len(after) - len(before)]] == [-1] * (len(after) - len(before))
    assert (str(copy.Root.Lang), bool(copy.Root.MarkInfo.Marked)) == ("en-GB", True)
    assert str(copy.Root.StructTreeRoot.RoleMap.Body) == "/P"


@pytest.mark.parametrize("engine", ENGINES)
def test_the_stamp_is_an_artifact_that_no_tag_leads_to(tmp_path: Path, engine: str) -> None:
    copy = pikepdf.open(io.BytesIO(copy_by(engine, tmp_path, tagged())))
    parents = pikepdf.NumberTree(copy.Root.StructTreeRoot.ParentTree)

    for page in list(copy.pages)[1:]:
        last = page.Contents[-1].read_bytes()
        assert b"/Artifact<</Type/Pagination/Subtype/Watermark>>BDC" in last
        assert b"MCID" not in last + page.Resources.XObject["/RlS"].read_bytes()
        assert len(parents[int(page.obj.StructParents)]) == 3


def poppler(copy: bytes, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """The words of a copy by its tags, as poppler reads them, and what it complains of."""
    needed("pdfinfo", "poppler-utils")
    (folder / "read.pdf").write_bytes(copy)
    return subprocess.run(["pdfinfo", "-struct-text", folder / "read.pdf"], capture_output=True, check=True)


@pytest.mark.service
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("fully", [False, True])
def test_the_tags_of_a_page_whose_content_stops_in_the_middle_lead_to_its_words(
    tmp_path: Path, engine: str, fully: bool
) -> None:
    pdf = tagged()
    page = pdf.pages[1].obj
    page.Contents = pdf.make_stream(page.Contents.read_bytes() + b" BI /W 2 /H 2 /BPC 8 /CS /G ID abcdefgh EI (")
    for element in list(pdf.Root.StructTreeRoot.K.K)[3:] if fully else ():
        element.K = Array([Dictionary(Type=Name.MCR, Pg=page, MCID=element.K)])
        del element["/Pg"]
    copy = copy_by(engine, tmp_path, pdf)
    with pikepdf.open(io.BytesIO(copy)) as again:
        parents, inner = (
            pikepdf.NumberTree(again.Root.StructTreeRoot.ParentTree),
            again.pages[2].Resources.XObject["/RlPage0"],
        )
        held = [element.K[0] if fully else element.K for element in parents[int(inner.StructParents)]]

        assert [(str(one.Type), int(one.MCID), one.Stm.objgen) for one in held] == [
            ("/MCR", n, inner.objgen) for n in range(3)
        ]
        assert all(one.Pg.objgen == again.pages[2].obj.objgen for one in held)
        assert "/StructParents" not in again.pages[2].obj
    told = poppler(copy, tmp_path).stdout
    places = [told.index(word) for word in (b"Head 0", b"First 0", b"Last 0", b"Head 1", b"First 1", b"Last 1")]
    assert places == sorted(places)


@pytest.mark.service
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("direct", ["element", "element in a list", "tree"])
def test_the_cover_refers_to_what_holds_it_where_that_is_no_object_of_its_own(
    tmp_path: Path, engine: str, direct: str
) -> None:
    pdf = tagged()
    root = pdf.Root.StructTreeRoot
    if direct != "tree":
        whole = Dictionary(Type=Name.StructElem, S=Name.Document, P=root, K=root.K.K)
        for kid in whole.K:
            kid.P = root
        root.K = whole if direct == "element" else Array([whole])
    else:
        pdf.Root.StructTreeRoot = Dictionary(dict(root.items()))
    copy = copy_by(engine, tmp_path, pdf)
    with pikepdf.open(io.BytesIO(copy)) as again:
        holder = again.Root.StructTreeRoot.K
        section = holder.K[0]

        assert (str(section.S), section.P.is_indirect, section.P.objgen) == ("/Sect", True, holder.objgen)
    told = poppler(copy, tmp_path)
    assert (b"Head 0" in told.stdout, told.stderr) == (True, b"")


@pytest.mark.parametrize("engine", ENGINES)
def test_every_kind_of_destination_leads_to_the_same_page_of_the_article(tmp_path: Path, engine: str) -> None:
    pdf = document(*(text_at(72, 700, f"Page {number}") for number in range(4)))
    pages = [page.obj for page in pdf.pages]
    ends = Array([String("named"), String("named")])
    named = Array([String("named"), Dictionary(D=Array([pages[2], Name.Fit]))])
    leaf = pdf.make_indirect(Dictionary(Names=named, Limits=ends))
    pdf.Root.Names = Dictionary(Dests=Dictionary(Kids=Array([leaf])))
    pdf.Root.Dests = Dictionary(old=Array([pages[3], Name.FitH, 700]), numbered=Array([1, Name.Fit]))
    pdf.Root.OpenAction = Array([2, Name.Fit])
    goals: list[object] = [Array([pages[1], Name.Fit]), Array([3, Name.XYZ, 0, 0, 0]), String("named"), Name.old]
    for goal in goals:
        annotate(pdf, link(Dictionary(S=Name.GoTo, D=goal)))
    item = pdf.make_indirect(Dictionary(Title=String("Third"), Dest=Array([2, Name.Fit])))
    item.Parent = pdf.Root.Outlines = pdf.make_indirect(Dictionary(Type=Name.Outlines, First=item, Last=item, Count=1))
    copy = pikepdf.open(io.BytesIO(copy_by(engine, tmp_path, pdf)))
    numbers = {page.obj.objgen: number - 1 for number, page in enumerate(copy.pages)}

    links = [one.A.D for one in copy.pages[1].obj.Annots]
    assert [numbers[goal[0].objgen] for goal in links[:2]] == [1, 3]
    assert numbers[pikepdf.NameTree(copy.Root.Names.Dests)[str(links[2])].D[0].objgen] == 2
    assert numbers[copy.Root.Dests[str(links[3])][0].objgen] == 3
    assert numbers[copy.Root.Dests.numbered[0].objgen] == 1
    assert numbers[copy.Root.OpenAction[0].objgen] == numbers[copy.Root.Outlines.First.Dest[0].objgen] == 2


BOXES: dict[str, dict[str, Any]] = {
    "plain": {},
    "cropped": {"CropBox": Array([60, 80, 500, 700])},
    "origin elsewhere": {"MediaBox": Array([-100, 250, 495, 1092])},
    "swapped corners and a unit": {"MediaBox": Array([300, 420, 0, 0]), "UserUnit": 2},
    "all of it": {"MediaBox": Array([-50, -60, 600, 900]), "CropBox": Array([0, 10, 350, 480]), "UserUnit": 1.5},
}


def inked(data: bytes, page: int) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of what is drawn, as shares of the page as it is shown."""
    width, height, pixels = rendered(data, page, 400)
    rows = [pixels[row * width : (row + 1) * width] for row in range(height)]
    filled = [number for number, row in enumerate(rows) if min(row) < 250]
    columns = [column for column in range(width) if min(row[column] for row in rows) < 250]
    return columns[0] / width, filled[0] / height, columns[-1] / width, filled[-1] / height


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("inherited", [False, True], ids=["own", "inherited"])
@pytest.mark.parametrize("boxes", BOXES)
def test_the_stamp_lies_inside_what_is_shown_of_every_page(
    tmp_path: Path, boxes: str, inherited: bool, engine: str
) -> None:
    pdf = document(*[b""] * 4)
    for page, rotate in zip(pdf.pages, (0, 90, 180, 270), strict=True):
        holder = page.obj
        if inherited:
            holder = pdf.make_indirect(
                Dictionary(Type=Name.Pages, Kids=Array([page.obj]), Count=1, Parent=pdf.Root.Pages)
            )
        for key, value in {**BOXES[boxes], "Rotate": rotate}.items():
            (page.obj if key == "UserUnit" else holder)[f"/{key}"] = value
        if inherited:
            for key in ("/MediaBox", "/CropBox", "/Rotate"):
                if key in page.obj and (key in holder):
                    del page.obj[key]
            page.obj.Parent = holder
    if inherited:
        pdf.Root.Pages.Kids = Array([page.obj.Parent for page in pdf.pages])
    data = copy_by(engine, tmp_path, pdf)

    for number in range(1, 5):
        left, top, right, bottom = inked(data, number)
        assert left > 0.01, number
        assert top > 0.01, number
        assert right < 0.99, number
        assert bottom < 0.995, number
        # the diagonal and the footer reach over the page, wherever its boxes lie
        assert right - left > 0.7, number
        assert bottom - top > 0.6, number
