"""One thread or several: the same flows, events and problems. And captures cut in pieces: the same flows as in one."""

from __future__ import annotations

import gzip
import itertools
import random
import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from samples import Sample, samples

from auditor import _engine
from auditor.batches import TYPES
from auditor.rulepack import enable
from auditor.scan import audit_options
from auditor.site import Site

HEADER = struct.Struct("<IHHiIII")
RECORD = struct.Struct("<IIII")
EVERYTHING = audit_options(enable(None, []), Site())
# what names a place in a file
PLACES = ("first_frame", "last_frame", "syn_frame", "capture", "last_capture")


def scanned(paths: Sequence[Path], *, threads: int, keep_all: bool) -> dict[str, Any]:
    """All that a scan tells, as an audit asks for it; with `keep_all` of every flow."""
    interest = _engine.Interest(networks=EVERYTHING.networks or (), ports=EVERYTHING.ports)
    assert EVERYTHING.listening is not None
    scan = _engine.scan(
        [str(path) for path in paths],
        interest=None if keep_all else interest,
        wishes=_engine.Wishes(**EVERYTHING.listening._asdict()),
        keep_all=keep_all,
        threads=threads,
    )
    columns: dict[str, bytes] = dict.fromkeys(TYPES, b"")
    while (batch := scan.next_batch()) is not None:
        for name, part in batch.columns().items():
            columns[name] += part
    told = {name: getattr(scan, name) for name in ("captures", "totals", "port_scans", "processes", "events")}
    return {"columns": columns, **told, "samples": scan.samples, "quotes": scan.quotes}


@pytest.mark.parametrize("keep_all", [False, True], ids=["wanted", "all"])
@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_a_second_thread_changes_nothing_that_a_sample_shows(sample: Sample, keep_all: bool) -> None:
    one, two = (scanned([sample.capture], threads=threads, keep_all=keep_all) for threads in (1, 2))
    assert one == two


def frame(chance: random.Random) -> bytes:
    """Ethernet and IPv4, TCP or UDP between few hosts and ports, some of them fragments."""
    hosts = [b"\xc0\x00\x02\x01", b"\xc0\x00\x02\x02", b"\xcc\xa4\x6f\x05", b"\xc6\x33\x64\x09"]
    source, destination = chance.sample(hosts, 2)
    ports = chance.sample([53, 211, 1080, 16384, 40000, 40001, 40002], 2)
    size = chance.choice([0, 0, 1, 40, 1400, 1400, 1400])
    if chance.random() < 0.6:
        numbers = (chance.randrange(5) * 1000, chance.randrange(5) * 1000)
        flags = chance.choice([2, 18, 16, 16, 24, 17, 4])
        body = struct.pack("!HHIIBBHHH", *ports, *numbers, 0x50, flags, 1000, chance.randrange(1 << 16), 0) + bytes(
            size
        )
        protocol = 6
    else:
        body = struct.pack("!HHHH", *ports, 8 + size, chance.randrange(1 << 16)) + bytes(size)
        protocol = 17
    fragment = chance.choice([0x2000, 3]) if chance.random() < 0.05 else 0
    identification = chance.randrange(20) if fragment else chance.randrange(1 << 16)
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), identification, fragment, 64, protocol, 0)
    return bytes(12) + b"\x08\x00" + head + source + destination + body


def records(seed: int, count: int) -> list[bytes]:
    """Records of a capture over some minutes, copies of a mirror port among them."""
    chance = random.Random(seed)
    found: list[bytes] = []
    time = 1_700_000_000_000_000
    while len(found) < count:
        time += chance.choice([0, 1, 50, 1000, 1000, 400_000, 7_000_000])
        content = frame(chance)
        record = RECORD.pack(time // 1_000_000, time % 1_000_000, len(content), len(content)) + content
        found += [record] * (1 + (chance.random() < 0.05))
    return found


def written(path: Path, found: Sequence[bytes]) -> Path:
    content = HEADER.pack(0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + b"".join(found)
    path.write_bytes(gzip.compress(content, 1) if path.suffix == ".gz" else content)
    return path


@pytest.mark.parametrize("keep_all", [False, True], ids=["wanted", "all"])
@pytest.mark.parametrize("name", ["random.pcap", "random.pcap.gz"])
def test_a_second_thread_changes_nothing_over_many_buffers(name: str, keep_all: bool, tmp_path: Path) -> None:
    found = records(7, 2_500)  # twice their flows are one batch of the engine: how batches are cut means nothing
    # a record larger than a buffer, and what no capture has
    jumbo = bytes(300_000)
    found.insert(1_000, RECORD.pack(1_700_000_000, 0, len(jumbo), len(jumbo)) + jumbo)
    found.insert(1_500, b"\xff" * 70)
    path = written(tmp_path / name, found)
    one, two = (scanned([path, path], threads=threads, keep_all=keep_all) for threads in (1, 2))
    assert one == two
    assert one["totals"]["copies"] > 0
    assert one["totals"]["fragments"] > 0
    assert one["captures"][0]["problems"]


def odd_frame(chance: random.Random) -> tuple[bytes, int]:
    """What a report tells of, with its length on the wire."""
    plain = frame(chance)
    content = chance.choice(
        [
            bytes(12) + b"\x08\x06" + bytes(28),  # ARP
            bytes(12) + b"\x88\xe5" + bytes(60),  # encrypted
            plain[:16] + bytes(2) + plain[18:],  # IP length 0
            plain[:20],
            plain + bytes(1_700),
        ]
    )
    return content, len(content) + chance.choice([0, 0, 500])


def shared_out(path: Path, seed: int, *, ng: bool, fragments: bool) -> Path:
    """A capture large enough to be read by several threads at once, damaged here and there."""
    chance = random.Random(seed)
    head = HEADER.pack(0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    if ng:
        head = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
        head += struct.pack("<IIHHII", 1, 20, 1, 0, 0, 20)
    found, size, time = [head], 0, 1_700_000_000_000_000
    while size < 11 << 20:
        time += chance.choice([0, 1, 50, 1000, -1000, 40_000])
        content, wire = (plain := frame(chance)), len(plain)
        if chance.random() < 0.01:
            content, wire = odd_frame(chance)
        if content[20:22] != b"\0\0" and not fragments:
            content = content[:20] + b"\0\0" + content[22:]
        if ng:
            total = 32 + (len(content) + 3) // 4 * 4
            begin = struct.pack("<IIIIIII", 6, total, 0, time >> 32, time & 0xFFFFFFFF, len(content), wire)
            record = begin + content + bytes(-len(content) % 4) + struct.pack("<I", total)
        else:
            record = RECORD.pack(time // 1_000_000, time % 1_000_000, len(content), wire) + content
        found += [record] * (1 + (chance.random() < 0.01))
        size += len(record)
        if chance.random() < 0.0005:
            jumbo = bytes(300_000)
            damage = RECORD.pack(time // 1_000_000, 0, len(jumbo), len(jumbo)) + jumbo if not ng else jumbo[:4_000]
            found.append(chance.choice([b"\xff" * 70, bytes(50), damage]))
    path.write_bytes(b"".join(found)[: -chance.randrange(100)])
    return path


@pytest.mark.parametrize("keep_all", [False, True], ids=["wanted", "all"])
@pytest.mark.parametrize("fragments", [False, True], ids=["whole", "fragments"])
@pytest.mark.parametrize("ng", [False, True], ids=["pcap", "pcapng"])
def test_threads_that_share_a_file_find_what_one_finds(
    ng: bool, fragments: bool, keep_all: bool, tmp_path: Path
) -> None:
    paths = [shared_out(tmp_path / f"{seed}", seed, ng=ng, fragments=fragments) for seed in (3, 4)]
    one, *several = (scanned(paths, threads=threads, keep_all=keep_all) for threads in (1, 2, 3, 9))
    for told in several:
        assert told == one
    assert one["totals"]["fragments"] > 0 or not fragments
    assert {"malformed-packet", "snapped-packet", "oversized-frame", "ip-length-zero", "out-of-order"} < {
        problem["name"] for problem in one["captures"][1]["problems"]
    }


def plain_record(size: int, fill: bytes = b"\x07", extra: bytes = b"") -> bytes:
    return RECORD.pack(1_700_000_000, 0, size, size) + extra + fill * size


def wrong_end_at(edge: int) -> bytes:
    """A block says another length at its end, which is where a buffer of one reader ends."""
    head = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
    head += struct.pack("<IIHHII", 1, 20, 1, 0, 0, 20)
    size = 1024
    body = struct.pack("<IIIIIII", 6, size, 0, 0, 5, size - 32, size - 32) + bytes(size - 32)
    sound, wrong = (body + struct.pack("<I", told) for told in (size, size + 4))
    first = (edge - len(head)) % size or size
    pad = struct.pack("<II", 0x80000777, first) + bytes(first - 12) + struct.pack("<I", first)
    before = (edge - len(head) - first) // size - 1
    return head + pad + sound * before + wrong + sound * 8_000


def large_records_behind_garbage(edge: int) -> bytes:
    head = HEADER.pack(0xA1B2C3D4, 2, 4, 0, 0, 262144, 1) + plain_record(1000) * 400
    large = plain_record(262_144) + plain_record(262_044) + plain_record(1000)
    return head + b"\xff" * (edge - 8) + large + b"\xff" * 70 + plain_record(1000) * 9_000


def other_layout_at(edge: int) -> bytes:
    """A second file header just before the end of a buffer, with longer record headers behind it."""
    head = HEADER.pack(0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
    left = edge - 2 * len(head) - 20
    whole = plain_record(1000) * (left // 1016 - 1)
    rest = plain_record(left - len(whole) - 16)
    return head + whole + rest + head + plain_record(1000, b"\xee", bytes(range(1, 9))) * 9_000


@pytest.mark.parametrize("edge", [1 << 19, 4 << 20], ids=["first buffer", "later"])
@pytest.mark.parametrize("made", [wrong_end_at, large_records_behind_garbage, other_layout_at])
def test_damage_at_the_edge_of_a_buffer_is_judged_alike(
    made: Callable[[int], bytes], edge: int, tmp_path: Path
) -> None:
    path = tmp_path / "edge"
    path.write_bytes(made(edge))
    assert path.stat().st_size > 8 << 20
    one, *several = (scanned([path], threads=threads, keep_all=True) for threads in (1, 2, 3))
    assert one["captures"][0]["problems"]
    for told in several:
        assert told == one


def rows(told: Mapping[str, Any], before: Sequence[int]) -> list[tuple[Any, ...]]:
    """The flows with places counted over all files, in order."""
    import numpy as np

    columns = {name: np.frombuffer(told["columns"][name], kind) for name, kind in TYPES.items()}
    shift = np.array(before)
    first, last = shift[columns["capture"]], shift[columns["last_capture"]]
    columns["first_frame"] = columns["first_frame"] + first
    columns["last_frame"] = columns["last_frame"] + last
    del columns["capture"], columns["last_capture"], columns["syn_frame"]  # a SYN's capture is not kept
    return sorted(zip(*(column.tolist() for column in columns.values()), strict=True))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), cuts=st.lists(st.integers(1, 1_499), min_size=1, max_size=5, unique=True))
def test_a_capture_cut_anywhere_has_the_flows_of_the_whole(
    seed: int, cuts: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    found = records(seed, 1_500)
    # copies are told within one capture: none are left, so that the law holds to the last packet
    found = [one for place, one in enumerate(found) if not place or one != found[place - 1]]
    places = [0, *sorted(cut for cut in cuts if cut < len(found)), len(found)]
    whole = scanned([written(folder / "whole.pcap", found)], threads=1, keep_all=True)
    parts = [
        written(folder / f"part{number}.pcap", found[begin:end])
        for number, (begin, end) in enumerate(itertools.pairwise(places))
    ]
    for threads in (1, 2):
        pieces = scanned(parts, threads=threads, keep_all=True)
        assert rows(pieces, places) == rows(whole, [0])
