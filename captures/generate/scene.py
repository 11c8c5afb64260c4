"""Made-up traffic, packet by packet: a `Scene` collects frames, a `Tcp` plays one TCP session in it.

Times are seconds after the scene's start. Everything random comes from the scene's seed, so that the same recipe
always gives the same bytes.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Self

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Packet, Raw

from captures.generate.record import Frame

START = datetime(2026, 3, 2, 21, 0, tzinfo=UTC)  # a Monday, 22:00 in Berlin
STEP = 0.01  # seconds between two packets of a session
SEGMENT = 1400  # payload bytes of a full TCP segment
LATE = 0.000_05  # seconds by which the second copy of a SPAN frame lags


def nanoseconds(moment: datetime) -> int:
    """Since 1970, exact."""
    return int(moment.timestamp()) * 1_000_000_000 + moment.microsecond * 1000


def mac(address: str) -> str:
    """A locally administered MAC that stands for an address: same address, same MAC."""
    return ":".join(f"{byte:02x}" for byte in b"\x02\x00" + ip_address(address).packed[-4:])


class Scene:
    """Frames of one capture. `vlans`: tags outermost first on every frame; `snap_length`: bytes kept of each."""

    def __init__(
        self, seed: str, *, start: datetime = START, vlans: tuple[int, ...] = (), snap_length: int | None = None
    ) -> None:
        self.random = random.Random(seed)
        self.process: int | None = None  # whose the packets are from now on
        self._start_ns = nanoseconds(start)
        self._vlans = vlans
        self._snap_length = snap_length
        self._frames: list[Frame] = []
        self._datagrams = 0
        self._pages = 0

    def add(self, at: float, packet: Packet) -> None:
        """Record an IP packet as an Ethernet frame."""
        link: Packet = Ether(src=mac(packet.src), dst=mac(packet.dst))
        for tag in self._vlans:
            link = link / Dot1Q(vlan=tag)
        data = bytes(link / packet)
        time_ns = self._start_ns + round(at * 1_000_000_000)
        self._frames.append(Frame(time_ns, data[: self._snap_length], len(data), self.process))

    def ip(self, source: str, destination: str) -> Packet:
        """An IP header with an identification of its own: two packets are never the same by accident."""
        self._datagrams += 1
        if ip_address(source).version == 6:
            return IPv6(src=source, dst=destination)
        return IP(src=source, dst=destination, id=self._datagrams & 0xFFFF, flags="DF")

    def udp(self, at: float, source: str, source_port: int, destination: str, port: int, size: int = 160) -> None:
        """One UDP datagram."""
        head = UDP(sport=source_port, dport=port)
        self.add(at, self.ip(source, destination) / head / Raw(self.random.randbytes(size)))

    def echo(self, at: float, source: str, destination: str, *, sequence: int = 1, answered: bool = True) -> None:
        """An ICMP echo request and its reply."""
        data = Raw(bytes(range(48)))
        self.add(at, self.ip(source, destination) / ICMP(type=8, id=77, seq=sequence) / data)
        if answered:
            self.add(at + STEP, self.ip(destination, source) / ICMP(type=0, id=77, seq=sequence) / data)

    def icmp_error(self, at: float, router: str, quoted: Packet, kind: int, code: int) -> None:
        """`router` tells the sender of `quoted` of its fate; quotes its IP header and 8 bytes (RFC 792)."""
        self.add(at, self.ip(router, quoted.src) / ICMP(type=kind, code=code) / Raw(bytes(quoted)[:28]))

    def web(self, at: float, client: str = "10.1.2.3", *, count: int = 8, every: float = 0.5) -> None:
        """Ordinary two-way traffic of no vendor, so that the capture plainly shows both directions."""
        for number in range(count):
            self._pages += 1
            session(self, client, 6000 + self._pages, "198.51.100.80", 443, at + number * every, up=300, down=900)

    def frames(self, *, copies: int = 1) -> list[Frame]:
        """In order of time; `copies` 2: every frame twice, as a SPAN of two ports of one switch gives them."""
        lag = round(LATE * 1_000_000_000)
        every = [replace(frame, time_ns=frame.time_ns + copy * lag) for frame in self._frames for copy in range(copies)]
        return sorted(every, key=lambda frame: frame.time_ns)


class Tcp:
    """One TCP session, played by calls in order of time. `hidden`: "initiator" or "responder", whose packets the
    capture lacks."""

    def __init__(
        self,
        scene: Scene,
        initiator: str,
        initiator_port: int,
        responder: str,
        responder_port: int,
        at: float,
        *,
        hidden: str = "",
    ) -> None:
        self.now = at
        self._scene = scene
        self._ends = {True: (initiator, initiator_port), False: (responder, responder_port)}
        self._sequence = {True: scene.random.getrandbits(31), False: scene.random.getrandbits(31)}
        self._hidden = {"": None, "initiator": True, "responder": False}[hidden]

    def at(self, seconds: float) -> Self:
        """The next packet is sent then."""
        self.now = seconds
        return self

    def packet(self, up: bool, flags: str, payload: bytes = b"", *, lost: bool = False) -> Packet:
        """One packet, `up` from the initiator. `lost`: it was sent, but the capture lacks it."""
        (source, source_port), (destination, port) = self._ends[up], self._ends[not up]
        head = TCP(
            sport=source_port,
            dport=port,
            flags=flags,
            seq=self._sequence[up],
            ack=self._sequence[not up] if "A" in flags else 0,
            window=64_000,
        )
        packet = self._scene.ip(source, destination) / head
        if payload:
            packet = packet / Raw(payload)
        if not lost and up is not self._hidden:
            self._scene.add(self.now, packet)
        self._sequence[up] += len(payload) + ("S" in flags) + ("F" in flags)
        self.now += STEP
        return packet

    def syn(self) -> Self:
        self.packet(True, "S")
        return self

    def syn_again(self) -> Self:
        """The SYN once more, same sequence number."""
        self._sequence[True] -= 1
        return self.syn()

    def syn_ack(self) -> Self:
        self.packet(False, "SA")
        return self

    def ack(self, up: bool = True) -> Self:
        self.packet(up, "A")
        return self

    def open(self) -> Self:
        """The three-way handshake."""
        return self.syn().syn_ack().ack()

    def refuse(self) -> Self:
        """The responder answers the SYN by RST."""
        self.packet(False, "RA")
        return self

    def send(self, size: int, *, up: bool = True) -> Self:
        """`size` random bytes in full segments, every second one and the last acknowledged by the other end."""
        sent = 0
        while sent < size:
            part = min(SEGMENT, size - sent)
            self.packet(up, "PA", self._scene.random.randbytes(part))
            sent += part
            if sent % (2 * SEGMENT) == 0 or sent == size:
                self.ack(not up)
        return self

    def say(self, line: str, *, up: bool) -> Self:
        """A line of a text protocol, and its acknowledgement."""
        self.packet(up, "PA", line.encode() + b"\r\n")
        return self.ack(not up)

    def close(self) -> Self:
        """FIN from both, the initiator first."""
        self.packet(True, "FA")
        self.packet(False, "FA")
        return self.ack()


def session(
    scene: Scene,
    client: str,
    client_port: int,
    server: str,
    port: int,
    at: float,
    *,
    up: int = 600,
    down: int = 400,
    hidden: str = "",
) -> Tcp:
    """A whole session: opened by the client, `up` bytes to the server, `down` bytes back, closed by both."""
    tcp = Tcp(scene, client, client_port, server, port, at, hidden=hidden).open()
    return tcp.send(up).send(down, up=False).close()


def ftp_control(scene: Scene, client: str, client_port: int, server: str, at: float, *, port: int = 21) -> Tcp:
    """An FTP control session that has just been secured: greeting, AUTH TLS, and unreadable bytes after it."""
    tcp = Tcp(scene, client, client_port, server, port, at).open()
    tcp.say("220 ready", up=False).say("AUTH TLS", up=True).say("234 go ahead", up=False)
    return tcp.send(500).send(1200, up=False).send(200).send(200, up=False)
