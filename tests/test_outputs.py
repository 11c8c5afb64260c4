"""Where results go, and what happens when they cannot go there."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from program import CLEAN, ROOT, SECONDS, VIOLATING, command, environment, run

from auditor import reports
from auditor.outputs import Target


def test_without_o_the_table_goes_to_standard_output_and_nothing_to_standard_error() -> None:
    done = run("audit", VIOLATING)
    assert "\nVIOLATIONS\n" in done.stdout
    assert done.stderr == ""


def test_several_outputs_take_their_formats_from_their_suffixes(tmp_path: Path) -> None:
    files = [tmp_path / f"report{suffix}" for suffix in (".json", ".jsonl", ".csv", ".txt")]
    done = run("audit", VIOLATING, *(word for file in files for word in ("-o", file)))
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
    document, lines, table, text = (file.read_text() for file in files)
    findings = json.loads(document)["findings"]
    assert [json.loads(line) for line in lines.splitlines()] == findings
    assert [row["id"] for row in csv.DictReader(table.splitlines())] == [finding["id"] for finding in findings]
    assert "\nVIOLATIONS\n" in text


def test_format_decides_over_the_suffix(tmp_path: Path) -> None:
    out = tmp_path / "report.txt"
    run("audit", VIOLATING, "--format", "json", "-o", out)
    assert json.loads(out.read_text())["schema"] == "auditor.report/1"


def test_flows_write_several_formats_in_one_run(tmp_path: Path) -> None:
    files = [tmp_path / f"flows.{suffix}" for suffix in ("csv", "json", "jsonl", "txt")]
    assert run("flows", VIOLATING, *(word for file in files for word in ("-o", file))).returncode == 0
    rows = list(csv.DictReader(files[0].read_text().splitlines()))
    assert len(rows) == len(json.loads(files[1].read_text())) == len(files[2].read_text().splitlines())
    assert len(files[3].read_text().splitlines()) == len(rows) + 1


def test_a_suffix_that_says_nothing_is_exit_2(tmp_path: Path) -> None:
    done = run("audit", CLEAN, "-o", tmp_path / "report.odd")
    assert done.returncode == 2
    assert "names no format" in done.stderr
    assert "--format json" in done.stderr


@pytest.mark.parametrize("command", ["audit", "flows"])
def test_an_output_in_no_folder_is_told_before_anything_is_read(command: str, tmp_path: Path) -> None:
    done = run(command, "no-such-capture.pcap", "-o", tmp_path / "no" / "report.json")
    assert done.returncode == 2
    assert f"there is no folder {tmp_path / 'no'}" in done.stderr


def test_an_output_that_is_a_folder_is_exit_2(tmp_path: Path) -> None:
    assert "is a folder" in run("audit", CLEAN, "--format", "json", "-o", tmp_path).stderr


@pytest.mark.parametrize("command", ["audit", "flows"])
def test_a_capture_is_never_overwritten(command: str, tmp_path: Path) -> None:
    capture = tmp_path / "capture.pcapng"
    shutil.copy(CLEAN, capture)
    done = run(command, capture, "--format", "csv", "-o", capture)
    assert done.returncode == 2
    assert capture.read_bytes() == CLEAN.read_bytes()


def test_the_same_output_twice_is_exit_2(tmp_path: Path) -> None:
    out = tmp_path / "report.json"
    assert run("audit", CLEAN, "-o", out, "-o", out).returncode == 2


@pytest.mark.parametrize("command", ["audit", "flows"])
def test_a_failed_run_leaves_the_old_output_and_no_half_new_one(command: str, tmp_path: Path) -> None:
    (tmp_path / "empty.pcap").touch()
    out = tmp_path / "out.csv"
    out.write_text("old")
    assert run(command, tmp_path / "empty.pcap", "-o", out).returncode == 2
    assert out.read_text() == "old"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["empty.pcap", "out.csv"]


def test_an_output_that_is_replaced_keeps_its_permissions_and_its_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    run("audit", CLEAN, "-o", link)
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert json.loads(real.read_text())["verdict"] == "clean"


def test_the_old_output_is_back_where_its_replacement_is_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.csv"
    out.write_text("old")
    rename = os.rename

    def interrupted(source: str, target: str) -> None:
        if source.endswith(".part"):
            raise KeyboardInterrupt
        rename(source, target)

    monkeypatch.setattr(os, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt), Target(str(out), "csv").open() as stream:
        stream.write("new")
    assert [file.name for file in tmp_path.iterdir()] == ["out.csv"]
    assert out.read_text() == "old"


@pytest.mark.parametrize("words", [("audit", "--format", "json"), ("audit",), ("flows", "--format", "csv"), ("flows",)])
def test_a_full_disk_is_exit_2_and_said(words: tuple[str, ...]) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command(words[0], VIOLATING, *words[1:]),
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env=environment(),
            timeout=SECONDS,
        )
    assert done.returncode == 2
    assert b"No space left on device" in done.stderr


@pytest.mark.parametrize("format", ["csv", "json", "jsonl", "table"])
@pytest.mark.parametrize("name", ["audit", "flows"])
def test_a_reader_that_goes_away_ends_the_program_without_a_word(name: str, format: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            command(name, VIOLATING, "--format", format),
            stdout=writing,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env=environment(),
            timeout=SECONDS,
        )
    finally:
        os.close(writing)
    assert done.returncode == 141
    assert done.stderr == b""


def test_closed_standard_output_is_exit_2_and_said() -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" >&-', "sh", *command("audit", CLEAN)],
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env=environment(),
        timeout=SECONDS,
    )
    assert done.returncode == 2
    assert b"standard output is closed" in done.stderr


def test_the_longest_suffix_that_is_known_names_the_format(tmp_path: Path) -> None:
    names = ("report.html", "findings.sarif", "findings.sarif.json", "alerts.eve.json", "tests.xml", "report.json")
    files = [tmp_path / name for name in names]
    done = run("audit", VIOLATING, *(word for file in files for word in ("-o", file)))
    assert (done.returncode, done.stderr) == (1, "")
    page, sarif, other, eve, junit, document = (file.read_text() for file in files)
    assert page.startswith("<!DOCTYPE html>")
    assert sarif == other
    assert json.loads(sarif)["version"] == "2.1.0"
    assert json.loads(eve.splitlines()[0])["event_type"] == "alert"
    assert "<testsuites" in junit
    assert json.loads(document)["schema"] == "auditor.report/1"


def test_of_several_files_the_format_is_that_of_those_whose_suffix_may_mean_it(tmp_path: Path) -> None:
    page, events = tmp_path / "report.html", tmp_path / "events.json"
    run("audit", VIOLATING, "--format", "ecs", "-o", page, "-o", events)
    assert page.read_text().startswith("<!DOCTYPE html>")
    assert json.loads(events.read_text().splitlines()[0])["ecs"]["version"]


@pytest.mark.parametrize("format", ["html", "parquet", "sarif"])
def test_a_reader_of_the_larger_formats_may_go_away_too(format: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        words = command("audit", VIOLATING, "--format", format)
        done = subprocess.run(
            words, stdout=writing, stderr=subprocess.PIPE, cwd=ROOT, env=environment(), timeout=SECONDS
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_files_name_may_tell_its_format_without_a_look_at_all_of_them() -> None:
    every = reports.suffixes()
    assert reports.suffixes("folder.d/night.json") == {"json": every["json"]}
    for name in ("night.sarif.json", "night.JSON", ".json", "json", "night.txt"):
        assert reports.suffixes(name) == every, name
    endings = [ending for some in every.values() for ending in some]
    assert len(endings) == len(set(endings)), "an ending means one format"
