"""What tshark says of packets, one line each. Nothing here is needed: without tshark there are no such lines.

tshark runs as a program of its own, with a time limit, on a small capture that was made for it. It repeats what packets
say, passwords and names of files too: of that only what tells how connections come about is handed on.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import NamedTuple

SECONDS = 30  # longest run: the captures that it is given have a few hundred frames
FIELDS = ("frame.time_epoch", "_ws.col.protocol", "_ws.col.info", "frame.comment")
OLDER = {"_ws.col.protocol": "_ws.col.Protocol", "_ws.col.info": "_ws.col.Info"}  # before Wireshark 4.2

# Protocols of whose packets tshark tells headers, lengths and host names, but nothing that users say.
OF_HEADERS = re.compile(r"TCP|UDP|ICMP(v6)?|IPv[46]|ARP|GRE|ESP|M?DNS|Socks|TLSv[\d.]+|SSL(v\d)?|QUIC")
HTTP_PROXY = re.compile(r"CONNECT \S+ HTTP/[\d.]+|HTTP/[\d.]+ \d+")
# Of FTP: commands with their arguments where those say how connections are made, else without; replies likewise.
FTP = re.compile(
    r"Request: (?:(?:AUTH|EPRT|EPSV|PBSZ|PORT|PROT|TYPE)\b.*"
    r"|(?:ABOR|ACCT|APPE|CCC|CWD|DELE|FEAT|LIST|MDTM|MKD|MLSD|NLST|NOOP|OPTS|PASS|PASV|PWD|QUIT|REIN|REST|RETR|RMD|RNFR|RNTO|SIZE|STOR|STOU|SYST|USER)\b)"
    r"|Response: (?:2(?:27|28|29|34)\b.*|\d{3}\b)",
    re.IGNORECASE,
)


class Line(NamedTuple):
    """One packet in tshark's words."""

    time: str  # seconds since 1970, nine decimals
    protocol: str
    info: str
    comment: str


def tshark() -> str | None:
    """The program, None where it is not installed."""
    return shutil.which("tshark")


def dissect(path: str) -> list[Line] | None:
    """The packets of a capture; None where tshark is not installed, or fails."""
    program = tshark()
    if program is None:
        return None
    for names in (FIELDS, tuple(OLDER.get(name, name) for name in FIELDS)):
        command = [program, "-n", "-r", path, "-T", "fields", "-E", "separator=/t", "-E", "occurrence=a"]
        command += [part for name in names for part in ("-e", name)]
        try:
            done = subprocess.run(  # noqa: S603  # a program found on the PATH, a file of ours
                command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        if done.returncode == 0:
            rows = [line.split("\t") for line in done.stdout.decode("utf-8", "replace").splitlines()]
            lines = [Line(*(row + [""] * len(FIELDS))[: len(FIELDS)]) for row in rows]
            if not lines or any(line.info for line in lines):  # older ones leave columns empty that they do not know
                return [line._replace(info=discreet(line.protocol, line.info)) for line in lines]
    return None


def discreet(protocol: str, info: str) -> str:
    """What tshark says of a packet without what users say in it."""
    if OF_HEADERS.fullmatch(protocol):
        return info
    told = {"FTP": FTP, "HTTP": HTTP_PROXY}.get(protocol)
    found = told.match(info) if told else None
    return found.group() if found else ""
