"""What a rights officer hands to a publisher: it can be checked without the service, and names nobody."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from delivery.errors import Conflict, NotAllowed, NotFound
from delivery.people import Role
from delivery.services import expiring, governing
from delivery.services.checkpointing import make_checkpoint
from delivery.services.evidence import evidence_bundle, proof_file, show_event
from delivery.services.forgetting import forget
from drm.audit.notes import COSIGNED, Signer, read_note
from drm.audit.proofs import check_proof, read_proof
from tests.behaviours.test_link_promises import supplied
from tests.delivery.web_test_support import signed_in
from tests.flows.test_log import events, execute, sign, verified
from tests.serving.shop import open_window
from tests.world import OPEN_AGREEMENT, World


@pytest.fixture
def delivered(world: World) -> str:
    """The number of a copy, its events signed."""
    delivery = supplied(world).number
    make_checkpoint(world.ctx, world.services.keys.audit, at_once=True)
    return delivery


def unpacked(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as bundle:
        assert bundle.testzip() is None
        return {name: bundle.read(name) for name in bundle.namelist()}


def test_the_bundle_of_a_delivery_holds_all_of_it_and_every_proof_holds(world: World, delivered: str) -> None:
    files = unpacked(evidence_bundle(world.ctx, world.officer, delivered))

    assert {"request.json", "decision.json", "decision.txt", "delivery.json", "opens.json", "keys", "README.txt"} < set(
        files
    )
    assert files["agreements/open@1.toml"].decode().startswith("\nvocabulary = 1")
    assert json.loads(files["decision.json"])["decision"]["outcome"] == "allow"
    assert json.loads(files["delivery.json"])["stamp"]["shown_name"] is True
    proofs = [name for name in files if name.endswith(".tlog-proof")]
    kinds = set()
    for name in proofs:
        entry = files[name.replace(".tlog-proof", ".json")]
        check_proof(read_proof(files[name]), entry, world.ctx.log.keys.verifiers)
        kinds.add(json.loads(entry)["kind"])
    assert {"request:created", "copy:supplied"} <= kinds


def test_the_bundle_names_no_reader(world: World, delivered: str) -> None:
    content = b"".join(unpacked(evidence_bundle(world.ctx, world.officer, delivered)).values()).decode()

    for secret in (world.reader.name, world.reader.email, world.reader.id):
        assert secret not in content


def test_the_bundles_own_script_checks_its_proofs(world: World, delivered: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(evidence_bundle(world.ctx, world.officer, delivered))) as bundle:
        bundle.extractall(tmp_path)
    told = (tmp_path / "README.txt").read_text(encoding="utf-8")
    key = world.ctx.log.keys.verifiers[0]

    assert str(key) in told
    for proof in (tmp_path / "events").glob("*.tlog-proof"):
        code, said = verified("--key", key, "--proof", proof, "--entry", proof.with_suffix(".json"))
        assert code == 0, said


def whole_bundle(world: World, folder: Path) -> tuple[int, str]:
    """What the bundle's own script says of it, beside nothing but what the bundle holds."""
    command = [sys.executable, str(folder / "verify_bundle.py"), ".", "--key", str(world.ctx.log.keys.verifiers[0])]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"}
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def bundle(world: World, tmp_path: Path) -> Path:
    """A bundle of an opened copy under an agreement that two officers confirmed, unpacked."""
    draft = OPEN_AGREEMENT.replace("version = 1\n[", "version = 2\n[")
    governing.save_draft(world.ctx, world.officer, draft)
    governing.propose(world.ctx, world.officer, "open", 2, "")
    governing.confirm(world.ctx, world.add_person("Brid", Role.RIGHTS_OFFICER), "open", 2, "")
    delivery = supplied(world)
    open_window(world, delivery.number)
    make_checkpoint(world.ctx, world.services.keys.audit, at_once=True)
    with zipfile.ZipFile(io.BytesIO(evidence_bundle(world.ctx, world.officer, delivery.number))) as packed:
        packed.extractall(tmp_path / "bundle")
    return tmp_path / "bundle"


def test_the_bundles_own_script_holds_every_file_against_the_events(world: World, bundle: Path) -> None:
    code, said = whole_bundle(world, bundle)

    assert code == 0, said
    assert "agreements/open@2.toml" not in said.partition("not bound")[2]
    assert "citation" in said.partition("not bound")[2]


CHANGES = {
    "agreements/open@2.toml": ("le = 1", "le = 9"),
    "decision.json": ('"copies": 1', '"copies": 9'),
    "delivery.json": ('"sha256": "', '"sha256": "0'),
    "opens.json": ("window:opened", "window:served"),
    "request.json": ('"number": "TR-', '"number": "TX-'),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_file_of_a_bundle_that_was_changed_is_named(world: World, bundle: Path, name: str) -> None:
    file = bundle / name
    before = file.read_text(encoding="utf-8")
    file.write_text(before.replace(*CHANGES[name], 1), encoding="utf-8")

    code, said = whole_bundle(world, bundle)

    assert file.read_text(encoding="utf-8") != before
    assert (code, "BAD" in said, name.partition("@")[0] in said) == (1, True, True), said


@pytest.mark.parametrize("change", ["entry", "without proof", "numbers swapped", "all gone"])
def test_events_of_a_bundle_that_were_changed_are_named(world: World, bundle: Path, change: str) -> None:
    first, second = sorted((bundle / "events").glob("*.json"))[:2]
    if change == "entry":
        first.write_bytes(first.read_bytes().replace(b'"seq"', b'"sEq"'))
    elif change == "without proof":
        first.with_suffix(".tlog-proof").unlink()
    elif change == "numbers swapped":
        for suffix in (".json", ".tlog-proof"):
            one, two = first.with_suffix(suffix), second.with_suffix(suffix)
            held = one.read_bytes()
            one.write_bytes(two.read_bytes())
            two.write_bytes(held)
    else:
        for path in (bundle / "events").iterdir():
            path.unlink()

    code, said = whole_bundle(world, bundle)

    assert (code, said.startswith("BAD: ")) == (1, True), said


def test_that_a_bundle_was_made_is_an_event(world: World, delivered: str) -> None:
    data = evidence_bundle(world.ctx, world.officer, delivered)

    assert world.kinds(json.loads(unpacked(data)["request.json"])["number"])[-1] == "log:exported"


def test_only_a_rights_officer_gets_proofs(world: World, delivered: str) -> None:
    for person in (world.librarian, world.reader):
        with pytest.raises(NotAllowed):
            show_event(world.ctx, person, 1)
        with pytest.raises(NotAllowed):
            proof_file(world.ctx, person, 1)
        with pytest.raises(NotAllowed):
            evidence_bundle(world.ctx, person, delivered)


def test_an_event_that_is_not_signed_yet_is_shown_as_such(world: World, delivered: str) -> None:
    events(world, 1)
    with world.store.read() as work:
        newest = work.log.size()

    assert show_event(world.ctx, world.officer, newest).proved is None
    with pytest.raises(NotFound):
        proof_file(world.ctx, world.officer, newest)
    page = signed_in(world.staff_app(), world.officer).get(f"/rights/log/{newest}").get_data(as_text=True)
    assert "Not signed yet" in page
    sign(world)
    assert show_event(world.ctx, world.officer, newest).proved is not None


@pytest.mark.parametrize("what", ["leaf = leaf || 'x'", "library_id = 'harbeur'", "leaf = ''"])
def test_an_event_that_was_changed_is_shown_as_broken_and_is_no_evidence(
    world: World, delivered: str, what: str
) -> None:
    change = f"UPDATE audit_events SET {what} WHERE seq = 2"
    execute(world, "DROP TRIGGER audit_events_no_update", change)

    page = signed_in(world.staff_app(), world.officer).get("/rights/log/2").get_data(as_text=True)

    assert "The log is broken" in page
    with pytest.raises(Conflict, match="event 2"):
        proof_file(world.ctx, world.officer, 2)


def test_only_a_known_witness_whose_signature_holds_is_named(world: World, delivered: str) -> None:
    known, stranger = (Signer(f"{name}.example/w", name.encode().ljust(32), COSIGNED) for name in ("known", "stranger"))
    world.ctx = replace(world.ctx, log=replace(world.ctx.log, witnesses=(known.verifier,)))
    with world.store.write() as work:
        last = work.tree.last_checkpoint()
        assert last is not None
        for signer in (known, stranger):
            line = signer.line(read_note(last.note).text, 1_800_000_000)
            work.tree.add_cosignature(last.size, signer.name, line, world.clock())

    assert show_event(world.ctx, world.officer, 1).proved.witnesses == (known.name,)  # type: ignore[union-attr]


def test_a_reader_who_is_erased_leaves_every_proof_as_it_was(world: World, delivered: str) -> None:
    before = proof_file(world.ctx, world.officer, 1)
    world.clock.move(timedelta(days=400))
    expiring.expire_links(world.ctx)
    forget(world.ctx, world.reader, "system")

    sign(world)
    check_proof(read_proof(before), show_event(world.ctx, world.officer, 1).entry, world.ctx.log.keys.verifiers)
    assert world.ctx.check_log().whole
    assert show_event(world.ctx, world.officer, 1).proved is not None
    with world.store.read() as work:
        content = b"".join(row.leaf for row in work.log.rows())
    assert world.reader.email.encode() not in content


def test_the_page_of_an_event_shows_its_proof(world: World, delivered: str) -> None:
    client = signed_in(world.staff_app(), world.officer)

    page = client.get("/rights/log/1").get_data(as_text=True)
    file = client.get("/rights/log/1/proof")

    assert "Proved" in page
    assert show_event(world.ctx, world.officer, 1).proved.root in page  # type: ignore[union-attr]
    assert file.get_data().startswith(b"c2sp.org/tlog-proof@v1\nindex 0\n")
    for number in (0, 99999, 2**63 - 1, 2**63, 10**20):
        assert client.get(f"/rights/log/{number}").status_code == 404
        assert client.get(f"/rights/log/{number}/proof").status_code == 404
    assert client.get("/rights/log/1?lang=zh").get_data(as_text=True).count("已证明") == 1
