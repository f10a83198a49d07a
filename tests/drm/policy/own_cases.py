"""The project's own worked cases: one or more for each convention, each with the reason why. Written as case files are."""

from __future__ import annotations

from typing import Any

IRISH = {"id": "E1", "tz": "Europe/Dublin", "country": "IE"}
NEW_YORK = {"id": "E1", "tz": "America/New_York", "country": "US"}
NOW = "2026-11-24T10:00:00Z"
ARTICLE = {"item": "article", "at": NOW, "article": "A9"}
JOURNAL = {"id": "J", "issn": "0378-5955"}
ISSUE = {"id": "J:1", "date": "2025-06"}


def request(
    why: str,
    policies: list[str] | list[list[str]],
    decision: str,
    reason: str = "OK",
    counts: dict[str, Any] | None = None,
    reasons: list[str] | None = None,
    history: list[dict[str, Any]] | None = None,
    **given: Any,
) -> dict[str, Any]:
    """One request case; what is not given is an ordinary article asked for in Dublin."""
    asked = {**ARTICLE, **given.pop("request", {})}
    routes = bool(policies) and isinstance(policies[0], list)
    return {
        "kind": "request",
        "why": why,
        "routes" if routes else "policies": policies,
        "entity": given.pop("entity", IRISH),
        "reader": {"id": "R1"},
        "work": JOURNAL,
        "issue": ISSUE,
        "request": {name: value for name, value in asked.items() if value is not None},
        "history": history or [],
        **given,
        "expect": {
            "decision": decision,
            "reason": reason,
            "all_reasons": reasons if reasons is not None else [] if reason == "OK" else [reason],
            "counts": counts or {},
        },
    }


def past(at: str, status: str = "filled", filled_at: str | None = None, **more: Any) -> dict[str, Any]:
    """A record of an article of the same journal by the same reader."""
    asked = {"item": "article", "at": at, "article": more.pop("article", "A1"), **more.pop("request", {})}
    record: dict[str, Any] = {
        "status": status,
        "reader": {"id": "R1"},
        "work": JOURNAL,
        "issue": ISSUE,
        "request": asked,
    }
    if status == "filled":
        record["filled_at"] = filled_at or at
    return {**record, **more}


def used(rule: str, number: int, this: int | None, limit: int | None) -> dict[str, Any]:
    """The counts of one limit."""
    return {rule: {"used": number, "this": this, "limit": limit}}


MARCH = "2026-03-01T10:00:00Z"
FOUR = [past(MARCH)] * 4
FIVE = [past(MARCH)] * 5
BOOK = {"id": "B", "pages": 210, "counted_pages": 195}
TENTH = {
    "share.tenth": {"used": 0, "this": 19, "limit": 19, "chapters_used": 0, "chapters_this": 2, "chapters_limit": 1}
}
PART = {"item": "book_part", "article": None, "chapters": ["1", "2"]}

REQUESTS = [
    request("the fifth of five is free", ["year5"], "allow", counts=used("year5.limit", 4, 1, 5), history=FOUR),
    request("the sixth is not", ["year5"], "needs_fee", "FIVE", used("year5.limit", 5, 1, 5), history=FIVE),
    request(
        "two copies at once are two",
        ["year5"],
        "needs_fee",
        "FIVE",
        used("year5.limit", 4, 2, 5),
        history=FOUR,
        request={"copies": 2},
    ),
    request("an ISSN meets its other spelling", ["year5"], "needs_fee", "FIVE", used("year5.limit", 5, 1, 5),
            history=FIVE, work={"id": "K", "issn": "03785955"}),
    request("print and online meet through the linking ISSN", ["year5"], "needs_fee", "FIVE", used("year5.limit", 5, 1, 5),
            history=FIVE, work={"issn": "1234-5679"}, issn_l={"12345679": "0378-5955"}),
    request("another journal is another title", ["year5"], "allow", counts=used("year5.limit", 0, 1, 5),
            history=FIVE, work={"issn": "1234-5679"}),
    request("a title without any number meets no other", ["year5"], "allow", counts=used("year5.limit", 0, 1, 5),
            history=[past(MARCH, work={})] * 6, work={}),
    request("branches of one group are one library", ["year5"], "needs_fee", "FIVE", used("year5.limit", 5, 1, 5),
            history=[past(MARCH, entity={"id": "E7", "group": "G"})] * 5, entity={**IRISH, "group": "G"}),
    request("another library's copies are its own", ["year5"], "allow", counts=used("year5.limit", 0, 1, 5),
            history=[past(MARCH, entity={"id": "E7"})] * 5),
    request("the year is the year of the fill", ["year5"], "allow", counts=used("year5.limit", 0, 1, 5),
            history=[past(MARCH, filled_at="2025-12-31T10:00:00Z")] * 5),
    request("an open reservation holds a place in the present year, however old", ["year5"], "needs_fee", "FIVE",
            used("year5.limit", 5, 1, 5), history=[past("2024-03-01T10:00:00Z", "reserved")] * 5,
            issue={"id": "J:1", "date": "2022"}),
    request("at the fill the year of the fill counts", ["year5"], "allow", counts=used("year5.limit", 0, 1, 5),
            history=FIVE, request={"fill_at": "2027-01-02T10:00:00Z"}),
    request("what was cancelled or not supplied counts nowhere", ["year5"], "allow", counts=used("year5.limit", 0, 1, 5),
            history=[past(MARCH, "cancelled"), past(MARCH, "unfilled")] * 5),
    request("what was subscribed then does not count now", ["year5"], "needs_fee", "FIVE", used("year5.limit", 5, 1, 5),
            history=[*FIVE, past(MARCH, flags={"subscribed": True})]),
    request("a subscription switches the rule off", ["year5"], "allow", history=FIVE, flags={"subscribed": True}),
    request("a paid fee does so for a known purpose that is not commercial", ["year5"], "allow", history=FIVE,
            flags={"fee_paid": True}, request={"purpose": "research"}),
    request("an unknown purpose is no exemption", ["year5"], "needs_fee", "FIVE", used("year5.limit", 5, 1, 5), history=FIVE,
            flags={"fee_paid": True}),
    request("exactly five years old is inside", ["year5"], "needs_fee", "FIVE", used("year5.limit", 5, 1, 5), history=FIVE,
            issue={"id": "J:1", "date": "2021-11-24"}),
    request("a day more is outside", ["year5"], "allow", history=FIVE, issue={"id": "J:1", "date": "2021-11-23"}),
    request("an unknown age is taken for young", ["year5"], "needs_fee", "FIVE", used("year5.limit", 5, 1, 5),
            history=[past(MARCH, issue={"id": "J:1"})] * 5, issue={"id": "J:1"}),
    request("an article that was old when it was supplied does not count", ["year5"], "allow",
            counts=used("year5.limit", 0, 1, 5), history=[past(MARCH, issue={"date": "2019"})] * 5),
    request("a month is read as its last day", ["year5"], "needs_fee", "FIVE", used("year5.limit", 5, 1, 5), history=FIVE,
            issue={"id": "J:1", "date": "2021-11"}),
    request("29 February less five years is 28 February", ["year5"], "allow",
            issue={"id": "J:1", "date": "2023-02-27"}, request={"at": "2028-02-29T10:00:00Z"}),
    request("and that day is inside", ["year5"], "allow", counts=used("year5.limit", 0, 1, 5),
            issue={"id": "J:1", "date": "2023-02-28"}, request={"at": "2028-02-29T10:00:00Z"}),
    request("the library's New Year, not Greenwich's, begins the year", ["year5"], "needs_fee", "FIVE",
            used("year5.limit", 5, 1, 5), history=[past("2026-01-01T04:59:00Z")] * 5, entity=NEW_YORK,
            request={"at": "2025-12-31T23:00:00Z"}, issue={"id": "J:1", "date": "2025"}),
    request("a rule's own zone wins over the library's", ["year5.china"], "deny", "CHINA_YEAR", used("china.limit", 1, 1, 1),
            history=[past("2025-12-31T16:00:00Z")]),
    request("a second before it is last year there", ["year5.china"], "allow", counts=used("china.limit", 0, 1, 1),
            history=[past("2025-12-31T15:59:59Z")]),
    request("ISO week 53 runs over New Year", ["week"], "deny", "WEEKLY", used("week.limit", 2, 1, 2),
            history=[past("2026-12-28T10:00:00Z"), past("2026-12-31T10:00:00Z", article="A2")],
            request={"at": "2027-01-03T10:00:00Z"}),
    request("Monday begins another week", ["week"], "allow", counts=used("week.limit", 0, 1, 2),
            history=[past("2026-12-28T10:00:00Z"), past("2026-12-31T10:00:00Z", article="A2")],
            request={"at": "2027-01-04T10:00:00Z"}),
    request("the same article again is not a new one", ["week"], "allow", counts=used("week.limit", 2, 0, 2),
            history=[past("2026-11-23T10:00:00Z", article="A9"), past("2026-11-23T10:00:00Z", article="A2")]),
    request("records without an article are one each", ["week"], "deny", "WEEKLY", used("week.limit", 2, 1, 2),
            history=[past("2026-11-23T10:00:00Z", article=None)] * 2),
    request("unfilled counts where a rule says so, cancelled never", ["week"], "deny", "WEEKLY", used("week.limit", 2, 1, 2),
            history=[past("2026-11-23T10:00:00Z", "unfilled"), past("2026-11-23T10:00:00Z", "reserved", article="A2"),
                     past("2026-11-23T10:00:00Z", "cancelled", article="A3")]),
    request("another reader's week is his own", ["week"], "allow", counts=used("week.limit", 0, 1, 2),
            history=[past("2026-11-23T10:00:00Z", reader={"id": "R2"})] * 3),
    request("of joint readers the worst one decides", ["week"], "deny", "WEEKLY", used("week.limit", 2, 1, 2),
            history=[past("2026-11-23T10:00:00Z", reader={"id": "R2"}),
                     past("2026-11-23T10:00:00Z", reader={"id": "R2"}, article="A2")], joint_readers=["R3", "R2"]),
    request("19 of 195 pages are within a tenth", ["share"], "allow", work=BOOK, request={**PART, "pages": ["1-19"]},
            counts={"share.tenth": {"used": 0, "this": 19, "limit": 19, "chapters_used": 0, "chapters_this": 2, "chapters_limit": 1}}),
    request("20 are not, and two chapters are not one", ["share"], "deny", "SHARE", work=BOOK, request={**PART, "pages": ["1-20"]},
            counts={"share.tenth": {"used": 0, "this": 20, "limit": 19, "chapters_used": 0, "chapters_this": 2, "chapters_limit": 1}}),
    request("one whole chapter may be more than a tenth", ["share"], "allow", work=BOOK,
            request={**PART, "pages": ["1-60"], "chapters": ["1"]},
            counts={"share.tenth": {"used": 0, "this": 60, "limit": 19, "chapters_used": 0, "chapters_this": 1, "chapters_limit": 1}}),
    request("naming no chapter is no way round", ["share"], "deny", "SHARE", work=BOOK,
            request={**PART, "pages": ["1-60"], "chapters": None},
            counts={"share.tenth": {"used": 0, "this": 60, "limit": 19, "chapters_used": 0, "chapters_this": 0, "chapters_limit": 1}}),
    request("pages had before are not new", ["share"], "allow", work=BOOK, request={**PART, "pages": ["10-19", "12"]},
            history=[past("2026-11-20T10:00:00Z", work=BOOK, request={"pages": ["5-15"], "chapters": ["1", "2"]})],
            counts={"share.tenth": {"used": 11, "this": 4, "limit": 19, "chapters_used": 2, "chapters_this": 0, "chapters_limit": 1}}),
    request("a record exactly seven days old has left", ["share"], "allow", work=BOOK, request={**PART, "pages": ["30-40"]},
            history=[past("2026-11-17T10:00:00Z", work=BOOK, request={"pages": ["1-19"]})],
            counts={"share.tenth": {"used": 0, "this": 11, "limit": 19, "chapters_used": 0, "chapters_this": 2, "chapters_limit": 1}}),
    request("a second younger has not", ["share"], "deny", "SHARE", work=BOOK, request={**PART, "pages": ["30-40"]},
            history=[past("2026-11-17T10:00:01Z", work=BOOK, request={"pages": ["1-19"]})],
            counts={"share.tenth": {"used": 19, "this": 11, "limit": 19, "chapters_used": 0, "chapters_this": 2, "chapters_limit": 1}}),
    request("without its base a share is of the pages", ["share"], "allow", work={"id": "B", "pages": 210},
            request={**PART, "pages": ["1-21"]},
            counts={"share.tenth": {"used": 0, "this": 21, "limit": 21, "chapters_used": 0, "chapters_this": 2, "chapters_limit": 1}}),
    request("a base of nothing is unknown and does not fall back", ["share"], "needs_approval", "NO_TOTAL",
            work={"id": "B", "pages": 210, "counted_pages": 0}, request={**PART, "pages": ["1-5"]},
            counts={"share.tenth": {"used": 0, "this": 5, "limit": None, "chapters_used": 0, "chapters_this": 2, "chapters_limit": 1}}),
    request("a whole work without pages is all of them", ["share"], "deny", "SHARE", work={"id": "B", "pages": 30},
            request={"item": "whole_work", "article": None},
            counts={"share.tenth": {"used": 0, "this": 30, "limit": 3, "chapters_used": 0, "chapters_this": 0, "chapters_limit": 1}}),
    request("no pages named is unknown", ["share"], "needs_approval", "NO_TOTAL", work=BOOK, request=PART,
            counts={"share.tenth": {"used": 0, "this": 0, "limit": 19, "chapters_used": 0, "chapters_this": 2, "chapters_limit": 1}}),
    request("48 hours are hours, also when the clock changes", ["half"], "deny", "PAGES", reader={"id": "R1", "group": "C7"},
            entity=NEW_YORK, work={"id": "W"}, request={"at": "2026-11-02T10:00:00Z", "pages": ["21-22"]},
            history=[past("2026-10-31T10:00:01Z", reader={"id": "R2", "group": "C7"}, work={"id": "W"}, request={"pages": ["1-19"]})],
            counts={**used("half.hours", 19, 2, 20), **used("half.once", 0, 0, 0), **used("half.readers", 1, 0, 1)}),
    request("what the reader has had before he does not get again", ["half"], "deny", "BEFORE", reader={"id": "R1", "group": "C7"},
            request={"pages": ["3"]}, history=[past("2006-11-02T10:00:00Z", article="A9")],
            counts={**used("half.hours", 0, 1, 20), **used("half.once", 1, 0, 0), **used("half.readers", 0, 0, 1)}),
    request("a second other reader of the issue is looked at; a month clamps the day, and keeps the hour over the clock change",
            ["half"], "needs_approval", "RELATED",
            reader={"id": "R1", "group": "C7"}, request={"at": "2026-03-31T10:00:00Z", "pages": ["3"]},
            history=[past("2026-02-28T11:00:01Z", reader={"id": "R2"}), past("2026-03-01T10:00:00Z", reader={"id": "R3"}),
                     past("2026-02-28T11:00:00Z", reader={"id": "R4"}), past("2026-03-02T10:00:00Z", reader={})],
            counts={**used("half.hours", 0, 1, 20), **used("half.once", 0, 0, 0), **used("half.readers", 2, 0, 1)}),
    request("a reader without a group is in nobody's", ["half"], "allow", work={"id": "W"}, request={"pages": ["1-20"]},
            history=[past("2026-11-24T09:00:00Z", work={"id": "W"}, request={"pages": ["30-40"]}, article="A2")],
            counts={**used("half.hours", 0, 20, 20), **used("half.once", 0, 0, 0), **used("half.readers", 0, 0, 1)}),
    request("a statute that permits sets a licence aside", ["licence", "share"], "allow", work=BOOK,
            supplier={"country": "DE"}, request={**PART, "pages": ["1"]},
            counts={"share.tenth": {"used": 0, "this": 1, "limit": 19, "chapters_used": 0, "chapters_this": 2, "chapters_limit": 1}}),
    request("and one that asks for approval too", ["licence", "share"], "needs_approval", "NO_TOTAL", work={"id": "B"},
            supplier={"country": "DE"}, request={**PART, "pages": ["1"]},
            counts={"share.tenth": {"used": 0, "this": 1, "limit": None, "chapters_used": 0, "chapters_this": 2, "chapters_limit": 1}}),
    request("one that refuses leaves the licence standing", ["licence", "share"], "deny", "OTHER_COUNTRY",
            reasons=["OTHER_COUNTRY", "SHARE"], work=BOOK, supplier={"country": "DE"}, request={**PART, "pages": ["1-50"]},
            counts={"share.tenth": {"used": 0, "this": 50, "limit": 19, "chapters_used": 0, "chapters_this": 2, "chapters_limit": 1}}),
    request("a licence of the spared subject stands", ["licence.delivery", "share"], "deny", "FAX", work=BOOK,
            request={**PART, "pages": ["1"], "delivery": "fax"},
            counts={"share.tenth": {"used": 0, "this": 1, "limit": 19, "chapters_used": 0, "chapters_this": 2, "chapters_limit": 1}}),
    request("in a requirement an absent fact differs, and one copy is known", ["licence.delivery"], "allow"),
    request("two facts that are the same pass", ["licence"], "allow", supplier={"country": "IE"}),
    request("an absent one does not", ["licence"], "deny", "OTHER_COUNTRY"),
    request("of two routes that refuse the first gives the reason", [["moving"], ["licence"]], "deny", "TOO_YOUNG",
            issue={"date": "2025-11-24"}),
    request("the mildest route wins, the first on a tie", [["licence"], ["sworn"], ["fees"], ["sworn"]], "needs_declaration", "SWEAR",
            reasons=["CCG_OR_CCL", "SWEAR"]),
    request("strictly older than a year", ["moving"], "allow", issue={"date": "2025-11-23"}),
    request("exactly a year is not", ["moving"], "deny", "TOO_YOUNG", issue={"date": "2025-11-24"}),
    request("a bare year is its last day for the wall, its first for the closed year", ["moving"], "deny", "TOO_YOUNG",
            issue={"date": "2025"}),
    request("the current year is closed", ["moving"], "deny", "TOO_YOUNG", reasons=["CLOSED", "TOO_YOUNG"],
            issue={"date": "2026-01"}),
    request("an unknown date asks a person where the rule says so, else refuses", ["moving"], "deny", "CLOSED",
            reasons=["CLOSED", "NO_DATE"], issue={}),
    request("every statement of 'all', one of 'any'", ["sworn"], "allow", request={"declarations": ["not_before", "research", "ccl"]}),
    request("one is missing", ["sworn"], "needs_declaration", "SWEAR", request={"declarations": ["research", "ccg"]}),
    request("none of the any", ["sworn"], "needs_declaration", "CCG_OR_CCL", request={"declarations": ["research", "not_before"]}),
    request("the first page and the others", ["fees"], "needs_fee", "PAY", {"fees.tariff": {"amount": "2.10", "currency": "EUR"}},
            request={"pages": ["5-7"]}),
    request("no pages named is one page", ["fees"], "needs_fee", "PAY", {"fees.tariff": {"amount": "1.50", "currency": "EUR"}}),
    request("a share of the price, exact, rounded up to the cent", ["fees"], "needs_fee", "PAY",
            {"fees.tariff": {"amount": "10.01", "currency": "EUR"}}, work={"id": "B", "pages": 300, "price": 100.01},
            request={"item": "book_part", "pages": ["1-3"]}),
    request("at least the minimum, a whole amount as a number", ["fees"], "needs_fee", "PAY",
            {"fees.tariff": {"amount": 5, "currency": "EUR"}}, work={"id": "B", "pages": 300, "price": 30},
            request={"item": "book_part", "pages": ["1-3"]}),
    request("without the pages of the work the next line", ["fees"], "needs_fee", "PAY",
            {"fees.tariff": {"amount": "0.32", "currency": "EUR"}}, work={"id": "B", "price": 30},
            request={"item": "book_part", "pages": ["1-3"]}),
    request("a fee is computed although another rule refuses", ["fees"], "deny", "SHUT", flags={"closed": True},
            reasons=["PAY", "SHUT"], counts={"fees.tariff": {"amount": "1.50", "currency": "EUR"}}),
    request("no agreement in a case file is no objection", [], "allow"),
    request("a part of a book is no article", ["year5"], "allow", history=FIVE, request={"item": "book_part"}),
    request("another library's year is its own", ["year5.china"], "allow", counts=used("china.limit", 0, 1, 1),
            history=[past(MARCH, entity={"id": "E7"})]),
    request("what another reader had of it is his", ["share"], "allow", work=BOOK, request={**PART, "pages": ["1-19"]},
            history=[past("2026-11-23T10:00:00Z", reader={"id": "R2"}, work=BOOK, request={"pages": ["40-50"]})], counts=TENTH),
    request("what he had of another book too", ["share"], "allow", work=BOOK, request={**PART, "pages": ["1-19"]},
            history=[past("2026-11-23T10:00:00Z", work={**BOOK, "id": "C"}, request={"pages": ["40-50"]})], counts=TENTH),
    request("what is set aside counts", ["share"], "deny", "SHARE", work=BOOK, request={**PART, "pages": ["1-19"]},
            history=[past("2026-11-23T10:00:00Z", "reserved", work=BOOK, request={"pages": ["40-50"]})],
            counts={"share.tenth": {**TENTH["share.tenth"], "used": 11}}),
    request("seven days are seven dates: with the clock put back they have an hour more", ["share"], "deny", "SHARE",
            entity=NEW_YORK, work=BOOK, request={**PART, "at": "2026-11-05T10:00:00Z", "pages": ["1-19"]},
            history=[past("2026-10-29T09:30:00Z", work=BOOK, request={"pages": ["40-50"]})],
            counts={"share.tenth": {**TENTH["share.tenth"], "used": 11}}),
    request("pages of another work, and pages long ago, are free", ["half"], "allow", reader={"id": "R1", "group": "C7"},
            work={"id": "W"}, request={"pages": ["1-20"]}, issue={},
            history=[past("2026-11-24T09:00:00Z", reader={"id": "R1", "group": "C7"}, work={"id": "V"}, request={"pages": ["30-49"]}),
                     past("2026-11-20T09:00:00Z", reader={"id": "R1", "group": "C7"}, work={"id": "W"}, request={"pages": ["30-49"]})],
            counts={**used("half.hours", 0, 20, 20), **used("half.once", 0, 0, 0), **used("half.readers", 0, 0, 1)}),
    request("that another reader had the article before is no repeat", ["half"], "allow", request={"pages": ["3"]}, issue={},
            history=[past("2006-11-02T10:00:00Z", article="A9", reader={"id": "R2"})],
            counts={**used("half.hours", 0, 1, 20), **used("half.once", 0, 0, 0), **used("half.readers", 0, 0, 1)}),
    request("readers of another library, and of another issue, are not related", ["half"], "allow", request={"pages": ["3"]},
            history=[past("2026-11-23T10:00:00Z", reader={"id": "R2"}), past("2026-11-23T10:00:00Z", reader={"id": "R3"}, entity={"id": "E7"}),
                     past("2026-11-23T10:00:00Z", reader={"id": "R4"}, issue={"id": "J:2", "date": "2025-07"})],
            counts={**used("half.hours", 0, 1, 20), **used("half.once", 0, 0, 0), **used("half.readers", 1, 0, 1)}),
    request("two copies are more than one", ["licence.delivery"], "deny", "FAX", request={"copies": 2}),
    request("the other statement is missing", ["sworn"], "needs_declaration", "SWEAR", request={"declarations": ["not_before", "ccg"]}),
]  # fmt: skip


def link(why: str, policy: str, decision: str, reason: str, counts: dict[str, Any], **given: Any) -> dict[str, Any]:
    """One link case: sent on 2 November 2026 in New York, looked at by its reader."""
    own = {"reader": "R1", "issued_at": "2026-11-02T17:00:00Z", "prints": 0, **given.pop("link", {})}
    return {
        "kind": "link",
        "why": why,
        "policies": [policy],
        "entity": NEW_YORK,
        "link": own,
        "by": "R1",
        "holidays": ["2026-11-11"],
        **given,
        "expect": {
            "decision": decision,
            "reason": reason,
            "all_reasons": [] if reason == "OK" else [reason],
            "counts": counts,
        },
    }


END = {"until": "2026-12-02T12:00:00"}
USED = {"first_use_at": "2026-11-05T15:00:00Z"}
LINKS = [
    link("usable to the last second", "link", "allow", "OK", END, at="2026-12-02T16:59:59Z", action="download"),
    link("and not at the end itself", "link", "deny", "LINK_EXPIRED", END, at="2026-12-02T17:00:00Z", action="download"),
    link("a revoked link says nothing else", "link", "deny", "LINK_REVOKED", {}, at="2026-11-03T12:00:00Z",
         action="open", by="R2", link={"revoked": True}),
    link("another reader is told so first", "link", "deny", "WRONG_READER", {}, at="2027-11-03T12:00:00Z", action="open", by="R2"),
    link("five business days from first use, a holiday and a weekend left out, the last to midnight", "link", "allow", "OK",
         {"last_day": "2026-11-13", "opens_done": 2, "opens_limit": 3}, at="2026-11-14T04:59:59Z", action="open",
         link={**USED, "opens": 2}),
    link("and no longer", "link", "deny", "USE_PERIOD_OVER", {"last_day": "2026-11-13"}, at="2026-11-14T05:00:00Z", action="open",
         link={**USED, "opens": 2}),
    link("a download looks at the ttl alone", "link", "allow", "OK", END, at="2026-11-20T12:00:00Z", action="download", link=USED),
    link("the third open is used", "link", "deny", "OPEN_LIMIT", {**END, "opens_done": 3, "opens_limit": 3},
         at="2026-11-03T12:00:00Z", action="open", link={"opens": 3}),
    link("a print is a print", "link", "deny", "PRINT_LIMIT", {**END, "prints_done": 1, "prints_limit": 1},
         at="2026-11-03T12:00:00Z", action="print", link={"prints": 1}),
    link("an override replaces a key, null takes it away", "link", "allow", "OK", {}, at="2029-11-03T12:00:00Z", action="open",
         by="R2", link_override={"ttl": None, "opens": None, "same_reader_only": False}),
    link("unopened for a week", "link.first", "deny", "LINK_EXPIRED", {"until": "2026-11-09T12:00:00"},
         at="2026-11-09T17:00:00Z", action="open"),
    link("once opened, a year from then, in wall-clock time", "link.first", "allow", "OK", {"until": "2027-11-05T10:00:00"},
         at="2027-11-05T13:59:59Z", action="open", link=USED),
    link("to the second", "link.first", "deny", "LINK_EXPIRED", {"until": "2027-11-05T10:00:00"},
         at="2027-11-05T15:00:00Z", action="open", link=USED),
]  # fmt: skip


def retention(
    why: str, policies: list[str], decision: str, reason: str, counts: dict[str, Any], **given: Any
) -> dict[str, Any]:
    """One retention case: asked for on New Year's Eve in New York, supplied two days later."""
    record = {"requested_at": "2026-01-01T02:00:00Z", "filled_at": "2026-01-02T12:00:00Z", "status": "filled"}
    return {
        "kind": "retention",
        "why": why,
        "policies": policies,
        "entity": NEW_YORK,
        "record": {**record, **given.pop("record", {})},
        **given,
        "expect": {
            "decision": decision,
            "reason": reason,
            "all_reasons": [] if reason == "OK" else [reason],
            "counts": counts,
        },
    }


BOTH = {"keep_until": "2032-01-02", "identity_until": "2032-01-02"}
RETENTION = [
    retention("the year of the request is the library's", ["link"], "deny", "RETENTION_NOT_OVER",
              {"keep_until": "2028-12-31", "identity_until": None}, at="2029-01-01T04:59:00Z", action="purge"),
    retention("the last day is kept, the next is free", ["link"], "allow", "OK",
              {"keep_until": "2028-12-31", "identity_until": None}, at="2029-01-01T05:00:00Z", action="purge"),
    retention("no name was needed", ["link"], "allow", "OK", {"keep_until": "2028-12-31", "identity_until": None},
              at="2026-02-01T12:00:00Z", action="anonymise"),
    retention("a declaration keeps the name, six years from the fill", ["link", "link.first"], "deny",
              "READER_IDENTITY_REQUIRED", BOTH, at="2032-01-02T12:00:00Z", action="anonymise", record={"declaration": True}),
    retention("without one it keeps nothing", ["link.first"], "allow", "OK", {"keep_until": None, "identity_until": None},
              at="2026-02-01T12:00:00Z", action="purge"),
    retention("a hold wins over everything", ["link"], "deny", "LEGAL_HOLD", {}, at="2040-01-01T12:00:00Z", action="purge",
              record={"legal_hold": True}),
]  # fmt: skip

CASES = [{"id": f"OWN-{number:03}", **case} for number, case in enumerate([*REQUESTS, *LINKS, *RETENTION], 1)]
