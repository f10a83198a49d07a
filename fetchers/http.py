"""The one guarded HTTP client: checked addresses, own redirects, deadlines, caps."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode, urljoin

import httpx

from delivery.sources import Fetched, FetchFailed, receive
from fetchers.addresses import Resolver, Target, check_url, resolve
from fetchers.deadlines import ends_at, transport

REDIRECTS = 5
NONE: Mapping[str, str] = MappingProxyType({})
MOST_JSON = 2 * 1024 * 1024
STATUS = {
    401: ("login-page", "The source asks for a sign-in."),
    403: ("login-page", "The source refuses us."),
    404: ("not-found", "The source does not know this address."),
    410: ("not-found", "The source says that it is gone."),
    429: ("rate-limited", "The source asks us to come more slowly."),
}


@dataclass(frozen=True)
class Patience:
    """Longest times in seconds."""

    connect: float = 5.0
    read: float = 20.0
    total: float = 120.0


class GuardedHttp:
    """Fetches over HTTP without ever touching an address of our own network. Connections that are not ``lasting`` serve once."""

    def __init__(
        self,
        agent: str,
        patience: Patience = Patience(),
        most_bytes: int = 512 * 1024 * 1024,
        resolver: Resolver = resolve,
        allowed: frozenset[tuple[str, int]] = frozenset(),
        hosts: frozenset[str] | None = None,
        verify: Any = True,
        lasting: bool = True,
    ) -> None:
        self._agent, self._patience, self._most = agent, patience, most_bytes
        self._lasting = lasting
        self._resolver, self._allowed, self._hosts = resolver, allowed, hosts
        timeout = httpx.Timeout(patience.read, connect=patience.connect)
        self._client = httpx.Client(
            trust_env=False, follow_redirects=False, timeout=timeout, transport=transport(verify)
        )

    def fetch_pdf(self, url: str, into: Path, deadline: float) -> Fetched:
        """Bring a PDF to ``into``; FetchFailed with a code, and nothing left behind."""
        with self._answer(url, deadline) as (answer, end):
            declared = _length(answer)
            body = _Body(answer, end)
            return receive(body, into, self._most, declared)  # type: ignore[arg-type]  # only read() is used

    def get_json(
        self, url: str, deadline: float, form: Mapping[str, str] | None = None, authorization: str = ""
    ) -> Any:
        """A small JSON answer; to a POST where a form is given. With a form or an authorization no redirect is followed."""
        more = {"Accept": "application/json"} if form is not None or authorization else {}
        content = None if form is None else urlencode(form).encode()
        if content is not None:
            more["Content-Type"] = "application/x-www-form-urlencoded"
        if authorization:
            more["Authorization"] = authorization
        with self._answer(url, deadline, content, more) as (answer, end):
            body = _Body(answer, end)
            data = io.BytesIO()
            while piece := body.read(65_536):
                if data.tell() + len(piece) > MOST_JSON:
                    raise FetchFailed("too-large", "The answer is too long.")
                data.write(piece)
        try:
            return json.loads(data.getvalue())
        except (ValueError, RecursionError):
            raise FetchFailed("server-error", "The source's answer cannot be read.", False) from None

    def post(self, url: str, content: bytes, deadline: float) -> tuple[int, str, bytes]:
        """Send bytes; the answer's status, kind and small body. No redirect is followed, and no status is an error."""
        end = min(deadline, time.monotonic() + self._patience.total)
        target = check_url(url, self._resolver, self._allowed, self._hosts)
        with self._send(url, target, end, content) as answer:
            body, data = _Body(answer, end), io.BytesIO()
            while piece := body.read(65_536):
                if data.tell() + len(piece) > MOST_JSON:
                    raise FetchFailed("too-large", "The answer is too long.")
                data.write(piece)
            kind = answer.headers.get("content-type", "").partition(";")[0].strip()
            return answer.status_code, kind, data.getvalue()

    @contextmanager
    def _answer(
        self, url: str, deadline: float, content: bytes | None = None, more: Mapping[str, str] = NONE
    ) -> Iterator[tuple[httpx.Response, float]]:
        end = min(deadline, time.monotonic() + self._patience.total)
        for _ in range(REDIRECTS + 1):
            target = check_url(url, self._resolver, self._allowed, self._hosts)
            with self._send(url, target, end, content, more) as answer:
                if answer.is_redirect and more:
                    raise FetchFailed("bad-redirect", "What is secret is not sent on to another address.")
                if answer.is_redirect:
                    following = _following(url, answer.headers.get("location", ""))
                    if target.scheme == "https" and not following.startswith("https:"):
                        raise FetchFailed("bad-redirect", "The source leads from a secure address to an insecure one.")
                    url = following
                    continue
                _check_status(answer)
                yield answer, end
                return
        raise FetchFailed("bad-redirect", f"More than {REDIRECTS} redirects.")

    @contextmanager
    def _send(
        self, url: str, target: Target, end: float, content: bytes | None = None, more: Mapping[str, str] = NONE
    ) -> Iterator[httpx.Response]:
        if time.monotonic() >= end:
            raise FetchFailed("timeout", "The source took too long.", False)
        # Connect to the address that was checked, under the name that was asked for.
        place = _place(url, target)
        standard = target.port == (443 if target.scheme == "https" else 80)
        host = f"[{target.host}]" if ":" in target.host else target.host
        headers = {
            "Host": host if standard else f"{host}:{target.port}",
            "User-Agent": self._agent,
            "Accept": "application/pdf, application/json;q=0.9, */*;q=0.1",
            "Accept-Encoding": "identity",
        }
        method = "GET" if content is None else "POST"
        if content is not None:
            headers |= {"Accept": "*/*", "Content-Type": "text/plain; charset=utf-8"}
        if not self._lasting:
            headers["Connection"] = "close"
        sni, headers = {"sni_hostname": target.host}, {**headers, **more}
        request = self._client.build_request(method, place, headers=headers, content=content, extensions=sni)
        try:
            with ends_at(end):
                answer = self._client.send(request, stream=True)
        except httpx.TimeoutException as error:
            raise FetchFailed("timeout", "The source does not answer in time.", False) from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            raise FetchFailed("network", f"The source cannot be reached ({type(error).__name__}).", False) from error
        try:
            yield answer
        finally:
            answer.close()


class _Body:
    """The body as a file to read from, within the deadline. A body coded against our wish is refused."""

    def __init__(self, answer: httpx.Response, end: float) -> None:
        if answer.headers.get("content-encoding", "identity").lower() not in {"", "identity"}:
            raise FetchFailed("server-error", "The source sends a packed answer that was not asked for.")
        self._pieces = answer.iter_raw(65_536)
        self._end = end

    def read(self, size: int) -> bytes:
        """The next piece, b"" at the end."""
        if time.monotonic() >= self._end:
            raise FetchFailed("timeout", "The source took too long.", False)
        try:
            with ends_at(self._end):
                return next(self._pieces, b"")
        except httpx.TimeoutException as error:
            raise FetchFailed("timeout", "The source stopped sending.", False) from error
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            raise FetchFailed("truncated", "The transfer broke off.", False) from error


def _following(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        raise FetchFailed("bad-redirect", "The source leads to what is no address.") from None


def _place(url: str, target: Target) -> httpx.URL:
    """The address that was checked. httpx has rules of its own for what an address may be."""
    try:
        return httpx.URL(url).copy_with(host=target.address)
    except (httpx.InvalidURL, ValueError):
        raise FetchFailed("refused-address", "The address is not one that this service connects to.") from None


def _length(answer: httpx.Response) -> int | None:
    values = {value.strip() for value in answer.headers.get("content-length", "").split(",") if value.strip()}
    if not values:
        return None
    if len(values) > 1 or not (value := values.pop()).isdecimal():
        raise FetchFailed("server-error", "The source contradicts itself about the length.")
    return int(value)


def _check_status(answer: httpx.Response) -> None:
    status = answer.status_code
    if status == 200:
        return
    if status in STATUS:
        code, text = STATUS[status]
        raise FetchFailed(code, text, permanent=status != 429)
    if status >= 500:
        raise FetchFailed("server-error", f"The source answers {status}.", False)
    raise FetchFailed("not-found", f"The source answers {status}.")
