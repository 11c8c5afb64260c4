"""TLS and connections, as the network sinks share them."""

from __future__ import annotations

import fcntl
import socket
import ssl
import struct
import termios
import time
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from auditor.hostport import HostPort
from auditor.scalars import DOCUMENT, Text
from auditor.sinks.base import CONNECT_SECONDS, DeliveryError, Place

POLL_SECONDS: Final = 0.005
MOST_READS: Final = 256
"""A receiver that talks so much is no receiver: the connection is made anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Whom to trust, and who we are. The peer's name is always checked."""

    __pydantic_config__: ClassVar[dict[str, Any]] = DOCUMENT

    ca: Text | None = None
    """A file with the certificates to trust; without one, those of the system."""
    certificate: Text | None = None
    """Our own, for a peer that asks for it."""
    key: Text | None = None

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key go together; one of them is missing")


def tls_context(tls: Tls | None, place: Place) -> ssl.SSLContext:
    """Raises: DeliveryError where a file of it cannot be used."""
    tls = tls or Tls()
    path = ""
    try:
        path = place.path(tls.ca) if tls.ca else ""
        context = ssl.create_default_context(cafile=path or None)
        if tls.certificate and tls.key:
            path = place.path(tls.certificate)
            context.load_cert_chain(path, place.path(tls.key))
    except OSError as error:  # ssl.SSLError is one
        raise DeliveryError(f"{path}: cannot be used for TLS: {reason(error)}") from None
    return context


def connect(peer: HostPort, context: ssl.SSLContext | None = None) -> socket.socket:
    """A connection over TCP, with TLS where a context is given. Raises: DeliveryError."""
    try:
        plain = socket.create_connection((peer.host, peer.port), CONNECT_SECONDS)
        if context is None:
            return plain
        try:
            return context.wrap_socket(plain, server_hostname=peer.host)
        except BaseException:
            plain.close()
            raise
    except OSError as error:
        raise DeliveryError(f"{peer}: {reason(error)}") from None


def closed_by_peer(connection: socket.socket) -> bool:
    """Whether the other end has closed: what is sent then would be lost without a word."""
    connection.settimeout(0)
    try:
        for _ in range(MOST_READS):  # whatever it says, nobody asked
            if not connection.recv(4096):
                return True
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    except OSError:
        return True
    finally:
        connection.settimeout(CONNECT_SECONDS)
    return True


def wait_for_acknowledgement(connection: socket.socket, seconds: float) -> bool:
    """Whether the peer's TCP has acknowledged all that was sent. Source: tcp(7), SIOCOUTQ."""
    until = time.monotonic() + seconds
    while struct.unpack("i", fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, b"\0" * 4))[0]:
        if time.monotonic() > until:
            return False
        time.sleep(POLL_SECONDS)
    return True


def reason(error: OSError) -> str:
    """An error of a connection for people."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or error}"
    if isinstance(error, TimeoutError):
        return f"no answer within {CONNECT_SECONDS:.0f} seconds"
    return error.strerror or str(error)
