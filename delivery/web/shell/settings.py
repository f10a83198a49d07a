"""What a web app needs to know."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WebSettings:
    """Settings of one web app. ``app`` is reader or staff; ``accel`` is where nginx has the copies' cache, if it sends them."""

    app: str
    base_url: str
    session_key: bytes
    language: str = "en"
    proxies: int = 0
    upload_bytes: int = 200 * 1024 * 1024
    accel: str = ""
    testing: bool = False
    form_limit: str = "10 per 5 minutes"
    overall_limit: str = "1000 per 5 minutes"
    limits_url: str = ""

    @property
    def secure(self) -> bool:
        """Whether people reach the app over TLS."""
        return self.base_url.startswith("https://")

    @property
    def cookie(self) -> str:
        """The session cookie's name; browsers bind __Host- names to this very host."""
        return f"{'__Host-' if self.secure else ''}rushlight_{self.app}"
