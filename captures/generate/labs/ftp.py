"""FTP sessions with Dr.Backup's nodes that can be read, wholly or in part, and what they give away."""

from __future__ import annotations

import ftplib
import os
from collections.abc import Callable
from functools import partial

from captures.generate.ftp import PASSWORD, USER, Tls, download, ftp_session, readable, serve_ftp, upload, upload_text
from captures.generate.hosts import exchange, serve, talk
from captures.generate.lab import SOCKET_SECONDS, Lab, played
from captures.generate.recipe import lab

_CLIENT, _SECOND = "10.1.2.3", "10.1.2.4"
_NODE, _LAST_NODE = "66.241.7.9", "66.241.7.30"
_STRANGER = "198.51.100.21"  # an FTP server of no vendor
_ELSEWHERE = "198.51.100.77"
_BULK = 20_000  # bytes of a file


def _extended(ftp: ftplib.FTP) -> None:
    """EPSV from now on (RFC 2428)."""
    assert ftp.sock is not None
    peer = ftp.sock.getpeername()
    ftp.makepasv = lambda: ftplib.parse229(ftp.sendcmd("EPSV"), peer)  # type: ignore[method-assign]


def _believing(lab: Lab, ftp: ftplib.FTP) -> None:
    """The address of PASV answers is believed from now on."""

    def announced() -> tuple[str, int]:
        host, port = ftplib.parse227(ftp.sendcmd("PASV"))
        return lab.address(host), port

    ftp.makepasv = announced  # type: ignore[method-assign]


def _active(ftp: ftplib.FTP, client: str, *, extended: bool = False) -> None:
    """PORT or EPRT from now on, with the client's published address."""
    ftp.set_pasv(False)
    command: Callable[[str, int], str] = partial(ftplib.FTP.sendport, ftp)
    if extended:
        command = lambda host, port: ftp.sendcmd(f"EPRT |1|{host}|{port}|")  # noqa: E731
    ftp.sendport = lambda _, port: command(client, port)  # type: ignore[method-assign,assignment]


@lab("checks/cleartext-credentials-fires.pcapng")
def cleartext_login() -> bytes:
    """User, password and commands in the clear; the file's bytes are random."""

    def play(lab: Lab) -> None:
        serve_ftp(lab, _NODE, 21, range(30_000, 30_002), Tls.NONE)
        with ftp_session(lab, _CLIENT, _NODE, 21, Tls.NONE) as ftp:
            upload(ftp, "one", _BULK)

    return played(play, inside=[_CLIENT], outside=[_NODE])


@lab("checks/control-not-secured-fires.pcapng")
def tls_refused() -> bytes:
    """AUTH TLS is refused, and the client logs in nevertheless; another one asks what the server can do and
    leaves."""

    def play(lab: Lab) -> None:
        serve_ftp(lab, _LAST_NODE, 211, range(60_000, 60_001), Tls.NONE)
        for client, login in ((_CLIENT, True), (_SECOND, False)):
            with lab.home(client):
                ftp = ftplib.FTP(source_address=(lab.address(client), 0), timeout=SOCKET_SECONDS)
                ftp.connect(lab.address(_LAST_NODE), 211)
                try:
                    ftp.sendcmd("AUTH TLS")
                except ftplib.error_perm:
                    pass
                else:
                    raise ValueError("the server accepted AUTH TLS")
                if login:
                    ftp.login(USER, PASSWORD)
                    upload(ftp, "one", _BULK)
                else:
                    ftp.sendcmd("FEAT")
                ftp.quit()

    return played(play, inside=[_CLIENT, _SECOND], outside=[_LAST_NODE])


@lab("checks/control-not-secured-silent.pcapng")
def secured_or_nobodys() -> bytes:
    """Control sessions secured by AUTH TLS and by TLS from the first byte; a login in the clear at a server of no
    vendor."""

    def play(lab: Lab) -> None:
        serve_ftp(lab, _NODE, 21, range(30_000, 30_001), Tls.REQUIRED)
        serve_ftp(lab, _LAST_NODE, 211, range(60_000, 60_001), Tls.IMPLICIT)
        serve_ftp(lab, _STRANGER, 21, range(40_000, 40_001), Tls.NONE)
        for server, port, tls in (
            (_NODE, 21, Tls.REQUIRED),
            (_LAST_NODE, 211, Tls.IMPLICIT),
            (_STRANGER, 21, Tls.NONE),
        ):
            with ftp_session(lab, _CLIENT, server, port, tls) as ftp:
                upload(ftp, "one", _BULK)

    return played(play, inside=[_CLIENT], outside=[_NODE, _LAST_NODE, _STRANGER])


@lab("checks/active-mode-ftp-fires.pcapng")
def active() -> bytes:
    """PORT and EPRT, each accepted and followed by a connection from the server's port 20."""

    def play(lab: Lab) -> None:
        serve_ftp(lab, _NODE, 21, range(30_000, 30_001), Tls.NONE)
        with ftp_session(lab, _CLIENT, _NODE, 21, Tls.NONE) as ftp:
            for number, extended in enumerate((False, True)):
                _active(ftp, _CLIENT, extended=extended)
                upload(ftp, f"file-{number}", _BULK)

    return played(play, inside=[_CLIENT], outside=[_NODE])


@lab("checks/active-mode-ftp-fires-refused.pcapng")
def active_refused() -> bytes:
    """PORT for a privileged port, refused; the file goes by PASV."""

    def play(lab: Lab) -> None:
        serve_ftp(lab, _NODE, 21, range(30_000, 30_001), Tls.NONE)
        with ftp_session(lab, _CLIENT, _NODE, 21, Tls.NONE) as ftp:
            try:
                ftp.sendport(_CLIENT, 1023)
            except ftplib.error_perm:
                pass
            else:
                raise ValueError("the server accepted PORT")
            upload(ftp, "one", _BULK)

    return played(play, inside=[_CLIENT], outside=[_NODE])


@lab("checks/active-mode-ftp-fires-secured.pcapng")
def active_secured() -> bytes:
    """Under TLS nobody can read PORT, but the data connection comes from the server's port 20."""

    def play(lab: Lab) -> None:
        serve_ftp(lab, _NODE, 21, range(30_000, 30_001), Tls.REQUIRED)
        with ftp_session(lab, _CLIENT, _NODE, 21, Tls.REQUIRED) as ftp:
            _active(ftp, _CLIENT)
            upload(ftp, "one", _BULK)

    return played(play, inside=[_CLIENT], outside=[_NODE])


@lab("checks/active-mode-ftp-silent.pcapng")
def passive() -> bytes:
    """Passive with a node under TLS; active with a server of no vendor."""

    def play(lab: Lab) -> None:
        serve_ftp(lab, _NODE, 21, range(30_000, 30_001), Tls.REQUIRED)
        serve_ftp(lab, _STRANGER, 21, range(40_000, 40_001), Tls.NONE)
        with ftp_session(lab, _CLIENT, _NODE, 21, Tls.REQUIRED) as ftp:
            upload(ftp, "one", _BULK)
        with ftp_session(lab, _CLIENT, _STRANGER, 21, Tls.NONE) as ftp:
            _active(ftp, _CLIENT)
            upload(ftp, "two", _BULK)

    return played(play, inside=[_CLIENT], outside=[_NODE, _STRANGER])


@lab("checks/data-port-not-negotiated-fires.pcapng")
def not_negotiated() -> bytes:
    """Under a control session that can be read: a data port that was never announced, and one that was announced to
    another client only."""

    def play(lab: Lab) -> None:
        serve_ftp(lab, _NODE, 21, range(30_000, 30_002), Tls.NONE, strangers=True)
        serve(lab, _NODE, 30_500)
        with (
            ftp_session(lab, _CLIENT, _NODE, 21, Tls.NONE) as ftp,
            ftp_session(lab, _SECOND, _NODE, 21, Tls.NONE) as second,
        ):
            with lab.home(_CLIENT):
                upload(ftp, "one", _BULK)
            exchange(lab, _CLIENT, 42_000, _NODE, 30_500, up=9000, down=0)
            _, port = ftp.makepasv()
            with lab.socket(_SECOND, 42_001) as plug:
                plug.connect((lab.address(_NODE), port))
                ftp.sendcmd("STOR two")
                plug.sendall(os.urandom(_BULK))
            ftp.voidresp()
            second.voidcmd("NOOP")

    return played(play, inside=[_CLIENT, _SECOND], outside=[_NODE])


@lab("checks/data-port-not-negotiated-silent.pcapng")
def negotiated() -> bytes:
    """Data ports as announced: by EPSV, and by PASV of a server that knows only its private address."""

    def play(lab: Lab) -> None:
        serve_ftp(lab, _NODE, 21, range(30_000, 30_004), Tls.NONE, says="10.44.0.9")
        with ftp_session(lab, _CLIENT, _NODE, 21, Tls.NONE) as ftp:
            upload(ftp, "one", _BULK)
            _extended(ftp)
            upload(ftp, "two", _BULK)
            download(ftp, "one")

    return played(play, inside=[_CLIENT], outside=[_NODE])


@lab("checks/destination-outside-published-fires-negotiated.pcapng")
def sent_elsewhere() -> bytes:
    """A PASV answer sends the client to an address that nobody publishes, and the file goes there."""

    def play(lab: Lab) -> None:
        serve_ftp(lab, _NODE, 21, range(30_000, 30_001), Tls.NONE, elsewhere=_ELSEWHERE)
        with ftp_session(lab, _CLIENT, _NODE, 21, Tls.NONE) as ftp:
            _believing(lab, ftp)
            upload(ftp, "one", _BULK)

    return played(play, inside=[_CLIENT], outside=[_NODE, _ELSEWHERE])


@lab("checks/unencrypted-payload-fires.pcapng")
def readable_backups() -> bytes:
    """Text as it is: over an FTP data connection whose control is secured, and to a server of port 16384."""

    def play(lab: Lab) -> None:
        serve_ftp(lab, _NODE, 21, range(30_000, 30_001), Tls.OFFERED)
        serve(lab, "204.164.111.5", 16384)
        with ftp_session(lab, _CLIENT, _NODE, 21, Tls.OFFERED) as ftp:
            upload_text(ftp, "one", _BULK)
        _tell(lab, 1031, "204.164.111.5", 16384)

    return played(play, inside=[_CLIENT], outside=[_NODE, "204.164.111.5"])


@lab("checks/unencrypted-payload-silent.pcapng")
def encrypted_backups() -> bytes:
    """Text under TLS; random bytes and a short text without; text to the client alone, and to SecuriData, which
    publishes no encryption."""

    def play(lab: Lab) -> None:
        serve_ftp(lab, _NODE, 21, range(30_000, 30_003), Tls.OFFERED)
        serve_ftp(lab, _LAST_NODE, 211, range(60_000, 60_001), Tls.REQUIRED)
        serve(lab, "203.0.113.5", 4401)
        with ftp_session(lab, _CLIENT, _NODE, 21, Tls.OFFERED) as ftp:
            upload(ftp, "one", _BULK)
            upload_text(ftp, "two", 8000)
            (lab.folder / f"ftp-{_NODE}-21" / "three").write_bytes(readable(9000))
            download(ftp, "three")
        with ftp_session(lab, _CLIENT, _LAST_NODE, 211, Tls.REQUIRED) as ftp:
            upload_text(ftp, "four", _BULK)
        _tell(lab, 1031, "203.0.113.5", 4401)

    return played(play, inside=[_CLIENT], outside=[_NODE, _LAST_NODE, "203.0.113.5"])


def _tell(lab: Lab, source_port: int, server: str, port: int) -> None:
    """A session with a plain server that carries text."""
    with lab.socket(_CLIENT, source_port) as plug:
        plug.connect((lab.address(server), port))
        talk(plug, readable(_BULK), 300)
