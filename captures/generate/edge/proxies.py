"""What the clients of SOCKS proxies ask for, where no program at hand does it: SOCKS 4a, refusals, both legs, relays
for UDP."""

from __future__ import annotations

import socket
import struct

from scapy.layers.inet import UDP
from scapy.packet import Raw

from captures.generate.recipe import edge
from captures.generate.record import pcap
from captures.generate.scene import Scene, Tcp, session

_HOST = "10.1.2.3"
_PROXY = "10.0.0.9"
_SERVER = "204.164.111.5"
_PORT = 16384
_GRANTED, _REFUSED = 0x5A, 0x5B


def _ask_4a(scene: Scene, source_port: int, name: str, port: int, at: float, *, granted: bool = True) -> None:
    """A SOCKS 4a request for a name: the address 0.0.0.1 says that one follows."""
    tcp = Tcp(scene, _HOST, source_port, _PROXY, 1080, at).open()
    tcp.packet(True, "PA", struct.pack(">BBHI", 4, 1, port, 1) + b"agent\0" + name.encode() + b"\0")
    tcp.ack(up=False)
    tcp.packet(False, "PA", bytes([0, _GRANTED if granted else _REFUSED]) + bytes(6))
    tcp.ack()
    if granted:
        tcp.send(900).send(400, up=False)
    tcp.close()


def _ask_5(scene: Scene, source_port: int, target: bytes, port: int, at: float, *, up: int) -> None:
    """A SOCKS 5 session without a login; `target` is type and address."""
    tcp = Tcp(scene, _HOST, source_port, _PROXY, 1080, at).open()
    tcp.packet(True, "PA", b"\x05\x01\x00")
    tcp.packet(False, "PA", b"\x05\x00")
    tcp.packet(True, "PA", b"\x05\x01\x00" + target + struct.pack(">H", port))
    tcp.packet(False, "PA", b"\x05\x00\x00\x01" + bytes(6))
    tcp.ack().send(up).send(400, up=False).close()


@edge("checks/proxy-target-outside-published-fires-names.pcap")
def names() -> bytes:
    """By SOCKS 4a: a name that says nothing, and one that the proxy refuses; by SOCKS 5: an address that is sent as a
    name, and a published one that is."""
    scene = Scene("proxy-target-outside-published-fires-names")
    _ask_4a(scene, 2001, "backup.example.net", _PORT, 1)
    _ask_4a(scene, 2002, "other.example.net", _PORT, 3, granted=False)
    for number, address in enumerate(("198.51.100.77", _SERVER)):
        _ask_5(scene, 2011 + number, bytes([3, len(address)]) + address.encode(), _PORT, 5 + 2 * number, up=900)
    return pcap(scene.frames())


@edge("checks/proxy-bypassed-silent-both-legs.pcap")
def both_legs() -> bytes:
    """A session by the required proxy, captured on both sides of it."""
    scene = Scene("proxy-bypassed-silent-both-legs")
    _ask_5(scene, 2001, b"\x01" + socket.inet_aton(_SERVER), _PORT, 1, up=18_000)
    session(scene, _PROXY, 3001, _SERVER, _PORT, 1.03, up=18_000, down=400)
    scene.web(3)
    return pcap(scene.frames())


def _associate(scene: Scene, source_port: int, relay_port: int, at: float, *, code: int = 0) -> Tcp:
    """A client asks for a relay (RFC 1928, 4 and 7) and gets one at the proxy's address, or the refusal `code`."""
    tcp = Tcp(scene, _HOST, source_port, _PROXY, 1080, at).open()
    tcp.packet(True, "PA", b"\x05\x01\x00")
    tcp.packet(False, "PA", b"\x05\x00")
    tcp.packet(True, "PA", b"\x05\x03\x00\x01" + bytes(6))
    bound = socket.inet_aton(_PROXY) + struct.pack(">H", relay_port)
    tcp.packet(False, "PA", bytes([5, code, 0, 1]) + (bound if code == 0 else bytes(6)))
    return tcp.ack()


def _relayed(
    scene: Scene, at: float, source_port: int, relay_port: int, far: str, port: int, *, back: bool = True
) -> None:
    """A datagram by the relay to `far`, and one back: both carry the far end in front."""
    head = b"\0\0\0\x01" + socket.inet_aton(far) + struct.pack(">H", port)
    ends = [(_HOST, source_port, _PROXY, relay_port), (_PROXY, relay_port, _HOST, source_port)]
    for number, (source, from_port, destination, to_port) in enumerate(ends[: 1 + back]):
        datagram = UDP(sport=from_port, dport=to_port) / Raw(head + scene.random.randbytes(120))
        scene.add(at + 0.01 * number, scene.ip(source, destination) / datagram)


@edge("checks/udp-use-fires-relay.pcap")
def relayed() -> bytes:
    """Datagrams by one relay to servers of two vendors and to somebody else."""
    scene = Scene("udp-use-fires-relay")
    tcp = _associate(scene, 2001, 40_000, 1)
    _relayed(scene, 2, 5000, 40_000, "198.51.100.53", 53)
    _relayed(scene, 3, 5000, 40_000, _SERVER, _PORT)
    _relayed(scene, 4, 5000, 40_000, _SERVER, _PORT, back=False)
    _relayed(scene, 5, 5000, 40_000, "66.241.7.9", 21_000, back=False)
    tcp.at(6).close()
    scene.web(7)
    return pcap(scene.frames())


@edge("checks/udp-use-silent-relay.pcap")
def relayed_for_others() -> bytes:
    """A relay that leads to port 16384 of no vendor; datagrams that look relayed, by no relay and after a refusal."""
    scene = Scene("udp-use-silent-relay")
    tcp = _associate(scene, 2001, 40_000, 1)
    _relayed(scene, 2, 5000, 40_000, "198.51.100.20", _PORT)
    _relayed(scene, 3, 5001, 40_001, _SERVER, _PORT)
    tcp.at(4).close()
    _associate(scene, 2002, 40_002, 5, code=2).close()
    _relayed(scene, 6, 5002, 40_002, _SERVER, _PORT)
    scene.web(7)
    return pcap(scene.frames())
