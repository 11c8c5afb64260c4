"""Exit codes mirror the verdict; options that move it."""

from __future__ import annotations

import json

import pytest
from program import CAPTURES, CLEAN, VIOLATING, python, run

OTHER = CAPTURES / "online-backup-service-violating.pcapng"
SEVERITIES = ("info", "low", "medium", "high", "critical")


def test_a_clean_capture_is_exit_0() -> None:
    done = run("audit", CLEAN, "--format", "json")
    assert (done.returncode, json.loads(done.stdout)["verdict"]) == (0, "clean")


def test_violations_are_exit_1() -> None:
    done = run("audit", VIOLATING, "--format", "json")
    assert (done.returncode, json.loads(done.stdout)["verdict"]) == (1, "violations")


def test_fail_on_moves_verdict_and_exit_code_together() -> None:
    for capture in (VIOLATING, OTHER):
        findings = json.loads(run("audit", capture, "--format", "json").stdout)["findings"]
        present = {finding["severity"] for finding in findings}
        for at, severity in enumerate(SEVERITIES):
            violated = bool(present & set(SEVERITIES[at:]))
            done = run("audit", capture, "--fail-on", severity, "--format", "json")
            assert done.returncode == (1 if violated else 0)
            assert json.loads(done.stdout)["verdict"] == ("violations" if violated else "clean")


def test_a_pack_that_is_not_chosen_judges_nothing() -> None:
    report = json.loads(run("audit", VIOLATING, "--pack", "securidata", "--format", "json").stdout)
    assert [pack["id"] for pack in report["packs"]] == ["securidata"]
    assert not [finding for finding in report["findings"] if finding["vendor"] == "drbackup"]


def test_all_flows_reports_the_flows_of_nobody_too() -> None:
    some, every = (
        json.loads(run("audit", VIOLATING, *more, "--format", "json").stdout) for more in ((), ("--all-flows",))
    )
    assert some["findings"] == every["findings"]
    assert some["traffic"] == every["traffic"]
    assert len(every["flows"]) == sum(1 for _ in run("flows", VIOLATING, "--format", "jsonl").stdout.splitlines())


BROKEN = """
import sys, auditor.pipeline
from auditor.cli._main import run
def audit(*_, **__): raise RuntimeError("wheel came off")
auditor.pipeline.audit = audit
sys.exit(run(["audit", sys.argv[1]]))
"""


def test_a_bug_is_exit_70_and_one_paragraph_that_takes_the_blame() -> None:
    done = python(BROKEN, CLEAN)
    assert done.returncode == 70
    assert "this is a bug of ours" in done.stderr
    assert "RuntimeError: wheel came off" in done.stderr
    assert "Traceback" not in done.stderr
    assert "\n\n" not in done.stderr


def test_a_bug_shows_its_traceback_on_request() -> None:
    done = python(BROKEN, CLEAN, AUDITOR_TRACEBACK="1")
    assert done.returncode == 70
    assert "Traceback" in done.stderr


ESCAPE = "\x1b["


@pytest.mark.parametrize(
    ("options", "variables", "coloured"),
    [
        ((), {}, False),
        ((), {"FORCE_COLOR": "1"}, True),
        ((), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (("--color", "always"), {"NO_COLOR": "1"}, True),
        (("--color", "never"), {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colour_is_for_terminals_unless_somebody_says_so(
    options: tuple[str, ...], variables: dict[str, str], coloured: bool
) -> None:
    assert (ESCAPE in run("audit", VIOLATING, *options, **variables).stdout) is coloured
