"""Captures that are missing, empty, cut, elsewhere, or no captures."""

from __future__ import annotations

import gzip
import json
import random
import shutil
from pathlib import Path

import pytest
from program import CAPTURES, CLEAN, VIOLATING, run

PCAP_HEADER = bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000")


@pytest.fixture
def garbage(tmp_path: Path) -> Path:
    path = tmp_path / "garbage.pcap"
    path.write_bytes(random.Random(7).randbytes(5000))
    return path


@pytest.fixture
def cut(tmp_path: Path) -> Path:
    """A clean capture that ends in the middle of a packet."""
    path = tmp_path / "cut.pcapng"
    path.write_bytes(CLEAN.read_bytes()[:-30])
    return path


@pytest.mark.parametrize("command", ["audit", "flows"])
def test_a_missing_capture_is_exit_2_and_named(command: str) -> None:
    done = run(command, "captures/drbackup-clena.pcapng")
    assert done.returncode == 2
    assert "captures/drbackup-clena.pcapng: there is no such capture" in done.stderr
    assert 'did you mean "drbackup-clean.pcapng"?' in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("command", ["audit", "flows"])
def test_an_empty_file_is_exit_2(command: str, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pcap"
    empty.touch()
    done = run(command, empty)
    assert done.returncode == 2
    assert str(empty) in done.stderr
    assert "empty" in done.stderr


@pytest.mark.parametrize("command", ["audit", "flows"])
def test_garbage_alone_is_exit_2(command: str, garbage: Path) -> None:
    done = run(command, garbage)
    assert done.returncode == 2
    assert str(garbage) in done.stderr
    assert "Traceback" not in done.stderr


def test_garbage_beside_violations_is_exit_1_and_reported(garbage: Path) -> None:
    done = run("audit", VIOLATING, garbage, "--format", "json")
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert [capture["complete"] for capture in report["captures"]] == [True, False]
    assert report["captures"][1]["problems"][0]["name"] == "capture-unreadable"


def test_garbage_beside_a_clean_capture_is_exit_3(garbage: Path) -> None:
    done = run("audit", CLEAN, garbage)
    assert done.returncode == 3
    assert "\nINCONCLUSIVE\n" in done.stdout
    assert "garbage.pcap" in done.stdout.partition("Captures")[0]


def test_a_cut_capture_is_never_clean(cut: Path) -> None:
    assert run("audit", cut).returncode == 3
    assert run("audit", cut, "--allow-incomplete").returncode == 0


def test_flows_of_a_cut_capture_are_written_and_the_loss_is_said(cut: Path) -> None:
    done = run("flows", cut, "--format", "csv")
    assert done.returncode == 3
    assert done.stdout.startswith("flow_id,")
    assert str(cut) in done.stderr


def test_a_capture_without_packets_carries_no_clean_verdict(tmp_path: Path) -> None:
    path = tmp_path / "nothing.pcap"
    path.write_bytes(PCAP_HEADER)
    assert run("audit", path).returncode == 3


def test_a_folder_stands_for_the_captures_in_it(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    shutil.copy(CLEAN, tmp_path / "b.pcapng")
    shutil.copy(VIOLATING, tmp_path / "below" / "a.strange-name")
    (tmp_path / "c.pcap.gz").write_bytes(gzip.compress(CLEAN.read_bytes()))
    (tmp_path / "notes.txt").write_text("not a capture")
    report = json.loads(run("audit", tmp_path, "--format", "json").stdout)
    names = [Path(capture["path"]).name for capture in report["captures"]]
    assert names == ["b.pcapng", "a.strange-name", "c.pcap.gz"]


def test_a_folder_without_captures_is_exit_2(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a capture")
    done = run("audit", tmp_path)
    assert done.returncode == 2
    assert "holds no capture" in done.stderr


def test_a_pattern_in_quotes_is_ours_to_expand() -> None:
    report = json.loads(run("audit", CAPTURES / "drbackup-*.pcapng", "--format", "json").stdout)
    assert [Path(capture["path"]).name for capture in report["captures"]] == [CLEAN.name, VIOLATING.name]
    assert run("audit", CAPTURES / "no-such-*.pcapng").returncode == 2


def test_a_capture_given_twice_is_read_once() -> None:
    once, twice = (
        json.loads(run("audit", *paths, "--format", "json").stdout) for paths in ((VIOLATING,), (VIOLATING,) * 2)
    )
    assert once == twice


def test_standard_input_is_audited_like_a_file() -> None:
    by_name = json.loads(run("audit", VIOLATING, "--format", "json").stdout)
    piped = run("audit", "-", "--format", "json", stdin=VIOLATING.read_bytes())
    report = json.loads(piped.stdout)
    assert piped.returncode == 1
    assert report["captures"][0]["path"] == "-"
    assert [f["id"] for f in report["findings"]] == [f["id"] for f in by_name["findings"]]


def test_empty_standard_input_is_exit_2() -> None:
    done = run("audit", "-")
    assert done.returncode == 2
    assert "empty" in done.stderr


def test_a_site_that_is_missing_is_exit_2() -> None:
    done = run("audit", CLEAN, "--site", "no-such-site.yaml")
    assert done.returncode == 2
    assert "no-such-site.yaml" in done.stderr


def test_an_unknown_pack_is_exit_2_and_the_right_one_is_offered() -> None:
    done = run("audit", CLEAN, "--pack", "drbakcup")
    assert done.returncode == 2
    assert 'did you mean "drbackup"?' in done.stderr


def test_a_date_that_is_none_is_exit_2() -> None:
    done = run("audit", CLEAN, "--as-of", "tomorrow")
    assert done.returncode == 2
    assert "--as-of 2027-01-31" in done.stderr


def test_a_nonsensical_number_of_threads_in_the_environment_is_exit_2() -> None:
    done = run("audit", CLEAN, AUDITOR_THREADS="lots")
    assert done.returncode == 2
    assert "AUDITOR_THREADS" in done.stderr


@pytest.mark.parametrize("command", ["audit", "flows"])
def test_a_file_name_that_is_not_utf_8_is_exit_2_with_a_way_out(command: str, tmp_path: Path) -> None:
    path = tmp_path / "caf\udce9.pcapng"
    shutil.copy(CLEAN, path)
    done = run(command, path)
    assert done.returncode == 2
    assert r"caf\udce9.pcapng: its name is not UTF-8" in done.stderr
    assert "auditor audit - <" in done.stderr
