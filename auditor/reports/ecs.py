"""Elastic Common Schema, a JSON object a line: an alert for each finding, then one document about the whole audit.

Fields are those of ECS 8; what ECS has no field for stands under `auditor`. `network.direction` is that of a sensor at
the perimeter: inbound or outbound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TextIO

from auditor.reports._eventlines import told, write_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from auditor.reporttypes import Document, FindingEntry, FlowEntry
    from auditor.result import Audit

SUFFIXES = (".ecs", ".ecs.json", ".ecs.jsonl", ".ecs.ndjson")
SHARED = (".json", ".jsonl", ".ndjson")
HASHED = True
VERSION: Final = "8.17.0"
SCORES: Final = {"critical": 99, "high": 73, "medium": 47, "low": 21, "info": 1}
"""Risk scores as detection rules of the Elastic stack have them."""
OUTCOMES: Final = {"attempt": "failure", "open": "success", "observed": "unknown"}
TRANSPORTS: Final = {"tcp": "6", "udp": "17", "icmp": "1", "icmp6": "58"}


def write(report: Audit, stream: TextIO) -> None:
    """Write all documents."""
    write_lines(documents(report), stream)


def documents(report: Audit) -> Iterator[dict[str, Any]]:
    """One for each finding, and one for the audit."""
    doc, flows, last = told(report)
    for finding in doc["findings"]:
        yield _alert(finding, flows, doc)
    yield {
        **_common(last, doc),
        "event": {
            "kind": "state",
            "module": "auditor",
            "dataset": "auditor.audit",
            "reason": "; ".join(report.reasons),
        },
        "message": f"verdict {doc['verdict']}",
        "auditor": {key: doc[key] for key in ("verdict", "captures", "coverage", "traffic", "manifest")},
    }


def _common(time: str | None, doc: Document) -> dict[str, Any]:
    return {
        "@timestamp": time or "1970-01-01T00:00:00.000000000Z",
        "ecs": {"version": VERSION},
        "observer": {"product": "auditor", "type": "ids", "version": doc["auditor"]["version"]},
    }


def _alert(finding: FindingEntry, flows: Mapping[str, FlowEntry], doc: Document) -> dict[str, Any]:
    first = finding["evidence"][0]
    flow = next((flows[id] for id in finding["flow_ids"] if id in flows), None)
    client, server = _end(finding["client_ip"], None), _end(finding["server_ip"], finding["server_port"])
    inbound = finding["direction"] == "inbound"
    if inbound:
        client = _end(finding["client_ip"], finding["service_port"])
    source, destination = (server, client) if inbound else (client, server)
    waiver = finding["waiver"]
    entry = {
        **_common(finding["first_seen"] or first["timestamp"], doc),
        "event": {
            "kind": "alert",
            "category": ["network", "intrusion_detection"],
            "type": ["denied"] if finding["outcome"] == "attempt" else ["info"],
            "outcome": OUTCOMES[finding["outcome"]],
            "id": finding["id"],
            "module": "auditor",
            "dataset": "auditor.finding",
            "severity": SCORES[finding["severity"]],
            "risk_score": float(SCORES[finding["severity"]]),
            "reason": finding["message"],
            "start": finding["first_seen"],
            "end": finding["last_seen"],
        },
        "message": finding["message"],
        "log": {"level": finding["severity"]},
        "rule": {
            "id": finding["check"],
            "name": finding["title"],
            "ruleset": finding["vendor"],
            "category": finding["statement"],
            "version": _version(finding, doc),
        },
        "network": {
            "transport": finding["protocol"],
            "iana_number": TRANSPORTS.get(finding["protocol"] or ""),
            "direction": finding["direction"] or "unknown",
            "community_id": flow["community_id"] if flow else None,
            "type": None if not finding["client_ip"] else "ipv6" if ":" in finding["client_ip"] else "ipv4",
        },
        "source": source,
        "destination": destination,
        "client": client,
        "server": server,
        "related": {"ip": sorted({end["ip"] for end in (client, server) if "ip" in end})},
        "file": {"path": first["capture"]},
        "tags": ["waived"] if waiver and not waiver["expired"] else None,
        "auditor": {
            "severity": finding["severity"],
            "certainty": finding["certainty"],
            "outcome": finding["outcome"],
            "count": finding["count"],
            "via": finding["via"],
            "evidence": finding["evidence"],
            "display_filter": finding["display_filter"],
            "remediation": finding["remediation"],
            "waiver": waiver,
        },
    }
    found: dict[str, Any] = _without_nothing(entry)
    return found


def _end(address: str | None, port: int | None) -> dict[str, Any]:
    """An end of the traffic; a proxy's target may be a name."""
    if address is None:
        return {}
    from auditor.addresses import parse_address

    found: dict[str, Any] = {"address": address}
    try:
        parse_address(address)
        found["ip"] = address
    except ValueError:
        found["domain"] = address
    return found | ({} if port is None else {"port": port})


def _version(finding: FindingEntry, doc: Document) -> str | None:
    return next((pack["version"] for pack in doc["packs"] if pack["id"] == finding["vendor"]), None)


def _without_nothing(value: Any) -> Any:
    """Fields that are null or empty say nothing."""
    if isinstance(value, dict):
        inner = {key: _without_nothing(one) for key, one in value.items()}
        return {key: one for key, one in inner.items() if one not in (None, {}, [], "")}
    return value
