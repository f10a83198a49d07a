"""How special files are treated, as data: which engine, and what becomes of signatures, archival claims, repairs, protection.

A site decides, not a file and not a reader: agreements say what a copy may do (their ``copy`` table), and demand encryption
there; what is done with a publisher's signature or claim is the same for all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args, get_type_hints

from drm.pdf.values import CopySpec, PdfRefused


@dataclass(frozen=True)
class Policy:
    """What is done with special files.

    ``engine``: ``auto`` chooses and may fall back; a named engine refuses what it cannot do with ``unsupported``.
    ``prepare_after``: from which delivery of a document on a master is prepared; before, copies are written whole.
    ``signed``: ``flatten`` keeps the looks of a signature and removes it; ``refuse`` answers ``signed-policy``;
    ``keep-visible`` is refused as ``unsupported``: a stamp on every page changes what was signed.
    ``pdfa``: ``drop-claim`` takes the claim out of the metadata; ``keep`` writes plain archival copies, and answers
    ``pdfa-policy`` where a copy must be encrypted.
    ``damaged``: files that open after a repair only. ``protected``: files that their publisher encrypted.
    """

    engine: Literal["auto", "rewrite", "tail"] = "auto"
    prepare_after: int = 1
    signed: Literal["flatten", "refuse", "keep-visible"] = "flatten"
    pdfa: Literal["drop-claim", "keep"] = "drop-claim"
    damaged: Literal["take", "refuse"] = "take"
    protected: Literal["take", "refuse"] = "take"

    def __post_init__(self) -> None:
        """ValueError for a value that no policy has."""
        for name, hint in get_type_hints(Policy).items():
            value = getattr(self, name)
            if get_args(hint) and value not in get_args(hint):
                raise ValueError(f"{name} is {value!r}; it can be {', '.join(get_args(hint))}")
        if self.prepare_after < 1:
            raise ValueError(f"prepare_after is {self.prepare_after}; it counts from 1")


def policy_from(content: Mapping[str, object]) -> Policy:
    """A policy from plain values; what is not named keeps its default. ValueError for an unknown name or value."""
    unknown = set(content) - {field.name for field in fields(Policy)}
    if unknown:
        raise ValueError(f"a policy has no {', '.join(sorted(unknown))}")
    return Policy(**content)  # type: ignore[arg-type]  # __post_init__ looks at every value


def policy_to(policy: Policy) -> dict[str, object]:
    """A policy as plain JSON values."""
    return asdict(policy)


@dataclass(frozen=True)
class FileFacts:
    """What of a file its treatment depends on. ``has_master``: it was prepared already; ``deliveries``: how often it went out."""

    signed: bool = False
    archival: bool = False
    repaired: bool = False
    protected: bool = False
    has_master: bool = False
    deliveries: int = 0


@dataclass(frozen=True)
class Choice:
    """The engine that makes a copy, and why, as a code with sentences in ``notes.toml``."""

    engine: Literal["rewrite", "tail"]
    reason: str


def choose_engine(facts: FileFacts, policy: Policy = Policy()) -> Choice:
    """Which engine makes the next copy of a file. The same facts give the same choice."""
    if policy.engine != "auto":
        return Choice(policy.engine, "engine-asked")
    if facts.archival and policy.pdfa == "keep":
        return Choice("rewrite", "engine-archival")
    if facts.has_master:
        return Choice("tail", "engine-has-master")
    if facts.deliveries + 1 < policy.prepare_after:
        return Choice("rewrite", "engine-seldom")
    return Choice("tail", "engine-usual")


def facts_in(report: Mapping[str, Any]) -> FileFacts:
    """The facts that a report of ``inspect`` holds; those of an ordinary file where it says nothing."""
    return FileFacts(
        signed=bool(report["signatures"]),
        archival=bool((report["pdfa"] or {}).get("claimed")),
        repaired="structure" in (report["warnings"] or ()),
        protected=(report["encryption"] or {}).get("state", "none") != "none",
    )


def check_policy(facts: FileFacts, policy: Policy, *, encrypted: bool) -> None:
    """PdfRefused where the policy does not take such a file, or takes it in a way that this copy cannot have."""
    if facts.repaired and policy.damaged == "refuse":
        raise PdfRefused("damaged", "The file opens after a repair only, and such files are not taken here.")
    if facts.protected and policy.protected == "refuse":
        raise PdfRefused("unsupported", "The publisher protected the file, and such files are not taken here.")
    if facts.signed and policy.signed == "refuse":
        raise PdfRefused("signed-policy", "The file is signed, and signed files are not taken here.")
    if facts.signed and policy.signed == "keep-visible":
        raise PdfRefused("unsupported", "A signature cannot stay valid in a copy that is stamped on every page.")
    if facts.archival and policy.pdfa == "keep" and encrypted:
        raise PdfRefused("pdfa-policy", "The file shall stay PDF/A, which cannot be encrypted, and this copy must be.")


SIGNATURE_GONE = {
    "en": "The publisher's signature is not preserved in this copy; the library holds the original.",
    "zh": "本复制件不保留出版者的数字签名；原件由图书馆保存。",
}


def told_on_cover(spec: CopySpec, repaired: tuple[str, ...] | list[str]) -> CopySpec:
    """The copy with what its cover must say of changes: that a signature is not there any more."""
    if "signature" not in repaired:
        return spec
    return replace(spec, notices=(*spec.notices, SIGNATURE_GONE[spec.language]))
