"""Sets of files that a capture tool began anew by size or time, and folders with a bad file among good ones."""

from __future__ import annotations

import bz2
import lzma
import os
import struct
import threading
from pathlib import Path

import pytest
from frames import plain_ether
from scapy.layers.inet import IP, TCP

from auditor import _engine
from auditor.batches import flows_of
from auditor.sources import resolve

START = 1_700_000_000


def segment(number: int) -> bytes:
    """Of one connection: its SYN, its answer, then data of the client."""
    there, back = IP(src="192.0.2.1", dst="198.51.100.2"), IP(src="198.51.100.2", dst="192.0.2.1")
    if number == 0:
        return bytes(plain_ether() / there / TCP(sport=50_000, dport=16_384, flags="S", seq=100))
    if number == 1:
        return bytes(plain_ether() / back / TCP(sport=16_384, dport=50_000, flags="SA", seq=500, ack=101))
    return bytes(
        plain_ether()
        / there
        / TCP(sport=50_000, dport=16_384, flags="A", seq=91 + 10 * number, ack=501)
        / b"0123456789"
    )


def pcap(numbers: range) -> bytes:
    parts = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1)]
    for number in numbers:
        frame = segment(number)
        parts += [struct.pack("<IIII", START + number, 0, len(frame), len(frame)), frame]
    return b"".join(parts)


def scan(paths: list[str]) -> tuple[list[tuple[int, int, bytes]], list[dict[str, object]]]:
    """Packets both ways and history of each flow, and the captures in the order they were read."""
    running = _engine.scan(paths)
    rows: list[tuple[int, int, bytes]] = []
    while (batch := running.next_batch()) is not None:
        flows = flows_of(batch.columns())
        rows += list(zip(flows.packets_forward, flows.packets_reverse, flows.history, strict=True))
    return rows, running.captures


@pytest.mark.parametrize(
    "names",
    [
        [f"trace.pcap{number or ''}" for number in range(12)],  # tcpdump -C: the tenth sorts before the second
        [f"trace_{number:05}_20231114221320.pcap" for number in range(1, 13)],  # dumpcap -b
        [f"trace-{minute:02}.pcap" for minute in range(48, 60)],  # tcpdump -G
    ],
)
def test_a_rotating_set_is_one_capture_in_order_of_time(tmp_path: Path, names: list[str]) -> None:
    for place, name in enumerate(names):
        (tmp_path / name).write_bytes(pcap(range(place * 3, place * 3 + 3)))
    rows, captures = scan(resolve([str(tmp_path)]))
    assert rows == [(35, 1, b"ShD")]
    assert [os.path.basename(str(capture["path"])) for capture in captures] == names
    assert rows == scan(resolve([f"{tmp_path}/trace*"]))[0]


def test_a_bad_file_is_reported_and_the_others_go_on(tmp_path: Path) -> None:
    (tmp_path / "a.pcap").write_bytes(pcap(range(3)))
    (tmp_path / "b.pcap.xz").write_bytes(lzma.compress(pcap(range(3, 6))))
    (tmp_path / "c.pcap.bz2").write_bytes(bz2.compress(pcap(range(6, 9))))
    (tmp_path / "d.pcap.xz").write_bytes(lzma.compress(b"no capture"))
    (tmp_path / "notes.txt").write_text("no capture, and nobody said so")
    rows, captures = scan(resolve([str(tmp_path)]))
    assert rows == [(8, 1, b"ShD")]
    assert [str(capture["compression"]) for capture in captures[:3]] == ["none", "xz", "bzip2"]
    assert len(captures) == 4
    assert "is no capture" in str(captures[3]["error"])


def test_a_pipe_among_files_is_read_to_its_end(tmp_path: Path) -> None:
    pipe, file = tmp_path / "pipe", tmp_path / "a.pcap"
    os.mkfifo(pipe)
    file.write_bytes(pcap(range(3)))
    writer = threading.Thread(target=pipe.write_bytes, args=(pcap(range(3, 6)),))
    writer.start()
    rows, captures = scan(resolve([str(pipe), str(file)]))
    writer.join()
    assert rows == [(5, 1, b"ShD")]
    assert [capture["packets"] for capture in captures] == [3, 3]
