"""A file of Suricata's EVE JSON, for what reads that already: an `alert` for each finding, `stats` for health.

    {kind: eve, path: /var/log/auditor/eve.json}

Severity is Suricata's, 1 the worst: critical and high are 1, medium 2, low and info 3. Signature ids are made of the
checks' names, from 1,000,000 on, the range for rules of one's own. Source: Suricata's EVE JSON format.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from auditor.sinks._linefile import FileSettings, LineFile
from auditor.sinks.base import OF_FINDINGS, Event, EventWord, Place, Sink

SEVERITY: Final = {"critical": 1, "high": 1, "medium": 2, "low": 3, "info": 3}
FIRST_ID: Final = 1_000_000
IDS: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(FileSettings):
    """A file of EVE JSON."""

    kind: Literal["eve"] = "eve"
    events: tuple[EventWord, ...] = ("opened", "closed", "health")


def open(settings: Settings, place: Place) -> Sink:
    return LineFile(place.path(settings.path), settings, lambda event: [eve(event, place.sensor)])


def eve(event: Event, sensor: str) -> dict[str, Any]:
    """One line of EVE for an event."""
    if event["event"] in OF_FINDINGS:
        return _alert(event, sensor)
    body = {key: value for key, value in event.items() if key not in ("event", "time")}
    kind = "stats" if event["event"] == "health" else "auditor"
    return {
        "timestamp": _time(event.get("time")),
        "event_type": kind,
        "host": sensor,
        kind: {"event": event["event"], **body},
    }


def _alert(event: Event, sensor: str) -> dict[str, Any]:
    inbound = event.get("direction") == "inbound"
    client = {"ip": event.get("client_ip"), "port": next(iter(event.get("client_ports") or ()), None)}
    server = {"ip": event.get("server_ip"), "port": event.get("server_port")}
    source, target = (server, client) if inbound else (client, server)
    target["port"] = event.get("service_port") or target["port"]
    line: dict[str, Any] = {
        "timestamp": _time(event.get("last_seen") or event.get("first_seen")),
        "event_type": "alert",
        "host": sensor,
        "src_ip": source["ip"],
        "src_port": source["port"],
        "dest_ip": target["ip"],
        "dest_port": target["port"],
        "proto": (event.get("protocol") or "").upper() or None,
        "alert": {
            "action": "allowed",
            "gid": 1,
            "signature_id": signature_id(event.get("check") or ""),
            "rev": 1,
            "signature": event.get("title"),
            "category": event.get("check"),
            "severity": SEVERITY.get(event.get("severity") or "", 3),
            "metadata": {key: [str(value)] for key, value in _metadata(event).items() if value is not None},
        },
    }
    return {key: value for key, value in line.items() if value is not None}


def _metadata(event: Event) -> Mapping[str, object]:
    told = {
        key: event.get(key)
        for key in ("id", "event", "severity", "certainty", "outcome", "vendor", "statement", "count", "message")
    }
    if event.get("grouped"):
        told["grouped"] = event["grouped"]["findings"]
    return told


def signature_id(check: str) -> int:
    """A number for a check that stays the same whatever checks there are beside it."""
    return FIRST_ID + zlib.crc32(check.encode()) % IDS


def _time(text: str | None) -> str | None:
    """Suricata's form, with microseconds: `2026-03-02T21:00:00.123456+0000`."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?Z", text or "")
    return f"{match[1]}.{(match[2] or '').ljust(6, '0')[:6]}+0000" if match else None
