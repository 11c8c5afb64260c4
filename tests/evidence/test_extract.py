"""Extracted packets are the original ones, say which finding they show, and give the same findings again."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from program import CAPTURES, CLEAN, VIOLATING, run
from samples import Sample, samples

from auditor.document import document
from auditor.errors import AuditorError
from auditor.evidence.extraction import extract
from auditor.pipeline import audit

FIELDS = ("severity", "certainty", "outcome", "statement", "message", "count", "first_seen", "last_seen")


def options(sample: Sample) -> dict[str, Any]:
    """Packs, site and processes of a sample, as keywords."""
    site, processes = sample.sidecar.get("site"), sample.sidecar.get("processes")
    return {
        "packs": sample.sidecar.get("packs", ()),
        "site": CAPTURES / site if site else None,
        "processes": CAPTURES / processes if processes else None,
    }


def sides(sample: Sample) -> dict[str, Any]:
    """The captures of a sample, as keywords."""
    if outside := sample.sidecar.get("outside"):
        return {"captures": [], "inside": [str(sample.capture)], "outside": [str(CAPTURES / outside)]}
    return {"captures": [str(sample.capture)]}


def report_of(sample: Sample) -> Any:
    return document(audit(**sides(sample), **options(sample)))


def about_traffic(report: Any) -> dict[str, Any]:
    return {finding["id"]: finding for finding in report["findings"] if finding["flow_ids"]}


SPEAKING = [one for one in samples() if one.expected["findings"]]


def tshark(capture: Path, *words: str) -> list[list[str]]:
    """Fields of each packet, as tshark prints them."""
    fields = [part for word in words for part in ("-e", word)]
    command = ["tshark", "-n", "-r", str(capture), "-T", "fields", *fields]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


@pytest.mark.parametrize("sample", SPEAKING, ids=lambda sample: sample.name)
def test_an_audit_of_the_copy_gives_the_same_findings_and_no_others(sample: Sample, tmp_path: Path) -> None:
    report = report_of(sample)
    wanted = about_traffic(report)
    if not wanted:
        assert {one["check"] for one in report["findings"]} == {"capture-incomplete"}
        return
    done = extract(
        output=tmp_path / "x.pcapng", report=report, findings=list(wanted), **sides(sample), **options(sample)
    )
    again = about_traffic(document(done.audit))
    assert {id: [one[name] for name in FIELDS] for id, one in again.items()} == {
        id: [one[name] for name in FIELDS] for id, one in wanted.items()
    }
    assert done.lost == []


def test_samples_of_each_kind_are_among_them() -> None:
    assert [one for one in SPEAKING if "outside" in one.sidecar]
    assert [one for one in SPEAKING if "processes" in one.sidecar]
    assert [one for one in SPEAKING if "unlisted-program" in one.name and "processes" not in one.sidecar]


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


VANTAGES = (
    CAPTURES / "checks" / "not-transparent-fires.pcap",
    CAPTURES / "checks" / "not-transparent-fires-outside.pcap",
)


def both_sides() -> list[str | Path]:
    return ["--inside", VANTAGES[0], "--outside", VANTAGES[1]]


def test_two_vantages_are_copied_to_a_file_each_that_give_the_same_findings(tmp_path: Path) -> None:
    copy, report = tmp_path / "x.pcapng", tmp_path / "r.json"
    sample = next(one for one in samples() if one.name == "checks/not-transparent-fires")
    words = sample.options()[: -2 * ("outside" in sample.sidecar)]
    assert run("audit", *both_sides(), *words, "-o", report).returncode == 1
    done = run("extract", *both_sides(), *words, "--report", report, "-o", copy)
    assert (done.returncode, done.stderr) == (0, "")
    near, far = tmp_path / "x-inside.pcapng", tmp_path / "x-outside.pcapng"
    assert sorted(tmp_path.iterdir()) == sorted([report, near, far])
    again = json.loads(run("audit", "--inside", near, "--outside", far, *words, "--format", "json").stdout)
    first = json.loads(report.read_text())
    assert about_traffic(again).keys() == about_traffic(first).keys()
    # when each side began and ended matters to what the firewall is said to have stopped
    times = [[(one["start"], one["end"]) for one in document["captures"]] for document in (first, again)]
    assert times[0] == times[1]
    assert len(tshark(near, "frame.number")) < len(tshark(VANTAGES[0], "frame.number")) + 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--inside", VANTAGES[0]), "expected --inside and --outside"),
        ((VANTAGES[0], "--inside", VANTAGES[0], "--outside", VANTAGES[1]), "expected --inside and --outside"),
        ((), "no CAPTURE is named"),
    ],
    ids=["one side", "captures beside", "nothing"],
)
def test_vantages_that_are_no_pair_are_refused(words: tuple[Any, ...], message: str, tmp_path: Path) -> None:
    done = run("extract", *words, "-o", tmp_path / "x.pcapng")
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_report_of_one_vantage_does_not_fit_two(tmp_path: Path) -> None:
    report = tmp_path / "r.json"
    run("audit", VANTAGES[0], "-o", report)
    done = run("extract", *both_sides(), "--report", report, "-o", tmp_path / "x.pcapng")
    assert done.returncode == 2
    assert "the report is of one vantage" in done.stderr


def test_a_copy_names_the_programs_that_owned_connections_unless_it_is_anonymised(tmp_path: Path) -> None:
    capture, copy = CAPTURES / "checks" / "unlisted-program-fires.pcapng", tmp_path / "x.pcapng"
    assert run("extract", capture, "-o", copy).returncode == 0
    assert b"lftp" in copy.read_bytes()
    done = run("extract", capture, "--anonymise", "-o", copy)
    assert done.returncode == 3
    assert "programs" in done.stderr
    assert b"lftp" not in copy.read_bytes()


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


def test_frames_of_other_captures_are_not_copied_for_those_of_the_report(tmp_path: Path) -> None:
    report = document(audit(VIOLATING))
    with pytest.raises(AuditorError, match=r"flows of the findings are not in these captures"):
        extract([str(CLEAN)], tmp_path / "x.pcapng", report=report, evidence_only=True)
    done = extract([str(VIOLATING)], tmp_path / "x.pcapng", report=report, evidence_only=True)
    assert (
        done.frames == done.comments == len({item["frame"] for one in report["findings"] for item in one["evidence"]})
    )


def test_where_there_is_nothing_to_copy_the_file_of_before_stays(tmp_path: Path) -> None:
    report = document(audit(VIOLATING))
    for finding in report["findings"]:
        finding["evidence"], finding["flow_ids"] = [], []
    (tmp_path / "x.pcapng").write_bytes(b"of before")
    with pytest.raises(AuditorError, match=r"these findings name no packets"):
        extract([str(VIOLATING)], tmp_path / "x.pcapng", report=report, evidence_only=True)
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("x.pcapng", b"of before")]
