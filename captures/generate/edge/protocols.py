"""What is not TCP."""

from __future__ import annotations

from scapy.layers.inet import IP, fragment
from scapy.layers.l2 import GRE, Ether
from scapy.packet import Raw

from captures.generate.recipe import edge
from captures.generate.record import pcap
from captures.generate.scene import STEP, Scene, Tcp, session

_HOST = "10.1.2.3"
_SERVER, _ALTERNATE = "204.164.111.5", "140.239.229.5"
_NODE = "66.241.7.9"
_ESP, _SCTP = 50, 132
_UNREACHABLE, _TOO_BIG, _FILTERED, _TIME_EXCEEDED = 3, 4, 13, 11  # ICMP types and codes (RFC 792, RFC 1812)


@edge("checks/udp-use-fires.pcap")
def udp_fires() -> bytes:
    """UDP to two vendors, one datagram answered, one not, and UDP from one."""
    scene = Scene("udp-use-fires")
    scene.web(0)
    scene.udp(5, _HOST, 3000, _SERVER, 16384)
    scene.udp(6, _ALTERNATE, 50_000, _HOST, 3001)
    scene.udp(7, _HOST, 40_000, _NODE, 21)
    scene.udp(7.1, _NODE, 21, _HOST, 40_000)
    return pcap(scene.frames())


@edge("checks/udp-use-silent.pcap")
def udp_silent() -> bytes:
    """Somebody's RTP on port 16384, UDP just outside the published networks, UDP 4401 where no site gives SecuriData a
    network, name resolution."""
    scene = Scene("udp-use-silent")
    for number in range(20):
        scene.udp(1 + number * 0.02, _HOST, 16386, "198.51.100.20", 16384, 172)
        scene.udp(1.01 + number * 0.02, "198.51.100.20", 16384, _HOST, 16386, 172)
    scene.udp(3, _HOST, 3000, "66.241.7.31", 21)
    scene.udp(4, _HOST, 3001, "204.164.111.64", 16384)
    scene.udp(5, _HOST, 3002, "203.0.113.5", 4401)
    session(scene, _HOST, 2000, _SERVER, 16384, 6)
    return pcap(scene.frames())


@edge("checks/icmp-use-fires.pcap")
def icmp_fires() -> bytes:
    """Echo both ways, and an error that a vendor's server itself sends about its session."""
    scene = Scene("icmp-use-fires")
    for sequence in (1, 2, 3):
        scene.echo(sequence, _HOST, _SERVER, sequence=sequence)
    scene.echo(5, _NODE, _HOST, answered=False)
    tcp = Tcp(scene, _HOST, 2000, _ALTERNATE, 16384, 6).open()
    quoted = tcp.packet(True, "PA", scene.random.randbytes(1400))
    scene.icmp_error(6.5, _ALTERNATE, quoted, _UNREACHABLE, _FILTERED)
    tcp.at(7).ack(up=False).close()
    return pcap(scene.frames())


@edge("checks/icmp-use-silent-routers.pcap")
def icmp_silent() -> bytes:
    """Routers, one of them within a published network, that quote a vendor's session; echo just outside of it."""
    scene = Scene("icmp-use-silent-routers")
    tcp = Tcp(scene, _HOST, 2000, _SERVER, 16384, 1).open()
    quoted = tcp.packet(True, "PA", scene.random.randbytes(1400))
    scene.icmp_error(1.2, "203.0.113.1", quoted, _TIME_EXCEEDED, 0)
    scene.icmp_error(1.3, "204.164.111.62", quoted, _UNREACHABLE, _TOO_BIG)
    tcp.at(2).ack(up=False).send(600).close()
    scene.echo(3, _HOST, "204.164.111.64")
    scene.echo(4, _HOST, "66.241.7.31")
    scene.echo(5, "66.241.7.0", _HOST)
    return pcap(scene.frames())


@edge("checks/other-protocol-use-fires.pcap")
def other_protocol_fires() -> bytes:
    """ESP to a vendor and SCTP from another."""
    scene = Scene("other-protocol-use-fires")
    scene.web(0)
    for second in (5, 6):
        packet = scene.ip(_HOST, _SERVER)
        packet.proto = _ESP
        scene.add(second, packet / Raw(scene.random.randbytes(96)))
    packet = scene.ip(_NODE, _HOST)
    packet.proto = _SCTP
    scene.add(7, packet / Raw(scene.random.randbytes(48)))
    return pcap(scene.frames())


@edge("checks/other-protocol-use-silent-tunnel-and-fragments.pcap")
def other_protocol_silent() -> bytes:
    """A vendor session inside GRE between routers of nobody, a fragmented TCP segment, ESP to the next address."""
    scene = Scene("other-protocol-use-silent-tunnel-and-fragments")
    inner = Scene("other-protocol-use-silent-tunnel-and-fragments, inside")
    session(inner, _HOST, 2200, _SERVER, 16384, 0)
    for number, frame in enumerate(inner.frames()):
        packet = Ether(frame.data)[IP]
        scene.add(1 + number * STEP, scene.ip("10.1.0.1", "203.0.113.9") / GRE() / packet)
    tcp = Tcp(scene, _HOST, 2201, _ALTERNATE, 16384, 3).open()
    whole = tcp.packet(True, "PA", scene.random.randbytes(1400), lost=True)
    whole.flags = ""
    pieces = fragment(IP(bytes(whole)), fragsize=600)  # type: ignore[no-untyped-call]
    for number, piece in enumerate(pieces):
        scene.add(3.1 + number * STEP, piece)
    tcp.at(4).ack(up=False).close()
    packet = scene.ip(_HOST, "204.164.111.64")
    packet.proto = _ESP
    scene.add(5, packet / Raw(scene.random.randbytes(96)))
    return pcap(scene.frames())
