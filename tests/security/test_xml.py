"""The only XML of others is a document's metadata: no bomb in it takes time or memory, and nothing is fetched or read for it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

CLAIM = '<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" pdfaid:part="1" pdfaid:conformance="B"/>'
HEAD = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
TAIL = "</rdf:RDF></x:xmpmeta>"
CPU_SECONDS, MEBIBYTES = 30, 50
CHILD = """
import json, resource, sys
from datetime import UTC, datetime
import pikepdf
from drm.pdf.archival import keep_metadata, name_archival_copy
from drm.pdf.values import PdfRefused
from tests.drm.pdf_drawing.samples import SPEC
resource.setrlimit(resource.RLIMIT_CPU, (int(sys.argv[2]), int(sys.argv[2])))
def memory():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
def kept(data):
    pdf = pikepdf.new()
    pdf.add_blank_page()
    pdf.Root.Metadata = pdf.make_stream(data, Type=pikepdf.Name.Metadata, Subtype=pikepdf.Name.XML)
    try:
        name_archival_copy(pdf, keep_metadata(pdf), SPEC)
    except Exception as error:
        return type(error).__name__
    return pdf.Root.Metadata.read_bytes().decode("utf-8", "replace")
kept(b"<x/>")
found = {}
for name, text in json.load(open(sys.argv[1])).items():
    before = memory()
    out = kept(text.encode("utf-8", "surrogatepass"))
    found[name] = [memory() - before, "root:" in out or "smuggled-secret" in out, len(out)]
print(json.dumps(found))
"""


def packet(before: str, inside: str) -> str:
    """A packet that claims PDF/A, with a document type and more content."""
    return f'<?xml version="1.0"?>\n{before}{HEAD}{CLAIM}<rdf:Description rdf:about="">{inside}</rdf:Description>{TAIL}'


def laughs(levels: int, each: int) -> str:
    """Entities that stand for ``each`` of the one before."""
    lines = "".join(f'<!ENTITY e{level} "{f"&e{level - 1};" * each}">' for level in range(1, levels))
    return f'<!DOCTYPE x [<!ENTITY e0 "laugh">{lines}]>'


def bombs(secret: Path) -> dict[str, str]:
    """Twenty packets that want time, memory, or a file."""
    own = secret.as_uri()
    return {
        "a billion laughs": packet(laughs(10, 10), "&e9;"),
        "a million laughs": packet(laughs(7, 10), "&e6;"),
        "laughs in two to the thirty": packet(laughs(31, 2), "&e30;"),
        "laughs in an attribute": packet(laughs(10, 10), '<a b="&e9;"/>'),
        "one long entity often": packet(f'<!DOCTYPE x [<!ENTITY e "{"a" * 50_000}">]>', "&e;" * 20_000),
        "an entity of itself": packet('<!DOCTYPE x [<!ENTITY a "&b;"><!ENTITY b "&a;">]>', "&a;"),
        "a file": packet(f'<!DOCTYPE x [<!ENTITY e SYSTEM "{own}">]>', "&e;"),
        "the list of users": packet('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>', "&e;"),
        "a device without end": packet('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///dev/zero">]>', "&e;"),
        "an address": packet('<!DOCTYPE x [<!ENTITY e SYSTEM "http://127.0.0.1:9/x">]>', "&e;"),
        "a document type elsewhere": packet('<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">', ""),
        "a parameter": packet(f'<!DOCTYPE x [<!ENTITY % p SYSTEM "{own}"> %p;]>', "&e;"),
        "parameters that multiply": packet('<!DOCTYPE x [<!ENTITY % a "1"><!ENTITY % b "%a;%a;">%b;]>', ""),
        "a file by inclusion": packet(
            "", f'<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="{own}" parse="text"/>'
        ),
        "elements in elements": packet("", "<a>" * 20_000 + "</a>" * 20_000),
        "very many attributes": packet("", "<a " + " ".join(f"b{n}='1'" for n in range(20_000)) + "/>"),
        "very many namespaces": packet("", "<a " + " ".join(f"xmlns:b{n}='u{n}'" for n in range(5_000)) + "/>"),
        "a long comment": packet("", f"<!--{'a' * 2_000_000}-->"),
        "a long section": packet("", f"<![CDATA[{'a' * 2_000_000}]]>"),
        "a picture that never ends": packet("", f"<a>{'a' * 2_000_000}"),
        "a stylesheet": packet(f'<?xml-stylesheet type="text/xsl" href="{own}"?>', ""),
    }


def test_twenty_bombs_take_little_time_and_memory_and_bring_no_file_in(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("smuggled-secret", encoding="utf-8")
    given = bombs(secret)
    assert len(given) >= 20
    (tmp_path / "bombs.json").write_text(json.dumps(given), encoding="utf-8")

    # A child that takes more of the processor than a second for each and some for the start is ended.
    command = [sys.executable, "-c", CHILD, str(tmp_path / "bombs.json"), str(CPU_SECONDS)]
    done = subprocess.run(command, capture_output=True, timeout=110, check=False)

    assert done.returncode == 0, done.stderr.decode()[-500:]
    found = json.loads(done.stdout)
    assert set(found) == set(given)
    assert {name: took for name, (took, _, _) in found.items() if took > MEBIBYTES} == {}
    assert [name for name, (_, brought_in, _) in found.items() if brought_in] == []
    assert max(size for _, _, size in found.values()) < 5_000_000
