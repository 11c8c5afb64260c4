"""FTP over TLS as a backup vendor runs it: a pyftpdlib server, passive only, and a client that uploads files."""

from __future__ import annotations

import ftplib
import io
import itertools
import logging
import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pyftpdlib.authorizers import DummyAuthorizer  # type: ignore[import-untyped]
from pyftpdlib.handlers import TLS_FTPHandler  # type: ignore[import-untyped]
from pyftpdlib.ioloop import IOLoop  # type: ignore[import-untyped]
from pyftpdlib.servers import FTPServer  # type: ignore[import-untyped]

from captures.generate.lab import SOCKET_SECONDS, Lab

_USER, _PASSWORD = "client", "sample"
_POLL_SECONDS = 0.05  # how often the server looks whether the lab has ended

logging.getLogger("pyftpdlib").addHandler(logging.NullHandler())  # it reports every command otherwise


class _PortsInTurn:
    """Passive ports one after the other, so that two runs use the same ones. pyftpdlib picks at random from a list."""

    def __init__(self, ports: range) -> None:
        self._next = itertools.cycle(ports)

    def __iter__(self) -> Iterator[int]:
        yield next(self._next)


def serve_ftps(lab: Lab, address: str, port: int, passive: range) -> None:
    """An FTP server that wants TLS on control and data, and says `address` in its PASV answers."""
    home = lab.folder / f"ftp-{address}-{port}"
    home.mkdir()
    authorizer = DummyAuthorizer()
    authorizer.add_user(_USER, _PASSWORD, str(home), perm="elrw")
    settings = {
        "authorizer": authorizer,
        "certfile": str(_certificate(lab.folder / f"{address}-{port}.pem", address)),
        "tls_control_required": True,
        "tls_data_required": True,
        "passive_ports": _PortsInTurn(passive),
        "masquerade_address": address,
        "banner": "ready",
    }
    handler = type("Handler", (TLS_FTPHandler,), settings)

    with lab.home(address):
        server = FTPServer((lab.address(address), port), handler, ioloop=IOLoop())

    def work() -> None:
        with lab.home(address):  # the sockets of PASV are made here
            while not lab.ended.is_set():
                server.ioloop.loop(_POLL_SECONDS, blocking=False)
        server.close_all()

    lab.background(work)


@contextmanager
def ftps_session(lab: Lab, client: str, server: str, port: int) -> Iterator[ftplib.FTP_TLS]:
    """A secured control session, quit at the end. The server's address in PASV answers is not believed."""
    with lab.home(client):
        ftp = ftplib.FTP_TLS(context=_trusting(), source_address=(lab.address(client), 0), timeout=SOCKET_SECONDS)
        ftp.connect(lab.address(server), port)
        ftp.login(_USER, _PASSWORD)
        ftp.prot_p()
        yield ftp
        ftp.quit()


def upload(ftp: ftplib.FTP_TLS, name: str, size: int) -> None:
    """One file of random bytes: what an encrypted backup looks like."""
    ftp.storbinary(f"STOR {name}", io.BytesIO(os.urandom(size)))


def download(ftp: ftplib.FTP_TLS, name: str) -> None:
    """One file back."""
    ftp.retrbinary(f"RETR {name}", lambda _: None)


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
