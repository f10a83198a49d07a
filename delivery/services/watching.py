"""Links that are asked for from many networks: noted without an address, told to staff, withdrawn by them."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from dataclasses import dataclass
from datetime import datetime

from delivery.copies import CopyState, Delivery
from delivery.document_request import DocumentRequest
from delivery.errors import NotFound
from delivery.people import Person, Role
from delivery.ports import Work
from delivery.services import linking
from delivery.services.context import Context, require
from delivery.watching import Alarm, AlarmKind
from drm.audit.events import Event

MOST_NETWORKS = 200
"""No more are noted for one link at a time: a crowd must not fill the database."""
SHOWN = 50


@dataclass(frozen=True)
class ShownAlarm:
    """An alarm with what it is about; ``live`` where there is a link to withdraw."""

    alarm: Alarm
    delivery: Delivery | None = None
    request: DocumentRequest | None = None
    live: bool = False


def network_of(address: str) -> str:
    """The /24 or /48 an address lies in; "unknown" for what is no address."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return str(ipaddress.ip_network((ip, 24 if ip.version == 4 else 48), strict=False))


def asked_from(ctx: Context, delivery: Delivery, address: str) -> None:
    """Note that a network asked for a link. Nothing is written for one that is known.

    Machines that only look are not to be noted, and open access is nobody's secret.
    """
    with ctx.store.read() as work:
        network = news(ctx, work, delivery, address)
    note(ctx, delivery, network)


def news(ctx: Context, work: Work, delivery: Delivery, address: str) -> str:
    """The network of an address as a link knows it, where that is to be noted; "" where it is known, or nothing is noted."""
    if not ctx.settings.overshared_networks or delivery.open_access or delivery.state is not CopyState.LIVE:
        return ""
    names = _names(ctx, delivery, address)
    since = ctx.clock() - ctx.settings.overshared_within
    return "" if work.watch.link_known_from(delivery.number, names, since) else names[-1]


def _names(ctx: Context, delivery: Delivery, address: str) -> list[str]:
    """The network's name under each key, the present one last: a new key makes no second network of one.

    Equal only for one link: nobody can follow a network from link to link, and without the key nobody can find it.
    """
    told = f"{delivery.number}|{network_of(address)}".encode()
    return [hmac.new(key, told, hashlib.sha256).hexdigest() for key in ctx.ring.all_for("rushlight.link-network.v1")]


def note(ctx: Context, delivery: Delivery, network: str) -> None:
    """Note the network of a link, if any, and raise the alarm where they are as many as the setting says."""
    if network:
        with ctx.store.write() as work:
            _note(ctx, work, delivery, network, ctx.clock())


def _note(ctx: Context, work: Work, delivery: Delivery, network: str, now: datetime) -> None:
    since = now - ctx.settings.overshared_within
    most = max(MOST_NETWORKS, ctx.settings.overshared_networks)
    count = work.watch.link_asked_from(delivery.number, network, now, since, most)
    if count < ctx.settings.overshared_networks:
        return
    alarm = Alarm(AlarmKind.LINK, delivery.number, delivery.library_id, count, now, now)
    if work.watch.raise_alarm(alarm, add=False):
        work.record(
            Event(
                "link:overshared",
                now,
                "system",
                delivery.library_id,
                delivery.request,
                delivery.number,
                counts={"networks": count},
            )
        )


def alarms(ctx: Context, staff: Person) -> tuple[ShownAlarm, ...]:
    """The newest alarms: of his library for a librarian, of all libraries for a rights officer or operator."""
    require(staff, Role.LIBRARIAN, Role.RIGHTS_OFFICER, Role.OPERATOR)
    everywhere = staff.roles & {Role.RIGHTS_OFFICER, Role.OPERATOR}
    now = ctx.clock()
    shown = []
    with ctx.store.read() as work:
        for alarm in work.watch.alarms("" if everywhere else staff.library_id, SHOWN):
            if alarm.kind is not AlarmKind.LINK:
                shown.append(ShownAlarm(alarm))
                continue
            try:
                delivery = work.deliveries.get(alarm.subject)
            except NotFound:  # its record was purged meanwhile
                continue
            live = delivery.state is CopyState.LIVE and (delivery.expires_at is None or delivery.expires_at > now)
            shown.append(ShownAlarm(alarm, delivery, work.requests.get(delivery.request), live))
    return tuple(shown)


def withdraw(ctx: Context, staff: Person, alarm_id: int, reason: str) -> None:
    """Withdraw the copy that an alarm is about, at once. NotFound for another library's."""
    require(staff, Role.LIBRARIAN, Role.RIGHTS_OFFICER)
    with ctx.store.read() as work:
        alarm = work.watch.alarm(alarm_id)
    elsewhere = staff.library_id != alarm.library_id and not staff.roles & {Role.RIGHTS_OFFICER, Role.OPERATOR}
    if elsewhere or alarm.kind is not AlarmKind.LINK:
        # In the words for an alarm that is not there: another library's is not even told to exist.
        raise NotFound("unknown-alarm", "There is no such alarm.")
    linking.revoke(ctx, staff, alarm.subject, reason)
