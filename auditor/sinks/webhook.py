"""A web server that is sent events as JSON, signed.

    {kind: webhook, url: "https://alerts.example/auditor", secret: {file: webhook.secret}}

A POST carries `{"sensor": …, "events": […]}`. Its headers: `X-Auditor-Timestamp`, seconds since 1970;
`X-Auditor-Signature`, `sha256=` and the HMAC-SHA256, in hexadecimal, of timestamp, a full stop and the body;
`X-Auditor-Delivery`, the same for each try of one body, to find repetitions. Any 2xx means taken. 400, 413, 415 and 422
mean that this body will never be taken: halves of it are sent, down to single events, and those that are refused by
themselves are lost, and counted. Everything else is tried again, after `Retry-After` where the server says so.
Redirections are not followed. Sources: RFC 2104, RFC 9110.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import urlsplit

from auditor.errors import AuditorError
from auditor.hostport import HostPort
from auditor.secret import Secret, WebUrl
from auditor.sinks._stream import Tls, connect, reason, tls_context
from auditor.sinks.base import CONNECT_SECONDS, Common, DeliveryError, Event, EventWord, Grouping, Place, Sink

NEVER: Final = (400, 413, 415, 422)
"""Answers that speak of the body itself: RFC 9110, 15.5."""
BATCH: Final = 100
MAX_ANSWER: Final = 65_536
"""Bytes of the answer that are read, so that the connection can be used again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Common):
    """A web server."""

    kind: Literal["webhook"] = "webhook"
    url: WebUrl
    secret: Secret
    """What the signature is made with."""
    tls: Tls | None = None
    events: tuple[EventWord, ...] = ("opened", "closed", "notice")
    group: Grouping | None = field(default_factory=Grouping)

    def __post_init__(self) -> None:
        if self.tls is not None and not self.url.startswith("https:"):
            raise ValueError("tls has no effect with http:; expected https:, or no tls")


def open(settings: Settings, place: Place) -> Sink:
    return Webhook(settings, place)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """What stands in `X-Auditor-Signature`."""
    return "sha256=" + hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


class Webhook:
    """One server, over a connection that is kept open."""

    batch = BATCH
    batch_wait = 0.0

    def __init__(self, settings: Settings, place: Place) -> None:
        self.settings, self.place = settings, place
        parts = urlsplit(settings.url)
        self.secure = parts.scheme == "https"
        self.peer = HostPort(parts.hostname or "", parts.port or (443 if self.secure else 80))
        self.target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._connection: http.client.HTTPConnection | None = None

    def deliver(self, events: Sequence[Event]) -> None:
        body = json.dumps(
            {"sensor": self.place.sensor, "events": events}, allow_nan=False, default=str, separators=(",", ":")
        ).encode()
        headers = self._headers(body)
        kept = self._connection is not None
        try:
            status, after = self._post(body, headers)
        except (http.client.HTTPException, OSError) as error:
            self.reopen()
            if not kept:
                raise self._failure(error) from None
            try:  # a kept connection may have been closed in the meantime: that is no failure of the server
                status, after = self._post(body, headers)
            except (http.client.HTTPException, OSError) as again:
                self.reopen()
                raise self._failure(again) from None
        if not 200 <= status < 300:
            never = status in NEVER
            raise DeliveryError(f"{self.peer}: answers {status}", again=not never, apart=never, wait=after)

    def reopen(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def close(self) -> None:
        self.reopen()

    def probe(self) -> str:
        self._secret()
        connect(self.peer, self._context()).close()
        return f"{self.peer} answers; nothing was sent"

    def _headers(self, body: bytes) -> dict[str, str]:
        timestamp = str(int(time.time()))
        return {
            "Content-Type": "application/json",
            "User-Agent": "auditor",
            "X-Auditor-Timestamp": timestamp,
            "X-Auditor-Signature": signature(self._secret(), timestamp, body),
            "X-Auditor-Delivery": hashlib.sha256(body).hexdigest()[:32],
        }

    def _post(self, body: bytes, headers: dict[str, str]) -> tuple[int, float | None]:
        """The status of the answer, and for how long it wants to be left alone."""
        if self._connection is None:
            # the connection is made here, so that TLS and its messages are those of the other sinks
            self._connection = http.client.HTTPConnection(self.peer.host, self.peer.port, timeout=CONNECT_SECONDS)
            self._connection.sock = connect(self.peer, self._context())
        self._connection.request("POST", self.target, body, headers)
        answer = self._connection.getresponse()
        if len(answer.read(MAX_ANSWER + 1)) > MAX_ANSWER or answer.will_close:
            self.reopen()
        after = answer.headers.get("Retry-After", "")
        return answer.status, float(after) if after.isascii() and after.isdecimal() and len(after) < 8 else None

    def _context(self) -> ssl.SSLContext | None:
        return tls_context(self.settings.tls, self.place) if self.secure else None

    def _secret(self) -> str:
        try:
            return self.settings.secret.read(self.place.folder)
        except AuditorError as error:
            raise DeliveryError(str(error)) from None

    def _failure(self, error: Exception) -> DeliveryError:
        told = reason(error) if isinstance(error, OSError) else f"is no web server: {type(error).__name__}"
        return DeliveryError(f"{self.peer}: {told}")
