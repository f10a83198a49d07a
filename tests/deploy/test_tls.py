"""A real nginx with the examples and certificates of an authority of our own: what browsers and careless clients get."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import or_skip
from tests.delivery.web_test_support import token_of
from tests.services.nginx import nginx_with_tls
from tests.services.rushlight_server import rushlight_server
from tests.world import PASSWORD, make_world

READERS, STAFF = "delivery.example.org", "staff.delivery.example.org"
pytestmark = pytest.mark.service


@dataclass(frozen=True)
class Site:
    """Where the site answers, and the authority that its readers trust."""

    secure: int
    plain: int
    authority: Path

    def curl(self, address: str, *words: str) -> subprocess.CompletedProcess[str]:
        """One call as of a browser that trusts the authority; status and redirect follow after the headers."""
        resolve = [
            part
            for host in (READERS, STAFF)
            for port in (self.secure, self.plain)
            for part in ("--resolve", f"{host}:{port}:127.0.0.1")
        ]
        line = ["curl", "--silent", "--show-error", "--include", "--max-time", "30", "--cacert", str(self.authority)]
        return subprocess.run([*line, *resolve, *words, address], capture_output=True, text=True, check=False)


def openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def certify(folder: Path) -> Path:
    """An authority, and a certificate of it for each host."""
    folder.mkdir()
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl(folder, "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Test CA")
    for host in (READERS, STAFF):
        openssl(folder, "req", *key, "-keyout", f"{host}.key", "-out", f"{host}.csr", "-subj", f"/CN={host}")
        (folder / "san").write_text(f"subjectAltName=DNS:{host}\n")
        sign = ["x509", "-req", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "san"]
        openssl(folder, *sign, "-in", f"{host}.csr", "-out", f"{host}.pem")
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, collection: Path) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("tls")
    make_world(folder / "home", collection).close()
    certificates = certify(folder / "certificates")
    with or_skip() as stack:
        settings = {"public_url": f"https://{READERS}", "staff_url": f"https://{STAFF}", "proxies": "1"}
        stack.enter_context(rushlight_server(folder / "home", **settings))
        told = json.loads((folder / "home" / "serving.json").read_text(encoding="utf-8"))
        ports = {"reader": told["reader_port"], "staff": told["staff_port"]}
        secure, plain = stack.enter_context(nginx_with_tls(ports, folder / "cache", certificates))
        yield Site(secure, plain, certificates / "ca.pem")


@pytest.mark.parametrize("host", [READERS, STAFF])
def test_each_host_answers_over_tls_with_its_own_certificate(site: Site, host: str) -> None:
    said = site.curl(f"https://{host}:{site.secure}/sign-in", "--header", f"Host: {host}")

    assert said.returncode == 0, said.stderr
    assert said.stdout.startswith("HTTP/1.1 200")
    cookies = [line for line in said.stdout.splitlines() if line.lower().startswith("set-cookie:")]
    assert cookies
    assert all("__Host-" in line and "Secure" in line for line in cookies)


def test_a_reader_signs_in_through_nginx(site: Site, tmp_path: Path) -> None:
    jar, page = ["--cookie-jar", str(tmp_path / "jar"), "--cookie", str(tmp_path / "jar")], f"{READERS}:{site.secure}"
    token = token_of(site.curl(f"https://{page}/sign-in", *jar, "--header", f"Host: {READERS}").stdout)
    form = {"csrf_token": token, "email": "maeve@harbour.example.org", "password": PASSWORD}
    fields = [word for name, value in form.items() for word in ("--data-urlencode", f"{name}={value}")]

    said = site.curl(f"https://{page}/sign-in", *jar, "--header", f"Host: {READERS}", *fields)

    assert said.stdout.startswith("HTTP/1.1 303"), said.stdout


def test_plain_http_leads_to_tls_and_says_nothing_else(site: Site) -> None:
    said = site.curl(f"http://{READERS}:{site.plain}/d/some-token", "--header", f"Host: {READERS}")

    assert said.stdout.startswith("HTTP/1.1 301")
    assert f"Location: https://{READERS}/d/some-token" in said.stdout
    assert "Server: nginx\n" in said.stdout.replace("\r", "")


def test_who_does_not_trust_the_authority_gets_no_page(site: Site, tmp_path: Path) -> None:
    other = certify(tmp_path / "other") / "ca.pem"

    said = site.curl(f"https://{READERS}:{site.secure}/", "--cacert", str(other))

    assert said.returncode == 60
    assert said.stdout == ""


@pytest.mark.parametrize(("version", "good"), [("1.0", False), ("1.1", False), ("1.2", True), ("1.3", True)])
def test_old_versions_of_tls_are_refused(site: Site, version: str, good: bool) -> None:
    only = ["--tls-max", version, f"--tlsv{version}", "--ciphers", "DEFAULT:@SECLEVEL=0"]

    said = site.curl(f"https://{READERS}:{site.secure}/sign-in", *only, "--header", f"Host: {READERS}")

    assert (said.returncode == 0) is good
