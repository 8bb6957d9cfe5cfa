"""Polite requests to open data services: named, paced, bounded, tried again, and never led to another host.

A service sees a User-Agent that says who asks, at most ten requests a second, waits that it asked for, and conditional
requests for answers that are in the cache. We read no more than what was announced, over https alone (http is for
servers on this machine). Nothing that grants access is stored or printed: messages show addresses without their query.
"""

from __future__ import annotations

import contextlib
import email.utils
import hashlib
import ipaddress
import json
import math
import os
import re
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

from unigeoclip import __version__
from unigeoclip.errors import DownloadError, InputError, excerpt
from unigeoclip.extras import needs_extra
from unigeoclip.files.atomic import reason, write_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import requests

__all__ = [
    "JSON",
    "MIRROR",
    "AbsentError",
    "Pace",
    "Part",
    "RefusedError",
    "UnansweredError",
    "UnusableError",
    "Web",
    "bare",
    "is_local",
]

USER_AGENT = f"unigeoclip-explorer/{__version__} (+https://arxiv.org/abs/2604.11668)"
MIRROR = "UNIGEOCLIP_MIRROR"  # environment variable: https://HOST/PATH is then asked for as MIRROR/HOST/PATH
TIMEOUT_S = 30.0  # without a byte
LONGEST_REQUEST_S = 300.0  # from the first byte to the last
LONGEST_WAIT_S = 60.0
ATTEMPTS = 5
FIRST_WAIT_S = 1.0
PAUSE_S = 0.1  # between two requests to one host
MOST_REDIRECTS = 3
MOST_JSON_BYTES = 64_000_000
JSON = ("json", "text/plain", "application/octet-stream")  # catalogs in object stores are often served as the latter
_CHUNK_BYTES = 1 << 16
_ABSENT = (204, 404, 410)
_REFUSED = (401, 403)
_AGAIN = (408, 425, 429, 500, 502, 503, 504)
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class UnansweredError(DownloadError):
    """A service does not answer, or only with failures that may pass.

    Args:
        message: For whoever ran a command.
        why: The last failure in a few words.
    """

    def __init__(self, message: str, why: str) -> None:
        super().__init__(message)
        self.why = why


class UnusableError(DownloadError):
    """What a service gives is not what it is asked for, and will not be at another attempt; the next item may be."""


class AbsentError(UnusableError):
    """The service has no such thing."""


class RefusedError(UnusableError):
    """The service wants a permission, or another one than it was given: a signature may have expired."""


class _PassingError(Exception):
    """A failure that may not come again.

    Args:
        why: In a few words.
        wait_s: How long the service asked us to wait.
    """

    def __init__(self, why: str, wait_s: float = 0.0) -> None:
        super().__init__(why)
        self.wait_s = wait_s


@dataclass(frozen=True)
class Part:
    """Some bytes of a file.

    Attributes:
        data: The bytes.
        total: Size of the whole file.
        version: Changes with the file; empty where the server does not tell.
    """

    data: bytes
    total: int
    version: str


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


def bare(url: str) -> str:
    """An address without its query, in which signatures and tokens are, for messages and tables."""
    return excerpt(url.partition("?")[0].partition("#")[0], 200)


def is_local(url: str) -> bool:
    """Whether an address is one of this machine."""
    host = urlsplit(url).hostname or ""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


class Pace:
    """When hosts may be asked next; for any number of clients and threads.

    Args:
        pause_s: Between two requests to one host.
    """

    def __init__(self, pause_s: float = PAUSE_S) -> None:
        self._pause_s = pause_s
        self._next: dict[str, float] = {}  # host -> when it may be asked
        self._lock = threading.Lock()

    def wait(self, host: str) -> None:
        """Wait for the turn of a request."""
        with self._lock:
            now = time.monotonic()
            at = max(now, self._next.get(host, now))
            self._next[host] = at + self._pause_s
        time.sleep(at - now)


class Web:
    """A client for one command: counts what it asked for and keeps its pace; not for several threads at a time.

    Args:
        cache: Folder of answers that may be asked for conditionally; without it nothing is kept.
        mirror: Address of a server that has the services under /HOST/PATH; the variable `MIRROR` by default.
        pace: Of requests to hosts other than this machine; its own by default.
        first_wait_s: Before the second attempt; each further wait is twice as long.
        attempts: At most, of each request.
        within_s: Seconds from now on in which all requests have to be answered; None for no such limit.
    """

    def __init__(
        self,
        cache: Path | None = None,
        *,
        mirror: str | None = None,
        pace: Pace | None = None,
        first_wait_s: float = FIRST_WAIT_S,
        attempts: int = ATTEMPTS,
        within_s: float | None = None,
    ) -> None:
        with needs_extra("sources"):
            import requests
        self.requests = 0
        self.bytes = 0
        self._cache = cache
        self._pace, self._first_wait_s, self._attempts = pace or Pace(), first_wait_s, attempts
        self._until = math.inf if within_s is None else time.monotonic() + within_s
        self._session = requests.Session()
        self._session.headers.update({"User-Agent": USER_AGENT, "Accept-Encoding": "identity"})
        self._mirror = (os.environ.get(MIRROR, "") if mirror is None else mirror).rstrip("/")
        if self._mirror and not self._mirror.startswith("https://") and not is_local(self._mirror):
            raise InputError(f"{MIRROR} is an https address, or one of this machine; not {excerpt(self._mirror)!r}.")

    # What sources ask for

    def get(
        self,
        url: str,
        *,
        types: tuple[str, ...],
        most_bytes: int,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        """The content of an address.

        Args:
            url: Address.
            types: What its content type may contain.
            most_bytes: More is refused.
            headers: Sent along; not to another host.

        Raises:
            AbsentError: There is no such thing.
            RefusedError: A permission is missing or has expired.
            DownloadError: Anything else, after `ATTEMPTS` where it may pass.
        """
        answer = self._ask(url, dict(headers or {}), types, most_bytes)
        if answer.status in _ABSENT:
            raise AbsentError(f"{bare(url)} does not exist (HTTP {answer.status}).")
        return answer.body

    def get_json(
        self,
        url: str,
        query: Mapping[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        secret: bool = False,
    ) -> Any:
        """A JSON answer; one in the cache is asked for conditionally, unless it is ``secret``.

        Raises:
            AbsentError, RefusedError, DownloadError: See `get`; or the answer is no JSON.
        """
        if query:
            url += ("&" if "?" in url else "?") + urlencode(query, quote_via=quote, safe=",:/")
        kept = None if secret or self._cache is None else _Kept.of(self._cache, url)
        answer = self._ask(url, {**(headers or {}), **(kept.conditions() if kept else {})}, JSON, MOST_JSON_BYTES)
        if answer.status in _ABSENT:
            raise AbsentError(f"{bare(url)} does not exist (HTTP {answer.status}).")
        body = kept.body if kept and answer.status == 304 else answer.body
        try:
            value = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise DownloadError(
                f"{bare(url)} gave something that is not JSON. Try again later, or check the address."
            ) from error
        if kept and answer.status == 200:
            kept.keep(answer)
        return value

    def get_part(self, url: str, first: int, last: int, version: str = "") -> Part:
        """Bytes ``first`` to ``last`` of a file, both included, or as many as it has.

        Raises:
            AbsentError, RefusedError, DownloadError: See `get`; or the server does not give parts of files, or the file
                is no longer that of ``version``.
        """
        types = ("image/", "octet-stream", "application/x-", "tiff", "parquet")
        answer = self._ask(url, {"Range": f"bytes={first}-{last}"}, types, last - first + 1)
        if answer.status in _ABSENT:
            raise AbsentError(f"{bare(url)} does not exist (HTTP {answer.status}).")
        found = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        if answer.status != 206 or found is None or int(found[1]) != first or int(found[2]) > last:
            raise UnusableError(f"{bare(url)} cannot be read in parts: its server does not support byte ranges.")
        now = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
        if version and now != version:
            raise DownloadError(f"{bare(url)} has changed while it was read. Run the same command again.")
        if len(answer.body) != int(found[2]) - first + 1:
            raise DownloadError(f"{bare(url)} gave other bytes than it announced.")
        return Part(answer.body, int(found[3]), now)

    # One request

    def _ask(self, url: str, headers: dict[str, str], types: tuple[str, ...], most_bytes: int) -> _Answer:
        """Ask until there is an answer: of status 200, 206, 304, or one of `_ABSENT`."""
        why = ""
        for attempt in range(self._attempts):
            if self._left_s() <= 0:
                why = why or "no answer in time"
                break
            try:
                return self._follow(self._secure(url), headers, types, most_bytes)
            except _PassingError as failure:
                why = str(failure)
                wait_s = max(failure.wait_s, self._first_wait_s * 2**attempt)
                if failure.wait_s > min(LONGEST_WAIT_S, self._left_s()):
                    raise UnansweredError(
                        f"{bare(url)}: the service asks to wait for {failure.wait_s:,.0f} s ({why}). Run the same "
                        "command again after that: it goes on where it stopped.",
                        why,
                    ) from failure
                if attempt + 1 < self._attempts:
                    time.sleep(max(0.0, min(wait_s, LONGEST_WAIT_S, self._left_s())))
        raise UnansweredError(
            f"{bare(url)} could not be fetched in {self._attempts} attempts ({why}). Check the network and the "
            "address, then run the same command again: it goes on where it stopped.",
            why,
        )

    def _left_s(self) -> float:
        return self._until - time.monotonic()

    def _secure(self, url: str) -> str:
        """The address over https, unless it is one of this machine."""
        parts = urlsplit(url)
        if parts.scheme == "http" and not is_local(url):
            return parts._replace(scheme="https").geturl()  # links of services behind proxies
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UnusableError(f"{bare(url)} is not an https address.")
        return url

    def _follow(self, url: str, headers: dict[str, str], types: tuple[str, ...], most_bytes: int) -> _Answer:
        host = urlsplit(url).netloc
        for _ in range(MOST_REDIRECTS + 1):
            answer = self._send(url, headers, types, most_bytes)
            if answer.status not in (301, 302, 303, 307, 308):
                return answer
            url = self._secure(urljoin(url, answer.headers.get("Location", "")))
            if urlsplit(url).netloc != host:
                raise UnusableError(
                    f"{host} leads to another host, {excerpt(urlsplit(url).netloc)}, which is refused. If the service "
                    "has moved, give its new address."
                )
        raise UnusableError(f"{bare(url)} leads from one address to the next without end.")

    def _send(self, url: str, headers: dict[str, str], types: tuple[str, ...], most_bytes: int) -> _Answer:
        with needs_extra("sources"):
            import requests
            from urllib3.exceptions import HTTPError
        at = url
        if self._mirror and not is_local(url):
            at = f"{self._mirror}/{url.partition('://')[2]}"
        if not is_local(at):
            self._pace.wait(urlsplit(at).netloc)
        self.requests += 1
        patience_s = max(0.001, min(TIMEOUT_S, self._left_s()))
        try:
            with self._session.get(
                at, headers=headers, timeout=patience_s, stream=True, allow_redirects=False
            ) as response:
                self._check(url, response, types)
                return _Answer(response.status_code, response.headers, self._read(url, response, most_bytes))
        except (requests.RequestException, HTTPError, OSError) as error:
            # What such an error says may hold the address with its token, its kind does not.
            raise _PassingError(_kind(error)) from error

    def _check(self, url: str, response: requests.Response, types: tuple[str, ...]) -> None:
        """Refuse an answer by its head."""
        status = response.status_code
        if status in _AGAIN:
            raise _PassingError(f"HTTP {status}", _asked_wait_s(response.headers.get("Retry-After", "")))
        if status in _REFUSED:
            raise RefusedError(f"{bare(url)} was refused (HTTP {status}): it wants a permission, or one has expired.")
        if status >= 400 and status not in _ABSENT:
            raise UnusableError(f"{bare(url)} was refused (HTTP {status}). Check the address.")
        kind = response.headers.get("Content-Type", "")
        if status in (200, 206) and not any(each in kind.lower() for each in types):
            raise UnusableError(
                f"{bare(url)} gave {excerpt(kind) or 'something without a content type'} where {types[0]} was expected."
            )

    def _read(self, url: str, response: requests.Response, most_bytes: int) -> bytes:
        if response.status_code not in (200, 206):
            return b""
        begun, parts, size = time.monotonic(), [], 0
        # Whatever has arrived, so that a server that sends a byte a minute is noticed. A body that ends before its
        # announced length is an error there.
        while chunk := response.raw.read1(_CHUNK_BYTES):
            parts.append(chunk)
            size += len(chunk)
            self.bytes += len(chunk)
            if size > most_bytes:
                raise UnusableError(f"{bare(url)} is larger than the {most_bytes:,} bytes that are read of it at most.")
            if time.monotonic() - begun > LONGEST_REQUEST_S:
                raise _PassingError(f"more than {LONGEST_REQUEST_S:.0f} s")
            if self._left_s() <= 0:
                raise _PassingError("no answer in time")
        return b"".join(parts)


def _kind(error: Exception) -> str:
    name = type(error).__name__
    if "Timeout" in name:
        return "no answer in time"
    if "Chunked" in name or "Incomplete" in name or "Protocol" in name:
        return "the answer ended early"
    return reason(error) if isinstance(error, OSError) and error.strerror else f"no connection, {name}"


def _asked_wait_s(said: str) -> float:
    """Seconds of a Retry-After header: a number of them, or a date; 0 where it says nothing usable."""
    if said.strip().isdecimal() and len(said) < 10:
        return float(said)
    with contextlib.suppress(TypeError, ValueError):
        return max(0.0, email.utils.parsedate_to_datetime(said).timestamp() - time.time())
    return 0.0


@dataclass
class _Kept:
    """An answer in the cache: a line of JSON with its version and checksum, then its body."""

    path: Path
    etag: str = ""
    modified: str = ""
    body: bytes = b""

    @classmethod
    def of(cls, cache: Path, url: str) -> _Kept:
        path = cache / "sources" / "answers" / hashlib.sha256(url.encode()).hexdigest()[:32]
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            head, _, body = path.read_bytes().partition(b"\n")
            said = json.loads(head)
            if said["sha256"] == hashlib.sha256(body).hexdigest():
                return cls(path, str(said["etag"]), str(said["modified"]), body)
        return cls(path)

    def conditions(self) -> dict[str, str]:
        said = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        return {name: value for name, value in said.items() if value and self.body}

    def keep(self, answer: _Answer) -> None:
        etag, modified = answer.headers.get("ETag", ""), answer.headers.get("Last-Modified", "")
        if not (etag or modified):
            return
        head = {"etag": etag, "modified": modified, "sha256": hashlib.sha256(answer.body).hexdigest()}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(self.path, json.dumps(head).encode() + b"\n" + answer.body, error=DownloadError)
