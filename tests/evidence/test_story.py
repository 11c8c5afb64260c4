"""A finding is told so that somebody who was not there understands it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from program import CAPTURES, CLEAN, VIOLATING, run

from auditor.evidence.dissection import discreet

HEADINGS = ("What is published", "What happened", "Packet by packet", "What would make it pass")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("story") / "r.json"
    run("audit", VIOLATING, "-o", path)
    return path


def findings(report: Path) -> list[Any]:
    found: list[Any] = json.loads(report.read_text())["findings"]
    return found


def test_every_finding_is_told_in_four_parts(report: Path) -> None:
    for finding in findings(report):
        done = run("explain", finding["id"], VIOLATING, "--report", report)
        assert (done.returncode, done.stderr) == (0, "")
        places = [done.stdout.index(f"\n{heading}\n") for heading in HEADINGS]
        assert places == sorted(places)
        assert done.stdout.count("← evidence") == len(finding["evidence"])


def test_packets_are_told_in_the_words_of_tshark_under_their_own_numbers(report: Path) -> None:
    told = run("explain", findings(report)[0]["id"], VIOLATING, "--report", report, COLUMNS="140").stdout
    lines = told[told.index("Packet by packet") :].splitlines()[1:]
    assert lines[0].split()[:1] == ["153"]
    assert "TCP 45000 → 5900 [SYN]" in lines[0]
    assert any("[SYN, ACK]" in line for line in lines)
    assert [line.split()[0] for line in lines if "[FIN, ACK]" in line] == ["160", "164"]


def test_packets_of_other_captures_are_not_told_as_evidence(report: Path) -> None:
    done = run("explain", findings(report)[0]["id"], CLEAN, "--report", report)
    assert (done.returncode, "Packet by packet" in done.stdout) == (0, False)
    assert "the captures given hold no packet of this finding" in done.stderr


def test_the_beginning_of_an_id_is_enough(report: Path) -> None:
    id = findings(report)[0]["id"]
    assert run("explain", id[:6], "--report", report).stdout == run("explain", id, "--report", report).stdout


def test_without_tshark_or_captures_the_story_is_whole_but_for_its_words(report: Path, tmp_path: Path) -> None:
    id = findings(report)[0]["id"]
    silent = run("explain", id, "--report", report)
    assert "without captures" in silent.stderr
    poor = run("explain", id, VIOLATING, "--report", report, PATH=str(tmp_path))
    assert "tshark is not installed" in poor.stderr
    for done in (silent, poor):
        assert done.returncode == 0
        assert all(heading in done.stdout for heading in HEADINGS)
        assert "153" in done.stdout


def test_captures_without_the_finding_s_packets_are_said(report: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pcap"
    empty.write_bytes(b"")
    for capture in (empty, CAPTURES / "securidata-clean.pcapng"):
        done = run("explain", findings(report)[0]["id"], capture, "--report", report)
        assert done.returncode in (0, 2)
        assert "hold no packet of this finding" in done.stderr or "which is not among those given" in done.stderr


def test_a_hostile_name_reaches_no_terminal(tmp_path: Path, report: Path) -> None:
    document = json.loads(report.read_text())
    document["findings"][0]["message"] = "evil \x1b]0;owned\x07 name"
    path = tmp_path / "r.json"
    path.write_text(json.dumps(document))
    assert "\x1b" not in run("explain", document["findings"][0]["id"], "--report", path).stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("ffff", "--report", "{report}"), "no finding 'ffff'"),
        (("--report", "{report}"), "no finding is named"),
        (("udp-use", str(CAPTURES / "drbackup-clean.pcapng")), "expected --report"),
    ],
    ids=["unknown", "none", "captures alone"],
)
def test_a_mistake_is_exit_2(words: tuple[str, ...], message: str, report: Path) -> None:
    done = run("explain", *(word.format(report=report) for word in words))
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


@pytest.mark.parametrize(
    ("protocol", "info", "told"),
    [
        ("TCP", "45000 → 5900 [SYN] Seq=0", "45000 → 5900 [SYN] Seq=0"),
        ("TLSv1.3", "Client Hello (SNI=a.example)", "Client Hello (SNI=a.example)"),
        ("FTP", "Request: PASS hunter2", "Request: PASS"),
        ("FTP", "Request: user night-shift", "Request: user"),
        ("FTP", "Request: STOR diary.txt", "Request: STOR"),
        ("FTP", "Request: ter2", ""),
        ("FTP", "Request: PORT 10,0,0,5,4,1", "Request: PORT 10,0,0,5,4,1"),
        ("FTP", "Response: 331 Password required for night-shift.", "Response: 331"),
        (
            "FTP",
            "Response: 227 Entering passive mode (1,2,3,4,5,6).",
            "Response: 227 Entering passive mode (1,2,3,4,5,6).",
        ),
        ("FTP-DATA", "FTP Data: 100 bytes (PASV) (STOR diary.txt)", ""),
        ("HTTP", "CONNECT 204.164.111.5:16384 HTTP/1.1 ", "CONNECT 204.164.111.5:16384 HTTP/1.1"),
        ("HTTP", "GET /?password=hunter2 HTTP/1.1", ""),
        ("POP", "C: PASS hunter2", ""),
    ],
)
def test_what_users_say_is_not_told(protocol: str, info: str, told: str) -> None:
    assert discreet(protocol, info) == told
