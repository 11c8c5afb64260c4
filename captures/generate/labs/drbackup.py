"""Dr.Backup: FTP over TLS, passive, one data port for each file."""

from __future__ import annotations

from captures.generate.ftp import Tls, download, ftp_session, serve_ftp, upload
from captures.generate.hosts import attempt, datagram, exchange, ping, serve, serve_datagrams
from captures.generate.lab import Lab, played
from captures.generate.recipe import lab

_CLIENT = "10.1.2.3"
_WEB = "198.51.100.80"


@lab("drbackup-clean.pcapng")
def clean() -> bytes:
    """Two backup runs: three files by port 21 of one node, one file by the alternate port 211 of another."""

    def play(lab: Lab) -> None:
        serve(lab, _WEB, 443)
        serve_ftp(lab, "66.241.7.9", 21, range(20_000, 20_003), Tls.REQUIRED)
        serve_ftp(lab, "66.241.7.30", 211, range(60_000, 60_001), Tls.REQUIRED)
        exchange(lab, _CLIENT, 40_000, _WEB, 443)
        with ftp_session(lab, _CLIENT, "66.241.7.9", 21, Tls.REQUIRED) as ftp:
            for name in ("one", "two", "three"):
                upload(ftp, name, 24_000)
        with ftp_session(lab, _CLIENT, "66.241.7.30", 211, Tls.REQUIRED) as ftp:
            upload(ftp, "four", 12_000)

    return played(play, inside=[_CLIENT], outside=["66.241.7.9", "66.241.7.30", _WEB])


@lab("drbackup-violating.pcapng")
def violating() -> bytes:
    """A backup and a restore as published; beside them what Dr.Backup says never happens."""

    def play(lab: Lab) -> None:
        node, outside_node, support = "66.241.7.9", "66.241.7.31", "96.231.233.4"
        serve_ftp(lab, node, 21, range(30_000, 30_003), Tls.REQUIRED)
        for address, port in ((_CLIENT, 5900), (outside_node, 211), (node, 22), (support, 8008)):
            serve(lab, address, port)
        serve_datagrams(lab, node, 21_000)
        with ftp_session(lab, _CLIENT, node, 21, Tls.REQUIRED) as ftp:
            upload(ftp, "one", 20_000)
            upload(ftp, "two", 20_000)
            download(ftp, "one")
        exchange(lab, node, 45_000, _CLIENT, 5900)
        attempt(lab, node, 45_001, _CLIENT, 22)
        datagram(lab, _CLIENT, 3000, node, 21_000, answered=True)
        ping(lab, _CLIENT, "66.241.7.10")
        exchange(lab, _CLIENT, 40_001, outside_node, 211)
        exchange(lab, _CLIENT, 40_002, node, 22)
        exchange(lab, _CLIENT, 40_003, support, 8008)

    outside = ["66.241.7.9", "66.241.7.10", "66.241.7.31", "96.231.233.4"]
    return played(play, inside=[_CLIENT], outside=outside)
