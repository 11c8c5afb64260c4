"""What differs between two captures is said exactly, and the verdict follows from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from program import CAPTURES, CLEAN, VIOLATING, run

from auditor.comparison import BETTER, EXIT_CODES, INCONCLUSIVE, SAME, WORSE, compare
from auditor.document import document
from auditor.pipeline import audit
from auditor.severity import Severity

CHANGES = CAPTURES / "changes"
VENDOR = "online-backup-service"


def report(name: str, **options: Any) -> Any:
    return document(audit(CHANGES / f"{name}.pcap", **options))


def summary(found: Any) -> dict[str, list[str]]:
    return {
        "new": [one["check"] for one in found.new],
        "gone": [one["check"] for one in found.gone],
        "changed": [f"{one.after['check']}: {', '.join(one.fields)}" for one in found.changed],
    }


# What the recipes of captures/generate/edge/changes.py make differ from before.pcap.
KNOWN = {
    "before": (SAME, {"new": [], "gone": [], "changed": []}),
    "after-better": (BETTER, {"new": [], "gone": ["inbound-initiated", "udp-use"], "changed": []}),
    "after-worse": (WORSE, {"new": [], "gone": [], "changed": ["inbound-initiated: severity, outcome"]}),
    "after-silent": (INCONCLUSIVE, {"new": [], "gone": ["inbound-initiated", "udp-use"], "changed": []}),
}


@pytest.mark.parametrize("name", KNOWN)
def test_findings_that_differ_are_exactly_those_that_were_made_to(name: str) -> None:
    found = compare(report("before"), report(name))
    assert (found.verdict, summary(found)) == KNOWN[name]


def test_the_other_way_round_what_was_gone_is_new() -> None:
    found = compare(report("after-better"), report("before"))
    assert found.verdict == WORSE
    assert summary(found) == {"new": ["inbound-initiated", "udp-use"], "gone": [], "changed": []}


def test_servers_services_and_clients_that_differ() -> None:
    found = compare(report("before"), report("after-worse"))
    assert found.servers == ([(VENDOR, "204.164.111.6")], [])
    assert found.clients == ([], [])
    silent = compare(report("before"), report("after-silent"))
    assert silent.servers == ([], [(VENDOR, "140.239.229.5"), (VENDOR, "204.164.111.5")])
    assert silent.clients == ([], [(VENDOR, "10.1.2.3")])
    assert {vendor for vendor, _ in silent.services[1]} == {VENDOR}


def test_volumes_are_those_of_the_two_traffic_tables() -> None:
    before, after = report("before"), report("after-worse")
    found = {name: (dict(old), dict(new)) for name, old, new in compare(before, after).volumes}
    for name in before["traffic"]:
        amounts = (before["traffic"][name], after["traffic"][name])
        assert found.get(name, ({"flows": 0, "packets": 0, "bytes": 0},) * 2) == amounts


def test_coverage_lists_the_statements_whose_status_moved_and_no_others() -> None:
    before, after = report("before"), report("after-better")
    moved = {
        (one["vendor"], one["statement"], one["status"], other["status"])
        for one, other in zip(before["coverage"], after["coverage"], strict=True)
        if one["status"] != other["status"]
    }
    assert set(compare(before, after).coverage) == moved
    assert (VENDOR, "client-initiates", "violated", "met") in moved


def test_a_cut_capture_after_the_change_proves_nothing(tmp_path: Path) -> None:
    cut = tmp_path / "cut.pcap"
    cut.write_bytes((CHANGES / "after-better.pcap").read_bytes()[:-20])
    found = compare(report("before"), document(audit(cut)))
    assert found.verdict == INCONCLUSIVE
    assert any("not complete" in reason for reason in found.reasons)


def test_a_cut_capture_does_not_hide_what_got_worse(tmp_path: Path) -> None:
    cut = tmp_path / "cut.pcap"
    cut.write_bytes((CHANGES / "after-worse.pcap").read_bytes()[:-20])
    assert compare(report("before"), document(audit(cut))).verdict == WORSE


def test_a_finding_below_fail_on_moves_nothing() -> None:
    before, after = report("after-better"), report("before")
    assert compare(before, after, fail_on=Severity.CRITICAL).reasons == [
        f"{VENDOR} client-initiates was met and is violated",
        f"{VENDOR} tcp-only was met and is violated",
    ]


def test_a_waiver_that_comes_is_a_change_for_the_better(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(
        "waivers:\n  - {check: inbound-initiated, reason: r, owner: o, ticket: t, expires: 2099-01-01}\n"
        "  - {check: udp-use, reason: r, owner: o, ticket: t, expires: 2099-01-01}\n"
    )
    found = compare(report("before"), report("before", site=site))
    assert found.verdict == BETTER
    assert summary(found)["changed"] == ["inbound-initiated: waived", "udp-use: waived"]
    assert any("different sites" in note for note in found.notes)


@pytest.mark.parametrize("name", KNOWN)
def test_the_exit_code_is_that_of_the_verdict(name: str) -> None:
    done = run("compare", CHANGES / "before.pcap", CHANGES / f"{name}.pcap", "--format", "json")
    assert done.stderr == ""
    assert json.loads(done.stdout)["verdict"] == KNOWN[name][0]
    assert done.returncode == EXIT_CODES[KNOWN[name][0]]


def test_reports_and_captures_compare_alike(tmp_path: Path) -> None:
    for name in ("before", "after-worse"):
        run("audit", CHANGES / f"{name}.pcap", "-o", tmp_path / f"{name}.json")
    words = [
        (CHANGES / "before.pcap", CHANGES / "after-worse.pcap"),
        (tmp_path / "before.json", tmp_path / "after-worse.json"),
        (tmp_path / "before.json", CHANGES / "after-worse.pcap"),
    ]
    texts = {run("compare", *pair, "--format", "json").stdout for pair in words}
    assert len(texts) == 1


def test_the_table_names_verdict_and_every_difference() -> None:
    text = run("compare", CLEAN, VIOLATING, COLUMNS="140").stdout
    assert text.startswith("WORSE\n")
    for check in {one["check"] for one in document(audit(VIOLATING))["findings"]}:
        assert f" {check}: " in text
    assert "\x1b" not in text


def test_several_outputs_in_one_run(tmp_path: Path) -> None:
    outputs = [tmp_path / "x.json", tmp_path / "x.txt"]
    done = run("compare", CLEAN, CLEAN, *(part for path in outputs for part in ("-o", path)))
    assert (done.returncode, done.stdout) == (0, "")
    assert json.loads(outputs[0].read_text())["schema"] == "auditor.comparison/1"
    assert outputs[1].read_text().startswith("SAME\n")


@pytest.mark.parametrize("words", [("x.pcap", str(CLEAN)), ("-", "-"), (str(CLEAN), "pyproject.toml")], ids=" ".join)
def test_what_cannot_be_read_is_exit_2(words: tuple[str, ...]) -> None:
    done = run("compare", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "auditor: error: " in done.stderr
