"""FTP as a backup vendor runs it, and as it must not: a pyftpdlib server, an ftplib client.

The server speaks of published addresses in its answers and understands them in PORT and EPRT; sockets have addresses
of the lab.
"""

from __future__ import annotations

import ftplib
import io
import itertools
import logging
import os
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pyftpdlib.authorizers import DummyAuthorizer  # type: ignore[import-untyped]
from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler  # type: ignore[import-untyped]
from pyftpdlib.ioloop import IOLoop  # type: ignore[import-untyped]
from pyftpdlib.servers import FTPServer  # type: ignore[import-untyped]

from captures.generate.lab import SOCKET_SECONDS, Lab

USER, PASSWORD = "night-shift", "planted-ftp-secret"  # what no report may show
_POLL_SECONDS = 0.05  # how often the server looks whether the lab has ended
_DATA_PORT = 20  # from where an active server calls (RFC 959, section 3.2)

logging.getLogger("pyftpdlib").addHandler(logging.NullHandler())  # it reports every command otherwise


class Tls(Enum):
    """What a server and its client do about TLS."""

    REQUIRED = "control and data"
    OFFERED = "control, and data as the client likes"
    IMPLICIT = "from the first byte, on both"
    NONE = "AUTH is refused"


class _PortsInTurn:
    """Passive ports one after the other, so that two runs use the same ones. pyftpdlib picks at random from a list."""

    def __init__(self, ports: range) -> None:
        self._next = itertools.cycle(ports)

    def __iter__(self) -> Iterator[int]:
        yield next(self._next)


class _FromPort20(FTPHandler.active_dtp):  # type: ignore[misc]
    """Calls the client from port 20; pyftpdlib takes any."""

    def connect_af_unspecified(self, addr: tuple[str, int], source_address: tuple[str, int]) -> Any:
        return super().connect_af_unspecified(addr, (source_address[0], _DATA_PORT))


def serve_ftp(
    lab: Lab,
    address: str,
    port: int,
    passive: range,
    tls: Tls,
    *,
    says: str = "",
    elsewhere: str = "",
    strangers: bool = False,
) -> None:
    """An FTP server until the lab ends. It says `says` in its PASV answers, else where it listens: at `elsewhere`, else
    at its own address. `strangers` may open the data connections of others."""
    home = lab.folder / f"ftp-{address}-{port}"
    home.mkdir()
    authorizer = DummyAuthorizer()
    authorizer.add_user(USER, PASSWORD, str(home), perm="elrw")
    settings = {
        "authorizer": authorizer,
        "passive_ports": _PortsInTurn(passive),
        "masquerade_address": says or elsewhere or address,
        "banner": "ready",
        "permit_foreign_addresses": strangers,
        "active_dtp": _FromPort20,
        "_make_eport": lambda self, ip, port: FTPHandler._make_eport(self, lab.address(ip), port),
    }
    if elsewhere:
        host = lab.address(elsewhere)
        bind = FTPHandler.passive_dtp.bind
        settings["passive_dtp"] = type(
            "Elsewhere", (FTPHandler.passive_dtp,), {"bind": lambda self, place: bind(self, (host, place[1]))}
        )
    if tls is not Tls.NONE:
        settings |= {
            "certfile": str(_certificate(lab.folder / f"{address}-{port}.pem", address)),
            "tls_control_required": True,
            "tls_data_required": tls is not Tls.OFFERED,
        }
    if tls is Tls.IMPLICIT:
        settings["handle"] = _handle_implicit
    handler = type("Handler", (FTPHandler if tls is Tls.NONE else TLS_FTPHandler,), settings)

    with lab.home(address):
        server = FTPServer((lab.address(address), port), handler, ioloop=IOLoop())

    def work() -> None:
        with lab.home(address):  # the sockets of data connections are made here
            while not lab.ended.is_set():
                server.ioloop.loop(_POLL_SECONDS, blocking=False)
        server.close_all()

    lab.background(work)


def _handle_implicit(handler: Any) -> None:
    """TLS before the greeting."""
    handler.secure_connection(handler.ssl_context)
    TLS_FTPHandler.handle(handler)


@contextmanager
def ftp_session(lab: Lab, client: str, server: str, port: int, tls: Tls) -> Iterator[ftplib.FTP]:
    """A control session, logged in, quit at the end. The server's address in PASV answers is not believed."""
    source = (lab.address(client), 0)
    with lab.home(client):
        if tls is Tls.NONE:
            ftp = ftplib.FTP(source_address=source, timeout=SOCKET_SECONDS)
        else:
            kind = _ImplicitFtp if tls is Tls.IMPLICIT else ftplib.FTP_TLS
            ftp = kind(context=_trusting(), source_address=source, timeout=SOCKET_SECONDS)
        ftp.connect(lab.address(server), port)
        ftp.login(USER, PASSWORD)
        if isinstance(ftp, ftplib.FTP_TLS) and tls is not Tls.OFFERED:
            ftp.prot_p()
        yield ftp
        ftp.quit()


class _ImplicitFtp(ftplib.FTP_TLS):
    """A client that speaks TLS from the first byte."""

    def connect(self, *arguments: Any, **named: Any) -> str:
        self._shaken = False
        return super().connect(*arguments, **named)

    def getresp(self) -> str:
        if not self._shaken:
            self._shaken = True
            assert self.sock is not None
            self.sock = self.context.wrap_socket(self.sock)
            self.file = self.sock.makefile("r", encoding=self.encoding)
        return super().getresp()


@contextmanager
def tunnelled_ftp(
    reach: Callable[[int], AbstractContextManager[socket.socket]], port: int, tls: Tls
) -> Iterator[ftplib.FTP]:
    """As `ftp_session`, where every connection goes through a tunnel: `reach` opens one to a port of the server."""
    with reach(port) as plug:
        ftp = ftplib.FTP_TLS(context=_trusting()) if tls is Tls.REQUIRED else ftplib.FTP()
        ftp.sock, ftp.af, ftp.host = plug, plug.family, "server"
        ftp.file = plug.makefile("r", encoding=ftp.encoding)
        ftp.welcome = ftp.getresp()
        ftp.login(USER, PASSWORD)
        if isinstance(ftp, ftplib.FTP_TLS):
            ftp.prot_p()
        yield ftp
        ftp.quit()


def tunnelled_upload(
    ftp: ftplib.FTP, reach: Callable[[int], AbstractContextManager[socket.socket]], name: str, size: int
) -> None:
    """One file of random bytes, through a tunnel to the port that PASV assigns."""
    _, port = ftplib.parse227(ftp.sendcmd("PASV"))
    with reach(port) as plug:
        ftp.putcmd(f"STOR {name}")
        ftp.getresp()
        if isinstance(ftp, ftplib.FTP_TLS):
            with ftp.context.wrap_socket(plug) as secured:
                secured.sendall(os.urandom(size))
                secured.unwrap()
        else:
            plug.sendall(os.urandom(size))
    ftp.voidresp()


def upload(ftp: ftplib.FTP, name: str, size: int) -> None:
    """One file of random bytes: what an encrypted backup looks like."""
    ftp.storbinary(f"STOR {name}", io.BytesIO(os.urandom(size)))


def upload_text(ftp: ftplib.FTP, name: str, size: int) -> None:
    """One file that anybody can read."""
    ftp.storbinary(f"STOR {name}", io.BytesIO(readable(size)))


def download(ftp: ftplib.FTP, name: str) -> None:
    """One file back."""
    ftp.retrbinary(f"RETR {name}", lambda _: None)


def readable(size: int) -> bytes:
    """Lines of an inventory."""
    lines = (f"{number:06d}\titem {number * 7919 % 1000}\tshelf {number % 40}\tin stock\n" for number in range(size))
    return "".join(itertools.islice(lines, size // 30 + 1)).encode()[:size]


def _trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _certificate(file: Path, name: str) -> Path:
    """A key and its self-signed certificate in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    certificate = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1)).sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(secret + certificate.public_bytes(pem))
    return file
