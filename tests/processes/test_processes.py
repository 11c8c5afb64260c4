"""From what a capture or a file beside it tells of processes to what an audit says of them."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import pytest
from samples import CAPTURES, ROOT
from scapy.utils import RawPcapReader

from auditor.errors import AuditorError
from auditor.pipeline import audit

PACKET_TAP = 258
CAPTURE = CAPTURES / "checks" / "unlisted-program-fires-by-sysmon.pcap"
LOG = CAPTURES / "processes" / "unlisted-program.jsonl"


def tapped(frame: bytes, command: bytes, effective: bytes) -> bytes:
    """The frame behind a header of Apple's packet tap."""
    start = struct.pack("<III24sIIIII20s", 108, 1, 1, b"en0", 0, 2, 14, 0, 500, command)
    return start + struct.pack("<IHHI20s", 0, 0, 0, 0, effective) + frame


def as_packet_taps(path: Path, command: bytes, effective: bytes = b"") -> None:
    """The sample's packets, written as that link type."""
    with RawPcapReader(str(CAPTURE)) as reader, path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2_C3D4, 2, 4, 0, 0, 262_144, PACKET_TAP))
        for frame, header in reader:
            data = tapped(frame, command, effective)
            file.write(struct.pack("<IIII", header.sec, header.usec // 1000, len(data), len(data)) + data)


def unlisted(path: Path, processes: Path | None = None) -> list[str]:
    """Messages of the check."""
    report = audit(path, packs=["drbackup"], processes=processes)
    return [finding.message for finding in report.judged.findings if finding.check == "unlisted-program"]


@pytest.mark.parametrize(
    ("command", "effective", "named"),
    [(b"curl", b"", "curl"), (b"rbclient.exe", b"", ""), (b"nsurlsessiond", b"rbclient", ""), (b"a", b"wget", "wget")],
)
def test_packet_tap_names_the_process(tmp_path: Path, command: bytes, effective: bytes, named: str) -> None:
    path = tmp_path / "tap.pcap"
    as_packet_taps(path, command, effective)
    assert unlisted(path) == (
        [f"10.1.2.3 talks to 66.241.7.9 by {named}, which drbackup does not list"] if named else []
    )


def test_several_captures_share_their_names(tmp_path: Path) -> None:
    for number, command in enumerate((b"curl", b"wget")):
        as_packet_taps(tmp_path / f"{number}.pcap", command)
    assert unlisted(tmp_path / "1.pcap") == ["10.1.2.3 talks to 66.241.7.9 by wget, which drbackup does not list"]
    assert unlisted(tmp_path) == ["10.1.2.3 talks to 66.241.7.9 by curl, wget, which drbackup does not list"]


def test_file_beside_the_capture_names_processes_where_the_capture_does_not(tmp_path: Path) -> None:
    path = tmp_path / "tap.pcap"
    as_packet_taps(path, b"rbclient.exe")
    assert unlisted(CAPTURE) == []
    assert unlisted(CAPTURE, LOG) == ["10.1.2.3 talks to 66.241.7.9 by curl.exe, which drbackup does not list"]
    assert unlisted(path, LOG) == []


def test_file_that_cannot_be_used_is_refused_before_anything_is_audited(tmp_path: Path) -> None:
    with pytest.raises(AuditorError, match=r"none\.txt: cannot be read"):
        audit(CAPTURES / "situations" / "no-packets.pcap", processes=tmp_path / "none.txt")


def test_command_line_takes_the_file() -> None:
    command = [sys.executable, "-m", "auditor", "audit", str(CAPTURE), "--processes"]
    done = [
        subprocess.run([*command, str(file)], capture_output=True, text=True, timeout=60, cwd=ROOT, check=False)
        for file in (LOG, CAPTURE)
    ]
    assert [one.returncode for one in done] == [1, 2]
    assert "curl.exe" in done[0].stdout
    assert done[1].stdout == ""
    assert str(CAPTURE) in done[1].stderr
    assert "Traceback" not in done[1].stderr
