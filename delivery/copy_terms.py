"""What a copy may do and must say: the agreements' terms brought together for one delivery."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from delivery.citation import Citation
from delivery.numbers import check_code
from drm.agreement_terms import LinkTable, UsePeriod
from drm.agreements import Agreement
from drm.licence import CopyTerms, LinkTerms, combine_terms, link_end, open_access_terms, used_end
from drm.obligations import obligation_texts
from drm.pdf.values import CopySpec, CoverCitation, OpenAccess, Permissions

if TYPE_CHECKING:
    from delivery.services.context import Context
    from delivery.services.copy_making import Ready


@dataclass(frozen=True)
class AgreedTerms:
    """The stricter of all agreements of a route, with their texts by language and what the stamp must say."""

    copy: CopyTerms
    link: LinkTerms
    terms: Mapping[str, Sequence[str]]
    notices: Mapping[str, Sequence[str]]
    titles: tuple[str, ...]
    stamp_codes: tuple[str, ...]
    notice_codes: tuple[str, ...] = ()

    @property
    def opens(self) -> int | None:
        """How many opens the link allows; None for no limit."""
        return self.link.opens

    @property
    def same_reader_only(self) -> bool:
        """Whether only the reader himself may open, signed in."""
        return self.link.same_reader_only

    def expires_at(self, issued_at: datetime, tz: str) -> datetime | None:
        """The end of the link in UTC, exclusive."""
        end = link_end(self.link, issued_at, tz)
        return None if end is None else end.astimezone(UTC)

    @property
    def begins_with_use(self) -> bool:
        """Whether anything about the link runs from its first use, or only until then."""
        link = self.link
        return bool(link.use_periods or link.unopened) or any(since == "first_use" for _, since in link.ttls)

    def expires_after_use(self, issued_at: datetime, first_use_at: datetime, tz: str) -> datetime | None:
        """The end of the link in UTC once it was opened: its own, and that of every period that begins with first use.

        Outside a viewer nobody can enforce days of use on a file; closing the link is what can be done.
        """
        ends = [link_end(self.link, issued_at, tz, first_use_at), used_end(self.link, first_use_at, tz)]
        known = [end.astimezone(UTC) for end in ends if end is not None]
        return min(known) if known else None

    def texts(self, of: Mapping[str, Sequence[str]], language: str) -> tuple[str, ...]:
        """Texts in a language; where it is missing, the first one given."""
        if language in of:
            return tuple(of[language])
        return tuple(next(iter(of.values()), ()))

    def shown(self) -> dict[str, object]:
        """What is stored with the delivery, so that it can be shown as it was."""
        return {
            "terms": {language: list(texts) for language, texts in self.terms.items()},
            "notices": {language: list(texts) for language, texts in self.notices.items()},
            "titles": list(self.titles),
            "notice_codes": list(self.notice_codes),
            "show_name": self.copy.show_name,
            "print": self.copy.print,
            "copy_text": self.copy.copy_text,
            "prints": self.link.prints,
            "view_only": self.copy.view_only,
            "password": self.copy.password,
            "days_of_use": [_spelled(use) for use in self.link.use_periods],
            "renewals": self.link.renewals,
            "same_device": self.link.same_device,
        }


def _spelled(use: UsePeriod) -> str:
    if use.duration is not None:
        return f"P{use.duration.amount}{use.duration.unit}" if use.duration.unit != "H" else f"PT{use.duration.amount}H"
    return f"{use.business_days}B"


def agreed_terms(agreements: Sequence[Agreement], presets: Mapping[str, LinkTable], free: bool) -> AgreedTerms:
    """Bring the agreements of a route together; open access has terms of its own."""
    terms = open_access_terms() if free else combine_terms(agreements, presets)
    codes = [code for agreement in agreements for code in agreement.stamp_codes]
    return AgreedTerms(
        copy=terms.copy,
        link=terms.link,
        terms=terms.terms,
        notices=terms.notices,
        titles=tuple(agreement.title for agreement in agreements),
        stamp_codes=tuple(dict.fromkeys(codes)),
        notice_codes=tuple(
            dict.fromkeys(
                code for one in agreements for key in ("notices", "delivered_file") for code in one.oblige.get(key, ())
            )
        ),
    )


def copy_spec(ctx: Context, ready: Ready, delivery: str, issued_at: datetime) -> CopySpec:
    """Everything the stamp and the cover of this copy show."""
    request, library, terms = ready.request, ready.library, ready.terms
    language: Literal["en", "zh"] = "zh" if request.language.startswith("zh") else "en"
    reader = ready.reader.name if ready.reader is not None and terms.copy.show_name else None
    free = bool(request.found.get("open_access"))
    end = terms.expires_at(issued_at, library.tz)
    code = check_code(ctx.ring.derive("rushlight.check.v1"), delivery)
    return CopySpec(
        delivery=delivery,
        library=library.called(language),
        issued_on=issued_at.astimezone(library.zone).date(),
        reader=reader,
        language=language,
        citation=cover_citation(request.citation),
        agreement=terms.titles[0] if terms.titles else "",
        legal_basis=" · ".join(terms.titles),
        terms=terms.texts(terms.terms, language),
        notices=terms.texts(terms.notices, language),
        legends=obligation_texts(terms.stamp_codes, language),
        expires=end.astimezone(library.zone).strftime("%Y-%m-%d %H:%M %Z") if end else "",
        check_url=f"{ctx.settings.public_url.rstrip('/')}/check/{code}",
        open_access=OpenAccess(str(request.found.get("licence", "")), str(request.found.get("location", "")))
        if free
        else None,
        permissions=Permissions(
            encrypt=terms.copy.encrypt and not free, print=terms.copy.print, copy_text=terms.copy.copy_text
        ),
    )


def cover_citation(citation: Citation) -> CoverCitation:
    """The work as a cover names it."""
    where = [citation.container] if citation.title else []
    numbers = citation.volume + (f"({citation.issue})" if citation.issue else "")
    parts = [*where, citation.year, numbers, citation.pages, citation.publisher]
    return CoverCitation(
        title=citation.title or citation.chapter or citation.container,
        authors=citation.authors,
        source=", ".join(part for part in parts if part),
        doi=citation.doi,
    )
