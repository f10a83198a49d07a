"""The service with one more address: /peer/NAME is Flask's send_file of a plain file, on the same server and threads.

python -m benchmarks.serving.server FOLDER, with the settings of the service in the environment.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, send_file

from admin import process

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


def main() -> None:
    """Serve until a signal ends it, as the command ``rushlight serve`` does."""
    from admin.serving import open_ports
    from admin.settings import read_settings

    folder = Path(sys.argv[1]).absolute()

    class Beside(process.ServingProcess):
        """The service's process with the plain files beside its apps."""

        def apps(self) -> WSGIApplication:
            """Both apps, and the plain files."""
            return beside(super().apps(), folder)

    settings = read_settings()
    process.ServingProcess = Beside  # type: ignore[misc]  # it stands in for the class it comes from
    process.run_server(settings, open_ports(settings))


def beside(service: WSGIApplication, folder: Path) -> WSGIApplication:
    """The service, and plain files for paths that begin with /peer/."""
    plain = Flask(__name__)

    @plain.get("/peer/<name>")
    def file(name: str) -> Any:
        return send_file(folder / name, mimetype="application/pdf", conditional=True)

    def both(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        chosen = plain if environ.get("PATH_INFO", "").startswith("/peer/") else service
        return chosen(environ, start_response)

    return both


if __name__ == "__main__":
    main()
