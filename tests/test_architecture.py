"""The house and its rules, read from the source with ``ast``; every breach is listed as file:line."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("admin", "delivery", "drm", "fetchers", "storage")
SOURCES = (*PACKAGES, "tests", "tools", "benchmarks")

MAY_IMPORT = {
    "drm": {"drm"},
    "delivery": {"delivery", "drm"},
    "fetchers": {"fetchers", "delivery", "drm"},
    "storage": {"storage", "delivery", "drm"},
    "admin": {"admin", "fetchers", "storage", "delivery", "drm"},
}

WEB = ("delivery/web/", "admin/")
PDF = ("drm/pdf/", "drm/marks/", "drm/tracing/")
CELERY = ("admin/celery_app.py", "admin/bell.py", "admin/embedded.py")
XML = ("delivery/iso18626/", "fetchers/", "drm/pdf/")

# Where each library may be imported. One that is not listed may be imported nowhere: say here where it belongs.
ROOMS = {
    **dict.fromkeys(("flask", "werkzeug", "jinja2", "markupsafe", "marshmallow"), WEB),
    **dict.fromkeys(("flask_wtf", "wtforms", "flask_limiter"), WEB),
    **dict.fromkeys(("pydantic", "pydantic_settings"), WEB),
    "babel": ("delivery/texts.py", "delivery/formats.py", *WEB),
    "structlog": ("delivery/web/", "fetchers/", "storage/", "admin/"),
    **dict.fromkeys(("sqlalchemy", "alembic", "psycopg"), ("storage/",)),
    **dict.fromkeys(("boto3", "botocore", "types_boto3_s3"), ("storage/blobs/",)),
    **dict.fromkeys(("celery", "kombu"), CELERY),
    # The demonstration plays a reader: it is a client of our own app on loopback.
    "httpx": ("fetchers/", "admin/demonstration.py"),
    "httpcore": ("fetchers/deadlines.py",),
    **dict.fromkeys(("lxml", "defusedxml"), XML),
    **dict.fromkeys(("pikepdf", "fontTools", "deflate"), PDF),
    "segno": (*PDF, "admin/second_factor/"),
    **dict.fromkeys(("authlib", "joserfc"), ("fetchers/openid.py",)),
    "webauthn": ("drm/security_keys.py",),
    "pyotp": ("drm/one_time_codes.py",),
    # The sample articles are laid out by the project itself, from nothing: no untrusted file is opened there.
    **dict.fromkeys(("reportlab", "pypdfium2"), (*PDF, "admin/sample/")),
    "cryptography": ("drm/",),
    "holidays": ("drm/business_days.py",),
    **dict.fromkeys(("itsdangerous", "jwt"), ("drm/tokens.py",)),
    "argon2": ("delivery/passwords.py",),
    **dict.fromkeys(("click", "gunicorn", "xlsxwriter"), ("admin/",)),
    "prometheus_client": ("admin/metering/",),
}

LONGEST_FILE = 400
LONGEST_FUNCTION = 60
BANNED_FILE = re.compile(r"(^|_)(utils?|helpers?|managers?)$|^base(_|$)|_impl$")
BANNED_CLASS = re.compile(r"Manager$|Impl$|^Base[A-Z]|^Request$|^[A-Z]\w*(Utils?|Helpers?)$")
CLOCKS = re.compile(r"^((datetime|dt)\.)?(datetime|date)\.(now|utcnow|today)$|^time\.(time|time_ns|localtime|gmtime)$")


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def is_frozen(path: Path) -> bool:
    """A migration that ran somewhere is never touched again, so it cannot be split either."""
    return "migrations/versions" in path.as_posix()


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def at(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT).as_posix()}:{line}"


def list_all(breaches: list[str]) -> None:
    assert not breaches, "\n".join(["", *breaches])


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full dotted name of everything a file imports, inside functions and for types as well."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*above, *filter(None, [node.module])))
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def calls(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            yield node.lineno, ast.unparse(node.func)


def test_imports_only_go_down() -> None:
    breaches = [
        f"{at(path, line)} {package}/ imports {name}"
        for package in PACKAGES
        for path in sources(package)
        for line, name in imports(path)
        if name.split(".")[0] in SOURCES and name.split(".")[0] not in MAY_IMPORT[package]
    ]

    list_all(breaches)


def test_the_core_of_delivery_does_not_know_its_web_pages() -> None:
    breaches = [
        f"{at(path, line)} imports {name}"
        for path in sources("delivery", "fetchers", "storage")
        for line, name in imports(path)
        if f"{name}.".startswith("delivery.web.") and not path.is_relative_to(ROOT / "delivery" / "web")
    ]

    list_all(breaches)


def test_each_library_is_imported_only_in_its_room() -> None:
    breaches = [
        f"{at(path, line)} imports {name}, whose room is {' or '.join(ROOMS.get(name.split('.')[0], ['not named']))}"
        for path in sources(*PACKAGES)
        for line, name in imports(path)
        if name.split(".")[0] not in (*PACKAGES, *sys.stdlib_module_names)
        and not path.relative_to(ROOT).as_posix().startswith(ROOMS.get(name.split(".")[0], ()))
    ]

    list_all(breaches)


def test_no_file_is_longer_than_400_lines() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in sources(*SOURCES)}
    lengths = {path: lines for path, lines in lengths.items() if not is_frozen(path)}

    list_all([f"{at(path, lines)} is the last line" for path, lines in lengths.items() if lines > LONGEST_FILE])


def test_no_function_is_longer_than_60_lines() -> None:
    breaches = [
        f"{at(path, node.lineno)} {node.name} has {(node.end_lineno or 0) - node.lineno + 1} lines"
        for path in sources(*SOURCES)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and not is_frozen(path)
        and (node.end_lineno or 0) - node.lineno + 1 > LONGEST_FUNCTION
    ]

    list_all(breaches)


def test_files_have_the_names_of_the_trade() -> None:
    named = [path for folder in SOURCES for path in (ROOT / folder).rglob("*") if path.suffix in {".py", ""}]

    list_all([at(path, 1) for path in named if BANNED_FILE.search(path.stem)])


def test_classes_have_the_names_of_the_trade() -> None:
    breaches = [
        f"{at(path, node.lineno)} class {node.name}"
        for path in sources(*SOURCES)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ClassDef) and BANNED_CLASS.search(node.name)
    ]

    list_all(breaches)


def test_only_the_command_line_prints() -> None:
    breaches = [
        f"{at(path, line)} print("
        for path in sources(*PACKAGES)
        for line, name in calls(path)
        if name == "print" and not path.relative_to(ROOT).as_posix().startswith("admin/cli")
    ]

    list_all(breaches)


def test_the_real_clock_is_named_only_in_the_wiring() -> None:
    breaches = [
        f"{at(path, line)} {name}"
        for path in sources(*PACKAGES)
        for line, name in (*calls(path), *imports(path))
        if CLOCKS.match(name) and path != ROOT / "admin" / "wiring.py"
    ]

    list_all(breaches)


def test_every_package_says_what_it_is() -> None:
    folders = sorted({path.parent for path in sources(*PACKAGES)})
    inits = [folder / "__init__.py" for folder in folders]

    list_all([at(init, 1) for init in inits if not init.exists() or not ast.get_docstring(parsed(init))])


def test_every_module_says_in_one_line_what_it_is() -> None:
    modules = [path for path in sources(*PACKAGES) if "migrations/versions" not in path.as_posix()]

    list_all([at(path, 1) for path in modules if not ast.get_docstring(parsed(path))])


def test_the_five_packages_and_the_two_build_files_are_fixed() -> None:
    build = [line for line in (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines() if line]
    others = ("setup.py", "pytest.ini", "tox.ini", "mypy.ini", ".coveragerc", ".flake8")

    assert [package for package in PACKAGES if not (ROOT / package / "__init__.py").exists()] == []
    assert [line.split(" ")[0] for line in build] == ["[build-system]", "requires", "build-backend"]
    assert [name for name in others if (ROOT / name).exists()] == []


def test_nothing_is_left_for_later() -> None:
    unfinished = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b|raise NotImplemented" r"Error")
    breaches = [
        f"{at(path, number)} {line.strip()[:80]}"
        for path in sources(*SOURCES)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if unfinished.search(line)
    ]

    list_all(breaches)
