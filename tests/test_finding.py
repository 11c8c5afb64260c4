"""Findings as records."""

from __future__ import annotations

import hashlib
from dataclasses import fields, replace
from datetime import date
from typing import Any

import pytest

from auditor.finding import AppliedWaiver, Evidence, Finding, finding_id
from auditor.hashing import sha256_hex
from auditor.reporttypes import FindingEntry
from auditor.severity import Outcome, Severity
from auditor.site import Waiver


def finding(**given: Any) -> Finding:
    plain: dict[str, Any] = dict.fromkeys(field.name for field in fields(Finding))
    sound = {
        "severity": Severity.HIGH,
        "outcome": Outcome.OPEN,
        "certain": False,
        "vendor": "a|b",
        "evidence": (Evidence("x.pcap", 1, 1_700_000_000_000_000_001),),
        "client_ports": (1,),
        "flow_ids": ("00",),
        "first_ns": 1_700_000_000_000_000_001,
        "last_ns": None,
    }
    return Finding(**{**plain, **sound, **given})


def test_finding_cannot_be_built_without_evidence() -> None:
    with pytest.raises(ValueError, match="without evidence"):
        finding(evidence=())


def test_report_has_every_field_of_the_contract() -> None:
    report = finding().to_dict()
    assert list(report) == list(FindingEntry.__annotations__)
    assert (report["severity"], report["certainty"], report["outcome"]) == ("high", "inferred", "open")
    assert report["first_seen"] == "2023-11-14T22:13:20.000000001Z"
    assert report["last_seen"] is None
    assert report["evidence"][0]["frame"] == 1


def test_vendors_are_the_possible_ones() -> None:
    assert finding().vendors == ("a", "b")
    assert finding(vendor="").vendors == ()


def test_expired_waiver_waives_nothing() -> None:
    waiver = Waiver(check="udp-use", reason="known", expires=date(2026, 1, 1))
    assert finding(waiver=AppliedWaiver(waiver, expired=False)).waived
    expired = finding(waiver=AppliedWaiver(waiver, expired=True))
    assert not expired.waived
    assert expired.to_dict()["waiver"]["expires"] == "2026-01-01"
    assert not replace(expired, waiver=None).waived


def test_id_tells_nothing_from_an_empty_word_but_parts_from_each_other() -> None:
    assert finding_id("a", "b") != finding_id("ab", "")
    assert finding_id("a", None) == finding_id("a", "")
    assert finding_id("a", 1) == finding_id("a", "1")


@pytest.mark.parametrize("content", [b"", b"abc", bytes(range(256)) * 40])
def test_the_interpreters_own_hash_is_the_librarys(content: bytes) -> None:
    assert sha256_hex(content) == hashlib.sha256(content).hexdigest()
