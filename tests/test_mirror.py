"""What mirror ports do to captures, from the capture to the report: copies, tags, disorder, offload, half a link."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from frames import plain_ether
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Packet, Raw
from scapy.utils import wrpcap

import auditor

CLIENT, SERVER = "10.0.0.5", "204.164.111.9"
START = 1_700_000_000
IDS = iter(range(1, 60_000))


def packet(there: bool, flags: str, seq: int, ack: int, *, size: int = 0, port: int = 40_000) -> Packet:
    ends = {"src": CLIENT, "dst": SERVER} if there else {"src": SERVER, "dst": CLIENT}
    ports = {"sport": port, "dport": 16384} if there else {"sport": 16384, "dport": port}
    return IP(**ends, id=next(IDS), flags="DF") / TCP(**ports, flags=flags, seq=seq, ack=ack) / Raw(bytes(size))


def session(port: int = 40_000) -> list[Packet]:
    return [
        packet(True, "S", 100, 0, port=port),
        packet(False, "SA", 500, 101, port=port),
        packet(True, "A", 101, 501, port=port),
        packet(True, "PA", 101, 501, size=200, port=port),
        packet(False, "A", 501, 301, port=port),
        packet(False, "PA", 501, 301, size=60, port=port),
        packet(True, "FA", 301, 561, port=port),
        packet(False, "FA", 561, 302, port=port),
        packet(True, "A", 302, 562, port=port),
    ]


def tagged(packets: Iterable[Packet], there: int | None, back: int | None) -> list[Packet]:
    frames = []
    for one in packets:
        vlan = there if one.src == CLIENT else back
        frames.append(plain_ether() / one if vlan is None else plain_ether() / Dot1Q(vlan=vlan) / one)
    return frames


def capture(tmp_path: Path, frames: Iterable[Packet], *, step: float = 0.001) -> Path:
    timed = []
    for number, frame in enumerate(frames):
        frame.time = getattr(frame, "at", None) or START + number * step
        timed.append(frame)
    path = tmp_path / f"mirror-{len(list(tmp_path.iterdir()))}.pcap"
    wrpcap(str(path), timed)
    return path


def problems(path: Path, **options: Any) -> dict[str, int]:
    found = auditor.audit(path, **options)
    return {problem["name"]: problem["count"] for problem in found.captures[0]["problems"]}


def rows(path: Path, **options: Any) -> list[tuple[str, str, int, int]]:
    flows = auditor.audit(path, all_flows=True, **options).flows
    names = ["state", "history", "packets_forward", "packets_reverse"]
    return sorted(flows[names].itertuples(index=False, name=None))


def test_a_mirrored_session_is_that_session_and_its_copies_are_told(tmp_path: Path) -> None:
    plain = tagged(session(), 10, 10)
    routed = []
    for frame in plain:
        copy = frame.copy()
        copy[Dot1Q].vlan, copy[IP].ttl = 20, 63
        copy[Ether].src = "02:00:00:00:00:09"
        routed += [frame, copy]
    once, twice = capture(tmp_path, plain), capture(tmp_path, routed, step=0.0005)
    assert rows(twice) == rows(once) == [("SF", "ShADadFf", 5, 4)]
    assert problems(once) == {}
    assert problems(twice) == {"duplicate-packets": 9}
    assert auditor.audit(twice).verdict == "clean"


def test_copies_are_kept_on_request(tmp_path: Path) -> None:
    frames = [frame for frame in tagged(session(), None, None) for _ in range(2)]
    path = capture(tmp_path, frames, step=0.00001)
    assert rows(path, keep_duplicates=True)[0][2:] == (10, 8)
    assert problems(path, keep_duplicates=True) == {}
    assert rows(path)[0][2:] == (5, 4)


def test_copies_of_traffic_that_nobody_asks_about_are_told_too(tmp_path: Path) -> None:
    frames = []
    for one in session():
        one[IP].src, one[IP].dst = ("192.0.2.1" if end == SERVER else end for end in (one.src, one.dst))
        one[TCP].sport, one[TCP].dport = (443 if port == 16384 else port for port in (one.sport, one.dport))
        frames += [plain_ether() / one, plain_ether() / one]
    path = capture(tmp_path, frames, step=0.00001)
    assert problems(path) == problems(path, all_flows=True) == {"duplicate-packets": 9}
    assert auditor.audit(path).judged.traffic["other"].packets == 9


def test_a_retransmission_is_no_copy(tmp_path: Path) -> None:
    frames = session()
    again = frames[3].copy()
    again[IP].id = next(IDS)
    path = capture(tmp_path, tagged([*frames[:4], again, *frames[4:]], None, None))
    assert problems(path) == {}
    assert rows(path) == [("SF", "ShADTadFf", 6, 4)]


@pytest.mark.parametrize(
    ("twice", "history", "counts"),
    [
        ([3], "ShADTadFf", (6, 4)),
        ([5], "ShADadtFf", (5, 5)),
        ([3, 5], "ShADTadtFf", (6, 5)),
        ([4], "ShADadFf", (5, 5)),  # nothing but an acknowledgement
    ],
)
def test_a_packet_that_came_twice_though_no_mirror_makes_copies_is_a_retransmission(
    tmp_path: Path, twice: list[int], history: str, counts: tuple[int, int]
) -> None:
    frames = [one for place, frame in enumerate(session()) for one in [frame] * (2 if place in twice else 1)]
    path = capture(tmp_path, [frame.copy() for frame in tagged(frames, None, None)])
    assert rows(path) == [("SF", history, *counts)]
    told = auditor.audit(path).flows.iloc[0]
    assert (told.retransmitted_forward, told.retransmitted_reverse) == (twice.count(3), twice.count(5))


def test_the_first_retransmission_has_the_letter_also_where_another_is_told_before_it(tmp_path: Path) -> None:
    frames = session()
    again = frames[3].copy()
    again[IP].id = next(IDS)
    path = capture(tmp_path, tagged([*frames[:4], frames[3].copy(), *frames[4:6], again, *frames[6:]], None, None))
    assert rows(path) == [("SF", "ShADTadFf", 7, 4)]


def test_a_packet_that_came_twice_after_its_sender_reset_is_no_retransmission(tmp_path: Path) -> None:
    frames = session()
    path = capture(tmp_path, tagged([*frames[:4], packet(True, "R", 301, 0), frames[3].copy()], None, None))
    assert rows(path) == [("RSTO", "ShADR", 5, 1)]


def test_a_flow_that_one_end_finished_and_the_other_reset_does_not_last_longer_for_what_comes_then(
    tmp_path: Path,
) -> None:
    frames = [*session()[:6], packet(False, "FA", 561, 301), packet(True, "R", 301, 0), packet(False, "R", 562, 0)]
    flow = auditor.audit(capture(tmp_path, tagged(frames, None, None))).flows.iloc[0]
    assert (flow.history, flow.packets_reverse) == ("ShADadfRr", 5)
    assert flow.duration == pytest.approx(0.007)


@pytest.mark.parametrize(
    ("mode", "flows", "said"), [("auto", 1, {"vlan-per-direction": 1}), ("ignore", 1, {}), ("strict", 2, None)]
)
def test_a_tag_for_each_direction(tmp_path: Path, mode: str, flows: int, said: dict[str, int] | None) -> None:
    path = capture(tmp_path, tagged(session(), 10, 20))
    assert len(rows(path, vlan=mode)) == flows
    assert said is None or problems(path, vlan=mode) == said


def test_one_sender_in_several_vlans_is_told(tmp_path: Path) -> None:
    frames = session()
    path = capture(tmp_path, [*tagged(frames[:5], 10, 10), *tagged(frames[5:], 20, 20)])
    assert problems(path) == {"vlan-mixed": 1}


@pytest.mark.parametrize("seed", range(20))
def test_disorder_swaps_no_initiator_and_makes_no_negative_duration(tmp_path: Path, seed: int) -> None:
    frames = tagged(session(), None, None)
    for number, frame in enumerate(frames):
        frame.at = START + number * 0.001
    chance = random.Random(seed)
    order = sorted(range(len(frames)), key=lambda place: place + chance.uniform(0, 3))
    path = capture(tmp_path, [frames[place] for place in order])
    late = sum(place < max(order[:number], default=-1) for number, place in enumerate(order))
    assert problems(path).get("out-of-order", 0) == late
    flows = auditor.audit(path, all_flows=True).flows
    assert set(flows.initiator_ip) == {CLIENT}
    assert (flows.duration >= 0).all()


def test_offload_is_told_and_lengths_come_from_the_frame(tmp_path: Path) -> None:
    frames = session()
    frames[3][IP].len = 0
    large = packet(True, "PA", 301, 561, size=9000)
    path = capture(tmp_path, tagged([*frames[:6], large], None, None))
    assert problems(path) == {"ip-length-zero": 1, "oversized-frame": 1}
    flows = auditor.audit(path, all_flows=True).flows
    assert flows.bytes_forward_ip.sum() == 40 * 2 + 240 + 9040
    assert flows.payload_forward.sum() == 9200


def test_wrong_checksums_of_one_sender_are_laid_to_its_network_card(tmp_path: Path) -> None:
    frames = []
    for port in range(40_000, 40_005):
        for one in session(port):
            if one.src == CLIENT:
                one[TCP].chksum = 0x1234
            frames.append(one)
    path = capture(tmp_path, tagged(frames, None, None))
    (problem,) = auditor.audit(path, validate_checksums=True).captures[0]["problems"]
    assert (problem["name"], problem["count"], problem["frame"]) == ("bad-checksum", 25, 1)
    assert f"offload suspected: 25 of 25 packets of {CLIENT}" in problem["message"]
    assert problems(path) == {}


def test_half_a_link_beside_a_whole_one_is_told_and_no_clean_verdict_possible(tmp_path: Path) -> None:
    frames = []
    for port in range(40_000, 40_012):
        frames += tagged(session(port), 10, 10)
        frames += tagged([one for one in session(port + 1000) if one.src == CLIENT], 20, None)
    path = capture(tmp_path, frames, step=0.0001)
    found = auditor.audit(path)
    (problem,) = found.captures[0]["problems"]
    assert (problem["name"], problem["count"], problem["hides_traffic"]) == ("one-sided", 12, True)
    assert "VLAN 20: 12 of 12 flows" in problem["message"]
    assert not found.health.one_sided
    assert found.under(fail_on="critical").verdict == "inconclusive"


def test_headers_are_enough_for_the_counts(tmp_path: Path) -> None:
    whole = tagged(session(), None, None)
    full = capture(tmp_path, whole)
    cut = tmp_path / "headers.pcap"
    for frame in whole:
        frame.wirelen = len(frame)
    wrpcap(str(cut), [_cut(frame, 54) for frame in whole])
    assert rows(cut) == rows(full)
    assert problems(cut) == {"snapped-packet": 2}


def _cut(frame: Packet, length: int) -> Packet:
    short = Ether(bytes(frame)[:length])
    short.wirelen, short.time = len(frame), frame.time
    return short
