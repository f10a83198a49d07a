"""The tasks that children perform. Everything here runs under limits, on files that nobody trusts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pikepdf

from drm.pdf.comparing import Comparison
from drm.pdf.copying import write_copy
from drm.pdf.examining import examine
from drm.pdf.fonts import preload
from drm.pdf.opening import translated
from drm.pdf.passwords import open_by_pdfium
from drm.pdf.policy import policy_from
from drm.pdf.proving import prove
from drm.pdf.rehearsal import rehearse
from drm.pdf.spec_json import spec_from
from drm.pdf.tail.preparing import PrepareTask, prepare_master
from drm.pdf.tail.proving import MasterProof, prove_master
from drm.pdf.values import Limits, PdfRefused

MOST_PIXELS = 4_000
MOST_TEXT = 200_000


def warm_up() -> None:
    """Load what every child needs once, before forking."""
    preload()
    rehearse()


def perform(task: str, arguments: Mapping[str, Any], limits: Mapping[str, Any]) -> dict[str, Any]:
    """Run one task by name; a refusal is an answer too."""
    given = Limits(**limits)
    pikepdf.settings.set_qpdf_limits(
        flate_max_memory=given.decoded_stream_bytes,
        run_length_max_memory=given.decoded_stream_bytes,
        png_max_memory=given.decoded_stream_bytes,
        tiff_max_memory=given.decoded_stream_bytes,
        dct_max_memory=given.decoded_stream_bytes,
        doc_max_warnings=20_000,  # some files deserve one for every page and note
        max_stream_filters=4,
    )
    try:
        with translated():
            return {"value": TASKS[task](arguments, given)}
    except PdfRefused as refusal:
        return {"code": refusal.code, "text": refusal.text}


def _examine(arguments: Mapping[str, Any], limits: Limits) -> Any:
    return examine(Path(arguments["path"]), limits, arguments.get("password"))


def _copy(arguments: Mapping[str, Any], limits: Limits) -> Any:
    return write_copy(
        Path(arguments["path"]),
        Path(arguments["out"]),
        spec_from(arguments["spec"]),
        limits,
        arguments.get("password"),
        arguments.get("reader_password"),
        policy_from(arguments.get("policy", {})),
    )


def _prepare(arguments: Mapping[str, Any], limits: Limits) -> Any:
    task = PrepareTask(
        source=Path(arguments["path"]),
        out=Path(arguments["out"]),
        typical=spec_from(arguments["typical"]),
        password=arguments["password"],
        encrypted=arguments["encrypted"],
        classic=arguments["classic"],
        per_page=arguments["per_page"],
        policy=policy_from(arguments.get("policy", {})),
    )
    return prepare_master(task, limits)


def _prove_master(arguments: Mapping[str, Any], limits: Limits) -> Any:
    source = arguments["path"]
    return prove_master(
        MasterProof(
            master=Path(arguments["master"]),
            length=int(arguments["length"]),
            tail=Path(arguments["tail"]),
            expect=arguments["expect"],
            file_key=arguments["file_key"],
            source=Path(source) if source else None,
            password=arguments["password"],
        )
    )


def _prove(arguments: Mapping[str, Any], limits: Limits) -> Any:
    source = arguments.get("source")
    look = Comparison(Path(source), arguments["source_password"], same_only=True).look if source else None
    return prove(Path(arguments["path"]), arguments.get("expect"), arguments.get("password"), look=look)


def _render(arguments: Mapping[str, Any], limits: Limits) -> Any:
    document = open_by_pdfium(Path(arguments["path"]), arguments.get("password"))
    number, width = int(arguments["page"]), min(MOST_PIXELS, max(50, int(arguments["width"])))
    if not 0 <= number < len(document):
        raise PdfRefused("zero-pages", f"There is no page {number + 1}.")
    page = document[number]
    scale = width / max(1.0, page.get_width())
    scale = min(scale, MOST_PIXELS / max(1.0, page.get_height()))
    page.render(scale=scale).to_pil().save(arguments["out"], "PNG")
    return len(document)


def _text(arguments: Mapping[str, Any], limits: Limits) -> Any:
    document = open_by_pdfium(Path(arguments["path"]), arguments.get("password"))
    number = int(arguments["page"])
    if not 0 <= number < len(document):
        raise PdfRefused("zero-pages", f"There is no page {number + 1}.")
    return document[number].get_textpage().get_text_bounded()[:MOST_TEXT]


TASKS: dict[str, Callable[[Mapping[str, Any], Limits], Any]] = {
    "examine": _examine,
    "copy": _copy,
    "prepare": _prepare,
    "prove": _prove,
    "prove-master": _prove_master,
    "render": _render,
    "text": _text,
}
