"""What counts as active: which actions, annotations and entries may stay in a copy, and which may not."""

from __future__ import annotations

from urllib.parse import urlsplit

from pikepdf import Dictionary, Name, Object, Stream, String

SCHEMES = frozenset({"http", "https", "mailto", "doi"})
PLAIN_ACTIONS = frozenset({"/GoTo", "/URI", "/Named"})
PLAIN_NAMES = frozenset({"/NextPage", "/PrevPage", "/FirstPage", "/LastPage"})
PLAIN_ANNOTATIONS = frozenset(
    [
        *(
            "/Link",
            "/Text",
            "/FreeText",
            "/Line",
            "/Square",
            "/Circle",
            "/Polygon",
            "/PolyLine",
            "/Highlight",
            "/Underline",
        ),
        *("/Squiggly", "/StrikeOut", "/Stamp", "/Caret", "/Ink", "/Popup"),
    ]
)
CATALOG_KEYS = (
    *("/AA", "/AF", "/Collection", "/Perms", "/DSS", "/Requirements", "/SpiderInfo", "/Legal", "/NeedsRendering"),
    *("/Metadata", "/Threads", "/URI"),
)
NAME_TREES = ("/JavaScript", "/EmbeddedFiles", "/Renditions", "/AlternatePresentations")
KEPT_TREES = frozenset({"/Dests"})
"""Of the names of a document (ISO 32000-2, table 32) those that links need; the others serve scripts and captured web pages."""

KEPT_IN_CATALOG = frozenset(
    (
        *("/Type", "/Version", "/Extensions", "/Pages", "/PageLabels", "/Names", "/Dests", "/ViewerPreferences"),
        *("/PageLayout", "/PageMode", "/Outlines", "/OpenAction", "/StructTreeRoot", "/MarkInfo", "/Lang"),
        *("/OutputIntents", "/OCProperties", "/DPartRoot", "/AcroForm"),
    )
)
"""What a catalogue may keep (ISO 32000-2, table 29). Below a key that no reader knows anything could be carried along unseen."""

KEPT_ON_PAGE = frozenset(
    (
        *("/Type", "/Parent", "/LastModified", "/Resources", "/Contents", "/Annots", "/Group", "/Rotate", "/UserUnit"),
        *("/MediaBox", "/CropBox", "/BleedBox", "/TrimBox", "/ArtBox", "/BoxColorInfo", "/B", "/Dur", "/Trans", "/PZ"),
        *("/Metadata", "/StructParents", "/ID", "/SeparationInfo", "/Tabs", "/VP", "/OutputIntents", "/DPart"),
    )
)
"""What a page may keep (ISO 32000-2, table 31), for the same reason."""

KEPT_IN_TREE = frozenset(
    ("/Type", "/Parent", "/Kids", "/Count", "/Resources", "/MediaBox", "/CropBox", "/Rotate"),
)
"""What a node of the page tree may keep (ISO 32000-2, table 30, and what pages inherit by table 31), for the same reason."""

ANY_KEYS = (
    *("/AA", "/AF", "/EF", "/RF", "/PieceInfo", "/JS", "/JavaScript", "/OPI", "/Alternates", "/SpiderInfo", "/Thumb"),
    *("/PresSteps", "/DestOutputProfileRef", "/AcroForm", "/XFA", "/EmbeddedFiles", "/Renditions", "/RichMediaContent"),
    *("/AlternatePresentations", "/3DD", "/Movie", "/Requirements", "/NeedsRendering", "/Collection", "/DSS"),
)
"""What goes wherever it stands, and not only where readers look for it: in the place of a font it would be carried along."""

STREAM_KEYS = {
    "/F": "external data",
    "/FFilter": "external data",
    "/FDecodeParms": "external data",
    "/Ref": "reference",
}
UNTYPED_ACTIONS = frozenset(
    [
        *(
            "/JavaScript",
            "/Launch",
            "/SubmitForm",
            "/ImportData",
            "/ResetForm",
            "/GoToR",
            "/GoToE",
            "/Rendition",
            "/Movie",
            "/Sound",
            "/GoTo3DView",
        ),
        *("/RichMediaExecute", "/SetOCGState", "/Hide", "/URI", "/Named", "/GoToDp"),
    ]
)
"""An action needs no /Type. Of the kinds not listed here, structure elements, transitions and groups have the same /S."""

ACTION, ANNOTATION, GO_TO, THREAD, TRANSITION = Name.Action, Name.Annot, Name.GoTo, Name.Thread, Name.Trans
POST_SCRIPT = Name.PS
EMBEDDED_FILE, FILE_SPEC = Name.EmbeddedFile, Name.Filespec
"""Names that every dictionary is compared with; making one takes as long as looking one up."""


def word(value: object) -> str:
    """A name as plain ASCII, since names need not be UTF-8; "" for what is no name."""
    return value.unparse().decode("ascii") if isinstance(value, Name) else ""


def kind_of(action: object) -> str:
    """What an action calls itself."""
    return (word(action.get("/S"))[1:] if isinstance(action, Dictionary) else "") or "unknown"


def is_action(holder: Object) -> bool:
    """Whether a dictionary is an action, wherever it hangs, if only by its own account."""
    if isinstance(holder, Stream):
        return False
    kind = holder.get("/S")
    if holder.get("/Type") == ACTION:
        return True
    if not isinstance(kind, Name):
        return False
    if word(kind) in UNTYPED_ACTIONS:
        return True
    if kind == TRANSITION:
        return "/P" not in holder
    return "/D" in holder and (kind == GO_TO or (kind == THREAD and "/P" not in holder))


def is_plain(action: object) -> bool:
    """Whether an action only leads somewhere: inside the document, or to an address of a permitted scheme."""
    if not isinstance(action, Dictionary):
        return False
    kind = word(action.get("/S"))
    if kind not in PLAIN_ACTIONS or "/Next" in action:
        return False
    if kind == "/Named":
        return word(action.get("/N")) in PLAIN_NAMES
    if kind == "/URI":
        address = action.get("/URI")
        try:
            return isinstance(address, String) and urlsplit(str(address)).scheme.lower() in SCHEMES
        except ValueError:
            return False
    return True


def is_plain_annotation(annotation: Object) -> bool:
    """Whether an annotation is of a kind that may stay."""
    return word(annotation.get("/Subtype")) in PLAIN_ANNOTATIONS


def is_annotation(holder: Object) -> bool:
    """Whether a dictionary is an annotation, wherever it hangs: by its own account, or by what it has, for an annotation needs
    no /Type (ISO 32000-2, table 166)."""
    if "/Rect" not in holder or isinstance(holder, Stream):
        return False
    kind = holder.get("/Type")
    return kind == ANNOTATION or ("/Subtype" in holder and not isinstance(kind, Name))


def is_file(holder: Object) -> bool:
    """Whether a stream or dictionary is an attached file, or names one, by its own account (ISO 32000-2, 7.11.3 and 7.11.4)."""
    kind = holder.get("/Type")
    return kind in (EMBEDDED_FILE, FILE_SPEC)


def is_post_script(stream: Object) -> bool:
    """Whether a stream is a PostScript XObject (ISO 32000-1, 8.8.2)."""
    return stream.get("/Subtype") == POST_SCRIPT or stream.get("/Subtype2") == POST_SCRIPT
