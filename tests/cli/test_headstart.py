"""The head start changes when things happen, and nothing else."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from program import CLEAN, VIOLATING, run

from auditor import scan as scanning
from auditor.cli import _app, _headstart, _plain, audit, flows, watch
from auditor.cli._option import Option, described
from auditor.scan import ScanOptions, begin, open_scan, take_headstart

CALLS = [
    ("audit", VIOLATING),
    ("audit", VIOLATING, "--format", "json"),
    ("audit", VIOLATING, CLEAN, "--format", "json", "--pack", "drbackup", "--fail-on", "high"),
    ("audit", VIOLATING, "--format", "json", "--pack", "drbackup", "--pack", "securidata"),
    ("audit", VIOLATING, "--format", "jsonl", "--all-flows", "--validate-checksums"),
    ("audit", "pyproject.toml"),
    ("flows", VIOLATING, "--format", "csv"),
    ("flows", VIOLATING, "--format", "json", "--pack", "drbackup"),
    ("flows", VIOLATING, CLEAN),
]


@pytest.mark.parametrize("words", CALLS, ids=lambda words: " ".join(getattr(w, "name", w) for w in words))
def test_with_and_without_it_the_program_says_the_same(words: tuple[str | Path, ...]) -> None:
    first, second = run(*words), run(*words, AUDITOR_HEADSTART="0")
    assert (first.returncode, first.stdout, first.stderr) == (second.returncode, second.stdout, second.stderr)


WORDS = {
    "audit": [
        ["--format", "json"],
        ["-o", "x.json"],
        ["--fail-on", "high"],
        ["--threads", "2"],
        ["--pack", "a", "--pack", "b"],
        ["--all-flows"],
        ["--as-of", "2027-01-31", "--site", "site.yaml"],
        ["--allow-incomplete", "--validate-checksums", "--color", "never"],
    ],
    "flows": [["--format", "csv"], ["-o", "-", "-o", "y.json"], ["--validate-checksums"], ["--pack", "a"], ["-"]],
    "watch": [["-i", "-"], ["-i", "eth0", "-i", "eth1"], ["--duration", "8h", "--events", "-"], ["--kernel-filter"]],
}


@pytest.mark.parametrize("command", [audit, flows, watch])
def test_a_plain_call_is_read_as_typer_reads_it(command: object) -> None:
    name = command.__name__.rpartition(".")[2]  # type: ignore[attr-defined]
    for some in itertools.product([False, True], repeat=len(WORDS[name])):
        words = [word for group, wanted in zip(WORDS[name], some, strict=True) if wanted for word in group]
        if name != "watch":
            words = ["a.pcap", *words, "b.pcap"]
        call = _app.parse([name, *words])
        assert not isinstance(call, int)
        assert _plain.read(call.run, words) == call.arguments


@pytest.mark.parametrize(
    "words",
    [
        ["a.pcap", "--format"],
        ["a.pcap", "--format", "papyrus"],
        ["a.pcap", "--format=json"],
        ["a.pcap", "--fail-on", "HIGH"],
        ["a.pcap", "--threads", "0"],
        ["a.pcap", "--threads", "-1"],
        ["a.pcap", "--threads", "٣"],
        ["a.pcap", "--forma", "json"],
        ["a.pcap", "--unknown"],
        ["a.pcap", "-ox.json"],
        ["a.pcap", "--", "b.pcap"],
        ["--help"],
        [],
    ],
)
def test_whatever_is_not_plain_is_left_to_typer(words: list[str]) -> None:
    assert _plain.read(audit.run, words) is None


def test_the_head_start_knows_all_options() -> None:
    switches, valued = set(), set()
    for command in (audit, flows):
        for name, word in described(command.run).items():
            if isinstance(word, Option):
                kind = switches if (command.run.__kwdefaults__ or {})[name] is False else valued
                kind |= {"--" + name.replace("_", "-"), word.short} - {""}
    assert switches == set(_headstart.SWITCHES)
    assert valued == set(_headstart.VALUED)
    assert (*_headstart.COMMANDS, "watch") == _plain.COMMANDS


def test_the_head_start_finds_the_captures_and_options_of_a_plain_call() -> None:
    words = ["a.pcap", "--pack", "x", "b.pcap", "--all-flows", "-o", "c.json", "--output", "d.csv"]
    assert _headstart.words_of(words) == (
        ["a.pcap", "b.pcap"],
        {"--pack": ["x"], "--all-flows": [], "--output": ["c.json", "d.csv"]},
    )


@pytest.mark.parametrize(
    "words", [["a.pcap", "-ox.json"], ["a.pcap", "--pack"], ["a.pcap", "--pack", "-"], ["-"], ["--help"], []]
)
def test_nothing_is_begun_where_the_captures_are_in_doubt(words: list[str]) -> None:
    assert _headstart.words_of(words) is None


TAKEN = [
    ("audit", VIOLATING),
    ("audit", VIOLATING, CLEAN, "--format", "json", "--pack", "drbackup", "--fail-on", "high"),
    ("audit", VIOLATING, "--all-flows", "--validate-checksums"),
    ("flows", VIOLATING),
    ("flows", VIOLATING, "--format", "csv"),
    ("flows", VIOLATING, "-o", "x.csv", "--pack", "drbackup"),
    ("flows", VIOLATING, "-o", "x.csv", "-o", "x.json"),
]


@pytest.mark.parametrize("words", TAKEN, ids=lambda words: " ".join(getattr(w, "name", w) for w in words))
def test_the_head_start_of_a_plain_call_is_taken(
    words: tuple[str | Path, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    begun = 0

    def counted(*given: Any) -> scanning.RunningScan:
        nonlocal begun
        begun += 1
        return start(*given)

    start = scanning._start
    monkeypatch.setattr(scanning, "_start", counted)
    arguments = list(map(str, words))
    _headstart.begin_scan(arguments)
    assert begun == 1
    call = _plain.parse(arguments)
    assert call is not None
    call()
    assert begun == 1


@pytest.mark.parametrize("words", [("audit", CLEAN, "--site", "x.yaml"), ("audit", "-"), ("version",), ()])
def test_no_scan_is_begun_where_it_is_not_known_beforehand(words: tuple[str | Path, ...]) -> None:
    _headstart.begin_scan(list(map(str, words)))
    assert scanning._running is None


def test_a_head_start_of_another_scan_is_not_taken() -> None:
    paths = [str(CLEAN)]
    for options in (ScanOptions(keep_all=True), ScanOptions(((1, 2),)), ScanOptions(validate_checksums=True)):
        begin(paths, ScanOptions())
        assert take_headstart(paths, options) is None
    begin(paths, ScanOptions())
    assert take_headstart([str(VIOLATING)], ScanOptions()) is None


def test_a_head_start_is_taken_once() -> None:
    begin([str(CLEAN)], ScanOptions())
    first = open_scan([str(CLEAN)], ScanOptions())
    second = open_scan([str(CLEAN)], ScanOptions())
    assert first is not second
    rows = []
    for scan in (first, second):
        while (batch := scan.next_batch()) is not None:
            rows.append(batch.rows)
    assert rows[0] == rows[1] > 0


def test_the_stored_interests_are_those_that_the_pipeline_asks_for() -> None:
    """Otherwise every head start would be wasted."""
    from auditor.generated.headstart import INTERESTS
    from auditor.rulepack import enable, shipped_packs
    from auditor.scan import audit_options
    from auditor.site import Site

    assert set(INTERESTS) == {"", *(pack.id for pack in shipped_packs())}
    for name, interest in INTERESTS.items():
        options = audit_options(enable(None, (name,) if name else ()), Site())
        assert options.listening is not None
        assert interest == (options.networks, options.ports, *options.listening)
