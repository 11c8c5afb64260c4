"""Name resolution: a dnsmasq server that knows only what a recipe tells it, and its clients."""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping

from scapy.layers.dns import DNS, DNSQR

from captures.generate.hosts import take
from captures.generate.lab import Lab

_DNS = 53
_LARGEST_ANSWER = 4096


def serve_names(lab: Lab, address: str, hosts: Mapping[str, str], *, aliases: Mapping[str, str] | None = None) -> None:
    """A resolver. `hosts`: name → its addresses, with commas, in answers only; `aliases`: name → name of a host."""
    options = [f"--host-record={name},{addresses}" for name, addresses in hosts.items()]
    options += [f"--cname={alias},{name}" for alias, name in (aliases or {}).items()]
    lab.program(
        address,
        _DNS,
        "dnsmasq",
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--pid-file=",
        "--user=root",
        "--no-resolv",
        "--no-hosts",
        "--local=//",
        "--bind-interfaces",
        "--except-interface=lo",
        f"--listen-address={lab.address(address)}",
        *options,
    )


def look_up(lab: Lab, source: str, source_port: int, resolver: str, name: str, kind: str = "A") -> None:
    """A question over UDP, and its answer."""
    with lab.socket(source, source_port, socket.SOCK_DGRAM) as plug:
        plug.sendto(_question(name, kind, source_port), (lab.address(resolver), _DNS))
        plug.recv(_LARGEST_ANSWER)


def look_up_by_tcp(lab: Lab, source: str, source_port: int, resolver: str, name: str, kind: str = "A") -> None:
    """The same over TCP (RFC 7766)."""
    question = _question(name, kind, source_port)
    with lab.socket(source, source_port) as plug:
        plug.connect((lab.address(resolver), _DNS))
        plug.sendall(struct.pack(">H", len(question)) + question)
        take(plug, struct.unpack(">H", take(plug, 2))[0])


def _question(name: str, kind: str, number: int) -> bytes:
    return bytes(DNS(id=number, rd=1, qd=DNSQR(qname=name, qtype=kind)))
