"""nginx before our server, with the configuration that operators are given."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from tests.services.processes import ServiceUnavailableError, answers, folder_for, free_port, running, wait_until

EXAMPLE = Path(__file__).resolve().parents[2] / "deploy" / "nginx.conf.example"
CERTIFICATE = """    ssl_certificate /etc/ssl/delivery.example.org.pem;
    ssl_certificate_key /etc/ssl/private/delivery.example.org.key;
"""
STAFF = EXAMPLE.with_name("nginx-staff.conf.example")
# What Debian's nginx.conf says of TLS stands in it: the examples must go with that.
MAIN = """{user}daemon off;
pid {folder}/pid;
error_log {folder}/log;
worker_processes 1;
events {{ worker_connections 1024; }}
http {{
    ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;
    ssl_prefer_server_ciphers on;
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{site}
    server {{ listen 127.0.0.1:{plain}; root {files}; }}
}}
"""


def site(upstream: int, port: int, cache: Path) -> str:
    """The example with addresses of this machine and without TLS; everything else as it stands there."""
    text = EXAMPLE.read_text(encoding="utf-8")
    changes = {
        "server 127.0.0.1:8080;": f"server 127.0.0.1:{upstream};",
        "listen 443 ssl;": f"listen 127.0.0.1:{port};",
        "server_name delivery.example.org;": "server_name 127.0.0.1;",
        CERTIFICATE: "",
        "alias /var/cache/rushlight/;": f"alias {cache}/;",
    }
    for there, here in changes.items():
        if text.count(there) != 1:
            raise AssertionError(f"deploy/nginx.conf.example no longer says {there!r} once")
        text = text.replace(there, here)
    return text


@contextlib.contextmanager
def nginx(upstream: int, cache: Path, files: Path) -> Iterator[tuple[int, int]]:
    """An nginx before the server at ``upstream``: its port, and that of a server of plain files."""
    binary = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if binary is None:
        raise ServiceUnavailableError("no nginx: the package nginx is missing")
    with folder_for("root") as folder:
        port, plain, log = free_port(), free_port(), folder / "log"
        user = "user root;\n" if os.geteuid() == 0 else ""
        conf = MAIN.format(user=user, folder=folder, site=site(upstream, port, cache), plain=plain, files=files)
        (folder / "conf").write_text(conf, encoding="utf-8")
        with running([binary, "-e", str(log), "-c", str(folder / "conf")], folder, folder / "said") as process:
            wait_until(lambda: answers(port) and answers(plain), process, folder / "said")
            yield port, plain


@contextlib.contextmanager
def nginx_with_tls(ports: dict[str, int], cache: Path, certificates: Path) -> Iterator[tuple[int, int]]:
    """An nginx with both examples as they stand, on ports of this machine: that of TLS, and that of plain HTTP.

    ``ports`` are those of the reader and the staff app; ``certificates`` holds NAME.pem and NAME.key of both host names.
    """
    binary = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if binary is None:
        raise ServiceUnavailableError("no nginx: the package nginx is missing")
    with folder_for("root") as folder:
        secure, plain, log = free_port(), free_port(), folder / "log"
        text = EXAMPLE.read_text(encoding="utf-8") + STAFF.read_text(encoding="utf-8")
        for there, here in {
            "127.0.0.1:8080;": f"127.0.0.1:{ports['reader']};",
            "127.0.0.1:8081;": f"127.0.0.1:{ports['staff']};",
            "listen 443 ssl;": f"listen 127.0.0.1:{secure} ssl;",
            "listen 80;": f"listen 127.0.0.1:{plain};",
            "/etc/ssl/private/": f"{certificates}/",
            "/etc/ssl/": f"{certificates}/",
            "/var/cache/rushlight/": f"{cache}/",
        }.items():
            if there not in text:
                raise AssertionError(f"the examples no longer say {there!r}")
            text = text.replace(there, here)
        user = "user root;\n" if os.geteuid() == 0 else ""
        conf = MAIN.format(user=user, folder=folder, site=text, plain=free_port(), files=folder)
        (folder / "conf").write_text(conf, encoding="utf-8")
        with running([binary, "-e", str(log), "-c", str(folder / "conf")], folder, folder / "said") as process:
            wait_until(lambda: answers(secure) and answers(plain), process, folder / "said")
            yield secure, plain
