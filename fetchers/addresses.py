"""Which addresses we may connect to: everything public, nothing of our own network (SSRF guard)."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from delivery.sources import FetchFailed

Resolver = Callable[[str, int], list[str]]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# ``is_global`` alone lets through addresses that embed a private one (NAT64, 6to4, v4-compatible, SIIT), multicast, and what was
# set aside after this Python was made (documentation, segment routing).
DENIED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/96",
        "::ffff:0:0/96",
        "::ffff:0:0:0/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)
ISATAP = frozenset({0x00005EFE, 0x02005EFE})
"""What stands before the IPv4 address that an interface's half of an address embeds (RFC 5214), in whatever network."""
PORTS = frozenset({80, 443})
# Blanks, controls, surrogates, and the stroke that some take for a slash.
UNWRITABLE = re.compile("[\0- \\\\\x7f-\x9f\ud800-\udfff]")
# Host names that are numbers in disguise: 2130706433, 0x7f000001, 0177.0.0.1, 127.1
NUMERIC = re.compile(r"(?i)(0x[0-9a-f]*|\d+)(\.(0x[0-9a-f]*|\d+)){0,3}\.?")


@dataclass(frozen=True)
class Target:
    """A checked place to connect to: the address is fixed, the name serves for Host and certificate."""

    scheme: str
    host: str
    port: int
    address: str


def permitted(address: str) -> bool:
    """Whether an address is public."""
    try:
        ip: Address = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    if ip.version == 6 and int(ip) >> 32 & 0xFFFFFFFF in ISATAP:
        return False
    return ip.is_global and not any(ip.version == network.version and ip in network for network in DENIED)


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a name, by the system's resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def check_url(
    url: str,
    resolver: Resolver = resolve,
    allowed: frozenset[tuple[str, int]] = frozenset(),
    hosts: frozenset[str] | None = None,
) -> Target:
    """Parse once, resolve once, check every address; FetchFailed("refused-address") for what we do not connect to.

    ``allowed`` names (host, port) pairs that pass unchecked: for tests and sources in the own network. ``hosts``, where given, lists
    the only names a source may lead to.
    """
    refused = FetchFailed("refused-address", "The address is not one that this service connects to.")
    if len(url) > 4096 or UNWRITABLE.search(url):
        raise refused
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host = (
            (parts.hostname or "").encode("idna").decode("ascii")
            if parts.hostname and ":" not in parts.hostname
            else parts.hostname or ""
        )
    except ValueError:
        raise refused from None
    if parts.scheme not in {"http", "https"} or not host or parts.username is not None or parts.password is not None:
        raise refused
    if (host, port) in allowed:
        return Target(parts.scheme, host, port, host)
    if (
        port not in PORTS
        or (NUMERIC.fullmatch(host) and not _plain_v4(host))
        or (hosts is not None and host not in hosts)
    ):
        raise refused
    try:
        addresses = resolver(host, port)
    except (OSError, UnicodeError) as error:
        raise FetchFailed("network", f"The name {host} cannot be resolved.", False) from error
    # One private address among public ones is refused too: which one is used would be left to chance.
    if not addresses or not all(permitted(address) for address in addresses):
        raise refused
    return Target(parts.scheme, host, port, addresses[0])


def _plain_v4(host: str) -> bool:
    try:
        return str(ipaddress.IPv4Address(host)) == host
    except ValueError:
        return False
