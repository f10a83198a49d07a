"""A CopySpec as plain JSON values, for crossing into the sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from drm.pdf.values import CopySpec, CoverCitation, OpenAccess, Permissions


def spec_from(content: Mapping[str, Any]) -> CopySpec:
    """A CopySpec from plain JSON values."""
    free = content["open_access"]
    return CopySpec(
        **{
            **content,
            "issued_on": date.fromisoformat(content["issued_on"]),
            "citation": CoverCitation(**content["citation"]),
            "open_access": OpenAccess(**free) if free else None,
            "permissions": Permissions(**content["permissions"]),
            **{name: tuple(content[name]) for name in ("terms", "notices", "legends")},
        }
    )


def spec_to(spec: CopySpec) -> dict[str, Any]:
    """A CopySpec as plain JSON values."""
    return {**asdict(spec), "issued_on": spec.issued_on.isoformat()}
