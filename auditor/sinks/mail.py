"""E-mail over SMTP: what came up in a while, in one message.

    {kind: mail, to: [security@example.com], from: auditor@example.com, server: mail.example:587,
     user: auditor, password: {file: smtp.password}}

STARTTLS is demanded unless `security` says otherwise: a server without it is refused, and a password is never sent in
clear. Sources: RFC 5321, RFC 3207, RFC 8314 (`security: tls`).
"""

from __future__ import annotations

import re
import smtplib
import socket
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Annotated, Any, Final, Literal, TypeAlias

from auditor.errors import AuditorError
from auditor.hostport import HostAndPort
from auditor.quantities import Time
from auditor.scalars import Scalar, Text
from auditor.secret import Secret
from auditor.sinks._stream import Tls, reason, tls_context
from auditor.sinks.base import (
    CONNECT_SECONDS,
    OF_FINDINGS,
    SEVERITIES,
    Common,
    DeliveryError,
    Event,
    EventWord,
    Grouping,
    Place,
    Sink,
)
from auditor.text import printable

BATCH: Final = 200
"""Events in one message."""
MAX_LINE: Final = 900
"""Characters of a line of text; RFC 5322 allows 998."""


def read_mailbox(text: str) -> str:
    """A plain address; ValueError if it is none."""
    if not re.fullmatch(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,255}", text):
        raise ValueError(f"{text!r} is no e-mail address; expected name@host")
    return text


Mailbox: TypeAlias = Annotated[str, Scalar(read_mailbox, {"type": "string", "format": "email"})]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Common):
    """An SMTP server, and who is written to."""

    kind: Literal["mail"] = "mail"
    to: tuple[Mailbox, ...]
    sender: Mailbox = field(metadata={"alias": "from"})
    server: HostAndPort
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: Text | None = None
    password: Secret | None = None
    tls: Tls | None = None
    wait: Time = 60
    """Seconds that an event waits for others to go into the same message."""
    events: tuple[EventWord, ...] = ("opened", "notice")
    group: Grouping | None = field(default_factory=lambda: Grouping(wait=30, interval=3600))

    def __post_init__(self) -> None:
        if not self.to:
            raise ValueError("to is empty; expected one address at least")
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password go together; one of them is missing")
        if self.security == "none" and (self.user is not None or self.tls is not None):
            raise ValueError("user, password and tls have no place with security: none; expected starttls or tls")


def open(settings: Settings, place: Place) -> Sink:
    return Mail(settings, place)


class Mail:
    """One message for each batch, over a connection of its own."""

    batch = BATCH

    def __init__(self, settings: Settings, place: Place) -> None:
        self.settings, self.place = settings, place
        self.batch_wait = float(settings.wait)

    def deliver(self, events: Sequence[Event]) -> None:
        message = compose(events, self.settings, self.place.sensor)
        try:
            with self._session() as session:
                refused = session.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            raise DeliveryError(
                f"{self.settings.server}: takes none of the recipients: {_codes(error.recipients)}"
            ) from None
        except smtplib.SMTPDataError as error:
            # of the message itself, that it is refused for good is said by 552 and 554: RFC 5321, 4.2.3
            again = error.smtp_code not in (552, 554)
            raise DeliveryError(f"{self.settings.server}: answers {error.smtp_code}", again=again) from None
        except (OSError, smtplib.SMTPException) as error:
            raise self._failure(error) from None
        if refused:  # the others have it; to send it again would send it to them twice
            told = (
                f"{self.settings.server}: does not take {' and '.join(refused)}: {_codes(refused)}; the others have it"
            )
            raise DeliveryError(told, taken=len(events))

    def reopen(self) -> None:
        """Each message has its own connection."""

    def close(self) -> None:
        """Each message has its own connection."""

    def probe(self) -> str:
        try:
            with self._session() as session:
                session.noop()
        except (OSError, smtplib.SMTPException) as error:
            raise self._failure(error) from None
        signed_in = " and accepts the password" if self.settings.user else ""
        return f"{self.settings.server} answers{signed_in}; nothing was sent"

    @contextmanager
    def _session(self) -> Iterator[smtplib.SMTP]:
        """A session that is ready for a message."""
        peer, security = self.settings.server, self.settings.security
        context = None if security == "none" else tls_context(self.settings.tls, self.place)
        name = socket.gethostname() or "localhost"
        session: smtplib.SMTP
        if security == "tls":
            session = smtplib.SMTP_SSL(peer.host, peer.port, name, timeout=CONNECT_SECONDS, context=context)
        else:
            session = smtplib.SMTP(peer.host, peer.port, name, timeout=CONNECT_SECONDS)
        try:
            if security == "starttls":
                session.starttls(context=context)
            if self.settings.user is not None and self.settings.password is not None:
                session.login(self.settings.user, self._password(self.settings.password))
            yield session
            with suppress(OSError, smtplib.SMTPException):
                session.quit()  # whatever it answers, what it took it has: to send it again would send it twice
        finally:
            session.close()

    def _password(self, secret: Any) -> str:
        try:
            password = str(secret.read(self.place.folder))
        except AuditorError as error:
            raise DeliveryError(str(error)) from None
        if not password.isascii():
            raise DeliveryError(
                f"the password in {secret} is not ASCII, which alone can be sent to {self.settings.server}"
            )
        return password

    def _failure(self, error: Exception) -> DeliveryError:
        if isinstance(error, smtplib.SMTPNotSupportedError):
            told = "offers no STARTTLS, or no way to sign in; nothing was sent"
        elif isinstance(error, smtplib.SMTPAuthenticationError):
            told = f"answers {error.smtp_code}: does not accept the user and the password"
        elif isinstance(error, smtplib.SMTPResponseException):
            told = f"answers {error.smtp_code}"
        elif isinstance(error, smtplib.SMTPException):
            told = f"the session broke off: {type(error).__name__}"
        else:
            told = reason(error) if isinstance(error, OSError) else str(error)
        return DeliveryError(f"{self.settings.server}: {told}")


def compose(events: Sequence[Event], settings: Settings, sensor: str) -> EmailMessage:
    """The message that tells of the events."""
    message = EmailMessage()
    message["From"] = settings.sender
    message["To"] = ", ".join(settings.to)
    message["Subject"] = _subject(events, printable(sensor))
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=settings.sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notes in return
    lines = [line for event in events for line in _lines(event)]
    message.set_content("\n".join(line[:MAX_LINE] for line in lines) + "\n", cte="quoted-printable")
    return message


def _subject(events: Sequence[Event], sensor: str) -> str:
    reports = [event for event in events if event["event"] == "report"]
    found = [event for event in events if event["event"] in OF_FINDINGS]
    numbers: Counter[str] = Counter()
    for event in found:
        numbers[event.get("severity", "info")] += (event.get("grouped") or {}).get("findings", 1)
    told = ", ".join(f"{numbers[word]} {word}" for word in reversed(SEVERITIES) if numbers[word])
    if reports and not found:
        told = f"report: {reports[-1].get('verdict', 'ended')}"
    return f"auditor {sensor}: {told or printable(str(events[-1].get('message', events[-1]['event'])))[:80]}"


def _lines(event: Event) -> list[str]:
    """What is written of one event, harmless for terminals."""
    if event["event"] in OF_FINDINGS:
        ends = f"{event.get('client_ip') or '?'} → {event.get('server_ip') or '?'}"
        port = f":{event['service_port']}" if event.get("service_port") is not None else ""
        first = f"{event.get('severity', 'info')}: {event.get('title')} ({event['event']}, {event.get('outcome')})"
        second = f"{ends}{port}/{event.get('protocol') or ''} {event.get('vendor') or ''}".rstrip()
        third = f"first seen {event.get('first_seen')}, id {event.get('id')}"
        return [printable(first), *(f"  {printable(line)}" for line in (second, str(event.get("message")), third)), ""]
    head = f"{event['event']}: {event.get('message') or event.get('name') or ''}"
    return [printable(head), *(printable(line) for line in str(event.get("text") or "").splitlines()), ""]


def _codes(refused: Mapping[str, tuple[int, bytes]]) -> str:
    """What was answered to recipients."""
    return ", ".join(map(str, sorted({code for code, _ in refused.values()})))
