"""Texts in the reader's language: English in the source, other languages from the .po files of delivery/translations."""

from __future__ import annotations

import gettext
import io
from functools import lru_cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

FOLDER = Path(__file__).parent / "translations"
LANGUAGES = ("en", "zh")


class Texts:
    """The texts of one language. Languages without a catalogue are English."""

    def __init__(self, translations: gettext.NullTranslations) -> None:
        self.gettext = translations.gettext
        self.ngettext = translations.ngettext
        self.pgettext = translations.pgettext

    @staticmethod
    def for_language(language: str) -> Texts:
        """The texts for a language tag such as zh or zh-CN."""
        return _load("zh" if language.lower().startswith("zh") else "en")


@lru_cache(maxsize=8)
def _load(language: str) -> Texts:
    """Compile the catalogues of a language in memory: no build step, and never a stale binary file."""
    files = sorted((FOLDER / language).glob("*.po"))
    if not files:
        return Texts(gettext.NullTranslations())
    merged = Catalog(locale=language)
    for path in files:
        with path.open("rb") as file:
            for message in read_po(file, locale=language):
                if message.id:
                    merged[message.id] = message
    compiled = io.BytesIO()
    write_mo(compiled, merged)
    compiled.seek(0)
    return Texts(gettext.GNUTranslations(compiled))
