"""Syslog messages over UDP, TCP or TLS.

    {kind: syslog, to: logs.example:6514, protocol: tls, tls: {ca: ca.pem}}

What a finding is stands in structured data, and its sentence is the message. Over TCP and TLS each message has its
length before it, and counts as delivered when the peer's TCP has acknowledged it; after a broken connection the last
ones are sent again, so that they may come twice. Over UDP nobody acknowledges anything.
Sources: RFC 5424 (message), RFC 5426 (UDP), RFC 6587, 3.4.1 (TCP, octet counting), RFC 5425 (TLS).
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal

from auditor.hostport import HostAndPort, HostPort
from auditor.scalars import Count
from auditor.sinks._stream import Tls, closed_by_peer, connect, reason, tls_context, wait_for_acknowledgement
from auditor.sinks.base import CONNECT_SECONDS, Common, DeliveryError, Event, EventWord, Grouping, Place, Sink
from auditor.text import printable

FACILITIES: Final = {"user": 1, "daemon": 3, "auth": 4, "authpriv": 10} | {f"local{n}": 16 + n for n in range(8)}
SEVERITY: Final = {"critical": 2, "high": 3, "medium": 4, "low": 5, "info": 6}
"""Ours to RFC 5424's, table 2."""
MAX_MESSAGE: Final = 2048
"""Bytes of one message, which every receiver should take: RFC 5424, 6.1."""
MAX_DATA: Final = 1500
"""Bytes of it for structured data, which leaves room for the sentence."""
FIELDS: Final = (
    "id", "check", "severity", "certainty", "outcome", "direction", "vendor", "statement", "client_ip", "server_ip",
    "service_port", "protocol", "via", "count", "first_seen", "last_seen", "name", "verdict",
)  # fmt: skip
APP_NAME: Final = "auditor"
BATCH: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Common):
    """A syslog receiver."""

    kind: Literal["syslog"] = "syslog"
    to: HostAndPort
    protocol: Literal["udp", "tcp", "tls"] = "udp"
    facility: Literal[
        "user", "daemon", "auth", "authpriv",
        "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
    ] = "local0"  # fmt: skip
    enterprise: Count = 32473
    """Number in the name of the structured data. Nobody registered one for this program; 32473 is RFC 5612's."""
    tls: Tls | None = None
    events: tuple[EventWord, ...] = ("opened", "closed", "notice")
    group: Grouping | None = field(default_factory=Grouping)

    def __post_init__(self) -> None:
        if self.tls is not None and self.protocol != "tls":
            raise ValueError(f"tls has no effect with protocol {self.protocol}; expected protocol: tls, or no tls")


def open(settings: Settings, place: Place) -> Sink:
    return Datagrams(settings, place) if settings.protocol == "udp" else Connection(settings, place)


def message(event: Event, settings: Settings, sensor: str) -> bytes:
    """One syslog message, not longer than MAX_MESSAGE."""
    severity = SEVERITY.get(event.get("severity") or "info", 6)
    kind = event.get("check") or event.get("name") or event["event"]
    head = " ".join(
        (
            f"<{FACILITIES[settings.facility] * 8 + severity}>1",
            _time(event.get("time")),
            _word(sensor, 255),
            APP_NAME,
            str(os.getpid()),
            _word(str(kind), 32),
        )
    )
    fields = {"event": event["event"], **{key: event.get(key) for key in FIELDS}}
    if event.get("grouped"):
        fields["grouped"] = event["grouped"]["findings"]
    data = f"[{APP_NAME}@{settings.enterprise}"
    for key, value in fields.items():
        more = "" if value is None else f' {key}="{_escaped(value)}"'
        if len(data.encode()) + len(more.encode()) <= MAX_DATA:
            data += more
    start = f"{head} {data}] ".encode()
    text = printable(str(event.get("message") or event.get("title") or event["event"]))
    # the byte order mark says that the text is UTF-8: RFC 5424, 6.4
    return (start + b"\xef\xbb\xbf" + text.encode())[:MAX_MESSAGE].decode(errors="ignore").encode()


def _time(text: object) -> str:
    """When it was told, which may be long ago where the receiver was away: RFC 5424, 6.2.3, with microseconds."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z", str(text))
    if match:
        return f"{match[1]}.{(match[2] or '').ljust(6, '0')[:6]}Z"
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _word(text: str, length: int) -> str:
    """A field of the header: printable ASCII without blanks."""
    return re.sub("[^!-~]", "", text)[:length] or "-"


def _escaped(value: object) -> str:
    """A parameter's value: RFC 5424, 6.3.3."""
    return re.sub(r'(["\\\]])', r"\\\1", printable(str(value)))


class Datagrams:
    """Over UDP: each message for itself, and no answer."""

    batch = BATCH
    batch_wait = 0.0

    def __init__(self, settings: Settings, place: Place) -> None:
        self.settings, self.sensor = settings, place.sensor
        self._socket: socket.socket | None = None

    def deliver(self, events: Sequence[Event]) -> None:
        done = 0
        try:
            connected = self._connected()
            for event in events:
                connected.send(message(event, self.settings, self.sensor))
                done += 1
        except OSError as error:
            self.reopen()
            raise DeliveryError(f"{self.settings.to}: {reason(error)}", taken=done) from None

    def reopen(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def close(self) -> None:
        self.reopen()

    def probe(self) -> str:
        try:
            self._connected()
        except OSError as error:
            raise DeliveryError(f"{self.settings.to}: {reason(error)}") from None
        return f"{self.settings.to}: its address is known; UDP answers nothing"

    def _connected(self) -> socket.socket:
        """A socket that is told when nobody listens there."""
        if self._socket is None:
            peer: HostPort = self.settings.to
            family, kind, protocol, _, address = socket.getaddrinfo(peer.host, peer.port, type=socket.SOCK_DGRAM)[0]
            opened = socket.socket(family, kind, protocol)
            try:
                opened.settimeout(CONNECT_SECONDS)
                opened.connect(address)
            except BaseException:
                opened.close()
                raise
            self._socket = opened
        return self._socket


class Connection:
    """Over TCP or TLS, with the length before each message."""

    batch = BATCH
    batch_wait = 0.0

    def __init__(self, settings: Settings, place: Place) -> None:
        self.settings, self.place = settings, place
        self._socket: socket.socket | None = None

    def deliver(self, events: Sequence[Event]) -> None:
        messages = [message(event, self.settings, self.place.sensor) for event in events]
        if self._socket is not None and closed_by_peer(self._socket):
            self.reopen()
        connected = self._socket = self._socket or self._connect()
        try:
            connected.sendall(b"".join(b"%d %s" % (len(one), one) for one in messages))
            acknowledged = wait_for_acknowledgement(connected, CONNECT_SECONDS)
        except OSError as error:
            self.reopen()
            raise DeliveryError(f"{self.settings.to}: {reason(error)}") from None
        if not acknowledged:
            self.reopen()
            raise DeliveryError(f"{self.settings.to}: takes nothing for {CONNECT_SECONDS:.0f} seconds")

    def reopen(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def close(self) -> None:
        self.reopen()

    def probe(self) -> str:
        self._connect().close()
        return f"{self.settings.to} answers over {self.settings.protocol}"

    def _connect(self) -> socket.socket:
        context = tls_context(self.settings.tls, self.place) if self.settings.protocol == "tls" else None
        return connect(self.settings.to, context)
