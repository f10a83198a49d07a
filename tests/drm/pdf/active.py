"""One small document for each kind of active or hidden content, in every place where it can sit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, String

from tests.drm.pdf_drawing.samples import document, text_at

SCRIPT = "app.alert('marker-of-what-must-go')"
Plant = Callable[[pikepdf.Pdf], None]


def actions() -> dict[str, Dictionary]:
    """Every action that must go, each holding the marker."""
    mark = String(SCRIPT)
    return {
        "JavaScript": Dictionary(S=Name.JavaScript, JS=mark),
        "JavaScript without type in a stream": Dictionary(Type=Name.Action, S=Name.JavaScript, JS=mark),
        "Launch": Dictionary(S=Name.Launch, F=mark),
        "SubmitForm": Dictionary(S=Name.SubmitForm, F=mark),
        "ImportData": Dictionary(S=Name.ImportData, F=mark),
        "ResetForm": Dictionary(S=Name.ResetForm, Fields=Array([mark])),
        "GoToR": Dictionary(S=Name.GoToR, F=mark, D=Array([0])),
        "GoToE": Dictionary(S=Name.GoToE, F=mark, D=Array([0])),
        "Thread": Dictionary(S=Name.Thread, F=mark, D=0),
        "Rendition": Dictionary(S=Name.Rendition, JS=mark, OP=0),
        "Movie": Dictionary(S=Name.Movie, T=mark),
        "Sound": Dictionary(S=Name.Sound, Note=mark),
        "GoTo3DView": Dictionary(S=Name("/GoTo3DView"), V=mark),
        "RichMediaExecute": Dictionary(S=Name.RichMediaExecute, CMD=mark),
        "SetOCGState": Dictionary(S=Name.SetOCGState, State=Array([mark])),
        "Hide": Dictionary(S=Name.Hide, T=mark),
        "Named Print": Dictionary(S=Name.Named, N=Name("/Print"), Note=mark),
        "URI with a script": Dictionary(S=Name.URI, URI=String("javascript:" + SCRIPT)),
        "URI to a file": Dictionary(S=Name.URI, URI=String("file:///" + SCRIPT)),
        "unknown action": Dictionary(Type=Name.Action, S=Name.Surprise, Note=mark),
        "GoTo that goes on": Dictionary(S=Name.GoTo, D=Array([0]), Next=Dictionary(S=Name.JavaScript, JS=mark)),
        "GoTo that goes on in a list": Dictionary(
            S=Name.GoTo, D=Array([0]), Next=Array([Dictionary(S=Name.JavaScript, JS=mark)])
        ),
    }


def link(action: Object, **more: Any) -> Dictionary:
    """A link annotation with an action."""
    return Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([10, 10, 90, 30]), A=action, **more)


def annotate(pdf: pikepdf.Pdf, annotation: Object) -> None:
    """Put an annotation on the first page."""
    page = pdf.pages[0].obj
    page["/Annots"] = Array([*page.get("/Annots", Array()), annotation])


def _in_field(pdf: pikepdf.Pdf, action: Dictionary) -> None:
    parent = pdf.make_indirect(Dictionary(FT=Name.Tx, T=String("f"), Kids=Array([]), AA=Dictionary(C=action)))
    child = pdf.make_indirect(Dictionary(Type=Name.Annot, Subtype=Name.Widget, Rect=Array([0, 0, 9, 9])))
    child.AA, child.Parent, parent.Kids = Dictionary(K=action), parent, Array([child])
    annotate(pdf, child)
    pdf.Root.AcroForm = Dictionary(Fields=Array([parent]), CO=Array([parent]))


def _in_tags(pdf: pikepdf.Pdf, action: Dictionary) -> None:
    note = pdf.make_indirect(Dictionary(Type=Name.Annot, Subtype=Name.Screen, Rect=Array([0, 0, 9, 9]), A=action))
    reference = Dictionary(Type=Name.OBJR, Obj=note)
    attributes = Dictionary(O=Name.UserProperties, P=Array([Dictionary(N=String("p"), V=Dictionary(AA=action))]))
    element = pdf.make_indirect(Dictionary(Type=Name.StructElem, S=Name.P, K=reference, A=attributes))
    pdf.Root.StructTreeRoot = pdf.make_indirect(Dictionary(Type=Name.StructTreeRoot, K=element))


def _in_resources(pdf: pikepdf.Pdf, action: Dictionary) -> None:
    form = pdf.make_stream(b"")
    form.Type, form.Subtype, form.BBox = Name.XObject, Name.Form, Array([0, 0, 1, 1])
    inner = Dictionary(AA=Dictionary(O=action), Deeper=Array([Array([Dictionary(AA=Dictionary(PO=action))])]))
    form.Resources = Dictionary(Properties=Dictionary(MC0=Dictionary(PieceInfo=inner, AA=inner)))
    pdf.pages[0].obj.Resources.XObject = Dictionary(Fm=form)


def _in_name_tree(pdf: pikepdf.Pdf, action: Dictionary) -> None:
    leaf = pdf.make_indirect(Dictionary(Names=Array([String("a"), action]), Limits=Array([String("a"), String("a")])))
    pdf.Root.Names = Dictionary(JavaScript=pdf.make_indirect(Dictionary(Kids=Array([leaf]))))


def _in_long_chain(pdf: pikepdf.Pdf, action: Dictionary) -> None:
    step = Dictionary(S=Name.Named, N=Name.NextPage, Next=Array([Dictionary(S=Name.GoTo, D=Array([0]), Next=action)]))
    annotate(pdf, link(Dictionary(S=Name.URI, URI=String("https://example.org"), Next=pdf.make_indirect(step))))


def places() -> dict[str, Callable[[pikepdf.Pdf, Dictionary], None]]:
    """Where an action can be hidden."""

    def outline(pdf: pikepdf.Pdf, action: Dictionary) -> None:
        item = pdf.make_indirect(Dictionary(Title=String("One"), A=action))
        item.Parent = pdf.Root.Outlines = pdf.make_indirect(Dictionary(First=item, Last=item, Count=1))

    def chain(pdf: pikepdf.Pdf, action: Dictionary) -> None:
        annotate(pdf, link(Dictionary(S=Name.URI, URI=String("https://example.org"), Next=action)))

    def opening(pdf: pikepdf.Pdf, action: Dictionary) -> None:
        pdf.Root.OpenAction = action

    return {
        "field and its parent": _in_field,
        "structure tree": _in_tags,
        "resources of a form": _in_resources,
        "name tree with branches": _in_name_tree,
        "at the end of a long chain": _in_long_chain,
        "link, as its address": lambda pdf, action: annotate(
            pdf, link(Dictionary(S=Name.GoTo, D=Array([0])), PA=action)
        ),
        "link, direct": lambda pdf, action: annotate(pdf, link(action)),
        "link, indirect": lambda pdf, action: annotate(pdf, pdf.make_indirect(link(pdf.make_indirect(action)))),
        "opening": opening,
        "page, on opening": lambda pdf, action: pdf.pages[0].obj.__setitem__("/AA", Dictionary(O=action)),
        "annotation, on entering": lambda pdf, action: annotate(
            pdf, link(Dictionary(S=Name.URI, URI=String("https://example.org")), AA=Dictionary(E=action))
        ),
        "outline": outline,
        "behind a harmless one": chain,
        "catalog, before closing": lambda pdf, action: pdf.Root.__setitem__("/AA", Dictionary(WC=action)),
    }


def _file(pdf: pikepdf.Pdf) -> Object:
    return pdf.make_indirect(
        Dictionary(Type=Name.Filespec, F=String("a.exe"), EF=Dictionary(F=pdf.make_stream(SCRIPT.encode())))
    )


def _annotation(subtype: str) -> Plant:
    def plant(pdf: pikepdf.Pdf) -> None:
        annotate(
            pdf,
            Dictionary(
                Type=Name.Annot, Subtype=Name(subtype), Rect=Array([0, 0, 9, 9]), FS=_file(pdf), Contents=String(SCRIPT)
            ),
        )

    return plant


def _names(key: str) -> Plant:
    def plant(pdf: pikepdf.Pdf) -> None:
        value = Dictionary(S=Name.JavaScript, JS=String(SCRIPT)) if key == "/JavaScript" else _file(pdf)
        pdf.Root.Names = Dictionary({key: Dictionary(Names=Array([String("one"), value]))})

    return plant


def _catalog(key: str) -> Plant:
    return lambda pdf: pdf.Root.__setitem__(key, Dictionary(Marker=String(SCRIPT)))


def _page(key: str) -> Plant:
    return lambda pdf: pdf.pages[0].obj.__setitem__(key, Dictionary(Marker=String(SCRIPT)))


def _image(**entries: object) -> Plant:
    def plant(pdf: pikepdf.Pdf) -> None:
        image = pdf.make_stream(b"\0")
        for name, value in {
            "Type": Name.XObject,
            "Subtype": Name.Image,
            "Width": 1,
            "Height": 1,
            "BitsPerComponent": 8,
            "ColorSpace": Name.DeviceGray,
            **entries,
        }.items():
            image[f"/{name}"] = value
        pdf.pages[0].obj.Resources.XObject = Dictionary(Im=image)

    return plant


def _post_script(pdf: pikepdf.Pdf) -> None:
    stream = pdf.make_stream(SCRIPT.encode())
    stream.Type, stream.Subtype = Name.XObject, Name.PS
    pdf.pages[0].obj.Resources.XObject = Dictionary(Ps=stream)


def _reference(pdf: pikepdf.Pdf) -> None:
    stream = pdf.make_stream(b"")
    stream.Type, stream.Subtype, stream.BBox = Name.XObject, Name.Form, Array([0, 0, 1, 1])
    stream.Ref = Dictionary(F=String(SCRIPT), Page=0)
    pdf.pages[0].obj.Resources.XObject = Dictionary(Fm=stream)


def _form(pdf: pikepdf.Pdf) -> None:
    field = pdf.make_indirect(
        Dictionary(
            Type=Name.Annot, Subtype=Name.Widget, FT=Name.Tx, T=String("name"), V=String("kept value"), Rect=Array([10, 10, 200, 30]),
            DA=String("/Helv 10 Tf 0 g"), AA=Dictionary(K=Dictionary(S=Name.JavaScript, JS=String(SCRIPT))),
        )
    )  # fmt: skip
    annotate(pdf, field)
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
    pdf.Root.AcroForm = Dictionary(
        Fields=Array([field]),
        NeedAppearances=True,
        XFA=pdf.make_stream(SCRIPT.encode()),
        DR=Dictionary(Font=Dictionary(Helv=font)),
    )


def _attached(pdf: pikepdf.Pdf) -> None:
    """A file that nothing but a chosen name leads to."""
    pdf.Root.Names = Dictionary(Dests=Dictionary(Names=Array([String("a"), Dictionary(D=Array([0]), X=_file(pdf))])))


def _usage_rights(pdf: pikepdf.Pdf) -> None:
    value = pdf.make_indirect(Dictionary(Type=Name.Sig, ByteRange=Array([0, 1, 2, 3]), Reason=String(SCRIPT)))
    pdf.Root.Perms = Dictionary(UR3=value)
    pdf.Root.AcroForm = Dictionary(Fields=Array([]), SigFlags=3)


def _external_profile(pdf: pikepdf.Pdf) -> None:
    intent = Dictionary(Type=Name.OutputIntent, S=Name("/GTS_PDFX"), DestOutputProfileRef=Dictionary(F=String(SCRIPT)))
    pdf.Root.OutputIntents = Array([intent])


def _old_post_script(pdf: pikepdf.Pdf) -> None:
    stream = pdf.make_stream(SCRIPT.encode())
    stream.Type, stream.Subtype, stream.Subtype2, stream.BBox = Name.XObject, Name.Form, Name.PS, Array([0, 0, 1, 1])
    pdf.pages[0].obj.Resources.XObject = Dictionary(Ps=stream)


def _nested_in_resources(key: str) -> Plant:
    def plant(pdf: pikepdf.Pdf) -> None:
        pdf.pages[0].obj.Resources.Properties = Dictionary(MC0=Dictionary({key: Dictionary(Marker=String(SCRIPT))}))

    return plant


def _among_resources(part: Dictionary) -> Plant:
    """Where no reader looks for it."""
    return lambda pdf: pdf.pages[0].obj.Resources.__setitem__("/Annots", Array([part]))


NESTED = (
    *(
        "AF",
        "PieceInfo",
        "OPI",
        "Alternates",
        "SpiderInfo",
        "Thumb",
        "XFA",
        "EmbeddedFiles",
        "Renditions",
        "RichMediaContent",
    ),
    *("AlternatePresentations", "3DD", "Movie", "Requirements", "NeedsRendering", "Collection", "DSS"),
)
STRANGERS = {
    "an annotation without a type": Dictionary(
        Subtype=Name.RichMedia, Rect=Array([0, 0, 9, 9]), Contents=String(SCRIPT)
    ),
    "an annotation whose type is a text": Dictionary(
        Type=String("Annot"), Subtype=Name.RichMedia, Rect=0, Contents=String(SCRIPT)
    ),
    "a transition that is an action": Dictionary(
        S=Name.Trans, Trans=Dictionary(S=Name.Dissolve), Marker=String(SCRIPT)
    ),
    "the rest of a PostScript stream": Dictionary(Type=Name.XObject, Subtype=Name.PS, Level1=String(SCRIPT)),
}
ANNOTATIONS = ("FileAttachment", "RichMedia", "3D", "Screen", "Movie", "Sound", "TrapNet", "Unheard")
HIDDEN: dict[str, Plant] = {
    **{f"annotation {kind}": _annotation(f"/{kind}") for kind in ANNOTATIONS},
    **{f"name tree {key}": _names(f"/{key}") for key in ("JavaScript", "EmbeddedFiles", "Renditions", "AlternatePresentations")},
    **{f"catalog {key}": _catalog(f"/{key}") for key in ("AF", "Collection", "Perms", "DSS", "Requirements", "SpiderInfo", "Legal", "PieceInfo")},
    **{f"page {key}": _page(f"/{key}") for key in ("PieceInfo", "Thumb", "AF", "PresSteps")},
    "image with alternates": _image(Alternates=Array([Dictionary(Image=String(SCRIPT))])),
    "image with OPI": _image(OPI=Dictionary(Marker=String(SCRIPT))),
    "stream with external data": _image(F=String(SCRIPT), FFilter=Name.FlateDecode),
    **{f"nested {key}": _nested_in_resources(f"/{key}") for key in NESTED},
    **{f"among resources: {what}": _among_resources(part) for what, part in STRANGERS.items()},
    "attached file that only a name leads to": _attached,
    "usage rights": _usage_rights,
    "external colour profile": _external_profile,
    "PostScript of an older kind": _old_post_script,
    "PostScript": _post_script,
    "reference to another file": _reference,
    "form with XFA and scripts": _form,
}  # fmt: skip


def plain() -> pikepdf.Pdf:
    """Two pages of text without anything active."""
    return document(text_at(72, 700, "First page"), text_at(72, 700, "Second page"))
