"""Seeded bugs of tokens, of who may see what, and of counting under many at once."""

from __future__ import annotations

from tests.mutations.bug import Bug

TOKENS = ("tests/drm/test_tokens.py",)
CELL = "tests/access/test_who_may.py::test_each_role_gets_what_the_matrix_says_and_learns_nothing_of_others"

ACCESS = (
    Bug(
        "the last open is taken by looking first and counting later",
        "storage/deliveries.py",
        "                or_(DeliveryRow.opens_limit.is_(None), DeliveryRow.opens_used < DeliveryRow.opens_limit),\n            )\n"
        "            .values(",
        "                DeliveryRow.number.in_(\n"
        "                    self.session.scalars(\n"
        "                        select(DeliveryRow.number).where(\n"
        "                            DeliveryRow.number == number,\n"
        "                            or_(DeliveryRow.opens_limit.is_(None), DeliveryRow.opens_used < DeliveryRow.opens_limit),\n"
        "                        )\n"
        "                    ).all()\n"
        "                ),\n            )\n"
        "            .values(",
        (
            "tests/flows/test_postgresql.py::test_the_rows_of_a_link_let_no_more_in_than_may_even_where_nobody_holds_its_copy",
        ),
    ),
    Bug(
        "a link is opened by what its copy said before",
        "delivery/services/downloading.py",
        "work.deliveries.lock(delivery.number)",
        "work.deliveries.get(delivery.number)",
        ("tests/faults/test_same_moment.py",),
    ),
    Bug(
        "a form that is sent twice at once makes two requests",
        "delivery/services/requesting.py",
        ", hold=True)",
        ")",
        ("tests/faults/test_same_moment.py",),
    ),
    Bug(
        "a copy that was withdrawn meanwhile ends as one whose time was over",
        "delivery/services/expiring.py",
        "    request, delivery = hold_copy(work, number)\n",
        "    delivery = work.deliveries.get(number)\n    request = work.requests.lock(delivery.request)\n",
        ("tests/faults/test_same_moment.py",),
    ),
    Bug(
        "what is used is counted without holding the lock rows",
        "storage/ledger.py",
        "        self.session.execute(unchanged)\n",
        "        del unchanged\n",
        ("tests/flows/test_postgresql.py::test_a_request_is_supplied_and_a_limit_holds_against_many_at_once",),
    ),
    Bug(
        "a mailed token is used up by its spelling",
        "delivery/services/accounts.py",
        'use_once(secret_hash(token.rpartition(".")[0])',
        "use_once(secret_hash(token)",
        ("tests/security/test_mailed_tokens.py",),
    ),
    Bug(
        "a token needs no end",
        "drm/tokens.py",
        '"require": ["exp", "aud", "jti", "sub"],',
        '"require": ["aud", "jti", "sub"],',
        TOKENS,
    ),
    Bug(
        "one salt serves all purposes",
        "drm/tokens.py",
        'self._salt = f"rushlight.{purpose}.v1"',
        'self._salt = "rushlight.purpose.v1"',
        TOKENS,
    ),
    Bug(
        "what a window leads to is remembered past its withdrawal",
        "delivery/services/downloading.py",
        "        found = work.deliveries.behind(digest, network)\n",
        '        found = globals().setdefault("_SEEN", {}).setdefault(digest, work.deliveries.behind(digest, network))\n',
        ("tests/flows/test_delivering.py::test_a_window_ends_after_two_hours_and_at_once_on_revocation",),
    ),
    Bug(
        "the queue shows the requests of all libraries",
        "delivery/services/desk.py",
        "        wanted = replace(wanted, library_id=staff.library_id)\n",
        "        pass\n",
        (f"{CELL}[staff GET /queue]",),
    ),
    Bug(
        "a librarian sees the alarms of all libraries",
        "delivery/services/watching.py",
        '        for alarm in work.watch.alarms("" if everywhere else staff.library_id, SHOWN):\n',
        '        for alarm in work.watch.alarms("", SHOWN):\n',
        (f"{CELL}[staff GET /alarms]",),
    ),
    Bug(
        "a message tells officers its reader's name",
        "admin/templates/desk_request.html",
        '{{ m.author_name if working or m.kind != "from_reader" else _("Reader") }}',
        "{{ m.author_name }}",
        (f"{CELL}[staff GET /requests/<number>]",),
    ),
    Bug(
        "another reader's request can be read by the API",
        "delivery/web/api.py",
        "    if found.reader_id != person.id:\n",
        "    if found.library_id != person.library_id:\n",
        (f"{CELL}[reader GET /api/v1/requests/<number>]",),
    ),
    Bug(
        "pages of a copy are shown as pictures beside its window",
        "delivery/web/viewer.py",
        '    if delivery is None or not viewing.is_view_only(delivery):\n        return redirect(url_for("links.landing"',
        '    if delivery is None:\n        return redirect(url_for("links.landing"',
        (f"{CELL}[reader GET /v/<secret>/<int:number>-<int:width>.png]",),
    ),
    Bug(
        "a look without a body counts as a visit",
        "delivery/services/downloading.py",
        'return method == "HEAD" or "prefetch"',
        'return "prefetch"',
        ("tests/flows/test_pages.py::test_head_prefetch_and_ranges_on_the_link_count_nothing_l2_l4",),
    ),
)
