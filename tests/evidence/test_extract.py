"""Extracted packets are the original ones, say which finding they show, and give the same findings again."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from program import CAPTURES, VIOLATING, run
from samples import Sample, samples

from auditor.document import document
from auditor.evidence.extraction import extract
from auditor.pipeline import audit

# What a copy cannot carry: which program owned a connection stands in blocks of their own, which are not copied.
NEEDS_PROCESSES = "unlisted-program"
FIELDS = ("severity", "certainty", "outcome", "statement", "message", "count", "first_seen", "last_seen")


def options(sample: Sample) -> dict[str, Any]:
    """Packs and site of a sample, as keywords."""
    site = sample.sidecar.get("site")
    return {"packs": sample.sidecar.get("packs", ()), "site": CAPTURES / site if site else None}


def report_of(sample: Sample) -> Any:
    return document(audit(sample.capture, **options(sample)))


def about_traffic(report: Any) -> dict[str, Any]:
    return {finding["id"]: finding for finding in report["findings"] if finding["flow_ids"]}


ONE_VANTAGE = [one for one in samples() if not {"outside", "processes"} & one.sidecar.keys()]
SPEAKING = [one for one in ONE_VANTAGE if one.expected["findings"]]


def tshark(capture: Path, *words: str) -> list[list[str]]:
    """Fields of each packet, as tshark prints them."""
    fields = [part for word in words for part in ("-e", word)]
    command = ["tshark", "-n", "-r", str(capture), "-T", "fields", *fields]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


@pytest.mark.parametrize("sample", SPEAKING, ids=lambda sample: sample.name)
def test_an_audit_of_the_copy_gives_the_same_findings_and_no_others(sample: Sample, tmp_path: Path) -> None:
    report = report_of(sample)
    wanted = {id: one for id, one in about_traffic(report).items() if one["check"] != NEEDS_PROCESSES}
    if not wanted:
        assert {one["check"] for one in report["findings"]} <= {NEEDS_PROCESSES, "capture-incomplete"}
        return
    done = extract(
        [str(sample.capture)], tmp_path / "x.pcapng", report=report, findings=list(wanted), **options(sample)
    )
    again = about_traffic(document(done.audit))
    assert {id: [one[name] for name in FIELDS] for id, one in again.items()} == {
        id: [one[name] for name in FIELDS] for id, one in wanted.items()
    }
    assert done.lost == []


@pytest.mark.parametrize("finding", about_traffic(document(audit(VIOLATING))).values(), ids=lambda one: one["check"])
def test_each_finding_stands_by_itself(finding: Any, tmp_path: Path) -> None:
    done = extract([str(VIOLATING)], tmp_path / "x.pcapng", findings=[finding["id"]])
    assert done.lost == []


def test_bytes_times_and_interface_are_untouched(tmp_path: Path) -> None:
    copy = tmp_path / "x.pcapng"
    done = run("extract", VIOLATING, "-o", copy)
    assert done.returncode == 0, done.stderr
    words = ("frame.time_epoch", "frame.len", "frame.cap_len", "frame.encap_type", "frame.md5_hash")
    hashed = ["-o", "frame.generate_md5_hash:TRUE"]
    original, copied = (
        [
            tuple(line.split("\t"))
            for line in subprocess.run(
                ["tshark", "-n", "-r", path, *hashed, "-T", "fields", *(p for word in words for p in ("-e", word))],
                capture_output=True,
                text=True,
                timeout=60,
                check=True,
            ).stdout.splitlines()
        ]
        for path in (VIOLATING, copy)
    )
    ours = [frame for frame in copied if frame not in original]
    assert len(copied) > 100
    assert len(ours) <= 1  # the frame that marks when the capture began
    assert len(original[0][0].split(".")[1]) == 9
    kept = iter(original)
    assert all(frame in kept for frame in copied if frame in original)  # in order


def test_every_evidence_frame_has_a_comment_that_names_finding_and_statement(tmp_path: Path) -> None:
    copy = tmp_path / "x.pcapng"
    assert run("extract", VIOLATING, "-o", copy).returncode == 0
    times = {item["timestamp"] for one in audit(VIOLATING).to_dict()["findings"] for item in one["evidence"]}
    rows = tshark(copy, "frame.time_epoch", "frame.comment")
    commented = [
        row for row in rows if len(row) > 1 and row[1].startswith("auditor: ") and "not captured" not in row[1]
    ]
    assert len(commented) == len(times)
    for finding in audit(VIOLATING).to_dict()["findings"]:
        said = [row[1] for row in commented if finding["id"] in row[1]]
        assert said, finding["check"]
        assert all(finding["check"] in text and finding["severity"] in text for text in said)
        assert all(f"{finding['vendor']} {finding['statement']}: " in text for text in said if finding["statement"])


def test_a_report_chooses_the_findings_and_moved_captures_are_found_by_name(tmp_path: Path) -> None:
    report, moved, copy = tmp_path / "r.json", tmp_path / VIOLATING.name, tmp_path / "x.pcapng"
    assert run("audit", VIOLATING, "-o", report).returncode == 1
    moved.write_bytes(VIOLATING.read_bytes())
    done = run("extract", moved, "--report", report, "--check", "udp-use", "-o", copy)
    assert done.returncode == 0, done.stderr
    findings = json.loads(run("audit", copy, "--format", "json").stdout)["findings"]
    assert "udp-use" in {one["check"] for one in findings}


def test_evidence_only_copies_the_frames_that_findings_name_alone(tmp_path: Path) -> None:
    copy = tmp_path / "x.pcapng"
    assert run("extract", VIOLATING, "--evidence-only", "-o", copy).returncode == 0
    named = {item["frame"] for one in audit(VIOLATING).to_dict()["findings"] for item in one["evidence"]}
    assert len(tshark(copy, "frame.number")) == len(named)


def test_headers_only_cuts_payload_and_keeps_the_lengths(tmp_path: Path) -> None:
    copy = tmp_path / "x.pcapng"
    run("extract", VIOLATING, "--headers-only", "-o", copy)
    for wire, captured in tshark(copy, "frame.len", "frame.cap_len"):
        assert int(captured) <= 14 + 60 + 60
        assert int(wire) >= int(captured)
    assert b"rbs.drbackup" not in copy.read_bytes()
    again = {one["id"] for one in audit(copy).to_dict()["findings"]}
    assert {one["id"] for one in audit(VIOLATING).to_dict()["findings"]} <= again


def test_fragments_of_a_datagram_come_along(tmp_path: Path) -> None:
    capture = CAPTURES / "checks" / "other-protocol-use-silent-tunnel-and-fragments.pcap"
    rows = tshark(capture, "frame.number", "ip.flags.mf", "ip.frag_offset")
    fragments = [row for row in rows if row[1] in ("1", "True") or row[2] not in ("0", "")]
    assert fragments
    from auditor import _engine
    from auditor.evidence.extraction import _rows
    from auditor.evidence.selection import EVERY_PACKET, windows_of
    from auditor.scan import ScanOptions

    flows = _rows([str(capture)], ScanOptions())
    copy = tmp_path / "x.pcapng"
    windows = windows_of(flows, {int(id) for id in flows.flow_id}, EVERY_PACKET)
    copied = _engine.extract([str(capture)], str(copy), flows=windows)
    assert copied["frames"] == len(rows)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--finding", "ffffffff"), "no finding 'ffffffff'"),
        (("--check", "udp-us"), 'did you mean "udp-use"'),
        (("--keep-payload",), "expected --anonymise"),
        (("--anonymise", "--keep-payload", "--headers-only"), "exclude each other"),
        (("--anonymise", "--keep", "10.0.0.0/99"), "--keep 10.0.0.0/99"),
        (("--report", str(VIOLATING)), "is no report"),
        (("--report", "pyproject.toml"), "is no report"),
        (("--report", "nowhere.json"), "nowhere.json"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_mistake_is_exit_2_and_leaves_no_file(words: tuple[str, ...], message: str, tmp_path: Path) -> None:
    copy = tmp_path / "x.pcapng"
    done = run("extract", VIOLATING, *words, "-o", copy)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_captures_of_another_report_are_refused(tmp_path: Path) -> None:
    report = tmp_path / "r.json"
    run("audit", VIOLATING, "-o", report)
    done = run("extract", CAPTURES / "drbackup-clean.pcapng", "--report", report, "-o", tmp_path / "x.pcapng")
    assert done.returncode == 2
    assert "are not in these captures" in done.stderr


def test_standard_input_and_no_findings_are_refused(tmp_path: Path) -> None:
    copy = tmp_path / "x.pcapng"
    assert "standard input" in run("extract", "-", "-o", copy, stdin=VIOLATING.read_bytes()).stderr
    done = run("extract", CAPTURES / "drbackup-clean.pcapng", "-o", copy)
    assert done.returncode == 2
    assert "no findings" in done.stderr
    assert not copy.exists()
