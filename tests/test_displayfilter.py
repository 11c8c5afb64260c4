"""Display filters: their text, and what Wireshark's own dissectors show with them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPerror, TCPerror, UDPerror
from scapy.layers.inet6 import ICMPv6DestUnreach, ICMPv6EchoReply, ICMPv6EchoRequest, IPv6
from scapy.layers.l2 import GRE, Ether
from scapy.packet import Packet
from scapy.utils import wrpcap

import auditor
from auditor.displayfilter import Conversation, display_filter, frame_filter, service_filter
from auditor.finding import Finding

C, S = "10.0.0.5", "204.164.111.9"
C6, S6 = "fd00::5", "2001:db8:7::1"
TSHARK_SECONDS = 60


def tcp(
    source: str, target: str, ports: tuple[int, int], flags: str = "S", payload: bytes = b"", seq: int = 1
) -> Packet:
    ip = IPv6(src=source, dst=target) if ":" in source else IP(src=source, dst=target)
    return ip / TCP(sport=ports[0], dport=ports[1], flags=flags, seq=seq) / payload


def udp(source: str, target: str, ports: tuple[int, int]) -> Packet:
    ip = IPv6(src=source, dst=target) if ":" in source else IP(src=source, dst=target)
    return ip / UDP(sport=ports[0], dport=ports[1]) / b"x"


def error(source: str, quoted: Packet) -> Packet:
    """An ICMP error that quotes a packet, sent to its source."""
    inner = IPerror(bytes(quoted)[:20]) / (TCPerror if TCP in quoted else UDPerror)(bytes(quoted)[20:28])
    return IP(src=source, dst=quoted[IP].src) / ICMP(type=3, code=1) / inner


def audited(folder: Path, packets: Sequence[Packet], **arguments: object) -> tuple[dict[str, list[Finding]], Path]:
    """Findings by check, of a capture with these packets, a second apart."""
    capture = folder / "made.pcap"
    for at, packet in enumerate(packets):
        packet.time = 1_700_000_000 + at
    wrpcap(str(capture), [Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / packet for packet in packets])
    for at, packet in enumerate(packets):
        packet.time = 1_700_000_000 + at
    found: dict[str, list[Finding]] = {}
    for finding in auditor.audit(capture, **arguments).judged.findings:  # type: ignore[arg-type]
        found.setdefault(finding.check, []).append(finding)
    return found, capture


def shown(capture: Path, finding: Finding) -> list[int]:
    """Frames that Wireshark shows with the finding's filter."""
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed: nothing else can judge a display filter")
    done = subprocess.run(
        ["tshark", "-r", str(capture), "-Y", finding.display_filter, "-T", "fields", "-e", "frame.number"],
        capture_output=True,
        text=True,
        timeout=TSHARK_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [int(line) for line in done.stdout.split()]


def test_tcp_filter_leaves_out_errors_that_quote_the_flow(tmp_path: Path) -> None:
    syn = tcp(C, S, (3000, 80))
    packets = [syn, error("9.9.9.9", syn), error(S, syn), tcp(S, C, (80, 3000), "RA"), tcp(C, S, (3000, 16384))]
    found, capture = audited(tmp_path, packets)
    assert shown(capture, found["port-not-published"][0]) == [1, 4]


def test_icmp_filter_leaves_out_errors_that_only_quote_it(tmp_path: Path) -> None:
    ping = IP(src=C, dst=S) / ICMP(type=8, id=1)
    pong = IP(src=S, dst=C) / ICMP(type=0, id=1)
    quoting = IP(src="9.9.9.9", dst=C) / ICMP(type=11) / IPerror(bytes(ping))
    packets = [ping, pong, quoting, tcp(C, S, (3000, 16384)), error(S, udp(C, S, (5, 6)))]
    found, capture = audited(tmp_path, packets)
    echo = next(finding for finding in found["icmp-use"] if "8" in finding.display_filter)
    assert {1, 2} <= set(shown(capture, echo))
    assert 3 not in shown(capture, echo)
    assert 4 not in shown(capture, echo)


def test_udp_filter_leaves_out_errors_and_other_ports(tmp_path: Path) -> None:
    asked = udp(C, S, (3000, 16384))
    packets = [asked, udp(S, C, (16384, 3000)), error(S, asked), udp(C, S, (3000, 53)), tcp(C, S, (3000, 16384))]
    found, capture = audited(tmp_path, packets)
    frames = {finding.service_port: shown(capture, finding) for finding in found["udp-use"]}
    assert frames == {16384: [1, 2], 53: [4]}


def test_reused_ports_are_told_apart_by_frames(tmp_path: Path) -> None:
    packets = [
        tcp(C, S, (3000, 16384), "S"),
        tcp(S, C, (16384, 3000), "SA"),
        tcp(C, S, (3000, 16384), "A", seq=2),
        tcp(C, S, (3000, 16384), "R", seq=2),
        tcp(S, C, (16384, 3000), "S", seq=9000),
        tcp(C, S, (3000, 16384), "SA", seq=7000),
    ]
    found, capture = audited(tmp_path, packets)
    (inbound,) = found["inbound-initiated"]
    assert shown(capture, inbound) == [5, 6]


def test_other_sessions_with_the_service_are_left_out_by_their_ports(tmp_path: Path) -> None:
    def session(port: int) -> list[Packet]:
        return [tcp(C, S, (port, 16384), "S"), tcp(S, C, (16384, port), "SA"), tcp(C, S, (port, 16384), "A", seq=2)]

    found, capture = audited(tmp_path, [*session(3000), *session(40001), *session(40002), *session(40004)])
    (outside,) = found["return-port-outside-range"]
    assert outside.client_ports == (40001, 40002, 40004)
    assert "{40001..40002, 40004}" in outside.display_filter
    assert shown(capture, outside) == list(range(4, 13))


def test_server_port_that_is_another_sessions_client_port_is_left_out(tmp_path: Path) -> None:
    packets = [tcp(C, S, (3000, 80)), tcp(C, S, (80, 16384)), tcp(S, C, (80, 445))]
    found, capture = audited(tmp_path, packets)
    assert shown(capture, found["port-not-published"][0]) == [1]
    assert shown(capture, found["inbound-initiated"][0]) == [3]


def test_ipv6_filters_show_tcp_udp_and_icmp(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text("packs: {online-backup-service: {networks: ['2001:db8:7::/64']}}")
    syn = tcp(C6, S6, (3000, 80))
    packets = [
        syn,
        IPv6(src="2001:db8:9::1", dst=C6) / ICMPv6DestUnreach() / bytes(syn),
        udp(C6, S6, (3000, 16384)),
        IPv6(src=C6, dst=S6) / ICMPv6EchoRequest(id=1),
        IPv6(src=S6, dst=C6) / ICMPv6EchoReply(id=1),
    ]
    found, capture = audited(tmp_path, packets, site=site)
    assert shown(capture, found["port-not-published"][0]) == [1]
    assert shown(capture, found["udp-use"][0]) == [3]
    assert shown(capture, found["icmp-use"][0]) == [4, 5]


def test_tunnelled_flow_is_shown_by_its_inner_addresses(tmp_path: Path) -> None:
    packets = [IP(src="1.1.1.1", dst="2.2.2.2") / GRE() / tcp(C, S, (3000, 80)), tcp(C, S, (3000, 16384))]
    found, capture = audited(tmp_path, packets)
    assert shown(capture, found["port-not-published"][0]) == [1]


def test_tunnelled_ping_is_shown_by_its_inner_addresses(tmp_path: Path) -> None:
    ping = IP(src=C, dst=S) / ICMP(type=8, id=1)
    found, capture = audited(tmp_path, [IP(src="1.1.1.1", dst="2.2.2.2") / GRE() / ping, tcp(C, S, (3000, 16384))])
    assert shown(capture, found["icmp-use"][0]) == [1]


def test_other_protocols_are_shown_by_their_number(tmp_path: Path) -> None:
    esp = IP(src=C, dst=S, proto=50) / (b"\x01" * 40)
    found, capture = audited(tmp_path, [esp, tcp(C, S, (3000, 16384)), IP(src=S, dst=C, proto=50) / (b"\x01" * 40)])
    assert shown(capture, found["other-protocol-use"][0]) == [1, 3]


def test_filter_of_a_whole_service_names_no_client_ports() -> None:
    text = display_filter(Conversation(4, 6, C, S, None, [16384]))
    up = f"ip.src == {C} && ip.dst == {S} && tcp.dstport == 16384"
    down = f"ip.src == {S} && ip.dst == {C} && tcp.srcport == 16384"
    assert text == f"(({up}) || ({down})) && !icmp"


def test_filter_of_one_way_icmp_names_type_and_code() -> None:
    text = display_filter(Conversation(4, 1, C, S, from_server=[(3, 1)]))
    assert text == f"(ip.src#1 == {S} && ip.dst#1 == {C} && (icmp.type#1 == 3 && icmp.code#1 == 1))"


def test_filter_of_frames_joins_neighbours() -> None:
    assert frame_filter([7, 1, 2, 3]) == "frame.number in {1..3, 7}"


@pytest.mark.parametrize("protocol", [6, 17])
@pytest.mark.parametrize(("version", "ends"), [(4, (C, S)), (6, (C6, S6))])
def test_filter_of_a_service_is_the_short_way_to_the_general_one(
    version: int, ends: tuple[str, str], protocol: int
) -> None:
    outbound = display_filter(Conversation(version, protocol, *ends, None, [16384]))
    inbound = display_filter(Conversation(version, protocol, *ends, [16384], None))
    assert service_filter(version, protocol, *ends, 16384, inbound=False) == outbound
    assert service_filter(version, protocol, *ends, 16384, inbound=True) == inbound
