"""What can be kept as a text wherever texts are kept: no NUL, which PostgreSQL refuses, and nothing that UTF-8 cannot say."""

from __future__ import annotations

from collections.abc import Mapping


def is_text(text: str) -> bool:
    """Whether a text can be kept: NUL and halves of surrogate pairs cannot."""
    return "\0" not in text and (text.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in text))


def all_texts(value: object) -> bool:
    """Whether everything in a value of JSON or TOML can be kept, names and all."""
    waiting = [value]  # no recursion: a value may be nested as deep as the reader of JSON goes
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            if not is_text(one):
                return False
        elif isinstance(one, Mapping):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list | tuple):
            waiting += one
    return True
