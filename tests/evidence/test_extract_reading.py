"""Captures are read for a copy as for the report: with the same packets, flows and day of waivers."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from frames import plain_ether
from program import run
from scapy.layers.inet import ICMP, IP, TCP
from scapy.layers.l2 import Dot1Q
from scapy.packet import Packet, Raw
from scapy.utils import wrpcap

import auditor
from auditor.errors import AuditorError
from auditor.evidence.extraction import extract

CLIENT, SERVER = "10.0.0.5", "204.164.111.9"
UNPUBLISHED = 4444
START = 1_700_000_000
WRONG = ((1, None), (2, 1))  # number of an echo request, and a checksum that is not its own


def capture(path: Path, frames: list[Packet]) -> str:
    for number, frame in enumerate(frames):
        frame.time = START + number * 0.001
    wrpcap(str(path), frames)
    return str(path)


def session(vlans: tuple[int, int] | None = None) -> list[Packet]:
    """A session with a port that nobody publishes; `vlans`: of the client's and of the server's packets."""
    there, back = {"sport": 40_000, "dport": UNPUBLISHED}, {"sport": UNPUBLISHED, "dport": 40_000}
    packets = [
        (True, TCP(**there, flags="S", seq=100)),
        (False, TCP(**back, flags="SA", seq=500, ack=101)),
        (True, TCP(**there, flags="A", seq=101, ack=501)),
        (True, TCP(**there, flags="PA", seq=101, ack=501) / Raw(bytes(200))),
        (False, TCP(**back, flags="A", seq=501, ack=301)),
    ]
    frames = []
    for number, (ours, segment) in enumerate(packets, start=1):
        ends = {"src": CLIENT, "dst": SERVER} if ours else {"src": SERVER, "dst": CLIENT}
        tag = plain_ether() if vlans is None else plain_ether() / Dot1Q(vlan=vlans[not ours])
        frames.append(tag / IP(**ends, id=number) / segment)
    return frames


def test_flows_that_vlans_keep_apart_are_copied_as_such(tmp_path: Path) -> None:
    path = capture(tmp_path / "a.pcap", session(vlans=(10, 20)))
    report = auditor.audit(path, vlan="strict").to_dict()
    ids = {id for finding in report["findings"] for id in finding["flow_ids"]}
    assert len(ids) == 2
    done = extract([path], tmp_path / "x.pcapng", report=report, vlan="strict")
    assert done.lost == []
    assert {id for finding in done.audit.to_dict()["findings"] for id in finding["flow_ids"]} == ids
    with pytest.raises(AuditorError, match="2 of 2 flows of the findings are not in these captures"):
        extract([path], tmp_path / "y.pcapng", report=report)


@pytest.mark.parametrize(("kept", "count"), [(True, 2), (False, 1)])
def test_copies_of_a_mirror_port_count_as_in_the_report(tmp_path: Path, kept: bool, count: int) -> None:
    asking = plain_ether() / IP(src=CLIENT, dst=SERVER, id=1) / ICMP(id=1, seq=1)
    frames = [*session(), asking]
    path = capture(tmp_path / "a.pcap", [frame.copy() for frame in frames for _ in range(2)])
    done = extract([path], tmp_path / "x.pcapng", checks=["icmp-use"], keep_duplicates=kept, anonymise=True)
    assert done.lost == []
    assert [one["count"] for one in done.findings] == [count]
    assert {one.count for one in done.audit.judged.findings if one.check == "icmp-use"} == {count}


@pytest.mark.parametrize(("validated", "count"), [(True, 1), (False, 2)])
def test_packets_with_wrong_checksums_count_as_in_the_report(tmp_path: Path, validated: bool, count: int) -> None:
    asking = [plain_ether() / IP(src=CLIENT, dst=SERVER, id=n) / ICMP(id=1, seq=n, chksum=sum_) for n, sum_ in WRONG]
    path = capture(tmp_path / "a.pcap", [*session(), *asking])
    done = extract([path], tmp_path / "x.pcapng", checks=["icmp-use"], validate_checksums=validated)
    assert done.lost == []
    assert [one["count"] for one in done.findings] == [count]


def test_waivers_in_a_bundle_are_judged_on_the_day_asked_for(tmp_path: Path) -> None:
    path, site, bundle = capture(tmp_path / "a.pcap", session()), tmp_path / "site.yaml", tmp_path / "x.zip"
    site.write_text(
        "inside: [10.0.0.0/8]\nwaivers:\n  - {check: port-not-published, reason: a test, expires: 2026-06-30}\n"
    )
    for day, expired in (("2026-06-30", False), ("2026-07-01", True)):
        done = run("extract", path, "--site", site, "--as-of", day, "-o", bundle)
        assert done.returncode == 0, done.stderr
        with zipfile.ZipFile(bundle) as files:
            found = json.loads(files.read("report.json"))["findings"]
        assert [one["waiver"]["expired"] for one in found if one["check"] == "port-not-published"] == [expired]


def test_the_program_takes_what_audit_takes(tmp_path: Path) -> None:
    path, report = capture(tmp_path / "a.pcap", session(vlans=(10, 20))), tmp_path / "r.json"
    options = ("--vlan", "strict", "--keep-duplicates", "--validate-checksums")
    assert run("audit", path, *options, "-o", report).returncode == 1
    done = run("extract", path, "--report", report, *options, "-o", tmp_path / "x.pcapng")
    assert done.returncode == 0, done.stderr
    refused = run("extract", path, "--vlan", "apart", "-o", tmp_path / "y.pcapng")
    assert refused.returncode == 2
    assert "auto, ignore, strict" in refused.stderr


def test_a_story_reads_the_captures_as_the_audit_did(tmp_path: Path) -> None:
    path, report = capture(tmp_path / "a.pcap", session(vlans=(10, 20))), tmp_path / "r.json"
    assert run("audit", path, "--vlan", "strict", "-o", report).returncode == 1
    [found] = [one for one in json.loads(report.read_text())["findings"] if one["check"] == "port-not-published"]
    words = ("explain", found["id"], path, "--report", report)
    told = {vlan: run(*words, "--vlan", vlan).stdout.count("Seq=") for vlan in ("auto", "strict")}
    assert told == {"auto": len(found["evidence"]), "strict": 4}  # up to the client's last
    alone = run("explain", "udp-use", "--vlan", "strict")
    assert (alone.returncode, "expected --report" in alone.stderr) == (2, True)
