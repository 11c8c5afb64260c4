"""Events and settings for tests of what comes behind the watch."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import TypeAdapter

from auditor.sinks import settings_of
from auditor.sinks.base import Common


def finding(number: int = 0, event: str = "opened", **changed: Any) -> dict[str, Any]:
    """An event of a finding; each `number` another client."""
    client = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    return {
        "event": event,
        "id": f"{number:016x}",
        "check": "udp-use",
        "severity": "medium",
        "certainty": "certain",
        "vendor": "drbackup",
        "statement": None,
        "title": "UDP with a vendor's network",
        "message": f"UDP between {client} and 66.241.7.9",
        "direction": "outbound",
        "outcome": "open",
        "client_ip": client,
        "client_ports": [40000],
        "server_ip": "66.241.7.9",
        "server_port": 21000,
        "service_port": 21000,
        "via": None,
        "protocol": "udp",
        "count": 1,
        "first_seen": "2026-03-02T21:00:00.000000000Z",
        "last_seen": "2026-03-02T21:00:01.500000000Z",
        "flow_ids": [f"{number:016x}"],
        "evidence": [{"capture": "lo", "frame": number + 1, "timestamp": None}],
        "display_filter": "udp",
        "remediation": "Close it.",
        "waiver": None,
        **changed,
    }


def settings(kind: str, **given: Any) -> Common:
    """Settings as a configuration would give them: text, lists and mappings."""
    value: Common = _adapter(kind).validate_python({"kind": kind, **given})
    return value


@cache
def _adapter(kind: str) -> Any:
    return TypeAdapter(settings_of(kind))
