"""The settings of the two web apps, from those of the installation."""

from __future__ import annotations

import hashlib
import hmac

from admin.wiring import Services
from delivery.web.shell.settings import WebSettings


def web_settings(services: Services, app: str) -> WebSettings:
    """Settings of the reader or the staff app; each signs its sessions with a key of its own."""
    settings, ctx = services.settings, services.ctx
    key = hmac.new(services.keys.session, app.encode(), hashlib.sha256).digest()
    return WebSettings(
        app=app,
        base_url=ctx.settings.public_url if app == "reader" else ctx.settings.staff_url,
        session_key=key,
        language=settings.language,
        proxies=settings.proxies,
        limits_url=settings.limits_url,
        accel=settings.accel if app == "reader" else "",
        upload_bytes=ctx.settings.upload_bytes,
    )
