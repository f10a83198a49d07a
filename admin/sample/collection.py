"""Makes the sample collection: the PDFs and their holdings files."""

from __future__ import annotations

import shutil
from pathlib import Path

from admin.sample.layout import draw
from admin.sample.works import WORKS, Work

COLUMNS = (
    "file", "title", "authors", "container", "year", "volume", "issue", "pages", "doi", "pmid", "issn", "isbn", "genre", "chapter",
    "rights", "total_pages", "published", "language", "class", "publisher",
)  # fmt: skip
FONT = Path(__file__).parents[2] / "drm" / "pdf" / "fonts" / "NotoSansCJKsc-Regular.ttf"


def build_collection(folder: Path) -> list[Path]:
    """Write all parts of the collection under ``folder``, each whole or not at all, and return the PDFs."""
    made = []
    for part in sorted({work.part for work in WORKS}):
        target = folder / part
        if (target / "holdings.tsv").exists():
            continue
        making = folder / f".{part}.part"
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
        works = [work for work in WORKS if work.part == part]
        for work in works:
            draw(work, making / Path(work.file).name, FONT)
        rows = ["\t".join(COLUMNS), *("\t".join(_row(work)) for work in works)]
        (making / "holdings.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
        shutil.rmtree(target, ignore_errors=True)
        making.rename(target)
        made += [target / Path(work.file).name for work in works]
    return made


def _row(work: Work) -> list[str]:
    values = {
        "file": Path(work.file).name,
        "total_pages": str(work.count),
        "published": work.year,
        "class": "scholarly",
        **{name: str(getattr(work, name)) for name in COLUMNS if hasattr(work, name) and name != "file"},
    }
    return [values.get(name, "") for name in COLUMNS]
