"""Byte ranges (RFC 9110, 14): one range is served, several are answered with the whole file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Slice:
    """The bytes to send: ``start`` and ``length``; ``partial`` says 206."""

    start: int
    length: int
    partial: bool


class Unsatisfiable(ValueError):
    """The range lies past the end."""


def wanted(header: str | None, if_range: str | None, etag: str, size: int) -> Slice:
    """What a request asks for. A Range we do not understand, or an If-Range of another copy, means the whole file."""
    whole = Slice(0, size, False)
    if not header or not header.lower().startswith("bytes=") or (if_range and if_range.strip() != etag):
        return whole
    parts = [part.strip() for part in header[6:].split(",") if part.strip()]
    if len(parts) != 1:
        return whole
    first, dash, last = parts[0].partition("-")
    if not dash or (first and not first.isdecimal()) or (last and not last.isdecimal()) or not (first or last):
        return whole
    if not first:
        length = min(int(last), size)
        if length == 0:
            raise Unsatisfiable
        return Slice(size - length, length, True)
    start = int(first)
    end = min(int(last), size - 1) if last else size - 1
    if start >= size:
        raise Unsatisfiable
    if end < start:
        return whole
    return Slice(start, end - start + 1, True)
