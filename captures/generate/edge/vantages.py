"""Both sides of a firewall: each scene once as the inside shows it, once as the outside does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether
from scapy.packet import Packet

from captures.generate.recipe import edge
from captures.generate.record import Frame, pcap
from captures.generate.scene import Scene, Tcp, mac, session

_HOST, _SECOND = "10.1.2.3", "10.1.2.4"
_SERVER = "204.164.111.5"
_SECURIDATA = "198.51.100.20"
_NAT = "203.0.113.7"
_PORT, _SECURIDATA_PORT = 16384, 4401
_DELAY_NS = 400_000  # what the firewall needs for a packet
_FAST_NS = 1_000_000_000  # by so much the outside's clock is fast
_NAT_PORTS = {_HOST: 1000, _SECOND: 2000}  # added to the client's port

Change = Callable[[Packet], None]


def _inside(seed: str) -> Scene:
    """Two clients, each with a session of two vendors; and web pages."""
    scene = Scene(seed)
    session(scene, _HOST, 2001, _SERVER, _PORT, 1, up=20_000, down=300)
    session(scene, _SECOND, 2001, _SERVER, _PORT, 1.005, up=900, down=300)
    session(scene, _HOST, 2002, _SECURIDATA, _SECURIDATA_PORT, 3)
    session(scene, _SECOND, 2002, _SECURIDATA, _SECURIDATA_PORT, 5)
    scene.web(0, count=20)
    return scene


def _outside(scene: Scene, change: Change | None = None) -> list[Frame]:
    """The frames as they leave the firewall: clients get its address and other ports, `change` does the rest."""
    frames = []
    for frame in scene.frames():
        packet = Ether(frame.data)
        head, tcp = packet[IP], packet[TCP]
        if head.src in _NAT_PORTS:
            tcp.sport += _NAT_PORTS[head.src]
            head.src = _NAT
        else:
            tcp.dport += _NAT_PORTS[head.dst]
            head.dst = _NAT
        if change is not None:
            change(packet)
        packet.src, packet.dst = mac(head.src), mac(head.dst)
        del head.chksum, tcp.chksum
        head.ttl -= 1
        data = bytes(packet)
        frames.append(replace(frame, time_ns=frame.time_ns + _DELAY_NS + _FAST_NS, data=data, wire_length=len(data)))
    return frames


def _redirect(packet: Packet) -> None:
    """One client's sessions with a vendor go to another server, another's to another port; one's payload changes."""
    head, tcp = packet[IP], packet[TCP]
    up = head.src == _NAT
    client_port = tcp.sport if up else tcp.dport
    if client_port == 2001 + _NAT_PORTS[_HOST]:
        if up:
            head.dst = "204.164.111.6"
        else:
            head.src = "204.164.111.6"
    if client_port == 2002 + _NAT_PORTS[_HOST]:
        if up:
            tcp.dport = 8401
        else:
            tcp.sport = 8401
    if client_port == 2002 + _NAT_PORTS[_SECOND] and up and tcp.payload:
        tcp.payload.load = b"X" + tcp.payload.load[1:]


def _stopped(frames: list[Frame]) -> list[Frame]:
    """Further, an attempt from a published network that the firewall stops."""
    other = Scene("stopped")
    Tcp(other, _SERVER, 50_000, _NAT, 22, 4).syn().at(5).syn_again()
    shifted = [replace(frame, time_ns=frame.time_ns + _FAST_NS) for frame in other.frames()]
    return sorted([*frames, *shifted], key=lambda frame: frame.time_ns)


@edge("checks/not-transparent-fires.pcap")
def changed_inside() -> bytes:
    """What the inside shows of a firewall that changes sessions."""
    return pcap(_inside("not-transparent-fires").frames())


@edge("checks/not-transparent-fires-outside.pcap")
def changed_outside() -> bytes:
    """The same outside: another server, another port, other payload; one session is let alone."""
    return pcap(_outside(_inside("not-transparent-fires"), _redirect))


@edge("checks/not-transparent-silent.pcap")
def passed_inside() -> bytes:
    """What the inside shows of a firewall that changes only the clients' addresses and ports."""
    scene = _inside("not-transparent-silent")
    Tcp(scene, _SERVER, 50_001, _HOST, 8080, 6).syn()
    return pcap(scene.frames())


@edge("checks/not-transparent-silent-outside.pcap")
def passed_outside() -> bytes:
    """The same outside, by a clock that is a second fast, and with an attempt that the firewall stopped."""
    scene = _inside("not-transparent-silent")
    Tcp(scene, _SERVER, 50_001, _HOST, 8080, 6).syn()
    frames = _outside(scene)
    return pcap(_stopped(frames))
