"""Active content in every place that can hold it, in files written by hand: each holds the marker and an address to call."""

from __future__ import annotations

from functools import partial

from tests.hostile.drafts import CANARY, DELIVERED, MARK, Hostile, files, objects, paper, stream, written

TAKEN = DELIVERED
SCRIPT = b"(app.launchURL\\('%b'\\)%% %b)" % (CANARY, MARK.encode())
ACTIONS = {
    "JavaScript": b"<</S/JavaScript/JS%b>>" % SCRIPT,
    "JavaScript spelled in numbers": b"<</S/Java#53cript/J#53%b>>" % SCRIPT,
    "JavaScript in a stream": b"<</Type/Action/S/JavaScript/JS 20 0 R>>",
    "Launch": b"<</S/Launch/F(%b)/Win<</F(%b)/P(%b)>>>>" % (CANARY, CANARY, CANARY),
    "SubmitForm": b"<</S/SubmitForm/F<</FS/URL/F(%b)>>/Flags 4>>" % CANARY,
    "ImportData": b"<</S/ImportData/F<</FS/URL/F(%b)>>>>" % CANARY,
    "GoToR": b"<</S/GoToR/F<</FS/URL/F(%b)>>/D[0/Fit]>>" % CANARY,
    "GoToE": b"<</S/GoToE/F(%b)/T<</R/C/N(x)>>/D[0/Fit]>>" % CANARY,
    "Rendition": b"<</S/Rendition/OP 0/R<</S/MR/C<</S/MCD/CT(video/mp4)/D<</FS/URL/F(%b)>>>>>>>>" % CANARY,
    "URI to a script": b"<</S/URI/URI(javascript:%b)>>" % MARK.encode(),
    "URI with white space before": b"<</S/URI/URI( \\n javascript:%b)>>" % MARK.encode(),
    "URI to data": b"<</S/URI/URI(data:text/html,%b)>>" % MARK.encode(),
    "URI that is no string": b"<</S/URI/URI[(%b)]>>" % CANARY,
    "kind that is a string": b"<</Type/Action/S(JavaScript)/JS%b>>" % SCRIPT,
    "two kinds": b"<</S/GoTo/S/JavaScript/D[3 0 R/Fit]/JS%b>>" % SCRIPT,
    "GoTo with more": b"<</S/GoTo/D[3 0 R/Fit]/Next<</S/URI/URI(%b)/Next[<</S/Launch/F(%b)>>]>>>>" % (CANARY, CANARY),
    "unknown": b"<</Type/Action/S/Surprise/F(%b)>>" % CANARY,
    "its own next": b"20 0 R",
}
HOLDERS = {
    "opening": {"catalogue": b"/OpenAction %b"},
    "catalogue": {"catalogue": b"/AA<</WC %b/DP %b>>"},
    "page": {"page": b"/AA<</O %b/C %b>>"},
    "link": {"page": b"/Annots[<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A %b>>]"},
    "link without type": {"page": b"/Annots[<</Subtype/Link/Rect[0 0 9 9]/PA %b>>]"},
    "annotation of no kind": {"page": b"/Annots[<</Rect[0 0 9 9]/A %b>>]"},
    "named script": {"catalogue": b"/Names<</JavaScript<</Names[(x) %b]>>>>"},
    "bookmark": {"catalogue": b"/Outlines<</First<</Title(x)/A %b>>>>"},
    "bookmark without title": {"catalogue": b"/Outlines<</First<</Parent 1 0 R/A %b>>>>"},
    "field": {"catalogue": b"/AcroForm<</Fields[<</FT/Tx/T(x)/AA<</K %b/F %b>>>>]>>"},
    "nowhere in particular": {"page": b"/Own<</Deep[<</Down[<</A %b>>]>>]>>"},
    "destination": {"catalogue": b"/Dests<</x<</D[3 0 R/Fit]/A %b>>>>"},
    "article thread": {"catalogue": b"/Threads[<</F<</A %b>>/I<<>>>>]"},
    "structure": {"catalogue": b"/StructTreeRoot<</K<</S/P/A %b>>>>"},
}


def _placed(action: bytes, place: dict[str, bytes]) -> bytes:
    parts = {part: words.replace(b"%b", action) for part, words in place.items()}
    more = stream(b"app.alert('%b')" % MARK.encode())
    if action == b"20 0 R":
        more = b"<</S/JavaScript/JS%b/Next 20 0 R>>" % SCRIPT
    return paper(**parts, more={20: more})


def actions() -> list[Hostile]:
    """Every action in two of the holders and every holder with two of the actions."""
    kinds, holders = list(ACTIONS), list(HOLDERS)
    pairs = {(kind, holder) for index, kind in enumerate(kinds) for holder in (holders[index % len(holders)], "link")}
    pairs |= {
        (kind, holder) for index, holder in enumerate(holders) for kind in (kinds[index * 5 % len(kinds)], "JavaScript")
    }
    return files(
        "action",
        {
            f"{kind} in {holder}": (partial(_placed, ACTIONS[kind], HOLDERS[holder]), TAKEN)
            for kind, holder in sorted(pairs)
        },
    )


FILE = b"<</Type/Filespec/F(a.exe)/EF<</F 21 0 R>>/FS/URL/F(%b)>>" % CANARY
XFA = b'<xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/"><image href="%b"/>%b</xdp:xdp>' % (CANARY, MARK.encode())
ENTITY = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "%b"><!ENTITY a "%b"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/">&e;&b;</x:xmpmeta>'
) % (CANARY, MARK.encode())
HIDDEN: dict[str, dict[str, bytes]] = {
    "attachment below a key that nobody knows": {"catalogue": b"/Namgs<</EmbeddedFiles<</Names[(a)%b]>>>>" % FILE},
    "attachment in a name tree that nobody knows": {
        "catalogue": b"/Names<</Odd<</EmbeddedFiles<</Names[(a)%b]>>>>>>" % FILE
    },
    "attachment in the name tree": {"catalogue": b"/Names<</EmbeddedFiles<</Names[(a)%b]>>>>" % FILE},
    "attachment in a tree of trees": {
        "catalogue": b"/Names<</EmbeddedFiles<</Kids[<</Kids[<</Names[(a)%b]>>]>>]>>>>" % FILE
    },
    "attachment as an annotation": {
        "page": b"/Annots[<</Type/Annot/Subtype/FileAttachment/Rect[0 0 9 9]/FS%b>>]" % FILE
    },
    "annotation that calls itself an action": {
        "page": b"/Annots[<</Type/Action/S/Odd/Subtype/Link/Rect[0 0 9 9]/A -1/F(%b)>>]" % CANARY
    },
    "annotation without a type among resources": {
        "resources": b"/Resources<</Annots[<</Subtype/RichMedia/Rect[0 0 9 9]/F(%b)/FS/URL>>]>>" % CANARY
    },
    "attachment in the place of a font": {"resources": b"/Resources<</Font<</F2 21 0 R/F3%b>>>>" % FILE},
    "associated file of the catalogue": {"catalogue": b"/AF[%b]" % FILE},
    "associated file of a page": {"page": b"/AF[%b]" % FILE},
    "portfolio with pages": {"catalogue": b"/Collection<</View/T>>/Names<</EmbeddedFiles<</Names[(a)%b]>>>>" % FILE},
    "rich media": {
        "page": b"/Annots[<</Subtype/RichMedia/Rect[0 0 9 9]/RichMediaContent<</Assets<</Names[(a)%b]>>>>>>]" % FILE
    },
    "three dimensions": {"page": b"/Annots[<</Subtype/3D/Rect[0 0 9 9]/3DD<</Type/3D/OnInstantiate 20 0 R>>>>]"},
    "screen": {"page": b"/Annots[<</Subtype/Screen/Rect[0 0 9 9]/A<</S/Rendition/JS%b>>>>]" % SCRIPT},
    "movie": {"page": b"/Annots[<</Subtype/Movie/Rect[0 0 9 9]/Movie<</F(%b)>>>>]" % CANARY},
    "sound": {"page": b"/Annots[<</Subtype/Sound/Rect[0 0 9 9]/Sound 21 0 R>>]"},
    "watermark by annotation": {"page": b"/Annots[<</Subtype/Watermark/Rect[0 0 9 9]/Contents(%b)>>]" % MARK.encode()},
    "projection": {"page": b"/Annots[<</Subtype/Projection/Rect[0 0 9 9]/Contents(%b)>>]" % MARK.encode()},
    "XFA as a stream": {"catalogue": b"/AcroForm<</Fields[]/XFA 22 0 R>>"},
    "XFA in packets": {"catalogue": b"/AcroForm<</Fields[]/XFA[(preamble)22 0 R(template)22 0 R]>>"},
    "a form that is a number": {"catalogue": b"/AcroForm 7"},
    "a form of rubbish": {
        "catalogue": b"/AcroForm<</Fields[7(x)null 99 0 R<<>>]/DR 3/DA 7/NeedAppearances(yes)/CO[1]>>"
    },
    "a form whose field is its own kid": {"catalogue": b"/AcroForm<</Fields[23 0 R]>>", "page": b"/Annots[23 0 R]"},
    "metadata that calls out": {"catalogue": b"/Metadata 24 0 R"},
    "metadata of a page": {"page": b"/Metadata 24 0 R"},
    "piece info": {
        "page": b"/PieceInfo<</App<</Private 20 0 R>>>>",
        "catalogue": b"/PieceInfo<</App<</Private(%b)>>>>" % MARK.encode(),
    },
    "thumbnail": {"page": b"/Thumb 21 0 R"},
    "presentation steps": {"page": b"/PresSteps<</NA<</S/JavaScript/JS%b>>>>" % SCRIPT},
    "spider": {"catalogue": b"/SpiderInfo<</V 1.0/C[<</URL(%b)>>]>>" % CANARY},
    "permissions": {
        "catalogue": b"/Perms<</DocMDP<</Reference[<</TransformMethod/DocMDP>>]/Contents(%b)>>>>" % MARK.encode()
    },
    "security store": {"catalogue": b"/DSS<</Certs[21 0 R]>>"},
    "requirements": {"catalogue": b"/Requirements[<</S/EnableJavaScripts/RH<</S/JS/Script(%b)>>>>]" % MARK.encode()},
    "renditions": {"catalogue": b"/Names<</Renditions<</Names[(a)<</S/MR/C<</D%b>>>>]>>>>" % FILE},
    "content stream of elsewhere": {"resources": b"/Resources<</XObject<</Fm 25 0 R>>>>", "content": b"/Fm Do"},
    "notes and more in the page tree": {
        "pages": b"/Annots[<</Subtype/Text/Rect[0 0 9 9]/Contents(%b)>>]/Own<</Deep(%b)>>" % (MARK.encode(), CANARY)
    },
    "form of elsewhere whose data are lost": {
        "resources": b"/Resources<</XObject<</Fm 30 0 R>>>>",
        "content": b"/Fm Do",
    },
    "reference to a page of elsewhere": {"resources": b"/Resources<</XObject<</Fm 26 0 R>>>>", "content": b"/Fm Do"},
    "PostScript": {"resources": b"/Resources<</XObject<</Fm 27 0 R>>>>", "content": b"/Fm Do"},
    "PostScript by its second name": {"resources": b"/Resources<</XObject<</Fm 28 0 R>>>>", "content": b"/Fm Do"},
    "image with alternates": {"resources": b"/Resources<</XObject<</Fm 29 0 R>>>>", "content": b"/Fm Do"},
    "bookmark with an action that nobody knows": {
        "catalogue": b"/Outlines<</First<</Parent 1 0 R/A<</S/Unheard/Own(%b)>>>>>>" % MARK.encode()
    },
    "catalogue in the place of fonts": {"resources": b"/Resources<</Font 31 0 R>>"},
    "base of addresses": {"catalogue": b"/URI<</Base(javascript:%b)>>" % MARK.encode()},
}
HOLDING = {
    20: stream(b"app.launchURL('%b') // %b" % (CANARY, MARK.encode())),
    21: stream(MARK.encode(), b"/Type/EmbeddedFile"),
    22: stream(XFA),
    23: b"<</Type/Annot/Subtype/Widget/FT/Tx/T(x)/V(%b)/Rect[0 0 9 9]/Kids[23 0 R]/Parent 23 0 R/AA<</K<</S/JavaScript/JS%b>>>>>>"
    % (b"value", SCRIPT),
    24: stream(ENTITY, b"/Type/Metadata/Subtype/XML"),
    25: stream(b"", b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/F<</FS/URL/F(%b)>>/FFilter/FlateDecode" % CANARY),
    26: stream(b"", b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Ref<</F<</FS/URL/F(%b)>>/Page 0>>" % CANARY),
    27: stream(b"(%b) run" % CANARY, b"/Type/XObject/Subtype/PS"),
    28: stream(b"(%b) run" % CANARY, b"/Type/XObject/Subtype/Form/Subtype2/PS/PS 20 0 R/BBox[0 0 9 9]"),
    29: stream(
        b"\0",
        b"/Type/XObject/Subtype/Image/Width 1/Height 1/BitsPerComponent 8/ColorSpace/DeviceGray/Alternates[<</Image 25 0 R>>]/OPI<</2.0<</F(%b)>>>>"
        % CANARY,
    ),
    30: b"<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/F<</FS/URL/F(%b)>>/FFilter/FlateDecode>>" % CANARY,
    31: b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[]/Own(%b)>>/F1 7 0 R>>" % MARK.encode(),
}


def _hidden(place: dict[str, bytes]) -> bytes:
    return paper(**place, more=HOLDING)


def _signed() -> bytes:
    field = b"<</Type/Annot/Subtype/Widget/FT/Sig/T(s)/Rect[0 0 0 0]/P 3 0 R/V 31 0 R>>"
    value = b"<</Type/Sig/Filter/Adobe.PPKLite/ByteRange[0 9 99999 4]/Contents<%b>/Reference[<</Data 1 0 R>>]>>" % (
        b"00" * 200
    )
    bodies = objects(
        catalogue=b"/AcroForm<</Fields[30 0 R]/SigFlags 3>>", page=b"/Annots[30 0 R]", more={30: field, 31: value}
    )
    return written(bodies)


def hidden_content() -> list[Hostile]:
    """What is carried along, called from outside, or shown by other means than the page."""
    made = {name: (partial(_hidden, place), TAKEN) for name, place in HIDDEN.items()}
    xfa_only = partial(_hidden, {"catalogue": b"/NeedsRendering true/AcroForm<</Fields[]/XFA 22 0 R>>"})
    return files(
        "hidden content",
        {
            **made,
            "signature with a lying range": (_signed, TAKEN),
            "form of one program only": (xfa_only, "unsupported"),
        },
    )


def active_files() -> list[Hostile]:
    """All of this file."""
    return [*actions(), *hidden_content()]
