"""Captures that another program writes while they are audited: what was read is judged as if it were all there is."""

from __future__ import annotations

import gzip
import json
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from scapy.utils import rdpcap, wrpcap

import auditor
from auditor import _engine
from auditor.errors import CaptureError
from tests.program import CLEAN, VIOLATING, run
from tests.watch.lab import Namespace, replay_lab, require_lab

WRITER = """
import os, sys, time
content, crumb, pause = open(sys.argv[1], "rb").read(), int(sys.argv[3]), float(sys.argv[4])
out = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
for at in range(0, len(content), crumb):
    os.write(out, content[at : at + crumb])
    time.sleep(pause)
print("written", flush=True)
sys.stdin.read()
"""
RING = """
import itertools, sys
names, parts = sys.argv[1:3], [open(name, "rb").read() for name in sys.argv[3:]]
for turn in itertools.count():
    with open(names[turn % 2], "wb", buffering=0) as out:
        out.write(parts[turn % len(parts)])
    if turn == 1:
        print("begun", flush=True)
"""
OF_CAPTURES = "capture-incomplete"  # the check that speaks of captures, and not of what they hold
HOUR = 3600
PAGE = 4096
# Another user could not write to the folder of a test; otherwise the kernel hands packets over once a second.
TCPDUMP = ("tcpdump", "-Z", "root", "--immediate-mode", "-i", "mon0")
PACKET = 6  # the type of a pcapng block that carries one


@contextmanager
def writing(code: str, *words: str | Path) -> Iterator[subprocess.Popen[str]]:
    """A process that writes, killed at the end if it still runs."""
    words = [sys.executable, "-c", code, *map(str, words)]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def pcap(capture: Path, folder: Path, rounds: int = 1) -> bytes:
    """The capture as pcap, so many times in a row, an hour apart."""
    path = folder / "plain.pcap"
    wrpcap(str(path), rdpcap(str(capture)))
    content = path.read_bytes()
    packets = bytearray()
    for number in range(rounds):
        for start, end in zip([24, *ends(content)], ends(content), strict=False):
            (seconds,) = struct.unpack_from("<I", content, start)
            packets += struct.pack("<I", seconds + number * HOUR) + content[start + 4 : end]
    return content[:24] + bytes(packets)


def ends(content: bytes) -> list[int]:
    """Where each packet of a little-endian capture ends."""
    is_pcap = content.startswith(b"\xd4\xc3\xb2\xa1")
    found, at = [], 24 if is_pcap else 0
    while at < len(content):
        kind, length, captured = struct.unpack_from("<III", content, at)
        at += 16 + captured if is_pcap else length
        if is_pcap or kind == PACKET:
            found.append(at)
    return found


def judged(report: auditor.Audit) -> tuple[list[str], dict[str, Any]]:
    """Findings in what was captured, and the summary of it."""
    document = report.to_dict()
    return [one["id"] for one in document["findings"] if one["check"] != OF_CAPTURES], document["traffic"]


def problems(report: auditor.Audit) -> dict[str, dict[str, Any]]:
    [capture] = report.to_dict()["captures"]
    return {problem["name"]: problem for problem in capture["problems"]}


def assert_is_of_what_was_read(report: auditor.Audit, content: bytes, there: int, copy: Path) -> None:
    """It is the audit of a capture that ends with the last packet that was read, and `there` bytes were, or more."""
    [capture] = report.to_dict()["captures"]
    assert capture["packets"] >= sum(place <= there for place in ends(content))
    if not capture["packets"]:
        assert report.verdict == "inconclusive"
        return
    last = ends(content)[capture["packets"] - 1]
    copy.write_bytes(content[:last])
    finished = auditor.audit(copy)
    assert judged(report) == judged(finished)
    told = problems(report)
    assert told.keys() <= {*problems(finished), "cut-short", "still-written"}
    assert capture["complete"] == ("cut-short" not in told)
    if "cut-short" in told:
        assert told["cut-short"]["frame"] >= capture["packets"]  # pcapng numbers other blocks as well
        assert told["cut-short"]["offset"] >= last
        assert report.verdict != "clean"
    for ours, theirs in zip(coverage(report), coverage(finished), strict=True):
        assert ours in (theirs, "inconclusive")


def coverage(report: auditor.Audit) -> list[str]:
    return [entry["status"] for entry in report.to_dict()["coverage"]]


@pytest.mark.parametrize(("crumb", "pause"), [(7_001, 0.0), (997, 0.001), (61, 0.0), (30_000, 0.05)])
@pytest.mark.parametrize("form", ["pcap", "pcapng"])
@pytest.mark.parametrize("capture", [CLEAN, VIOLATING], ids=lambda path: path.stem)
def test_a_growing_capture_is_audited_as_far_as_it_is_there(
    capture: Path, form: str, crumb: int, pause: float, tmp_path: Path
) -> None:
    content = pcap(capture, tmp_path, 8) if form == "pcap" else capture.read_bytes()
    source, growing, copy = (tmp_path / f"{name}.{form}" for name in ("source", "growing", "copy"))
    start = ends(content)[2]
    growing.write_bytes(content[:start])
    source.write_bytes(content[start:])
    with writing(WRITER, source, growing, crumb, pause):
        there = 0
        while there < len(content):
            there = growing.stat().st_size
            report = auditor.audit(growing)
            assert_is_of_what_was_read(report, content, there, copy)
    assert problems(report).keys() == problems(auditor.audit(growing)).keys()
    assert report.to_dict()["captures"][0]["packets"] == len(ends(content))


@pytest.mark.parametrize("form", ["pcap", "pcapng"])
def test_a_capture_whose_writer_was_killed_is_cut_where_it_is(form: str, tmp_path: Path) -> None:
    content = pcap(CLEAN, tmp_path) if form == "pcap" else CLEAN.read_bytes()
    source, killed = tmp_path / f"source.{form}", tmp_path / f"killed.{form}"
    before, last = ends(content)[-2:]
    for there in (before + 3, before + 16, before + 40, last - 2):  # header, data, and pcapng's length at the end
        source.write_bytes(content[:there])
        killed.unlink(missing_ok=True)
        with writing(WRITER, source, killed, there, 0) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "written\n"
            writer.send_signal(signal.SIGKILL)
            assert writer.wait() == -signal.SIGKILL
        done = run("audit", killed, "--format", "json")
        assert done.returncode == 3
        document = json.loads(done.stdout)
        [capture] = document["captures"]
        [problem] = capture["problems"]
        packets = len(ends(content)) - 1
        assert (problem["name"], problem["frame"], problem["offset"]) == ("cut-short", packets, before)
        assert (capture["packets"], capture["complete"]) == (packets, False)
        assert "met" not in {entry["status"] for entry in document["coverage"]}


@pytest.mark.parametrize("crumb", [1_009, 16_384])
def test_a_compressed_capture_that_grows_is_cut_and_never_damaged(crumb: int, tmp_path: Path) -> None:
    content = pcap(VIOLATING, tmp_path, 8)
    compressed = gzip.compress(content)
    source, growing, copy = tmp_path / "source", tmp_path / "growing.pcap.gz", tmp_path / "copy.pcap"
    growing.write_bytes(compressed[:60_000])
    source.write_bytes(compressed[60_000:])
    with writing(WRITER, source, growing, crumb, 0.001):
        there = 0
        while there < len(compressed):
            there = growing.stat().st_size
            assert_is_of_what_was_read(auditor.audit(growing), content, 0, copy)


def test_a_file_that_a_ring_begins_anew_is_never_taken_for_whole(tmp_path: Path) -> None:
    older, newer = pcap(CLEAN, tmp_path, 40), pcap(VIOLATING, tmp_path, 40)
    ring, parts = [tmp_path / "ring0", tmp_path / "ring1"], [tmp_path / "older", tmp_path / "newer"]
    for part, content in zip(parts, (older, newer), strict=True):
        part.write_bytes(content)
    # Its writer may be met between two pages, and there between two packets.
    whole = {
        number
        for content in (older, newer)
        for number, place in enumerate(ends(content), 1)
        if place == len(content) or place % PAGE == 0
    }
    broken = 0
    with writing(RING, *ring, *parts) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "begun\n"
        for _ in range(40):
            try:
                captures = auditor.audit(ring).to_dict()["captures"]
            except CaptureError as error:  # both were just begun anew
                assert "is empty" in str(error)  # noqa: PT017
                continue
            for capture in captures:
                if capture["complete"]:
                    assert capture["packets"] in whole
                else:
                    broken += 1
                    assert capture["problems"]
    assert broken


def test_an_empty_file_in_a_folder_is_not_left_out(tmp_path: Path) -> None:
    (tmp_path / "trace.pcap0").write_bytes(CLEAN.read_bytes())
    assert run("audit", tmp_path).returncode == 0
    (tmp_path / "trace.pcap1").touch()
    (tmp_path / "notes.txt").touch()
    done = run("audit", tmp_path, "--format", "json")
    assert done.returncode == 3
    whole, empty = json.loads(done.stdout)["captures"]
    assert whole["complete"]
    assert not empty["complete"]
    assert empty["problems"][0]["message"].startswith("is empty")


def test_a_file_that_was_deleted_since_it_was_found_is_told(tmp_path: Path) -> None:
    scan = _engine.scan([str(CLEAN), str(tmp_path / "gone.pcap")])
    while scan.next_batch() is not None:
        pass
    there, gone = scan.captures
    assert there["complete"]
    assert "No such file" in gone["error"]


@pytest.fixture
def wire() -> Iterator[Namespace]:
    require_lab()
    with replay_lab() as namespace:
        yield namespace


@contextmanager
def capturing(wire: Namespace, *words: str | Path) -> Iterator[subprocess.Popen[str]]:
    """tcpdump or dumpcap once it listens, killed at the end."""
    process = wire.start(*words)
    try:
        assert process.stderr is not None
        said = next((line for line in process.stderr if "listening on" in line or "File: " in line), None)
        assert said is not None, f"{words} ended before it captured"
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("flush", [("-U",), ()], ids=["each packet", "when its buffer is full"])
def test_what_tcpdump_has_written_is_audited_while_it_writes_on(
    wire: Namespace, flush: tuple[str, ...], tmp_path: Path
) -> None:
    growing, copy = tmp_path / "growing.pcap", tmp_path / "copy.pcap"
    seen: list[tuple[auditor.Audit, int]] = []
    with capturing(wire, *TCPDUMP, "-w", growing, *flush) as tcpdump:
        replay = wire.start("tcpreplay", "-q", "--pps=500", "-i", "wire0", VIOLATING)
        while replay.poll() is None:
            there = growing.stat().st_size
            if there > 24 + 16:
                seen.append((auditor.audit(growing), there))
        replay.communicate()
        assert replay.returncode == 0
        if flush:
            tcpdump.send_signal(signal.SIGTERM)
            tcpdump.wait()
    assert seen
    content = growing.read_bytes()
    whole = auditor.audit(growing)
    if flush:
        assert judged(whole)[0] == judged(auditor.audit(VIOLATING))[0]
    for report, there in seen:
        assert_is_of_what_was_read(report, content, there, copy)


@pytest.mark.parametrize(
    "words",
    [
        (*TCPDUMP, "-C", "1", "-W", "2", "-w"),
        ("dumpcap", "-i", "mon0", "-b", "packets:700", "-b", "files:3", "-w"),
    ],
    ids=lambda words: words[0],
)
def test_rings_that_turn_while_they_are_audited_are_read_or_told(
    wire: Namespace, words: tuple[str, ...], tmp_path: Path
) -> None:
    audits = 0
    with capturing(wire, *words, tmp_path / "ring.pcap"):
        replay = wire.start("tcpreplay", "-q", "--loop=60", "--topspeed", "-i", "wire0", CLEAN)
        while replay.poll() is None or not audits:
            try:
                report = auditor.audit(tmp_path)
            except CaptureError:  # nothing has been written yet
                continue
            audits += 1
            captures = report.to_dict()["captures"]
            assert {one["check"] for one in report.to_dict()["findings"]} <= {OF_CAPTURES}
            assert all(capture["complete"] or capture["problems"] for capture in captures)
            if not all(capture["complete"] for capture in captures):
                assert report.verdict == "inconclusive"
        replay.communicate()
    assert replay.returncode == 0
