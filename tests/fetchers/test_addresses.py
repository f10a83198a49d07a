"""What may not be connected to: every known disguise of an address in our own network, and what may."""

from __future__ import annotations

import pytest

from delivery.sources import FetchFailed
from fetchers.addresses import check_url, permitted

PUBLIC = "93.184.216.34"
PRIVATE_ADDRESSES = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.254", "127.0.0.1", "127.255.255.254",
    "169.254.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.7", "192.168.0.1", "198.18.0.1",
    "198.19.255.255", "198.51.100.9", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "64:ff9b::7f00:1", "64:ff9b::a00:1",
    "64:ff9b:1::1", "100::1", "2001::1", "2001:10::1", "2001:db8::1", "2002:7f00:1::", "2002:c0a8:101::1", "fc00::1",
    "192.88.99.1", "::ffff:0:7f00:1", "3fff::1", "5f00::1", "2a00:1450::5efe:7f00:1", "2a00:1450::200:5efe:a00:1",
    "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1", "not-an-address", "",
]  # fmt: skip
REFUSED_URLS = [
    "http://127.0.0.1/", "http://127.1/", "http://127.0.1/", "http://0/", "http://0.0.0.0/", "http://2130706433/",
    "http://0x7f000001/", "http://0x7f.0x0.0x0.0x1/", "http://0177.0.0.1/", "http://0177.0000.0000.0001/", "http://017700000001/",
    "http://127.0.0.1./", "http://[::1]/", "http://[::]/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/",
    "http://[0:0:0:0:0:ffff:7f00:0001]/", "http://[64:ff9b::7f00:1]/", "http://[fe80::1%25eth0]/", "http://[fd00::1]/",
    "http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/", "http://192.168.0.1/", "http://172.16.5.5/",
    "file:///etc/passwd", "ftp://example.org/a", "gopher://example.org/", "dict://example.org/", "ldap://example.org/",
    "javascript:alert(1)", "data:application/pdf,%25PDF", "//example.org/a", "example.org/a", "", "http://", "http:///a",
    "http://user@example.org/", "http://user:pw@example.org/", "http://example.org@127.0.0.1/", "http://:@example.org/",
    "http://example.org:22/", "http://example.org:25/", "http://example.org:6379/", "http://example.org:8080/", "https://example.org:80000/",
    "http://example.org:abc/", "http://example.org\\@127.0.0.1/", "http://exam\nple.org/", "http://example.org/a b", "http://exa\tmple.org/",
    "http://example.org/\0", " http://example.org/", "http://１２７.０.０.１/", "http://①②⑦.⓪.⓪.①/", "http://127。0。0。1/",
    "http://" + "a" * 70 + ".example/", "http://example.org/" + "a" * 5000, "http://[::1", "http://[v1.a]/", "http://-/",
    "http://example.org/\x7f", "http://example.org/\x85", "http://example.org/\x9f", "http://example.org/?q=\ud800",
]  # fmt: skip
GOOD_URLS = [
    "http://example.org/", "https://example.org/a.pdf", "https://example.org:443/a", "http://example.org:80/a?b=c#d",
    "https://EXAMPLE.org/A", "https://xn--fiqs8s.example/", "https://図書館.example/論文.pdf".replace("論文", "a"),
    "https://8.8.8.8/a", "https://[2606:2800:220:1:248:1893:25c8:1946]/a", "https://example.org./a",
]  # fmt: skip


def public(host: str, port: int) -> list[str]:
    return [host] if ":" in host or host.replace(".", "").isdecimal() else [PUBLIC]


@pytest.mark.parametrize("address", PRIVATE_ADDRESSES)
def test_an_address_that_is_not_public_is_not_permitted(address: str) -> None:
    assert not permitted(address)


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450:4001::1"])
def test_a_public_address_is_permitted(address: str) -> None:
    assert permitted(address)


@pytest.mark.parametrize("url", REFUSED_URLS)
def test_a_disguised_or_odd_url_is_refused_whatever_the_resolver_says(url: str) -> None:
    def honest(host: str, port: int) -> list[str]:
        import socket

        return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST)] or [PUBLIC]

    with pytest.raises(FetchFailed):
        check_url(url, honest)


@pytest.mark.parametrize(
    "url",
    [url for url in REFUSED_URLS if not url.startswith(("http://1", "http://[", "http://0", "http://①", "http://１"))],
)
def test_what_is_odd_by_itself_is_refused_before_any_name_is_resolved(url: str) -> None:
    def never(host: str, port: int) -> list[str]:
        if host == "-":
            raise OSError("no such name")
        raise AssertionError(f"{host} was resolved")

    with pytest.raises(FetchFailed):
        check_url(url, never)


@pytest.mark.parametrize("url", GOOD_URLS)
def test_an_ordinary_url_passes_with_one_fixed_address(url: str) -> None:
    target = check_url(url, public)

    assert permitted(target.address)
    assert target.port in {80, 443}


def test_one_private_answer_among_public_ones_is_refused() -> None:
    with pytest.raises(FetchFailed) as refused:
        check_url("http://mixed.example/", lambda host, port: [PUBLIC, "127.0.0.1"])

    assert refused.value.code == "refused-address"


def test_a_name_is_resolved_once_so_that_a_second_answer_never_counts() -> None:
    answers = iter([[PUBLIC], ["127.0.0.1"]])

    target = check_url("http://rebinding.example/", lambda host, port: next(answers))

    assert target.address == PUBLIC
    assert next(answers) == ["127.0.0.1"], "the second answer was not asked for"


def test_a_source_that_may_only_lead_to_named_hosts_leads_nowhere_else() -> None:
    hosts = frozenset({"api.example.org"})

    assert check_url("https://api.example.org/", public, hosts=hosts).host == "api.example.org"
    with pytest.raises(FetchFailed):
        check_url("https://other.example.org/", public, hosts=hosts)
