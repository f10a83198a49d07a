"""Seeded bugs of files: how they are named, stored, stamped, cleaned and checked."""

from __future__ import annotations

from tests.mutations.bug import Bug

ORDER = ("tests/faults/test_order.py",)
DURABLE = ("tests/storage/test_durability.py",)
MAKING = "delivery/services/copy_making.py"
LOCAL = "storage/blobs/local.py"

FILES = (
    Bug(
        "a letter goes out before its copy is published",
        "delivery/services/preparing.py",
        "            if published:\n                mail = _supply(",
        "            if published:\n"
        "                from delivery.ports import Letter\n\n"
        '                ctx.mailer.send(Letter("x@example.org", "Ready", "Ready", "Ready", "<x@example.org>", "en"))\n'
        "                mail = _supply(",
        ORDER,
    ),
    Bug(
        "a ring is acknowledged before its job is done",
        "admin/celery_app.py",
        "task_acks_late=True",
        "task_acks_late=False",
        ("tests/flows/test_broken_brokers.py::test_a_message_is_kept_until_its_job_is_done_and_is_plain_json",),
    ),
    Bug(
        "a prepared document is known before it is stored",
        MAKING,
        '        blob = ctx.blobs.put(master_blob(master.id), folder / "master")\n'
        "    kept = KeptMaster(master, blob.name, ctx.clock(), _only_for(order))\n"
        "    with ctx.store.write() as work:\n"
        "        work.masters.add(kept)\n"
        '        work.record(Event("master:kept", kept.made_at, "system", digest=kept.id))\n',
        "        kept = KeptMaster(master, master_blob(master.id), ctx.clock(), _only_for(order))\n"
        "        with ctx.store.write() as work:\n"
        "            work.masters.add(kept)\n"
        '            work.record(Event("master:kept", kept.made_at, "system", digest=kept.id))\n'
        '        ctx.blobs.put(kept.blob, folder / "master")\n',
        ORDER,
    ),
    Bug("a file has its name before it is durable", LOCAL, "                os.fsync(writing.fileno())\n", "", DURABLE),
    Bug(
        "a folder is not durable when its file is told of",
        LOCAL,
        "            _sync_folder(target.parent)\n",
        "",
        DURABLE,
    ),
    Bug(
        "a copy's file is named by its request alone",
        MAKING,
        'name = f"copies/{order.spec.delivery.lower()}-{report.sha256[:16]}.pdf"',
        'name = f"copies/{order.ready.request.number.lower()}.pdf"',
        ("tests/flows/test_masters.py::test_the_whole_files_of_one_request_lie_apart",),
    ),
    Bug(
        "a copy is not checked before it is published",
        "drm/pdf/verifying.py",
        "        return Verdict(False, refusal.code, refusal.text)\n",
        '        return Verdict(True, "", "", "", 0, False)\n',
        ("tests/drm/pdf/test_whole_copies.py",),
    ),
    Bug(
        "turned pages have their stamp outside of what is shown",
        "drm/pdf/geometry.py",
        "            return 0, scale, -scale, 0, self.right, self.bottom\n",
        "            return 0, scale, scale, 0, self.right, self.bottom\n",
        ("tests/drm/pdf_drawing/test_geometry.py",),
    ),
    Bug(
        "only the catalog is cleaned of actions and no page",
        "drm/pdf/sanitise.py",
        "    for holder, key in walk.all() if emptied else walk:\n",
        "    for holder, key in ():\n",
        ("tests/drm/pdf/test_sanitise.py",),
    ),
    Bug(
        "streams unpack without a limit",
        "drm/pdf/sandbox_tasks.py",
        "    pikepdf.settings.set_qpdf_limits(\n",
        "    dict(\n",
        ("tests/drm/pdf/test_refusals.py", "tests/hostile/test_poison.py"),
    ),
    Bug(
        "a name that the fonts lack is drawn all the same",
        "drm/pdf/names.py",
        "    except MissingGlyph:\n        return False\n",
        "    except MissingGlyph:\n        return True\n",
        ("tests/drm/pdf_drawing/test_names.py",),
    ),
    Bug(
        "a name is resolved again when connecting",
        "fetchers/http.py",
        "return httpx.URL(url).copy_with(host=target.address)",
        "return httpx.URL(url)",
        ("tests/fetchers/test_http.py",),
    ),
    Bug(
        "where a redirect leads is not checked",
        "fetchers/http.py",
        "            target = check_url(url, self._resolver, self._allowed, self._hosts)\n"
        "            with self._send(url, target, end, content, more) as answer:\n",
        "            if _ == 0:\n"
        "                target = check_url(url, self._resolver, self._allowed, self._hosts)\n"
        "            else:\n"
        "                place = httpx.URL(url)\n"
        "                target = Target(place.scheme, place.host, place.port or 80, place.host)\n"
        "            with self._send(url, target, end, content, more) as answer:\n",
        ("tests/fetchers/test_http.py",),
    ),
    Bug(
        "only the packed bytes of an answer are counted",
        "fetchers/http.py",
        '            raise FetchFailed("server-error", "The source sends a packed answer that was not asked for.")\n'
        "        self._pieces = answer.iter_raw(65_536)\n",
        "            self._pieces = iter([b''.join(answer.iter_bytes(65_536))])\n"
        "        else:\n"
        "            self._pieces = answer.iter_raw(65_536)\n",
        ("tests/fetchers/test_http.py",),
    ),
    Bug(
        "what a bucket gives is not compared with what was published",
        "delivery/services/copy_reading.py",
        "        if at != size or seen.hexdigest() != digest:\n",
        "        if at != size:\n",
        ("tests/faults/test_buckets.py",),
    ),
    Bug(
        "a copy is asked of a bucket as a range",
        "delivery/services/copy_reading.py",
        "_proved(ctx.blobs.open(delivery.blob), size, digest)",
        "ctx.blobs.open(delivery.blob, 0, size)",
        ("tests/faults/test_buckets.py",),
    ),
    Bug(
        "a copy is withdrawn because the bucket is away",
        "delivery/services/checking.py",
        "        if problem.code in waits:\n            raise\n",
        "",
        ("tests/faults/test_buckets.py",),
    ),
    Bug(
        "lost copies are withdrawn though nobody said so",
        "delivery/services/reissuing.py",
        "PASSING if withdraw else _Everything()",
        "PASSING",
        ("tests/flows/test_restoring.py",),
    ),
)
