"""A bundle holds packets, reports on them, and checksums that fit."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

import pytest
from program import CAPTURES, VIOLATING, run

from auditor import reports


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundle") / "x.zip"
    done = run("extract", VIOLATING, "--check", "inbound-initiated", "-o", path)
    assert done.returncode == 0, done.stderr
    return path


def test_it_holds_a_report_in_each_format_there_is(bundle: Path) -> None:
    names = set(zipfile.ZipFile(bundle).namelist())
    assert {"evidence.pcapng", "report.json", "manifest.json", "SHA256SUMS"} <= names
    assert ("report.html" in names) is ("html" in reports.formats())


def test_the_checksums_are_those_of_the_files(bundle: Path) -> None:
    inside = zipfile.ZipFile(bundle)
    sums = dict(reversed(line.split("  ")) for line in inside.read("SHA256SUMS").decode().splitlines())
    assert set(sums) == set(inside.namelist()) - {"SHA256SUMS"}
    for name, digest in sums.items():
        assert hashlib.sha256(inside.read(name)).hexdigest() == digest
    [source] = json.loads(inside.read("manifest.json"))["sources"]
    assert source["sha256"] == hashlib.sha256(VIOLATING.read_bytes()).hexdigest()


def test_the_report_speaks_of_the_packets_beside_it(bundle: Path, tmp_path: Path) -> None:
    inside = zipfile.ZipFile(bundle)
    inside.extract("evidence.pcapng", tmp_path)
    report = json.loads(inside.read("report.json"))
    assert [one["path"] for one in report["captures"]] == ["evidence.pcapng"]
    again = json.loads(run("audit", tmp_path / "evidence.pcapng", "--format", "json").stdout)
    frames = [[[item["frame"] for item in one["evidence"]] for one in some["findings"]] for some in (report, again)]
    assert frames[0] == frames[1]
    assert {item["capture"] for one in report["findings"] for item in one["evidence"]} == {"evidence.pcapng"}
    assert "/tmp" not in inside.read("report.json").decode()


def test_a_bundle_of_two_vantages_holds_a_capture_of_each(tmp_path: Path) -> None:
    path, checks = tmp_path / "x.zip", CAPTURES / "checks"
    sides = (
        "--inside",
        checks / "not-transparent-fires.pcap",
        "--outside",
        checks / "not-transparent-fires-outside.pcap",
    )
    assert run("extract", *sides, "-o", path).returncode == 0
    inside = zipfile.ZipFile(path)
    copies = ["evidence-inside.pcapng", "evidence-outside.pcapng"]
    report = json.loads(inside.read("report.json"))
    assert [one["path"] for one in report["captures"]] == copies
    assert set(copies) <= set(inside.namelist())
    assert "/tmp" not in inside.read("report.json").decode()
    sources = [one["path"] for one in json.loads(inside.read("manifest.json"))["sources"]]
    assert sources == [str(sides[1]), str(sides[3])]


def test_an_anonymised_bundle_names_no_file(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    assert run("extract", VIOLATING, "--anonymise", "-o", path).returncode == 0
    inside = zipfile.ZipFile(path)
    everything = b"".join(inside.read(name) for name in inside.namelist())
    assert b"10.1.2.3" not in everything
    assert VIOLATING.name.encode() not in everything


def test_the_same_evidence_makes_the_same_bundle(bundle: Path, tmp_path: Path) -> None:
    again = tmp_path / "x.zip"
    assert run("extract", VIOLATING, "--check", "inbound-initiated", "-o", again).returncode == 0
    assert again.read_bytes() == bundle.read_bytes()
