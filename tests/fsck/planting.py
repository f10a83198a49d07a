"""A used installation to plant violations in, and what plants them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

from admin.fsck.examining import examine, patience_of
from admin.settings import Settings
from admin.wiring import Services, build_services
from delivery.services import downloading, linking, requesting
from delivery.violations import Patience, Violation
from drm.pdf.policy import Policy
from tests.packed import taught
from tests.world import LIMITED, Clock, World, make_world

GRACE = timedelta(hours=24)


@dataclass
class Used:
    """A world after some days of work: numbers of its requests by what became of them."""

    world: World
    opened: str
    whole: str
    at_desk: str
    revoked: str

    @property
    def services(self) -> Services:
        """What fsck is given."""
        return self.world.services

    def patience(self) -> Patience:
        """The patience of a run now."""
        return patience_of(self.services, GRACE)

    def found(self, deep: bool = False) -> list[Violation]:
        """Everything that fsck finds."""
        return list(examine(self.services, self.patience(), deep))

    def codes(self, deep: bool = False) -> set[str]:
        """The codes of what it finds."""
        return {one.code for one in self.found(deep)}

    def sql(self, statement: str, **values: Any) -> int:
        """Change the database behind the service's back; how many rows."""
        engine = self.services.engine.execution_options(rushlight_write=True)
        with engine.begin() as connection:
            return taught(connection).execute(text(statement), values).rowcount

    def unguard_log(self) -> None:
        """Take the triggers of the log away, as somebody with the database in hand can."""
        if self.services.engine.dialect.name == "postgresql":
            self.sql("ALTER TABLE audit_events DISABLE TRIGGER USER")
            return
        with self.services.engine.connect() as connection:
            names = connection.exec_driver_sql(
                "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_events'"
            ).scalars()
            found = list(names)
        for name in found:
            self.sql(f"DROP TRIGGER {name}")

    def delivery(self, number: str) -> str:
        """The number of a request's copy."""
        return self.world.delivery(number).number

    def blobs(self, kind: str) -> list[Path]:
        """Files of a kind in the local store."""
        return sorted((self.services.settings.blob_folder / kind).rglob("*.pdf"))


def use(world: World) -> Used:
    """Ask, deliver, open, withdraw and leave one at the desk, all under an agreement with a limit."""
    world.load(LIMITED.format(most=4, per="reader", effect="deny"))
    world.bind("collection", ["limited"])
    world.bind("desk", ["limited"])
    opened = world.ask().number
    revoked = world.ask(world.other, doi="10.5555/lantern.2022.0002").number
    cancelled = world.ask(world.other, doi="10.5555/lantern.2019.0003").number
    requesting.cancel(world.ctx, world.other, cancelled)
    world.work()
    rewriting = replace(world.ctx, settings=replace(world.ctx.settings, pdf_policy=Policy(engine="rewrite")))
    plain = replace(world, ctx=rewriting)
    whole = plain.ask(world.other).number
    plain.work()
    at_desk = world.ask(title="Nobody has this one", year="2020").number
    world.work()
    token = world.ctx.links.sign(world.delivery(opened).number)
    downloading.open_window(world.ctx, token, downloading.look(world.ctx, token).nonce, world.reader)
    linking.revoke(world.ctx, world.officer, world.delivery(revoked).number, "The wrong article.", give_back=True)
    world.work()
    return Used(world, opened, whole, at_desk, revoked)


def make_used(folder: Path, collection: Path, database: str = "", **more: str) -> Used:
    """A fresh one."""
    return use(make_world(folder, collection, database, **more))


def copy_of(used: Used, folder: Path) -> Iterator[Used]:
    """The same installation in a folder of its own; closed at the end."""
    shutil.copytree(used.services.settings.home, folder, dirs_exist_ok=True, copy_function=shutil.copy2)
    settings = Settings(home=folder, _env_file=None)
    clock = Clock(used.world.clock.now)
    services = build_services(settings, clock=clock)
    ctx = replace(services.ctx, mailer=used.world.post)
    own = replace(used, world=replace(used.world, services=services, ctx=ctx, clock=clock))
    try:
        yield own
    finally:
        own.world.close()


def age(path: Path) -> None:
    """Let a file look as if it had been written years ago."""
    os.utime(path, (1_500_000_000, 1_500_000_000))
