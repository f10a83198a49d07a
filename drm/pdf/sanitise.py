"""Removes what acts, calls out or hides in a document: in indirect objects and in dictionaries nested in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Stream

from drm.pdf.flattening import empty, flatten
from drm.pdf.judging import (
    ANY_KEYS,
    CATALOG_KEYS,
    KEPT_IN_CATALOG,
    KEPT_IN_TREE,
    KEPT_ON_PAGE,
    KEPT_TREES,
    NAME_TREES,
    STREAM_KEYS,
    is_action,
    is_annotation,
    is_file,
    is_plain,
    is_plain_annotation,
    is_post_script,
    kind_of,
    word,
)
from drm.pdf.outlines import mend_outlines
from drm.pdf.walking import Walk
from drm.pdf.watched import NO_STREAMS

ANYWHERE = frozenset(ANY_KEYS)
STREAM_WORDS = frozenset(STREAM_KEYS) | {"/Subtype", "/Subtype2", "/Type", "/Rect"}
ACTIONS = frozenset({"/A", "/PA"})
"""Where annotations and outline items have their actions."""

OPENERS = ACTIONS | {"/OpenAction"}
"""The same, and where the catalogue has its own."""

KINDS = frozenset({"/S", "/Type"})
"""Where an action says what it is."""

REFERENCES = ("/Obj", "/Parent", "/IRT", "/Popup")
"""Where other objects refer to an annotation."""


def sanitise(pdf: pikepdf.Pdf) -> tuple[str, ...]:
    """Remove all active and hidden content, in place; returns what was removed as ``kind`` or ``kind*count``.

    Form fields and large notes become part of their pages ("form", "flattened note"): what they look like stays.
    """
    removed: Counter[str] = Counter()
    walk = Walk(pdf)
    _flatten_forms(pdf, walk, removed)
    _clean_catalog(pdf.Root, removed)
    mend_outlines(pdf)
    for page in pdf.pages:
        _drop_unknown(page.obj, KEPT_ON_PAGE | ANYWHERE)
        _clean_annotations(page.obj, removed)
    emptied = any(removed[kind] for kind in ("form", "flattened note", "annotation"))
    for holder, key in walk.all() if emptied else walk:
        _clean(holder, key, walk, removed)
        if emptied:
            _forget_emptied(holder)
    return tuple(kind if count == 1 else f"{kind}*{count}" for kind, count in sorted((+removed).items()))


def find_active(pdf: pikepdf.Pdf) -> tuple[str, ...]:
    """What a document still holds of the things that ``sanitise`` removes; empty for a clean one."""
    return tuple(sorted(count_active(pdf)))


def count_active(pdf: pikepdf.Pdf) -> Counter[str]:
    """How often a document holds each kind of the things that ``sanitise`` removes."""
    found: Counter[str] = Counter()
    root = pdf.Root
    found.update(key[1:] for key in CATALOG_KEYS if key in root and key not in {"/Metadata", *ANY_KEYS})
    if isinstance(root.get("/OpenAction"), Dictionary):
        found["OpenAction"] += 1
    names = root.get("/Names")
    if isinstance(names, Dictionary):
        found.update(key[1:] for key in NAME_TREES if key in names and key not in ANYWHERE)
    walk = Walk(pdf)
    for holder, key in walk:
        _count(holder, key, walk, found)
    for page in pdf.pages:
        for annotation in _annotations(page.obj):
            if not is_annotation(annotation) and not is_plain_annotation(annotation):
                found[f"annotation {word(annotation.get('/Subtype'))[1:]}"] += 1
            found.update(_armed(annotation))
    return found


def _count(holder: Object, key: str, walk: Walk, found: Counter[str]) -> None:
    keys = holder.keys()
    hits = ANYWHERE & keys
    if hits and not walk.is_table(holder, key):
        found.update(name[1:] for name in hits)
    if keys & KINDS and is_action(holder) and not is_plain(holder):
        found[f"action {kind_of(holder)}"] += 1
    if "/Rect" in keys and is_annotation(holder) and not is_plain_annotation(holder):
        found[f"annotation {word(holder.get('/Subtype'))[1:]}"] += 1
    if "/Title" in keys and keys & ACTIONS and not walk.is_table(holder, key):
        found.update(_armed(holder))
    if "/Type" in keys and is_file(holder) and not walk.is_table(holder, key):
        found["EmbeddedFile"] += 1
    if isinstance(holder, Stream) or _wants_data(holder, key, walk):
        found.update({kind for name, kind in STREAM_KEYS.items() if name in keys})
        if is_post_script(holder):
            found["PostScript"] += 1


def _annotations(page: Object) -> list[Object]:
    found = page.get("/Annots")
    return [one for one in found if isinstance(one, Dictionary)] if isinstance(found, Array) else []


def _armed(holder: Object) -> list[str]:
    """Actions of an annotation or outline item that are more than plain, told by their place whatever they call themselves."""
    actions = [holder.get(key) for key in ACTIONS & holder.keys()]
    return [
        f"action {kind_of(action)}"
        for action in actions
        if not is_plain(action) and not (isinstance(action, Dictionary) and is_action(action))
    ]


def _flatten_forms(pdf: pikepdf.Pdf, walk: Walk, removed: Counter[str]) -> None:
    """Fields become what they look like; a signature's appearance stays, the signature goes."""
    form = pdf.Root.get("/AcroForm")
    if form is not None:
        removed["XFA"] += isinstance(form, Dictionary) and "/XFA" in form
        removed["signature"] += any("/ByteRange" in holder for holder, _ in walk)
    flat = flatten(pdf)
    removed["form"] += form is not None or flat.fields > 0
    removed["flattened note"] += flat.notes
    removed["ground of a note"] += flat.grounds
    removed["letters of a value"] += flat.unshown
    if form is not None:
        del pdf.Root["/AcroForm"]


def _drop_annotations(page: Object, unwanted: Callable[[Object], bool]) -> int:
    annotations = page.get("/Annots")
    if not isinstance(annotations, Array):
        if annotations is not None:
            del page["/Annots"]
        return 0
    kept = [annotation for annotation in annotations if isinstance(annotation, Dictionary) and not unwanted(annotation)]
    gone = len(annotations) - len(kept)
    if gone:
        for annotation in annotations:
            if isinstance(annotation, Dictionary) and unwanted(annotation) and is_annotation(annotation):
                empty(annotation)
        if kept:
            page["/Annots"] = Array(kept)
        else:
            del page["/Annots"]
    return gone


def _clean_annotations(page: Object, removed: Counter[str]) -> None:
    gone = _drop_annotations(page, _may_not_stay)
    if gone:
        removed["annotation"] += gone
    for annotation in _annotations(page):
        _disarm(annotation, removed)


def _may_not_stay(annotation: Object) -> bool:
    """Of an annotation that calls itself an action nothing would be left in the list but an empty dictionary."""
    return not is_plain_annotation(annotation) or (is_action(annotation) and not is_plain(annotation))


def _clean_catalog(root: Object, removed: Counter[str]) -> None:
    for key in CATALOG_KEYS:
        if key in root:
            del root[key]
            if key != "/Metadata":
                removed[key[1:]] += 1
    _drop_unknown(root, KEPT_IN_CATALOG | ANYWHERE)  # what goes from anywhere is told when it goes
    opening = root.get("/OpenAction")
    if isinstance(opening, Dictionary):
        if opening.get("/S") == Name.GoTo and "/Next" not in opening and "/D" in opening:
            root.OpenAction = opening.D  # the same as a plain destination
        else:
            del root["/OpenAction"]
            removed["OpenAction"] += 1
    pages = root.get("/Pages")
    if isinstance(pages, Dictionary) and "/Parent" in pages:
        del pages["/Parent"]  # nothing is above the top; qpdf looks for the page tree there
    _clean_tree(pages)
    names = root.get("/Names")
    if isinstance(names, Dictionary):
        for key in NAME_TREES:
            if key in names:
                del names[key]
                removed[key[1:]] += 1
        _drop_unknown(names, KEPT_TREES)
    elif names is not None:
        del root["/Names"]


def _clean_tree(top: object) -> None:
    """Leave the nodes of the page tree what makes the tree and what pages inherit."""
    waiting, seen = [top], set()
    while waiting:
        node = waiting.pop()
        if not isinstance(node, Dictionary) or node.objgen in seen:
            continue
        if node.is_indirect:
            seen.add(node.objgen)
        _drop_unknown(node, KEPT_IN_TREE | ANYWHERE)
        kids = node.get("/Kids")
        waiting += (
            [kid for kid in kids if isinstance(kid, Dictionary) and "/Kids" in kid] if isinstance(kids, Array) else []
        )


def _drop_unknown(holder: Object, known: frozenset[str]) -> None:
    """Nobody sees what goes here, so nobody is told."""
    for key in holder.keys() - known:
        del holder[key]


def _clean(holder: Object, key: str, walk: Walk, removed: Counter[str]) -> None:
    keys = holder.keys()  # asked for once: each question to the library costs a microsecond
    hits = ANYWHERE & keys
    if hits and not walk.is_table(holder, key):
        for name in sorted(hits):
            del holder[name]
            removed[name[1:]] += 1
    if "/Metadata" in keys and not walk.is_table(holder, key):  # of a page or picture, unseen and unchecked
        del holder["/Metadata"]
    if "/Title" in keys and keys & ACTIONS and not walk.is_table(holder, key):
        _disarm(holder, removed)
    for name in OPENERS & keys:
        if not walk.is_table(holder, key) and _is_nothing(holder.get(name)):
            del holder[name]
    if keys & KINDS and is_action(holder):
        if "/Next" in holder:
            del holder["/Next"]
            removed["action chain"] += 1
        if not is_plain(holder):  # reached some other way than by /A: emptied where it stands
            empty(holder)
            removed["action"] += 1
    elif "/Rect" in keys and is_annotation(holder) and not is_plain_annotation(holder):
        # On no page, but somebody refers to it.
        empty(holder)
        removed["annotation"] += 1
    if "/Type" in keys and is_file(holder) and not walk.is_table(holder, key):
        _empty_file(holder)
        removed["EmbeddedFile"] += 1
    if keys & STREAM_WORDS and (isinstance(holder, Stream) or _wants_data(holder, key, walk)):
        _clean_stream(holder, removed)


def _empty_file(holder: Object) -> None:
    """Whatever names an attached file some other way than readers look for it, as a font, keeps nothing of it."""
    if isinstance(holder, Stream):
        holder.write(b"")
        del holder["/Type"]
    else:
        empty(holder)


def _is_nothing(value: object) -> bool:
    """Neither the attributes of a structure element, which name their owner, nor an action of any kind."""
    if not isinstance(value, Dictionary) or isinstance(value, Stream) or "/O" in value:
        return False
    return not is_plain(value) and not is_action(value)


def _forget_emptied(holder: Object) -> None:
    """Leave out what refers to an annotation that is gone, so that a structure tree leads to nothing empty."""
    if isinstance(holder, Stream):
        return
    kids = holder.get("/K")
    if isinstance(kids, Array):
        living = [kid for kid in kids if not _refers_to_nothing(kid)]
        if len(living) < len(kids):
            holder["/K"] = Array(living)
    elif _refers_to_nothing(kids):
        del holder["/K"]
    for key in REFERENCES:
        if _is_empty(holder.get(key)):
            del holder[key]


def _refers_to_nothing(kid: object) -> bool:
    if not isinstance(kid, Dictionary) or kid.get("/Type") != Name.OBJR:
        return False
    return "/Obj" not in kid or _is_empty(kid.get("/Obj"))


def _is_empty(value: object) -> bool:
    return isinstance(value, Dictionary) and not isinstance(value, Stream) and not len(value)


def _disarm(holder: Object, removed: Counter[str]) -> None:
    """Leave an annotation or outline item nothing but a plain action, alone."""
    for key in sorted(ACTIONS & holder.keys()):
        action = holder.get(key)
        if isinstance(action, Dictionary) and "/Next" in action:
            del action["/Next"]
            removed["action chain"] += 1
        if action is not None and not is_plain(action):
            removed[kind_of(action)] += 1
            del holder[key]


def _wants_data(holder: Object, key: str, walk: Walk) -> bool:
    """Whether a dictionary has what only streams have: the rest of one whose data are lost, which names its data elsewhere all the same."""
    if "/FFilter" in holder or "/FDecodeParms" in holder:
        return not walk.is_table(holder, key)
    if is_post_script(holder):
        return True
    return "/F" in holder and bool(holder.get("/Type") == Name.XObject)


def _clean_stream(stream: Object, removed: Counter[str]) -> None:
    if isinstance(stream, Stream):
        if word(stream.get("/Type")) in NO_STREAMS:
            stream.write(b"")
        if "/Rect" in stream:  # no annotation is a stream, but a reader may take one for it
            del stream["/Rect"]
    for key, kind in STREAM_KEYS.items():
        if key in stream:
            del stream[key]
            removed[kind] += 1
    if is_post_script(stream):
        if isinstance(stream, Stream):
            stream.write(b"")
        stream["/Subtype"] = Name.Form
        stream["/BBox"] = Array([0, 0, 0, 0])
        for key in ("/PS", "/Subtype2", "/Level1"):
            if key in stream:
                del stream[key]
        removed["PostScript"] += 1
