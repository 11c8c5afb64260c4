"""ECS documents hold fields of ECS, and ours under `auditor`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from audits import written
from program import VIOLATING

import auditor

# of the field reference of ECS 8.17
FIELDS = {
    *("@timestamp", "message", "tags", "ecs.version", "log.level", "file.path", "related.ip"),
    *("observer.product", "observer.type", "observer.version"),
    *("event.kind", "event.category", "event.type", "event.outcome", "event.id", "event.module", "event.dataset"),
    *("event.severity", "event.risk_score", "event.reason", "event.start", "event.end"),
    *("rule.id", "rule.name", "rule.ruleset", "rule.category", "rule.version"),
    *("network.transport", "network.iana_number", "network.direction", "network.community_id", "network.type"),
    *(f"{end}.{name}" for end in ("source", "destination", "client", "server") for name in ("address", "ip", "port")),
    *(f"{end}.domain" for end in ("source", "destination", "client", "server")),
}


def leaves(value: Any, name: str = "") -> Iterator[str]:
    if isinstance(value, dict) and name != "auditor":
        for key, inner in value.items():
            yield from leaves(inner, f"{name}.{key}" if name else key)
    elif name != "auditor":
        yield name


@pytest.fixture(scope="module")
def documents() -> list[dict[str, Any]]:
    return [json.loads(line) for line in written("ecs", auditor.audit(VIOLATING)).splitlines()]


def test_fields_are_those_of_ecs(documents: list[dict[str, Any]]) -> None:
    assert {name for document in documents for name in leaves(document)} <= FIELDS


def test_findings_are_alerts_and_the_last_document_is_the_audit(documents: list[dict[str, Any]]) -> None:
    *alerts, whole = documents
    findings = auditor.audit(VIOLATING).judged.findings
    assert [alert["event"]["id"] for alert in alerts] == [finding.id for finding in findings]
    assert [alert["rule"]["id"] for alert in alerts] == [finding.check for finding in findings]
    assert whole["event"]["kind"] == "state"
    assert whole["auditor"]["verdict"] == "violations"
    assert whole["auditor"]["manifest"]["inputs"][0]["sha256"]


def test_an_inbound_session_has_the_server_as_source(documents: list[dict[str, Any]]) -> None:
    inbound = documents[0]
    assert inbound["network"]["direction"] == "inbound"
    assert inbound["source"]["ip"] == inbound["server"]["ip"] == "66.241.7.9"
    assert inbound["destination"]["port"] == 5900
    assert inbound["event"]["severity"] == 99
