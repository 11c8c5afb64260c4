"""EVE as consumers of Suricata's log know it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from audits import written
from program import CLEAN, VIOLATING

import auditor
from auditor import discovery
from auditor.reports.eve import FIRST_ID, signature_id

# of the schema that Suricata ships (etc/schema.json)
COMMON = {
    *("timestamp", "event_type", "flow_id", "src_ip", "src_port", "dest_ip", "dest_port", "proto", "community_id"),
    *("icmp_type", "icmp_code", "vlan", "pcap_cnt", "pcap_filename", "metadata"),
}
ALERT = {"action", "gid", "signature_id", "rev", "signature", "category", "severity", "metadata"}
FLOW = {
    *("pkts_toserver", "pkts_toclient", "bytes_toserver", "bytes_toclient", "start", "end", "age", "state", "reason"),
    "alerted",
}


@pytest.fixture(scope="module")
def events() -> list[dict[str, Any]]:
    return [json.loads(line) for line in written("eve", auditor.audit(VIOLATING)).splitlines()]


def test_fields_are_those_of_suricata(events: list[dict[str, Any]]) -> None:
    for event in events:
        kind = event["event_type"]
        assert set(event) <= COMMON | {kind, "flow", "auditor"}, kind
        assert set(event.get("alert", ())) <= ALERT
        assert set(event.get("flow", ())) <= FLOW
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+0000", event["timestamp"])


def test_there_is_an_alert_for_each_finding_a_flow_for_each_flow_and_one_event_about_the_whole(
    events: list[dict[str, Any]],
) -> None:
    doc = auditor.audit(VIOLATING).to_dict()
    kinds = [event["event_type"] for event in events]
    assert kinds == ["alert"] * len(doc["findings"]) + ["flow"] * len(doc["flows"]) + ["stats"]
    assert {event["alert"]["metadata"]["finding_id"][0] for event in events if "alert" in event} == {
        finding["id"] for finding in doc["findings"]
    }
    assert events[-1]["auditor"]["manifest"]["inputs"][0]["path"] == str(VIOLATING)


def test_the_worst_severity_is_one(events: list[dict[str, Any]]) -> None:
    found = {(e["alert"]["metadata"]["auditor_severity"][0], e["alert"]["severity"]) for e in events if "alert" in e}
    assert found == {("critical", 1), ("high", 1), ("medium", 2), ("info", 3)}


def test_alerts_name_who_spoke_first(events: list[dict[str, Any]]) -> None:
    inbound = next(
        event for event in events if event.get("alert", {}).get("signature_id") == signature_id("inbound-initiated")
    )
    assert (inbound["src_ip"], inbound["dest_ip"]) == ("66.241.7.9", "10.1.2.3")


def test_each_check_has_a_number_of_its_own_in_the_range_for_local_rules() -> None:
    checks = discovery.ids("auditor.checks")
    numbers = {signature_id(check) for check in checks}
    assert len(numbers) == len(checks)
    assert min(numbers) >= FIRST_ID


def test_a_clean_audit_still_says_that_it_was_one() -> None:
    last = json.loads(written("eve", auditor.audit(CLEAN)).splitlines()[-1])
    assert last["auditor"]["verdict"] == "clean"
    assert last["stats"]["capture"]["kernel_packets"] > 0
