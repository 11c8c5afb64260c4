"""A snap length that hides what a check needs is told, and leaves no clean verdict."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from samples import Sample, audited, samples
from scapy.utils import RawPcapReader, RawPcapWriter

SAMPLES = {sample.name: sample for sample in samples()}
ETHERNET = 1


def snapped(sample: Sample, length: int, folder: Path) -> tuple[int, dict[str, Any]]:
    """Exit code and report of an audit of the sample's frames, each cut after `length` bytes."""
    path = folder / "snapped.pcap"
    with RawPcapReader(str(sample.capture)) as reader, RawPcapWriter(str(path), linktype=ETHERNET) as writer:
        writer.write_header(b"")
        for number, (frame, _) in enumerate(reader):
            writer.write_packet(frame[:length], sec=1_772_485_200 + number, wirelen=len(frame))
    return audited(path, *sample.options())


@pytest.mark.parametrize(
    ("name", "length"),
    [
        ("situations/ipv6-site", 68),  # within TCP's header behind IPv6
        ("backup-direct-clean", 40),  # within TCP's header behind IPv4
        ("checks/hostname-resolves-outside-fires", 68),  # within the name that is asked for
        ("checks/unencrypted-payload-fires-proxy", 300),  # of what runs through a tunnel, too little to sample
    ],
)
def test_capture_that_was_cut_too_short_is_inconclusive(name: str, length: int, tmp_path: Path) -> None:
    code, report = snapped(SAMPLES[name], length, tmp_path)
    assert (code, report["verdict"]) == (3, "inconclusive")
    assert "capture-incomplete" in {finding["check"] for finding in report["findings"]}


def test_headers_that_were_cut_are_counted(tmp_path: Path) -> None:
    sample = SAMPLES["backup-direct-clean"]
    _, report = snapped(sample, 40, tmp_path)
    (problem,) = [one for one in report["captures"][0]["problems"] if one["name"] == "header-cut"]
    assert (problem["count"], problem["hides_traffic"]) == (sample.sidecar["frames"], True)


def test_capture_cut_behind_its_headers_loses_no_flow(tmp_path: Path) -> None:
    _, report = snapped(SAMPLES["backup-direct-clean"], 60, tmp_path)
    assert "header-cut" not in {one["name"] for one in report["captures"][0]["problems"]}
    assert len(report["flows"]) > 0
