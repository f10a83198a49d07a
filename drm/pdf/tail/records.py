"""Whether a master's record that was read from a file is one: personalising counts on the types and ranges of its fields."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin, get_type_hints

from drm.pdf.fonts import REGULAR
from drm.pdf.ink import Band
from drm.pdf.tail.values import FormSlot, Master, MasterFont

RECORDS = (Master, FormSlot, MasterFont, Band)
COVER_STREAMS = 2
HASHED = 48
"""Bytes of /U and /O of revision 6 (ISO 32000-2, 7.6.4.4)."""

LARGEST = 14_400.0 * 200
"""Points along the side of the largest page."""


def is_sound(master: Master, length: int) -> bool:
    """Whether a record can be used with a master of so many bytes. What it claims of that may still be wrong."""
    if not _fits(master, Master):
        return False
    own = (master.root, master.info, master.metadata, master.resources, master.states, *master.cover)
    numbers = (*own, *(one.number for one in master.forms), *(one.number for one in master.fonts))
    return (
        master.base_len == length
        and 0 <= master.prev < length
        and all(0 < number < master.size < 1 << 32 for number in numbers)
        and 0 <= master.encrypt < master.size
        and bool(master.encrypt) == master.encrypted
        and master.pages > 0
        and len(master.cover) == COVER_STREAMS
        and all(0 < side <= LARGEST for side in master.cover_size)
        and (not master.encrypted or len(master.user) == len(master.owner) == HASHED)
        and (len(master.forms) == master.pages if master.per_page else bool(master.forms))
        and all(map(_is_form, master.forms))
        and all(font.name in REGULAR.files for font in master.fonts)
    )


def _is_form(form: FormSlot) -> bool:
    sizes = (form.width, form.height, form.room, form.band.distance)
    return min(form.width, form.height) > 0 and all(0 <= size <= LARGEST for size in sizes)


def _fits(value: object, hint: Any) -> bool:
    """Whether a value is what an annotation says, all through; an integer is a number too."""
    if hint in RECORDS:
        return all(_fits(getattr(value, name), kind) for name, kind in _fields(hint).items())
    if get_origin(hint) is Literal:
        return isinstance(value, str) and value in get_args(hint)
    if get_origin(hint) is tuple:
        return isinstance(value, tuple) and _all_fit(value, get_args(hint))
    if hint is float:
        return type(value) is int or (type(value) is float and math.isfinite(value))
    return type(value) is hint


def _all_fit(values: tuple[object, ...], hints: tuple[Any, ...]) -> bool:
    if hints[-1] is Ellipsis:
        return all(_fits(value, hints[0]) for value in values)
    return len(values) == len(hints) and all(map(_fits, values, hints))


@functools.cache
def _fields(kind: type) -> Mapping[str, Any]:
    return get_type_hints(kind)
