"""Every format shows the same audit, in a form that its readers can trust."""

from __future__ import annotations

import csv
import gc
import io
import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from program import CAPTURES, CLEAN, VIOLATING, run

import auditor
from auditor import reports
from auditor.document import document
from auditor.reports.csv import COLUMNS, SPREAD
from auditor.reports.table import render
from auditor.reportschema import report_schema
from auditor.reporttypes import Carried
from auditor.terminal import Screen

SAMPLES = sorted(CAPTURES.glob("*.pcapng"))
SCHEMA = report_schema()
CHECKER = jsonschema.Draft202012Validator


def written(format: str, report: auditor.Audit) -> str:
    stream = io.StringIO()
    reports.write(format, report, stream)
    return stream.getvalue()


@pytest.fixture(params=SAMPLES, ids=lambda path: path.stem)
def report(request: pytest.FixtureRequest) -> auditor.Audit:
    return auditor.audit(request.param, all_flows=True)


def test_the_schema_is_one() -> None:
    CHECKER.check_schema(SCHEMA)


def test_the_json_report_fits_the_schema(report: auditor.Audit) -> None:
    CHECKER(SCHEMA).validate(json.loads(written("json", report)))


def test_the_schema_tells_a_report_with_a_key_missing() -> None:
    whole = json.loads(written("json", auditor.audit(VIOLATING)))
    for place in (whole, whole["findings"][0], whole["captures"][0], whole["traffic"]["return"], whole["flows"][0]):
        for key in [key for key in place if key not in Carried.__annotations__]:
            value = place.pop(key)
            assert not CHECKER(SCHEMA).is_valid(whole), key
            place[key] = value


def test_json_lines_are_the_findings_of_the_document(report: auditor.Audit) -> None:
    lines = [json.loads(line) for line in written("jsonl", report).splitlines()]
    assert lines == json.loads(written("json", report))["findings"]
    finding = CHECKER({"$ref": "#/$defs/FindingEntry", "$defs": SCHEMA["$defs"]})
    for line in lines:
        finding.validate(line)


def test_the_csv_report_is_the_findings_too(report: auditor.Audit) -> None:
    rows = list(csv.DictReader(io.StringIO(written("csv", report))))
    findings = json.loads(written("json", report))["findings"]
    assert [row["id"] for row in rows] == [finding["id"] for finding in findings]
    for row, finding in zip(rows, findings, strict=True):
        assert list(row) == COLUMNS + SPREAD
        assert row["client_ports"].split() == [str(port) for port in finding["client_ports"]]
        first = finding["evidence"][0]
        assert (row["capture"], row["frame"]) == (first["capture"], str(first["frame"] or ""))


def test_every_list_entry_of_the_json_report_has_a_line_of_its_own() -> None:
    text = written("json", auditor.audit(VIOLATING))
    entries = [json.loads(line.strip().rstrip(",")) for line in text.splitlines() if line.startswith("  ")]
    for name in ("captures", "packs", "sessions", "flows", "findings", "coverage"):
        assert all(entry in entries for entry in json.loads(text)[name])


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_is_no_wider_than_the_screen(report: auditor.Audit, width: int) -> None:
    text = render(document(report), report.reasons, Screen(width, colour=False))
    assert max(map(len, text.splitlines())) <= width
    assert text.startswith("Capture health: ")
    assert f"\n\n{report.verdict.upper()}\n" in text


def test_the_table_names_every_finding_with_its_ends_and_first_frame() -> None:
    report = auditor.audit(VIOLATING)
    text = " ".join(render(document(report), report.reasons, Screen(120, colour=False)).split())
    for finding in document(report)["findings"]:
        assert f"{finding['severity']} {finding['check']}" in text
        assert f"first at frame {finding['evidence'][0]['frame']}" in text
        assert finding["message"] in text


def test_colour_adds_no_information() -> None:
    report = auditor.audit(VIOLATING)
    plain, painted = (render(document(report), report.reasons, Screen(100, colour)) for colour in (False, True))
    assert plain != painted
    for code in ("31", "32", "33", "34", "1", "2", "1;31", "1;32", "1;33"):
        painted = painted.replace(f"\x1b[{code}m", "")
    assert painted.replace("\x1b[0m", "") == plain


def test_a_report_that_found_nothing_says_whether_there_was_anything_to_find() -> None:
    silent = auditor.audit(CLEAN, packs=["securidata"])
    text = render(document(silent), silent.reasons, Screen(120, colour=False))
    assert "no traffic with any of these vendors was captured" in text
    seen = auditor.audit(CLEAN)
    text = render(document(seen), seen.reasons, Screen(120, colour=False))
    assert "no traffic with any of these vendors" not in text


@pytest.mark.parametrize("command", ["audit", "flows"])
@pytest.mark.parametrize("format", ["csv", "json", "jsonl", "table"])
def test_no_terminal_escape_of_a_hostile_name_gets_through(command: str, format: str, tmp_path: Path) -> None:
    hostile = tmp_path / "\x1b[31mred\x07\u202egnp.pcapng"
    shutil.copy(VIOLATING, hostile)
    done = run(command, hostile, "--format", format)
    assert done.returncode in (0, 1)
    assert not set("\x1b\x07\u202e") & set(done.stdout + done.stderr)


def test_a_cell_that_looks_like_a_formula_is_text() -> None:
    from auditor.reports.csv import _cell

    assert _cell("=1+1") == "'=1+1"
    assert _cell("@SUM(A1)") == "'@SUM(A1)"
    assert _cell(-1) == "-1"
    assert _cell("a=b") == "a=b"


def test_unreadable_captures_and_dropped_packets_are_problems_that_hide_traffic(tmp_path: Path) -> None:
    garbage = tmp_path / "garbage.pcap"
    garbage.write_bytes(b"no capture" * 100)
    entries: list[Any] = document(auditor.audit([CLEAN, garbage]))["captures"]
    assert [entry["complete"] for entry in entries] == [True, False]
    assert [problem["name"] for problem in entries[1]["problems"]] == ["capture-unreadable"]
    assert entries[1]["problems"][0]["hides_traffic"]
    assert (entries[1]["start"], entries[1]["packets"]) == (None, 0)


def test_the_collector_of_garbage_is_left_as_it_was() -> None:
    report = auditor.audit(VIOLATING)
    assert gc.isenabled()
    document(report)
    assert gc.isenabled()
    gc.disable()
    try:
        document(report)
        assert not gc.isenabled()
    finally:
        gc.enable()
