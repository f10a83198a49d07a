"""Files of other projects stand where their hash and licence are written down; pages load from nowhere else."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PRODUCT = ("admin", "delivery", "drm", "fetchers", "storage")
FOREIGN_KINDS = ("*.min.js", "*.min.css", "*.ttf", "*.otf", "*.woff", "*.woff2")
LOADS = re.compile(
    r"""<(?:script|link|img|iframe|source|video|audio|embed|object)\b[^>]*?(?:src|href|data)\s*=\s*["']?(?:https?:)?//"""
    r"""|@import\s|url\(\s*["']?(?:https?:)?//|\bimport\s*\(?\s*["']https?://""",
    re.IGNORECASE,
)


def records(folder: Path) -> str:
    """What the folder says of its files: its README and its table of sources."""
    return "\n".join(
        each.read_text(encoding="utf-8") for each in sorted(folder.iterdir()) if each.suffix in {".md", ".toml"}
    )


def unrecorded(folder: Path) -> list[str]:
    """The foreign files of a folder whose name and SHA-256 do not stand together on a line of its README."""
    lines = records(folder).splitlines()
    foreign = {path for kind in FOREIGN_KINDS for path in folder.glob(kind)}
    if folder.name == "vendor":
        foreign |= {path for path in folder.iterdir() if path.suffix in {".js", ".css"}}
    sums = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in foreign}
    return sorted(path.name for path in foreign if not any(path.name in line and sums[path] in line for line in lines))


def loaders(folder: Path) -> list[str]:
    """Places where a page, a style sheet or a script would fetch something from another host."""
    pages = [path for path in sorted(folder.rglob("*")) if path.suffix in {".html", ".css", ".js", ".svg", ".xml"}]
    return [
        f"{path.relative_to(folder).as_posix()}:{number}"
        for path in pages
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if LOADS.search(line)
    ]


def test_every_foreign_file_of_the_product_is_recorded_with_its_hash() -> None:
    foreign = [path for package in PRODUCT for kind in FOREIGN_KINDS for path in (ROOT / package).rglob(kind)]
    vendored = [path for package in PRODUCT for path in (ROOT / package).rglob("vendor") if path.is_dir()]
    folders = sorted({path.parent for path in foreign} | set(vendored))

    assert ROOT / "drm" / "pdf" / "fonts" in folders
    assert {folder.relative_to(ROOT).as_posix(): unrecorded(folder) for folder in folders if unrecorded(folder)} == {}


def test_no_page_loads_anything_from_another_host() -> None:
    assert [place for package in PRODUCT for place in loaders(ROOT / package)] == []


def test_a_changed_file_is_noticed(tmp_path: Path) -> None:
    vendor = tmp_path / "vendor"
    vendor.mkdir()
    for name in ("same.js", "changed.js", "silent.js"):
        (vendor / name).write_text(f"/* {name} */", encoding="utf-8")
    lines = [f"{name} {hashlib.sha256(f'/* {name} */'.encode()).hexdigest()}" for name in ("same.js", "changed.js")]
    (vendor / "README.md").write_text("\n".join(lines), encoding="utf-8")
    (vendor / "changed.js").write_text("steal()", encoding="utf-8")

    assert unrecorded(vendor) == ["changed.js", "silent.js"]


def test_a_page_that_loads_from_elsewhere_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "good.html").write_text('<a href="https://doi.org/">DOI</a><script src="/static/a.js"></script>')
    (tmp_path / "bad.html").write_text('<p>\n<script defer src="https://cdn.example/a.js"></script>')
    (tmp_path / "bad.css").write_text("body { background: url(//cdn.example/a.png) }")

    assert loaders(tmp_path) == ["bad.css:1", "bad.html:2"]
