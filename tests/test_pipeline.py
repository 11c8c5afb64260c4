"""Whole audits of captures made for the test."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet
from scapy.utils import wrpcap

import auditor

C, S = "10.0.0.5", "204.164.111.9"
PCAP_HEADER = bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000")


def session(client: str = C, server: str = S, port: int = 3000, service: int = 16384, start: float = 0) -> list[Packet]:
    up, down = IP(src=client, dst=server), IP(src=server, dst=client)
    packets = [
        up / TCP(sport=port, dport=service, flags="S", seq=0),
        down / TCP(sport=service, dport=port, flags="SA", seq=0, ack=1),
        up / TCP(sport=port, dport=service, flags="A", seq=1, ack=1),
        up / TCP(sport=port, dport=service, flags="PA", seq=1, ack=1) / (b"x" * 100),
        down / TCP(sport=service, dport=port, flags="A", seq=1, ack=101),
        up / TCP(sport=port, dport=service, flags="FA", seq=101, ack=1),
        down / TCP(sport=service, dport=port, flags="FA", seq=1, ack=102),
        up / TCP(sport=port, dport=service, flags="A", seq=102, ack=2),
    ]
    for at, packet in enumerate(packets):
        packet.time = 1_700_000_000 + start + at / 100
    return packets


def udp(start: float = 1) -> Packet:
    packet = IP(src=C, dst=S) / UDP(sport=5000, dport=16384) / b"x"
    packet.time = 1_700_000_000 + start
    return packet


def write(path: Path, packets: Sequence[Packet]) -> Path:
    framed = []
    for packet in packets:
        frame = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / packet
        frame.time = packet.time
        framed.append(frame)
    wrpcap(str(path), framed)
    return path


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    return write(tmp_path / "clean.pcap", session())


@pytest.fixture
def violating(tmp_path: Path) -> Path:
    return write(tmp_path / "violating.pcap", [*session(), udp()])


def test_sound_capture_without_objections_is_clean(clean: Path) -> None:
    result = auditor.audit(clean)
    assert (result.verdict, result.exit_code, result.reasons) == ("clean", 0, [])
    assert result.judged.traffic["control"].flows == 1


def test_finding_of_medium_severity_makes_violations(violating: Path) -> None:
    result = auditor.audit(violating)
    assert (result.verdict, result.exit_code) == ("violations", 1)
    assert result.reasons == ["1 finding of severity medium or worse"]


def test_severity_that_fails_can_be_chosen(violating: Path) -> None:
    result = auditor.audit(violating, fail_on="high")
    assert result.verdict == "clean"
    assert result.under(fail_on="low").verdict == "violations"
    assert auditor.audit(violating, fail_on=auditor.Severity.INFO).exit_code == 1


def test_waived_finding_does_not_count_until_it_expires(violating: Path, tmp_path: Path) -> None:
    from datetime import date

    site = tmp_path / "site.yaml"
    site.write_text("waivers: [{check: udp-use, reason: known, expires: 2026-01-31}]")
    result = auditor.audit(violating, site=site, as_of=date(2026, 1, 31))
    assert result.verdict == "clean"
    assert result.reasons == ["1 finding waived by the site"]
    assert auditor.audit(violating, site=site, as_of=date(2026, 2, 1)).verdict == "violations"


def test_cut_capture_is_at_best_inconclusive(clean: Path) -> None:
    clean.write_bytes(clean.read_bytes()[:-10])
    result = auditor.audit(clean)
    assert (result.verdict, result.exit_code) == ("inconclusive", 3)
    assert any("clean.pcap" in reason for reason in result.reasons)
    assert result.under(allow_incomplete=True).exit_code == 0


def test_violation_in_a_cut_capture_is_a_violation(violating: Path) -> None:
    content = violating.read_bytes()
    violating.write_bytes(content + b"\x00\x01")
    assert auditor.audit(violating).exit_code == 1


def test_capture_without_packets_is_inconclusive(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pcap"
    empty.write_bytes(PCAP_HEADER)
    result = auditor.audit(empty)
    assert result.exit_code == 3
    assert "no packets at all" in result.reasons


def test_garbage_among_good_files_is_inconclusive(clean: Path, tmp_path: Path) -> None:
    garbage = tmp_path / "garbage.pcap"
    garbage.write_bytes(b"this is no capture")
    assert auditor.audit([clean, garbage]).exit_code == 3


def test_nothing_readable_at_all_is_an_error(tmp_path: Path) -> None:
    garbage, nothing = tmp_path / "garbage.pcap", tmp_path / "nothing.pcap"
    garbage.write_bytes(b"this is no capture")
    nothing.touch()
    with pytest.raises(auditor.CaptureError) as error:
        auditor.audit([garbage, nothing])
    assert "garbage.pcap" in str(error.value)
    assert "nothing.pcap" in str(error.value)


def test_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(auditor.CaptureError, match="absent"):
        auditor.audit(tmp_path / "absent.pcap")


def test_packs_can_be_chosen(violating: Path) -> None:
    result = auditor.audit(violating, packs=["drbackup"])
    assert [pack["id"] for pack in result.packs] == ["drbackup"]
    assert result.verdict == "clean"


def test_findings_are_the_same_whether_or_not_all_flows_are_kept(tmp_path: Path) -> None:
    other = session(server="8.8.8.8", service=443, port=4000)
    capture = write(tmp_path / "mixed.pcap", [*session(), udp(), *other])
    narrow, wide = auditor.audit(capture), auditor.audit(capture, all_flows=True)
    assert narrow.judged.findings == wide.judged.findings
    assert narrow.judged.coverage == wide.judged.coverage
    assert narrow.judged.traffic == wide.judged.traffic
    assert list(narrow.judged.sessions) == list(wide.judged.sessions)
    assert (len(narrow.flows), len(wide.flows)) == (2, 3)


def test_two_captures_of_one_session_give_one_session(tmp_path: Path) -> None:
    packets = [*session(), udp()]
    whole = auditor.audit(write(tmp_path / "whole.pcap", packets))
    parts = [write(tmp_path / "a.pcap", packets[:3]), write(tmp_path / "b.pcap", packets[3:])]
    split = auditor.audit(parts)
    assert [finding.id for finding in split.judged.findings] == [finding.id for finding in whole.judged.findings]
    assert list(split.judged.sessions) == list(whole.judged.sessions)
    assert split.judged.traffic == whole.judged.traffic


def test_report_is_plain_json(violating: Path) -> None:
    report = json.loads(json.dumps(auditor.audit(violating).to_dict()))
    assert report["schema"] == "auditor.report/1"
    assert report["verdict"] == "violations"
    assert {finding["check"] for finding in report["findings"]} == {"udp-use"}


def test_tables_are_typed(violating: Path) -> None:
    result = auditor.audit(violating)
    assert isinstance(result.flows["start"].dtype, pd.DatetimeTZDtype)
    assert result.flows["vendor"].dtype == "category"
    assert result.flows["start"].iloc[0] == pd.Timestamp("2023-11-14T22:13:20Z")
    assert result.findings["severity"].max() == "medium"
    assert result.findings["service_port"].tolist() == [16384]
    assert result.sessions["vendor"].tolist() == ["online-backup-service"]
    assert result.traffic.loc["control", "packets"] == 5
    assert set(result.coverage["status"]) <= {"met", "violated", "not exercised", "inconclusive", "not checkable"}


def test_tables_of_an_audit_that_found_nothing_have_the_same_columns_and_types(violating: Path, tmp_path: Path) -> None:
    full = auditor.audit(violating)
    nothing = auditor.audit(write(tmp_path / "other.pcap", session(server="8.8.8.8", service=443)))
    assert len(nothing.flows) == 0
    for name in ("flows", "findings", "sessions", "coverage", "traffic"):
        expected, found = getattr(full, name), getattr(nothing, name)
        assert list(expected.columns) == list(found.columns)
        for column in ("start", "end", "first_seen", "files", "bytes_up", "count", "packets_forward", "service_port"):
            if column in expected:
                assert expected[column].dtype == found[column].dtype, column


def test_progress_is_told(clean: Path) -> None:
    told: list[tuple[int, int]] = []
    auditor.audit(clean, progress=lambda done, total: told.append((done, total)))
    assert all(done <= total for done, total in told)


def test_numpy_and_pandas_are_not_imported_where_nobody_wants_a_flow(tmp_path: Path) -> None:
    capture = write(tmp_path / "other.pcap", session(server="8.8.8.8", service=443))
    code = (
        "import sys, auditor\n"
        "print(auditor.audit(sys.argv[1]).verdict)\n"
        "print(sorted({'numpy', 'pandas', 'pydantic', 'yaml'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(capture)], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["clean", "[]"]


def test_a_watch_that_sees_no_vendor_imports_nothing_of_what_others_need(tmp_path: Path) -> None:
    capture = write(tmp_path / "other.pcap", session(server="8.8.8.8", service=443))
    files = tmp_path / "events.jsonl", tmp_path / "night.json"
    code = "import sys\nfrom auditor.cli._main import run\nprint(run(sys.argv[1:]), *sys.modules)"
    words = [sys.executable, "-c", code, "watch", "-i", capture, "--events", files[0], "-o", files[1]]
    exit_code, *loaded = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    assert exit_code == "0"
    unused = {"numpy", "socket", "logging", "pathlib", "csv", "textwrap"}
    ours = {"reporttypes", "reports.csv", "reports.table", "generated.headstart", "watch.sniffing", "watch.judging"}
    assert {*unused, *(f"auditor.{name}" for name in ours)} & set(loaded) == set()


def test_public_names_are_all_there() -> None:
    for name in auditor.__all__:
        assert getattr(auditor, name) is not None
    assert set(auditor.__all__) <= set(dir(auditor))
    with pytest.raises(AttributeError, match="nonsense"):
        auditor.nonsense  # noqa: B018
