"""The decoder against scapy: on random stacks of layers both see the same innermost packet and the same way to it."""

from __future__ import annotations

import ipaddress
import struct
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from frames import plain_ether
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scapy.contrib.erspan import ERSPAN, ERSPAN_II, ERSPAN_III
from scapy.contrib.geneve import GENEVE
from scapy.contrib.gtp import GTP_U_Header
from scapy.contrib.mpls import MPLS
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import GRE, Dot1AD, Dot1Q, Ether
from scapy.layers.ppp import PPP, PPPoE
from scapy.layers.vxlan import VXLAN
from scapy.packet import Raw

from auditor import _engine
from auditor.batches import flows_of

NAMES: dict[Any, str] = {
    GRE: "gre",
    VXLAN: "vxlan",
    GENEVE: "geneve",
    GTP_U_Header: "gtpu",
    MPLS: "mpls",
    PPPoE: "pppoe",
}
NAMES |= dict.fromkeys((ERSPAN, ERSPAN_II, ERSPAN_III), "erspan")
NESTED = {(IP, IP): "ipip", (IPv6, IPv6): "ipip", (IP, IPv6): "6in4", (IPv6, IP): "4in6"}
VLAN_TAGS = 4  # the engine keeps the first ones
FIRST_PORT = 20_001  # each packet has a source port of its own, none of which is a tunnel's


class Seen(NamedTuple):
    ends: frozenset[tuple[str, int]]
    protocol: int
    ip_bytes: int
    vlan: tuple[int, ...]
    tunnel: str


def scapy_sees(frame: bytes) -> Seen:
    packet: Any = Ether(frame)
    vlan: list[int] = []
    path: list[str] = []
    network = before = None
    while not isinstance(packet, TCP | UDP) or packet.haslayer(IP) or packet.haslayer(IPv6):
        kind = type(packet)
        if kind in (Dot1Q, Dot1AD):
            vlan.append(packet.vlan)
        elif kind in (IP, IPv6):
            network = packet
            path += filter(None, [NESTED.get((before, kind))])
        elif kind in NAMES and not kind == before == MPLS:
            path.append(NAMES[kind])
        before, packet = kind, packet.payload
    assert network is not None
    length = network.len if isinstance(network, IP) else network.plen + 40
    ends = frozenset({(network.src, packet.sport), (network.dst, packet.dport)})
    return Seen(ends, 6 if isinstance(packet, TCP) else 17, length, tuple(vlan[:VLAN_TAGS]), "/".join(path))


def engine_sees(capture: Path) -> dict[int, Seen]:
    """The innermost packets by their source ports."""
    scan = _engine.scan([str(capture)])
    found: dict[int, Seen] = {}
    while (batch := scan.next_batch()) is not None:
        flows = flows_of(batch.columns())
        for row in range(len(flows.protocol)):
            ends = frozenset(
                (address(flows.version[row], hi[row], lo[row]), int(port[row]))
                for hi, lo, port in (
                    (flows.initiator_hi, flows.initiator_lo, flows.initiator_port),
                    (flows.responder_hi, flows.responder_lo, flows.responder_port),
                )
            )
            tags = [int(flows.vlan[row]) >> shift & 0xFFFF for shift in (48, 32, 16, 0)]
            seen = Seen(
                ends,
                int(flows.protocol[row]),
                int(flows.bytes_forward_ip[row] + flows.bytes_reverse_ip[row]),
                tuple(tag & 0xFFF for tag in tags if tag),
                _engine.format_tunnel(int(flows.tunnel[row])),
            )
            found |= {port: seen for _, port in ends if FIRST_PORT <= port < FIRST_PORT + 100}
    assert all(not capture["error"] for capture in scan.captures)
    return found


def address(version: int, hi: int, lo: int) -> str:
    if version == 4:
        return str(ipaddress.IPv4Address(int(lo) & 0xFFFF_FFFF))
    return str(ipaddress.IPv6Address(int(hi) << 64 | int(lo)))


def write_pcap(path: Path, frames: list[bytes]) -> None:
    parts = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1)]
    for number, frame in enumerate(frames):
        parts += [struct.pack("<IIII", 1_700_000_000, number, len(frame), len(frame)), frame]
    path.write_bytes(b"".join(parts))


ip = st.one_of(
    st.builds(lambda a, b: IP(src=str(a), dst=str(b)), st.ip_addresses(v=4), st.ip_addresses(v=4)),
    st.builds(
        lambda a, b: IPv6(src=str(a), dst=str(b)),
        st.ip_addresses(v=6, network="2001:db8::/32"),
        st.ip_addresses(v=6, network="2001:db8::/32"),
    ),
)
tag = st.builds(lambda kind, number: kind(vlan=number), st.sampled_from([Dot1Q, Dot1AD]), st.integers(1, 4094))
ethernet = st.builds(lambda tags: [plain_ether(), *tags], st.lists(tag, max_size=1))
labels = st.lists(st.builds(lambda label: MPLS(label=label, ttl=9), st.integers(16, 1000)), min_size=1, max_size=2)
udp_port = st.sampled_from([40_000, 50_000])


def stack(labels: list[Any]) -> list[Any]:
    """The labels with the mark of the bottom on the last."""
    for label in labels:
        label.s = int(label is labels[-1])
    return labels


link = st.one_of(
    st.just([]),
    labels.map(stack),
    st.builds(lambda session: [PPPoE(sessionid=session), PPP()], st.integers(1, 1000)),
)
carrier = st.one_of(
    ip.map(lambda network: [network]),
    ip.map(lambda network: [network, GRE()]),
    st.builds(lambda network, inner: [network, GRE(proto=0x6558), *inner], ip, ethernet),
    st.builds(lambda network, inner: [network, GRE(), ERSPAN(), *inner], ip, ethernet),
    st.builds(lambda network, inner: [network, GRE(seqnum_present=1), ERSPAN_II(), *inner], ip, ethernet),
    st.builds(lambda network, inner: [network, GRE(seqnum_present=1), ERSPAN_III(), *inner], ip, ethernet),
    st.builds(
        lambda network, port, inner: [network, UDP(sport=port, dport=4789), VXLAN(vni=7, flags="Instance"), *inner],
        *(ip, udp_port, ethernet),
    ),
    st.builds(
        lambda network, port, inner: [network, UDP(sport=port, dport=6081), GENEVE(proto=0x6558), *inner],
        *(ip, udp_port, ethernet),
    ),
    st.builds(lambda network, port: [network, UDP(sport=port, dport=2152), GTP_U_Header(teid=1)], ip, udp_port),
)
transport = st.sampled_from(
    [lambda port: TCP(sport=port, dport=16_384, flags="S"), lambda port: UDP(sport=port, dport=7)]
)
layers = st.tuples(
    st.lists(tag, max_size=2), link, st.lists(carrier, max_size=3), ip, transport, st.binary(min_size=1, max_size=60)
)


def built(number: int, parts: tuple[Any, ...]) -> bytes:
    tags, link, carriers, network, transport, payload = parts
    packet: Any = plain_ether()
    for layer in (*tags, *link, *(layer for carrier in carriers for layer in carrier), network):
        packet /= layer.copy()
    return bytes(packet / transport(FIRST_PORT + number) / Raw(payload))


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("decoder") / "stacks.pcap"


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(layers, min_size=1, max_size=6))
def test_the_engine_sees_in_a_frame_what_scapy_sees(capture: Path, stacks: list[tuple[Any, ...]]) -> None:
    frames = [built(number, parts) for number, parts in enumerate(stacks)]
    write_pcap(capture, frames)
    expected = {FIRST_PORT + number: scapy_sees(frame) for number, frame in enumerate(frames)}
    assert engine_sees(capture) == expected
