"""Rules that the product's own text keeps: no shell, no pickle, no SQL or template out of input, no weak hash, no plain comparison of secrets."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("admin", "delivery", "drm", "fetchers", "storage", "deploy")
SECRET = re.compile(r"(^|_)(token|secret|nonce|password|signature|mac|csrf|stamp|verifier)$")
NO_SECRETS = {
    "delivery/services/preparing.py ready.terms.copy.password == 'reader'": "a kind of password",
    "drm/audit/keys.py Signer(self.origin, key.seed).verifier == verifier": "a public key",
    "fetchers/local_collection.py self._read[0] != stamp": "when a file was changed",
}
"""Comparisons of what is called like a secret and is none."""
TOKENS_OF_PAGES = "drm/pdf/"
"""There a token is a word of a page's content, and a state one of its drawing."""
CHANCE = {"admin/sample/layout.py", "admin/sample/prose.py", "drm/pdf/proving.py"}
"""Where chance makes samples, and no secret."""
DRAWN = {"admin/second_factor/views.py", "delivery/web/shell/shell.py"}
"""Where markup is made outside of templates: a picture drawn by ourselves, and line breaks between escaped lines."""
XML_PARSERS = {"xml", "lxml", "defusedxml", "xmltodict", "bs4", "html5lib"}
UNSAFE = {"pickle", "marshal", "shelve", "dill", "telnetlib", "ftplib"}


@functools.cache
def trees() -> dict[str, ast.Module]:
    """The syntax of each file of the product."""
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for package in PRODUCT
        for path in sorted((ROOT / package).rglob("*.py"))
        if "migrations/versions" not in path.as_posix()
    }


@functools.cache
def calls() -> list[tuple[str, ast.Call, str]]:
    """Every call of the product: the file, the call, and the last word of what is called."""
    return [
        (name, node, node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func))
        for name, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
    ]


def imported() -> dict[str, set[str]]:
    """The first word of everything that each file imports."""
    found: dict[str, set[str]] = {}
    for name, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found.setdefault(name, set()).update(one.name.partition(".")[0] for one in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.setdefault(name, set()).add((node.module or "").partition(".")[0])
    return found


def is_fixed(node: ast.expr) -> bool:
    """Whether a value stands in the source as it is used, or is one of several that do."""
    if isinstance(node, ast.IfExp):
        return is_fixed(node.body) and is_fixed(node.orelse)
    return isinstance(node, ast.Constant)


def test_the_whole_product_is_looked_at() -> None:
    assert len(trees()) > 200


def test_no_shell_is_started() -> None:
    found = [
        f"{name}:{call.lineno}"
        for name, call, called in calls()
        if any(word.arg == "shell" for word in call.keywords)
        or (called in {"system", "popen"} and "os." in ast.unparse(call.func))
    ]

    assert found == []


def test_nothing_is_run_or_unpickled_that_was_read() -> None:
    found = [
        f"{name}:{call.lineno}"
        for name, call, called in calls()
        if isinstance(call.func, ast.Name) and called in {"eval", "exec", "compile", "__import__"}
    ]

    assert found == []
    assert {name: words & UNSAFE for name, words in imported().items() if words & UNSAFE} == {}
    assert {name for name, words in imported().items() if "random" in words} == CHANCE


def test_no_statement_is_put_together_from_texts() -> None:
    found = [
        f"{name}:{call.lineno}"
        for name, call, called in calls()
        if called in {"exec_driver_sql", "executescript"} or (called == "text" and isinstance(call.func, ast.Name))
        for argument in call.args[:1]
        if not is_fixed(argument)
    ]

    assert found == []


def test_no_template_is_made_of_input() -> None:
    templates = [(name, call) for name, call, called in calls() if called in {"render_template", "get_template"}]

    assert len(templates) > 30
    assert [f"{name}:{call.lineno}" for name, call in templates if not is_fixed(call.args[0])] == []
    assert [
        name for name, _, called in calls() if called in {"render_template_string", "from_string", "Template"}
    ] == []


def test_nothing_in_a_template_is_exempt_from_escaping() -> None:
    templates = [*(ROOT / "admin/templates").glob("*"), *(ROOT / "delivery/web/templates").glob("*")]

    assert len(templates) > 30
    assert [
        path.name for path in templates if re.search(r"\|\s*safe\b|autoescape", path.read_text(encoding="utf-8"))
    ] == []
    assert {name for name, _, called in calls() if called == "Markup"} <= DRAWN


def test_no_file_of_others_is_read_as_xml() -> None:
    assert {name: words & XML_PARSERS for name, words in imported().items() if words & XML_PARSERS} == {}


def test_no_weak_hash_is_used() -> None:
    assert [name for name, _, called in calls() if called in {"sha1", "md5", "new"} and called != "new"] == []
    assert [
        f"{name}:{call.lineno}"
        for name, call, called in calls()
        if called == "new" and "hashlib" in ast.unparse(call.func) and "sha256" not in ast.unparse(call)
    ] == []


def test_secrets_are_compared_in_constant_time() -> None:
    found = set()
    for name, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Compare) and any(isinstance(one, ast.Eq | ast.NotEq) for one in node.ops):
                sides = [
                    ast.unparse(one)
                    for one in (node.left, *node.comparators)
                    if isinstance(one, ast.Name | ast.Attribute)
                ]
                words = [one.rpartition(".")[2] for one in sides if "Row." not in one and ".c." not in one]
                found |= {f"{name} {ast.unparse(node)}"} if any(SECRET.search(word) for word in words) else set()

    assert {one for one in found if not one.startswith(TOKENS_OF_PAGES)} == set(NO_SECRETS)


@pytest.mark.parametrize(
    "pattern",
    [r"-----BEGIN [A-Z ]*PRIVATE KEY-----\n[A-Za-z0-9+/]", r"\bAKIA[0-9A-Z]{16}\b", r"\bghp_[A-Za-z0-9]{36}\b"],
)
def test_no_key_lies_in_the_product(pattern: str) -> None:
    files = [
        path
        for package in (*PRODUCT, "docs", "tools")
        for path in (ROOT / package).rglob("*")
        if path.suffix in {".py", ".toml", ".md", ".env", ".yaml", ".yml", ".sh", ".conf", ""}
    ]

    assert len(files) > 200
    assert [
        path.name
        for path in files
        if path.is_file() and re.search(pattern, path.read_text(encoding="utf-8", errors="replace"))
    ] == []
