"""The metadata of copies are XML that other libraries read, whatever stands in a citation."""

from __future__ import annotations

import pikepdf
import pytest

from drm.pdf.xmp import packet


def read(data: bytes) -> pikepdf.models.PdfMetadata:
    pdf = pikepdf.new()
    pdf.Root.Metadata = pdf.make_stream(data)
    return pdf.open_metadata()


@pytest.mark.parametrize(
    "title", ["Tides & <b>currents</b>", "]]>", '"Quoted"', "潮汐 ä", "{} {0}", "with \x00 and \x0b and \ud800 inside"]
)
def test_a_title_is_read_back_without_what_xml_forbids(title: str) -> None:
    found = read(packet("urn:one", title, "doi:10.1/a<b"))
    assert found["dc:title"] == title.replace("\x00", "").replace("\x0b", "").replace("\ud800", "")
    assert (found["dc:identifier"], found["dc:source"]) == ("urn:one", "doi:10.1/a<b")


def test_what_is_empty_is_left_out() -> None:
    found = read(packet("urn:one", "", ""))
    assert not {"dc:title", "dc:source"} & set(found)
